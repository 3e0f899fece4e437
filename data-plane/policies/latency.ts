import { CONTINUE, type PolicyFactory } from './policy.ts';

/** Waits. */
export const latency: PolicyFactory<'latency'> = ({ time, timeUnit }, { host, place }) => {
  const ms = time * (timeUnit === 'SECONDS' ? 1_000 : 1);
  const hook = {
    needs: 'head',
    run: () => (ms === 0 ? CONTINUE : host.clock.delay(ms).then(() => CONTINUE)),
  } as const;
  return place.phase === 'request' ? { request: hook } : { response: hook };
};
