import type { ErrorAnswer } from './error-answer.ts';

/**
 * What a caller of gRPC is told by a status of HTTP: the table of gRPC itself, as Envoy has it. UNAVAILABLE may be tried again, UNKNOWN
 * and the others may not.
 */
const codes: ReadonlyMap<number, number> = new Map([
  [400, 13],
  [401, 16],
  [403, 7],
  [404, 12],
  [429, 14],
  [502, 14],
  [503, 14],
  [504, 14],
]);
const unknown = 2;
/** What stands in `grpc-message` as it is: printable ASCII but the percent sign. */
const escaped = /[^\x20-\x24\x26-\x7e]/gu;
/** A message is a hint for people. */
const messageCharsMax = 1_024;

/**
 * An error in the words of gRPC, whose clients take a status other than 200 for a broken connection: a head that is the trailers as well
 * ("Trailers-Only"), without a body. Of the answer that others would get its headers stay.
 */
export function grpcErrorOf({ status, headers }: ErrorAnswer, message: string): ErrorAnswer {
  return {
    status: 200,
    headers: [
      ...headers.filter(([name]) => !/^content-/i.test(name)),
      ['Content-Type', 'application/grpc'],
      ['grpc-status', String(codes.get(status) ?? unknown)],
      ['grpc-message', messageText(message)],
    ],
    body: '',
  };
}

function messageText(message: string): string {
  return message.slice(0, messageCharsMax).toWellFormed().replaceAll(escaped, encodeURIComponent);
}
