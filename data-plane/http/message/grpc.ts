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

/** The same of a head of HTTP/2 as it came (`spelling.ts`), which no policy has changed and which may be none. */
export function isGrpcHead(text: string): boolean {
  return /^content-type:[ \t]*application\/grpc(?:[+; \r]|$)/im.test(text);
}

/**
 * What a caller of gRPC is told by a status of HTTP: the table of gRPC itself, as Envoy has it. UNAVAILABLE may be tried again, UNKNOWN
 * and the others may not. 408 is ours: RFC 9110 section 15.5.9 lets it be tried again.
 */
const codes: ReadonlyMap<number, number> = new Map([
  [400, 13],
  [401, 16],
  [403, 7],
  [404, 12],
  [408, 14],
  [429, 14],
  [502, 14],
  [503, 14],
  [504, 14],
]);
const unknown = 2;

/** The `grpc-status` for a status of HTTP. */
export function grpcStatusOf(status: number): number {
  return codes.get(status) ?? unknown;
}
