import type { FailoverDefinition } from '../../../proto/model/api.ts';
import type { Clock } from '../../../proto/process/clock.ts';
import type { BackendAnswer } from '../../policies/policy.ts';
import type { Step } from '../compile/step.ts';
import { refusals } from '../errors/refusals.ts';

/** Circuits of one API that are kept; beyond them the one that failed longest ago is forgotten, and so closed. */
const circuitsMax = 10_000;

/** What has failed lately for one subscription, for all that have none, or for all. No failure: it is not kept. */
interface Circuit {
  /** Requests in a row that failed. */
  failures: number;
  /** Monotonic ms until which no backend is called; afterwards one request at a time tries. */
  opensUntilMs: number;
  isTrying: boolean;
}

/**
 * Makes the innermost step around the backend: it calls again, at the endpoint whose turn it is, what failed or was too slow, and answers
 * 502 when the last call has failed as well. Undefined when there is no failover.
 *
 * A request counts once for its circuit, however often it was sent. An open circuit answers 502 without a call. Turns and circuits are
 * those of one process. The request's body is read whole, so that it can be sent again. Source: the reference.
 */
export function createFailover(failover: FailoverDefinition, clock: Clock): Step | undefined {
  if (!failover.enabled) return undefined;
  const circuits = new Map<string, Circuit>();
  return {
    policy: {
      around: {
        needs: 'buffered',
        async run(call, next) {
          const key = failover.perSubscription ? (call.subscription?.id ?? '') : '';
          const circuit = circuits.get(key);
          if (circuit !== undefined && !mayCall(circuit, failover, clock)) return refusals.failoverExhausted;
          try {
            const answer = await callUntilGood(next, failover, clock);
            if (answer !== undefined) circuits.delete(key);
            else countFailure(circuits, key, { failover, clock });
            return answer ?? refusals.failoverExhausted;
          } finally {
            if (circuit !== undefined) circuit.isTrying = false;
          }
        },
      },
    },
    kind: 'failover',
    at: 'failover',
    readsRequest: true,
    readsResponse: false,
    keptAt: undefined,
    gate: undefined,
  };
}

/** Whether a backend may be called; of several requests after the wait the first tries. */
function mayCall(circuit: Circuit, { maxFailures }: FailoverDefinition, clock: Clock): boolean {
  if (circuit.failures < maxFailures) return true;
  if (circuit.isTrying || clock.monotonicMs() < circuit.opensUntilMs) return false;
  circuit.isTrying = true;
  return true;
}

function countFailure(
  circuits: Map<string, Circuit>,
  key: string,
  { failover, clock }: { readonly failover: FailoverDefinition; readonly clock: Clock },
): void {
  const circuit = circuits.get(key) ?? { failures: 0, opensUntilMs: 0, isTrying: false };
  circuit.failures += 1;
  if (circuit.failures >= failover.maxFailures)
    circuit.opensUntilMs = clock.monotonicMs() + failover.openStateDuration;
  circuits.delete(key);
  circuits.set(key, circuit);
  const [oldest] = circuits.size > circuitsMax ? circuits.keys() : [];
  if (oldest !== undefined) circuits.delete(oldest);
}

/** The first answer that is one; undefined when all calls failed. */
async function callUntilGood(
  next: () => Promise<BackendAnswer>,
  { maxRetries, slowCallDuration }: FailoverDefinition,
  clock: Clock,
): Promise<BackendAnswer | undefined> {
  for (let count = 0; count <= maxRetries; count += 1) {
    const answer = await inTime(next(), slowCallDuration, clock);
    if (answer !== 'slow' && !hasFailed(answer)) return answer;
  }
  return undefined;
}

/** What comes after the wait is let go of by the next call, or by the end of the request. */
function inTime(
  answer: Promise<BackendAnswer>,
  msMax: number,
  clock: Clock,
): Promise<BackendAnswer | 'slow'> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(msMax, () => resolve('slow'));
    answer.then(resolve, reject).finally(cancel);
  });
}

/** Whether the backend failed, and not the client. */
function hasFailed(answer: BackendAnswer): boolean {
  return answer.kind === 'failure' && answer.failure !== 'aborted' && answer.failure !== 'requestBodyFailed';
}
