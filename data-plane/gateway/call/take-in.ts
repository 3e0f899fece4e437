import type { CompiledApi } from '../compile/compile.ts';
import type { Cors } from '../compile/cors.ts';
import { marks } from '../explain/trail.ts';
import { readingsOf } from '../../policies/path-readings.ts';
import { hasNullByte, refusals } from '../errors/refusals.ts';
import { refuse, respond } from './answer.ts';
import type { Call } from './call.ts';
import { setIds } from './forwarded.ts';
import { requestFlows } from './flows.ts';
import { headOf } from './heads.ts';
import { finalAnswer, forwardsLeft } from './hops.ts';
import { beginAnswer, goOn } from './stage.ts';
import { passTrace } from './trace.ts';

/** The first stage: what is refused or answered whoever asks, and what the gateway itself says about the request. */
export function takeIn(call: Call, api: CompiledApi): void {
  const { request } = call.exchange;
  call.mappedPath = api.mapPath?.(call.receivedPathInfo);
  const cors = api.corsOf(call.request.contextPath, request.host, request.server);
  const isPreflight = cors?.isPreflight(request) === true;
  // Before the first refusal, which a page is to be able to read as well.
  call.cors = isPreflight ? cors.ofPreflight(undefined) : cors;
  if (api.rejectsNullByte && hasNullByte(request.path, request.query)) return refuse(call, refusals.nullByte);
  const { others, leadsOut } = readingsOf(call.receivedPathInfo);
  if (leadsOut || others.some((other) => isAnothers(call, other)))
    return refuse(call, refusals.invalidRequest);
  call.otherPathInfos = others;
  // Cut here: a later stage may wait for its own answer.
  if (request.headers.has('via')) {
    call.receivedVia = request.headers.getAll('via').join(', ');
    if (call.options.hops.isLoop(call.receivedVia, call.deployed)) return refuse(call, refusals.loop);
  }
  if (isPreflight) return answerPreflight(call, cors, api);
  const left = forwardsLeft(request);
  if (left === 0) return answerFinally(call);
  if (left !== undefined) request.headers.set('Max-Forwards', String(left - 1));
  call.options.forwarding.extend(request);
  setIds(request.headers, call.transactionId, call.requestId);
  if (api.isTraced) call.traceId = passTrace(request.headers);
  call.trail?.mark(marks.matched, undefined);
  goOn(call);
}

/** No hop is left: the gateway answers in the backend's place. */
function answerFinally(call: Call): void {
  const { headers, body } = finalAnswer(call.exchange.request);
  call.exchange.request.body.discard();
  respond(call, headOf(call.exchange, { status: 200, headers }), body);
}

/**
 * Whether a reading of the path is another API's, at whose backend it may arrive as such though that one's plans were never asked:
 * `/shop/admin;x` at the API of `/shop`, where `/shop/admin` is one of its own.
 */
function isAnothers({ options, exchange, request, deployed }: Call, pathInfo: string): boolean {
  return options.match(exchange.request.host, `${request.contextPath}${pathInfo}`)?.target !== deployed;
}

function answerPreflight(call: Call, cors: Cors, api: CompiledApi): void {
  const said = cors.answerPreflight(call.exchange.request);
  const allowed = typeof said === 'string' ? undefined : said;
  call.cors = cors.ofPreflight(allowed);
  if (typeof said === 'string') {
    const refusal = refusals.preflight(cors.errorStatus, said);
    if (!cors.answersRefused) return refuse(call, refusal);
    call.errorKey = refusal.key;
  }
  const head = headOf(call.exchange, cors.headOf(allowed));
  const { request, receivedPathInfo, otherPathInfos } = call;
  const letBodyGo = (): void => {
    if (!call.isBodyTaken) call.exchange.request.body.discard();
  };
  if (!cors.runsPolicies) {
    letBodyGo();
    return respond(call, head, undefined);
  }
  call.steps = api.preflightFlows(receivedPathInfo, otherPathInfos, request.method);
  const answerIt = (): void => {
    letBodyGo();
    beginAnswer(call, head, '');
  };
  call.stages = [requestFlows, answerIt];
  call.entered = 0;
  goOn(call);
}
