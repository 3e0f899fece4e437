import type { Condition, Judgement } from '../../../proto/expression/condition.ts';
import { withResponse } from '../../../proto/expression/scope.ts';
import type { Clock } from '../../../proto/process/clock.ts';
import type { BackendAnswer, PolicyCall, PolicyFactory } from '../policy.ts';

/** Asks the backend again; which answers before the last are let go of, the pipeline knows. */
export const retry: PolicyFactory<'retry'> = (config, { refuse, place, host: { clock } }) => {
  const { condition, maxRetries, delay, timeout, lastResponse } = config;
  const step = { kind: 'retry', at: place.at };
  const exhausted = refuse('RETRY_EXHAUSTED');
  return {
    around: {
      needs: 'buffered',
      async run(call, next) {
        let last: BackendAnswer | undefined;
        for (let count = 0; count <= maxRetries; count += 1) {
          if (count > 0 && delay > 0) await clock.delay(delay);
          const answer = await inTime(next(), timeout, clock);
          last = undefined;
          if (answer === 'slow' || hasFailed(answer)) continue;
          if (answer.kind !== 'response') return answer;
          const isBad = judge(answer, call, condition);
          if (typeof isBad === 'object')
            call.warn('EXPRESSION_EVALUATION_ERROR', `condition: ${isBad.why}`, { step });
          if (isBad !== true) return answer;
          last = answer;
        }
        return lastResponse && last !== undefined ? last : exhausted;
      },
    },
  };
};

/** Whether it is to be asked for again. */
function judge(
  { head }: Extract<BackendAnswer, { readonly kind: 'response' }>,
  call: PolicyCall,
  condition: Condition | undefined,
): Judgement {
  const { status, headers } = head;
  return condition?.judge(withResponse(call, { status, headers, content: undefined })) ?? false;
}

/** Whether the backend failed, and not the client. */
const hasFailed = (answer: BackendAnswer): boolean =>
  answer.kind === 'failure' && answer.failure !== 'aborted' && answer.failure !== 'requestBodyFailed';

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
