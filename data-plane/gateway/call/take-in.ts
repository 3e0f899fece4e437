import type { CompiledApi } from '../compile/compile.ts';
import type { Cors } from '../compile/cors.ts';
import { readingsOf } from '../compile/readings.ts';
import { hasNullByte, refusals } from '../errors/refusals.ts';
import { refuse, respond } from './answer.ts';
import type { Call } from './call.ts';
import { setIds } from './forwarded.ts';
import { headOf } from './heads.ts';
import { goOn } from './stage.ts';

/** The first stage: what is refused or answered whoever asks, and what the gateway itself says about the request. */
export function takeIn(call: Call, api: CompiledApi): void {
  const { request } = call.exchange;
  call.mappedPath = api.mapPath?.(call.receivedPathInfo);
  if (api.rejectsNullByte && hasNullByte(request.path, request.query)) return refuse(call, refusals.nullByte);
  const { others, leadsOut } = readingsOf(call.receivedPathInfo);
  if (leadsOut || others.some((other) => isAnothers(call, other)))
    return refuse(call, refusals.invalidRequest);
  call.otherPathInfos = others;
  const cors = api.corsOf(call.request.contextPath, request.host);
  if (cors?.isPreflight(request) === true) return answerPreflight(call, cors);
  call.cors = cors;
  call.options.forwarding.extend(request);
  setIds(request.headers, call.transactionId, call.requestId);
  goOn(call);
}

/**
 * Whether a reading of the path is another API's, at whose backend it may arrive as such though that one's plans were never asked:
 * `/shop/admin;x` at the API of `/shop`, where `/shop/admin` is one of its own.
 */
function isAnothers({ options, exchange, request, deployed }: Call, pathInfo: string): boolean {
  return options.match(exchange.request.host, `${request.contextPath}${pathInfo}`)?.target !== deployed;
}

function answerPreflight(call: Call, cors: Cors): void {
  const allowed = cors.answerPreflight(call.exchange.request);
  if (allowed === undefined) return refuse(call, refusals.preflight(cors.errorStatus));
  call.exchange.request.body.discard();
  respond(call, headOf(call.exchange, { status: 200, headers: allowed }), undefined);
}
