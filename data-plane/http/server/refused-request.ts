import type { RefusedRequest } from '../engine-refusal.ts';
import type { ReadRequest } from '../message/request.ts';
import { parseRequestHead, type HeadLimits, RequestHead } from '../message/request-head.ts';
import { WireHeaders } from '../message/wire-headers.ts';

/** A request whose head is in order, and which is refused all the same. */
export function readButRefused(read: ReadRequest, head: RequestHead, text: string): RefusedRequest {
  const { method, target, authority, host } = read;
  const headers = new WireHeaders(text, head);
  return { method, path: target.path, query: target.query, head: { authority, host, headers } };
}

/** A request whose head is not in order: its first line, where the parser came to the end of the target. */
export function firstLineOf(head: RequestHead, text: string): RefusedRequest | undefined {
  if (head.targetEnd === 0) return undefined;
  const target = text.slice(head.targetStart, head.targetEnd);
  const mark = target.indexOf('?');
  return {
    method: text.slice(head.lineStart, head.methodEnd),
    path: mark === -1 ? target : target.slice(0, mark),
    query: mark === -1 ? undefined : target.slice(mark + 1),
    head: undefined,
  };
}

/** A request of whose head only a part has come. */
export function firstLineIn(bytes: Buffer, limits: HeadLimits): RefusedRequest | undefined {
  const head = new RequestHead();
  parseRequestHead(bytes, 0, bytes.length, head, limits);
  return firstLineOf(head, bytes.toString('latin1', 0, head.targetEnd));
}
