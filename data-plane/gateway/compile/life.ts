import type { EndpointsGround } from '../../endpoints/group.ts';
import type { Policy } from '../../policies/policy.ts';

/** A part of an API that may hold something open: a step, or the security of a plan. */
export type Opening = Pick<Policy, 'start' | 'release'>;

/** Parts start where backends are called. */
type PartsGround = Pick<EndpointsGround, 'upstreams'>;

/** What a compiled API opens and gives back. */
export interface Life<Ground extends PartsGround = EndpointsGround> {
  /** A part of it begins before the first request: what it fetches has to be there then. */
  readonly beginsEarly: boolean;
  /**
   * Opens what requests need, once, before the first of them. Where nobody calls its endpoints, they are watched alone.
   *
   * Errors: what a part throws; what had begun is then released.
   */
  start(ground: Ground): void;
  /**
   * Gives it back, once; requests in flight still end. Harmless for what never started.
   *
   * Errors: the first that a part threw; the others are released all the same.
   */
  release(): void;
}

/** Makes the life of an API: its pools, if it has some, then its parts in order; released the other way round. */
export function createLife<Ground extends PartsGround>(
  endpoints: { start(ground: Ground): void; release(): void } | undefined,
  parts: readonly Opening[],
): Life<Ground> {
  const started: Opening[] = [];
  let state: 'new' | 'started' | 'released' = 'new';
  const release = (): void => {
    if (state !== 'started') return;
    state = 'released';
    const thrown: unknown[] = [];
    for (const part of started.splice(0).toReversed()) {
      try {
        part.release?.();
      } catch (error) {
        thrown.push(error);
      }
    }
    endpoints?.release();
    if (thrown.length > 0) throw thrown[0];
  };
  return {
    beginsEarly: parts.some((part) => part.start !== undefined),
    start(ground) {
      if (state !== 'new') return;
      state = 'started';
      try {
        endpoints?.start(ground);
        if (ground.upstreams === undefined) return;
        for (const part of parts) {
          part.start?.();
          started.push(part);
        }
      } catch (error) {
        try {
          release();
        } catch {
          // Why it did not start says more.
        }
        throw error;
      }
    },
    release,
  };
}
