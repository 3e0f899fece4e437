import type { CompiledApi } from '../compile/compile.ts';
import { refusals } from '../errors/refusals.ts';
import { admit } from './admit.ts';
import { answer, fail, refuse } from './answer.ts';
import type { Call } from './call.ts';
import { CallLog } from '../logs/call-log.ts';
import { requestFlows, responseFlows } from './flows.ts';
import { organizationRequest, organizationResponse, passRefusal } from './organization.ts';
import { goOn, type Way } from './stage.ts';
import { takeIn } from './take-in.ts';
import { toBackend } from './to-backend.ts';

/** The way of a request by the type of its API. */
export type Ways = { readonly [Type in CompiledApi['type']]: Way };

/** The ways of this version; a new type of API is a line here, what every request passes is a stage in its line. */
export const ways: Ways = {
  proxy: {
    request: [takeIn, admit, requestFlows, toBackend],
    answer: [responseFlows, answer],
    inOrganization: {
      request: [takeIn, organizationRequest, admit, requestFlows, toBackend],
      answer: [responseFlows, organizationResponse, answer],
      passRefusal,
    },
  },
};

/** Sends a request on its way, to its answer and to its record. Never throws. */
export function start(call: Call, by: Ways): void {
  try {
    const { compiled, recorders, durations } = call.deployed;
    const isRecorded = recorders !== undefined && compiled?.isRecorded !== false;
    if (isRecorded && compiled?.logging !== undefined)
      call.log = new CallLog(compiled.logging, call.options.logs, call.exchange);
    if (isRecorded) call.trail = call.options.trails?.begin();
    if (isRecorded) call.userAgent = call.exchange.request.headers.get('user-agent');
    if (isRecorded || durations !== undefined) call.exchange.beforeEnd = call;
    if (compiled === undefined) return refuse(call, refusals.notDeployed);
    const way = by[compiled.type];
    call.way = call.organizationFlows === undefined ? way : (way.inOrganization ?? way);
    call.stages = call.way.request;
    goOn(call);
  } catch (error) {
    fail(call, error);
  }
}
