import type { Condition } from '../../../proto/expression/condition.ts';
import { withResponse } from '../../../proto/expression/scope.ts';
import type { FailoverDefinition } from '../../../proto/model/api.ts';
import type { Clock } from '../../../proto/process/clock.ts';
import { BodyTooLarge, bodyOf } from '../../http/exchange.ts';
import type { Retry } from '../../endpoints/groups.ts';
import type { BackendAnswer, PolicyCall } from '../../policies/policy.ts';
import { conditionOf } from '../compile/gate.ts';
import type { Step } from '../compile/step.ts';
import { refusals } from '../errors/refusals.ts';
import { type CircuitBoard, Circuits } from './circuits.ts';
import { unpack } from './unpack.ts';

/** A request whose backend may be called more than once. */
export interface RetriedCall extends PolicyCall {
  /** Which call of it is the next one, where that decides who is called. */
  retry: Retry | undefined;
  readonly options: { readonly bodyBytesMax: number };
}

/** What failover works with. */
export interface FailoverHost {
  readonly api: string;
  readonly clock: Clock;
  /** Undefined where nobody measures. */
  readonly circuits: CircuitBoard | undefined;
}

/**
 * Makes the innermost step around the backend: it calls again, at the endpoint whose turn it is, what failed, was too slow, or was
 * answered so that `failureCondition` holds, and answers 502 when the last call has failed as well. Undefined when there is no failover.
 *
 * A request counts once for its circuit, however often it was sent. An open circuit answers 502 without a call. Turns and circuits are
 * those of one process. The request's body is read whole, so that it can be sent again; of an answer it is where the condition reads it.
 * Source: the reference.
 */
export function createFailover(failover: FailoverDefinition, host: FailoverHost): Step | undefined {
  if (!failover.enabled) return undefined;
  const condition = conditionOf(failover.failureCondition, 'failover.failureCondition');
  const attempts: Attempts = {
    failover,
    clock: host.clock,
    condition: failover.failureCondition.trim() === '' ? undefined : condition,
  };
  const circuits = new Circuits(failover, host.clock);
  let hide = (): void => undefined;
  return {
    policy: {
      around: {
        needs: 'buffered',
        async run(call: RetriedCall, next) {
          const key = failover.perSubscription ? (call.subscription?.id ?? '') : '';
          const entered = circuits.enter(key);
          if (entered === 'refused') return refusals.failoverExhausted;
          try {
            const answer = await callUntilGood(call, next, attempts);
            if (answer !== undefined) circuits.close(key);
            else circuits.fail(key);
            return answer ?? refusals.failoverExhausted;
          } finally {
            if (entered === 'trying') circuits.hasTried(key);
          }
        },
      },
      start: () => void (hide = host.circuits?.show(host.api, circuits) ?? hide),
      release: () => hide(),
    },
    kind: 'failover',
    at: 'failover',
    readsRequest: true,
    readsResponse: false,
    keptAt: undefined,
    gate: undefined,
  };
}

interface Attempts {
  readonly failover: FailoverDefinition;
  readonly clock: Clock;
  /** Undefined where every answer is one. */
  readonly condition: Condition | undefined;
}

/** The first answer that is one; undefined when all calls failed. */
async function callUntilGood(
  call: RetriedCall,
  next: () => Promise<BackendAnswer>,
  { failover, clock, condition }: Attempts,
): Promise<BackendAnswer | undefined> {
  call.retry = failover.forceNextEndpointOnFailure ? { count: 0, first: undefined } : undefined;
  for (let count = 0; count <= failover.maxRetries; count += 1) {
    if (call.retry !== undefined) call.retry.count = count;
    const answer = next();
    const judged = condition === undefined ? answer : answer.then((each) => judge(each, call, condition));
    const settled = await inTime(judged, failover.slowCallDuration, clock);
    if (settled !== 'failed' && !hasFailed(settled)) return settled;
  }
  return undefined;
}

/** `failed` when the condition holds; one that cannot be told does not, as in the reference. */
async function judge(
  answer: BackendAnswer,
  call: RetriedCall,
  condition: Condition,
): Promise<BackendAnswer | 'failed'> {
  if (answer.kind !== 'response') return answer;
  const { status, headers } = answer.head;
  let read = answer;
  let said: Uint8Array | undefined = undefined;
  if (condition.needs === 'buffered') {
    let content: Uint8Array;
    try {
      content = await answer.body.buffer(call.options.bodyBytesMax);
      said = (await unpack({ headers, content }, call.options.bodyBytesMax)) ?? content;
    } catch (error) {
      // It did not come whole: the backend broke off.
      return error instanceof BodyTooLarge ? refusals.responseTooLarge : 'failed';
    }
    // An answer without a body keeps the one that says which length it would have had.
    if (!answer.body.isEmpty) read = { ...answer, body: bodyOf(content, answer.body.trailers) };
  }
  const judged = condition.judge(withResponse(call, { status, headers, content: said }));
  if (typeof judged === 'object')
    call.warn('EXPRESSION_EVALUATION_ERROR', `failover.failureCondition: ${judged.why}`);
  return judged === true ? 'failed' : read;
}

/** What comes after the wait is let go of by the next call, or by the end of the request. */
function inTime(
  answer: Promise<BackendAnswer | 'failed'>,
  msMax: number,
  clock: Clock,
): Promise<BackendAnswer | 'failed'> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(msMax, () => resolve('failed'));
    answer.then(resolve, reject).finally(cancel);
  });
}

/** Whether the backend failed, and not the client. */
function hasFailed(answer: BackendAnswer): boolean {
  return answer.kind === 'failure' && answer.failure !== 'aborted' && answer.failure !== 'requestBodyFailed';
}
