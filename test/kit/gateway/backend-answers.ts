import { bodyOf, type UpstreamFailure, type UpstreamResult } from '../../../data-plane/http/exchange.ts';
import { headersOf } from './policies.ts';

/** An answer of a backend. */
export const answerOf = (
  status: number,
  body = '',
  headers: Readonly<Record<string, string>> = {},
): Extract<UpstreamResult, { readonly kind: 'response' }> => ({
  kind: 'response',
  head: { status, headers: headersOf(headers) },
  body: bodyOf(Buffer.from(body)),
});

/** A call of it that came to nothing. */
export const failureOf = (failure: UpstreamFailure): UpstreamResult => ({
  kind: 'failure',
  failure,
  message: 'said by a test',
});
