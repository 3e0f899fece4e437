import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { Fault } from '../../proto/faults/fault.ts';
import type { FaultDetail } from '../../proto/faults/fault.ts';

/** What every refusal of the bridge looks like as JSON. */
export interface Refusal {
  readonly code: string;
  readonly reason: string;
  readonly hint?: string;
  readonly details?: readonly FaultDetail[];
  /** For whoever reads logs of both sides; nothing rests on it. */
  readonly bridgeTimeMs: number;
  readonly retryAfterMs?: number;
}

const retryAfterSeconds = 5;
/** A refused client that takes no bytes, or goes on sending, is cut off after this. */
export const refusedMsMax = 2_000;
/** So that the answer is read before the connection goes. */
const lingerMs = 200;

/** Turns a failure into status, headers and JSON; what is no Fault is a bug and shows nothing of itself. */
export function refusalOf(
  error: unknown,
  nowMs: number,
): { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: Refusal } {
  const fault = error instanceof Fault ? error : new Fault('platform.bug');
  const { status, code, detail, hint, details } = fault;
  const isTemporary = status === 503 || status === 429;
  return {
    status,
    headers: {
      'content-type': 'application/json',
      'cache-control': 'no-store',
      'x-isthmus-code': code,
      ...(isTemporary && { 'retry-after': String(retryAfterSeconds) }),
      ...(status === 401 && { 'www-authenticate': 'Bearer realm="isthmus"' }),
    },
    body: {
      code,
      reason: detail,
      ...(hint !== undefined && { hint }),
      ...(details.length > 0 && { details }),
      bridgeTimeMs: nowMs,
      ...(isTemporary && { retryAfterMs: retryAfterSeconds * 1_000 }),
    },
  };
}

/** Answers an Upgrade that is refused, on its bare socket. */
export function refuseUpgrade(
  socket: Duplex,
  error: unknown,
  { nowMs, nonce }: { readonly nowMs: number; readonly nonce: string | undefined },
): void {
  const refusal = refusalOf(error, nowMs);
  const { status, body } = refusal;
  const headers = { ...refusal.headers, ...(nonce !== undefined && { 'x-isthmus-nonce': nonce }) };
  const text = JSON.stringify(body);
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Refused'}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    `content-length: ${Buffer.byteLength(text)}`,
    'connection: close',
  ];
  // Whoever is refused may keep his half open for ever: it is closed with the answer's last byte, or without it soon.
  const gone = setTimeout(() => socket.destroy(), refusedMsMax);
  socket.once('close', () => clearTimeout(gone));
  socket.end(`${lines.join('\r\n')}\r\n\r\n${text}`, () => setTimeout(() => socket.destroy(), lingerMs));
}
