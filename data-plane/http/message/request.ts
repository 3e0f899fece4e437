import type { Authorities } from './authority.ts';
import { frameRequest, type RequestFraming } from './framing.ts';
import type { RefusalReason } from './refusal.ts';
import type { RequestHead } from './request-head.ts';
import { readTarget, type Target, type TargetSettings } from './target.ts';

/** A request that passed every rule that its head alone can break. */
export interface ReadRequest {
  readonly method: string;
  readonly target: Target;
  /** As sent: of the target, else of Host; empty in HTTP/1.0 without either. */
  readonly authority: string;
  /** In lower case, without port; IPv6 without brackets. */
  readonly host: string;
  readonly framing: RequestFraming;
}

/** What reading a request depends on. */
export interface ReadSettings {
  readonly target: TargetSettings;
  readonly authorities: Authorities;
}

/** Judges a head that passed the grammar: fields and framing, target, authority, in this order. */
export function readRequest(
  head: RequestHead,
  text: string,
  { target: targetSettings, authorities }: ReadSettings,
): ReadRequest | RefusalReason {
  const framing = frameRequest(head, text);
  if (typeof framing === 'string') return framing;
  const method = methodOf(text, head);
  const target = readTarget(text.slice(head.targetStart, head.targetEnd), method, targetSettings);
  if (typeof target === 'string') return target;
  const { hostHeader } = framing;
  const authority = target.authority ?? hostHeader ?? '';
  // RFC 9112 section 3.2.2: the authority of an absolute target replaces Host; here both have to say the same.
  const isAgreed =
    target.authority === undefined ||
    hostHeader === undefined ||
    hostHeader.toLowerCase() === target.authority.toLowerCase();
  if (!isAgreed) return 'host-mismatch';
  const hasNone = target.authority === undefined && hostHeader === undefined;
  const host = hasNone ? '' : authorities.hostOf(authority);
  if (host === undefined) return 'host-malformed';
  return { method, target, authority, host, framing };
}

/** Common methods by their first bytes, so that comparing them later compares pointers. */
function methodOf(text: string, head: RequestHead): string {
  const method = text.slice(head.lineStart, head.methodEnd);
  switch (method) {
    case 'GET':
      return 'GET';
    case 'POST':
      return 'POST';
    case 'PUT':
      return 'PUT';
    case 'DELETE':
      return 'DELETE';
    case 'HEAD':
      return 'HEAD';
    default:
      return method;
  }
}
