import { CONTINUE, type PolicyFactory } from './policy.ts';

/** Waits. */
export const latency: PolicyFactory<'latency'> = ({ time, timeUnit }, { host }) => {
  const ms = time * (timeUnit === 'SECONDS' ? 1_000 : 1);
  return {
    request: {
      needs: 'head',
      run: () => (ms === 0 ? CONTINUE : host.clock.delay(ms).then(() => CONTINUE)),
    },
  };
};
