import type { TokenAlgorithm } from '../../../proto/trust/token-keys.ts';
import type { FetchWish } from './fetch-text.ts';
import { KeySet } from './key-set.ts';

type Parts = ConstructorParameters<typeof KeySet>[2];

/** Where a key set is, and for which algorithm. */
export interface KeySetWish extends Omit<FetchWish, 'bytesMax'> {
  readonly algorithm: TokenAlgorithm;
}

/** The key sets of this process: plans that name the same one share it, through all revisions of their APIs. */
export class KeySets {
  readonly #open = new Map<string, { readonly set: KeySet; users: number }>();

  /** Hands one out, until it is released. It fetches nothing before it is asked. */
  acquire({ algorithm, ...wish }: KeySetWish, parts: Parts): { readonly set: KeySet; release(): void } {
    const id = JSON.stringify([algorithm, wish]);
    let shared = this.#open.get(id);
    if (shared === undefined)
      this.#open.set(id, (shared = { set: new KeySet(wish, algorithm, parts), users: 0 }));
    const { set } = shared;
    shared.users += 1;
    return {
      set,
      release: () => {
        shared.users -= 1;
        if (shared.users > 0) return;
        this.#open.delete(id);
        set.release();
      },
    };
  }
}
