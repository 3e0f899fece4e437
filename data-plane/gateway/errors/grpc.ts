import { grpcStatusOf } from '../../http/exchange.ts';
import type { ErrorAnswer } from './error-answer.ts';

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
      ['grpc-status', String(grpcStatusOf(status))],
      ['grpc-message', messageText(message)],
    ],
    body: '',
  };
}

function messageText(message: string): string {
  return message.slice(0, messageCharsMax).toWellFormed().replaceAll(escaped, encodeURIComponent);
}
