import type { ExchangeRequest, HeaderList } from '../exchange.ts';

/** Whether a request is gRPC's. gRPC-Web is not: it is made for HTTP/1.1. */
export function isGrpc(
  { httpVersion }: Partial<Pick<ExchangeRequest, 'httpVersion'>>,
  headers: HeaderList,
): boolean {
  // First what costs nothing: gRPC needs HTTP/2.
  if (httpVersion !== '2') return false;
  const type = headers.get('content-type');
  return type !== undefined && /^application\/grpc(?:[+; ]|$)/i.test(type);
}
