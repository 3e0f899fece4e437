import type { Endpoints } from '../../endpoints/groups.ts';
import type { Upstreams } from '../../endpoints/upstreams.ts';
import type { Step } from './step.ts';

/** What a compiled API opens and gives back. */
export interface Life {
  /**
   * Opens what requests need, once, before the first of them. `key` is unique on this gateway: environment and API.
   *
   * Errors: what a step throws; what had begun is then released.
   */
  start(key: string, upstreams: Upstreams): void;
  /**
   * Gives it back, once; requests in flight still end. Harmless for what never started.
   *
   * Errors: the first that a step threw; the others are released all the same.
   */
  release(): void;
}

/** Makes the life of an API: its pools, then its steps in order; released the other way round. */
export function createLife(endpoints: Endpoints, steps: readonly Step[]): Life {
  const started: Step[] = [];
  let state: 'new' | 'started' | 'released' = 'new';
  const release = (): void => {
    if (state !== 'started') return;
    state = 'released';
    const thrown: unknown[] = [];
    for (const { policy } of started.splice(0).toReversed()) {
      try {
        policy.release?.();
      } catch (error) {
        thrown.push(error);
      }
    }
    endpoints.release();
    if (thrown.length > 0) throw thrown[0];
  };
  return {
    start(key, upstreams) {
      if (state !== 'new') return;
      state = 'started';
      try {
        endpoints.start(key, upstreams);
        for (const step of steps) {
          step.policy.start?.();
          started.push(step);
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
