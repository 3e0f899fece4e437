import { Fault } from '../../proto/faults/fault.ts';
import type { Guard } from '../../proto/process/outbound/guard.ts';
import type { DefinedOptions } from './options.ts';
import type { HeldUpstream, Upstreams } from './upstreams.ts';

/** Most origins that the requests of one endpoint may name at a time; the one that was named longest ago is let go. */
const originsMax = 64;

/** What pools toward origins are made of. */
export interface OriginsOptions {
  readonly api: string;
  readonly upstreams: Upstreams;
  readonly guard: Guard;
  /** How to talk to an origin. Errors: request.invalid. */
  readonly optionsOf: (url: URL) => DefinedOptions;
}

/** Pools toward origins that only requests name: by an expression in a target, or by a route to a URL. */
export class Origins {
  readonly #options: OriginsOptions;
  readonly #held = new Map<string, HeldUpstream>();

  constructor(options: OriginsOptions) {
    this.#options = options;
  }

  /** The pool toward a URL; undefined when this gateway may not call it. Addresses that its name resolves to are judged when they are dialled. */
  toward(url: URL): HeldUpstream['upstream'] | undefined {
    const known = this.#held.get(url.origin);
    if (known !== undefined) {
      this.#held.delete(url.origin);
      this.#held.set(url.origin, known);
      return known.upstream;
    }
    const { api, upstreams, guard, optionsOf } = this.#options;
    try {
      const options = optionsOf(url);
      guard.checkHost(options);
      const made = upstreams.hold(api, options);
      this.#held.set(url.origin, made);
      this.#dropOldest();
      return made.upstream;
    } catch (error) {
      if (error instanceof Fault) return undefined;
      throw error;
    }
  }

  release(): void {
    for (const held of this.#held.values()) held.release();
    this.#held.clear();
  }

  #dropOldest(): void {
    const [oldest] = this.#held;
    if (this.#held.size <= originsMax || oldest === undefined) return;
    this.#held.delete(oldest[0]);
    oldest[1].release();
  }
}
