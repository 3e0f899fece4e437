import type { PolicyResponse } from '../../policies/policy.ts';
import type { Steps } from '../compile/pipeline.ts';
import { runSteps, type StepsResult } from '../steps/run-steps.ts';
import type { Call } from './call.ts';
import { headOf } from './heads.ts';
import { answerInstead, goOn, resume } from './stage.ts';

/** Stage: the request passes the steps of its plan and of its API. */
export function requestFlows(call: Call): void {
  passRequest(call, call.steps);
}

/** Stage: the answer passes them on its way back. */
export function responseFlows(call: Call): void {
  passAnswer(call, call.steps);
}

/** The request passes steps, then it goes on. */
export function passRequest(call: Call, passed: Steps | undefined): void {
  const steps = passed?.request;
  if (steps === undefined || steps.length === 0) return goOn(call);
  const finish = (result: StepsResult): void =>
    result === undefined ? goOn(call) : answerInstead(call, result);
  const result = runSteps(steps, 'request', call);
  if (result instanceof Promise) resume(call, result, finish);
  else finish(result);
}

/** The answer passes steps, then it goes on. */
export function passAnswer(call: Call, steps: Steps | undefined): void {
  const { answerHead: head } = call;
  if (steps === undefined || steps.response.length === 0 || head === undefined) return goOn(call);
  const { status, reason, headers } = head;
  const response: PolicyResponse = { status, reason, headers, content: undefined };
  call.beginResponse(response);
  const { answerBody: body } = call;
  const finish = (result: StepsResult): void => {
    if (result !== undefined && result.kind !== 'answer') return answerInstead(call, result);
    if (response.status !== status && response.reason === reason) response.reason = undefined;
    const isChanged = result !== undefined || response.content !== undefined;
    if (isChanged) call.upstreamBody?.discard();
    call.answerHead = result === undefined ? response : headOf(call.exchange, result);
    call.answerBody =
      result === undefined ? (response.content ?? call.transformedAnswer ?? body) : result.body;
    goOn(call);
  };
  const result = runSteps(steps.response, 'response', call);
  if (result instanceof Promise) resume(call, result, finish);
  else finish(result);
}
