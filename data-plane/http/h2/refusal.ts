import type { ServerHttp2Stream } from 'node:http2';

import { reasons } from '../../../proto/process/listening/node-http.ts';
import type { HeaderList } from '../exchange.ts';
import { grpcStatusOf } from '../message/grpc.ts';

/** Whom a stream refuses. */
export interface Refused {
  readonly method: string;
  readonly date: string;
  /** A caller of gRPC hears a status of gRPC, in a head that is the trailers as well. */
  readonly isGrpc: boolean;
}

/** Answers with a status of the engine's own, as `refusalAnswer` does in HTTP/1.1; the connection goes on, since a stream has its frames. */
export function sendRefusal(
  stream: ServerHttp2Stream,
  status: number,
  { method, date, isGrpc }: Refused,
): void {
  const phrase = phraseOf(status);
  const fields = [':status', String(isGrpc ? 200 : status), 'date', date];
  if (status === 503) fields.push('retry-after', '1');
  if (isGrpc) {
    fields.push('content-type', 'application/grpc');
    fields.push('grpc-status', String(grpcStatusOf(status)), 'grpc-message', phrase);
  } else fields.push('content-type', 'text/plain', 'content-length', String(phrase.length));
  const isBodiless = isGrpc || method === 'HEAD';
  stream.respond(fields, { endStream: isBodiless });
  if (!isBodiless) stream.end(phrase);
}

/** Sets the trailers that tell a caller of gRPC the same when its answer has begun. */
export function setGrpcRefusal(trailers: HeaderList, status: number): HeaderList {
  trailers.set('grpc-status', String(grpcStatusOf(status)));
  trailers.set('grpc-message', phraseOf(status));
  return trailers;
}

function phraseOf(status: number): string {
  return reasons[status] ?? 'Refused';
}
