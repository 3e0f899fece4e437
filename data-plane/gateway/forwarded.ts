import type { ExchangeRequest, HeaderList } from '../http/exchange.ts';

const idCharacters = /^[\w.:/+=@-]{1,128}$/;

/** Says who called and how, for the backend; what a proxy in front said of scheme and host stays. */
export function setForwarded(request: ExchangeRequest): void {
  const { headers, remoteAddress, scheme, authority } = request;
  const before = headers.get('x-forwarded-for');
  headers.set('X-Forwarded-For', before === undefined ? remoteAddress : `${before}, ${remoteAddress}`);
  if (!headers.has('x-forwarded-proto')) headers.set('X-Forwarded-Proto', scheme);
  if (authority !== '' && !headers.has('x-forwarded-host')) headers.set('X-Forwarded-Host', authority);
}

/** The caller's transaction id when it is one, else the request's own. */
export function transactionIdOf(headers: HeaderList, requestId: string): string {
  const given = headers.get('x-gravitee-transaction-id');
  return given !== undefined && idCharacters.test(given) ? given : requestId;
}

/** Marks a request or an answer with its ids. */
export function setIds(headers: HeaderList, transactionId: string, requestId: string): void {
  headers.set('X-Gravitee-Transaction-Id', transactionId);
  headers.set('X-Gravitee-Request-Id', requestId);
}
