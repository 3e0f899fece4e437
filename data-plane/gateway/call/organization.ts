import { answer, refuseUnmatched, respond } from './answer.ts';
import type { Call } from './call.ts';
import { passAnswer, passRequest } from './flows.ts';
import { goOn } from './stage.ts';

/** Stage: the request passes the flows of its organization, before anybody asks who calls. */
export function organizationRequest(call: Call): void {
  const { organizationFlows: flows, receivedPathInfo, otherPathInfos, request } = call;
  if (flows === undefined) return goOn(call);
  const steps = flows.pipeline(receivedPathInfo, otherPathInfos, request.method);
  if (steps === undefined) return refuseUnmatched(call, 'organization.flows');
  call.organizationSteps = steps;
  passRequest(call, steps);
}

/** Stage: the answer passes them, the last of all flows. */
export function organizationResponse(call: Call): void {
  const { organizationSteps: steps } = call;
  call.organizationSteps = undefined;
  passAnswer(call, steps);
}

/** A refusal passes them as well, when the request has come so far; once, whatever they make of it. */
export function passRefusal(call: Call): void {
  const { organizationSteps: steps, answerHead: head, answerBody: body } = call;
  call.organizationSteps = undefined;
  if (head === undefined) return;
  if (steps === undefined || call.deployed.compiled?.engine.refusalsPassOrganization !== true)
    return respond(call, head, body);
  call.stages = [answer];
  call.entered = 0;
  passAnswer(call, steps);
  // A step that would have to wait has come too late: the refusal goes out as it is.
  if (call.isLate) respond(call, head, body);
}
