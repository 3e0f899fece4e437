import { Fault } from '../../proto/faults/fault.ts';
import type { Guard } from '../../proto/process/outbound/guard.ts';
import type { CalledUrl } from './called-url.ts';
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
  readonly optionsOf: (called: CalledUrl) => DefinedOptions;
}

/** Pools toward origins that only requests name: by an expression in a target, or by a route to a URL. */
export class Origins {
  readonly #options: OriginsOptions;
  readonly #held = new Map<string, HeldUpstream>();
  #isReleased = false;

  constructor(options: OriginsOptions) {
    this.#options = options;
  }

  /** The pool toward a URL; undefined when this gateway may not call it. Addresses that its name resolves to are judged when they are dialled. */
  toward(called: CalledUrl): HeldUpstream['upstream'] | undefined {
    const key = called.isGrpc ? `grpc ${called.url.origin}` : called.url.origin;
    const known = this.#held.get(key);
    if (known !== undefined) {
      this.#held.delete(key);
      this.#held.set(key, known);
      return known.upstream;
    }
    const { api, upstreams, guard, optionsOf } = this.#options;
    try {
      const options = optionsOf(called);
      guard.checkHost({ host: options.foundBy ?? options.host, port: options.port });
      const made = upstreams.hold(api, options);
      // A request that outlives its revision: the pool closes behind it.
      if (this.#isReleased) made.release();
      else this.#held.set(key, made);
      this.#dropOldest();
      return made.upstream;
    } catch (error) {
      if (error instanceof Fault) return undefined;
      throw error;
    }
  }

  /** What requests still name is called all the same, and kept by nobody. */
  release(): void {
    this.#isReleased = true;
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
