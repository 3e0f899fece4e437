import { Fault, invariant } from '../../proto/faults/fault.ts';
import { keyIdOfNonce, makeNonce, nonceSeconds, readNonce, type NonceKey } from '../../proto/trust/nonces.ts';
import type { BridgeOptions } from '../services.ts';

/** Makes nonces and reads them, by the database's clock. */
export interface Nonces {
  /** A fresh one; costs no query. Errors: storage.unavailable while the database was not heard for a minute. */
  make(): Promise<string>;
  /** When it was made; undefined for what no bridge of ours made lately. */
  read(text: string): Promise<number | undefined>;
}

/** How often the keys and the database's time are read. */
const freshMs = 10_000;
/** With the database away, nonces go on for so long: whoever comes with one is told that it is away. */
const staleMsMax = 60_000;
/** An unknown key id may be of a bridge that made a key just now; strangers must not make us ask for each. */
const askAgainMs = 1_000;

interface Known {
  readonly keys: readonly NonceKey[];
  /** The database's time less our monotonic clock. */
  readonly offsetMs: number;
  readonly readAtMs: number;
}

/** Makes the maker; the keys are read when the first nonce is wanted. */
export function createNonces({ repository, clock }: Pick<BridgeOptions, 'repository' | 'clock'>): Nonces {
  let known: Known | undefined;
  let reading: Promise<Known> | undefined;
  const ageMs = (): number =>
    known === undefined ? Number.POSITIVE_INFINITY : clock.monotonicMs() - known.readAtMs;

  const readOnce = async (): Promise<Known> => {
    const before = clock.monotonicMs();
    const { keys, nowMs } = await repository.nonceKeys();
    // The middle of the question: the answer is about a moment in it.
    known = { keys, offsetMs: nowMs - (before + clock.monotonicMs()) / 2, readAtMs: clock.monotonicMs() };
    return known;
  };
  const refresh = (): Promise<Known> => (reading ??= readOnce().finally(() => (reading = undefined)));
  const current = async (freshMsMax: number): Promise<Known> => {
    if (known !== undefined && ageMs() < freshMsMax) return known;
    try {
      return await refresh();
    } catch (error) {
      if (known !== undefined && ageMs() < staleMsMax) return known;
      throw error;
    }
  };

  return {
    async make() {
      const { keys, offsetMs } = await current(freshMs);
      const [newest] = keys;
      invariant(newest !== undefined, 'the ledger gives at least one key');
      return makeNonce(newest, clock.monotonicMs() + offsetMs);
    },
    async read(text) {
      const id = keyIdOfNonce(text);
      if (id === undefined) return undefined;
      let now = await current(freshMs);
      if (!now.keys.some((key) => key.id === id)) now = await current(askAgainMs);
      const read = readNonce(text, now.keys);
      if (read === undefined) return undefined;
      const isOld = clock.monotonicMs() + now.offsetMs - read.issuedAtMs > nonceSeconds * 1_000;
      return isOld ? undefined : read.issuedAtMs;
    },
  };
}

/** What a nonce that does not count is answered with. */
export function badNonce(): Fault {
  return new Fault('trust.bad_nonce');
}
