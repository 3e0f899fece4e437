import type { Exchange, ExchangeRequest, ResponseHead } from '../../http/exchange.ts';
import type { Answer, PolicyRequest } from '../../policies/policy.ts';
import type { ErrorAnswer } from '../errors/error-answer.ts';

/** The request as steps see and change it. */
export function requestFor(
  request: ExchangeRequest,
  facts: Pick<PolicyRequest, 'id' | 'transactionId' | 'contextPath' | 'pathInfo' | 'remoteAddress'>,
): PolicyRequest {
  return {
    id: facts.id,
    transactionId: facts.transactionId,
    method: request.method,
    path: request.path,
    pathInfo: facts.pathInfo,
    query: request.query,
    headers: request.headers,
    host: request.host,
    scheme: request.scheme,
    remoteAddress: facts.remoteAddress,
    contextPath: facts.contextPath,
    content: undefined,
    hasBody: !request.body.isEmpty,
  };
}

/** The head of an answer that a step gives in place of the backend. */
export function headOf(exchange: Exchange, answer: Pick<Answer, 'status' | 'headers'>): ResponseHead {
  const headers = exchange.createHeaders();
  for (const [name, value] of answer.headers) headers.append(name, value);
  return { status: answer.status, headers };
}

/** The head of a refusal. */
export function errorHeadOf(
  exchange: Exchange,
  { status, headers }: ErrorAnswer,
  closesAlways: boolean,
): ResponseHead {
  const list = exchange.createHeaders();
  for (const [name, value] of headers) list.set(name, value);
  // As the reference: who was refused for his own request may go on, after anything else the connection is not trusted.
  if (closesAlways || status < 400 || status >= 500) list.set('Connection', 'close');
  return { status, headers: list };
}
