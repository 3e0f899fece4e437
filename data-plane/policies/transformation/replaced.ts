import type { HeaderList } from '../../http/exchange.ts';
import type { PolicyCall, PolicyRequest, PolicyResponse } from '../policy.ts';

const stale = [
  'accept-ranges',
  'content-length',
  'content-md5',
  'content-range',
  'digest',
  'content-digest',
  'repr-digest',
];

/**
 * Takes out of the headers what was said of the bytes that a step puts others in the place of: whoever holds a body against its digest, or
 * an answer to HEAD against what GET brings, would take it for damaged. An answer is no part of anything any more, and a strong tag stands
 * for other bytes (RFC 9110 section 8.8.1).
 */
export function sayReplaced(of: PolicyRequest | PolicyResponse): void {
  const { headers } = of;
  for (const name of stale) headers.delete(name);
  if (!('status' in of)) return;
  weakenTag(headers);
  if (of.status === 206) of.status = 200;
}

/** Makes a strong tag a weak one. */
function weakenTag(headers: HeaderList): void {
  const tag = headers.get('etag');
  if (tag?.startsWith('"') === true) headers.set('ETag', `W/${tag}`);
}

/**
 * Whether it is an answer without a body that tells of one (HEAD, 304): what a step would make of that nobody knows, but that it would be
 * another one.
 */
export function tellsOfAnother(call: PolicyCall, of: PolicyRequest | PolicyResponse): boolean {
  return 'status' in of && (call.request.method === 'HEAD' || of.status === 304);
}
