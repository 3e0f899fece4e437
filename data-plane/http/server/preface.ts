import { ServerSession } from '../h2/server-session.ts';
import type { RequestHead } from '../message/request-head.ts';
import type { WireOwner } from '../socket/wire.ts';
import type { ServerConnection } from './connection.ts';

/** How a connection of HTTP/2 begins (RFC 9113 section 3.4). */
const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';

/** Owns a wire whose socket is somebody else's by now. */
const nobody: WireOwner = {
  onBytes: () => undefined,
  onDrain: () => undefined,
  onEnd: () => undefined,
  onClosed: () => undefined,
  onThrown: () => undefined,
};

/**
 * Hands a connection over whose first bytes, which are no head of HTTP/1.1, begin one of HTTP/2, where that is spoken without TLS. What
 * follows is Node's to judge. Asked only of what would be refused, so that HTTP/1.1 pays nothing for it.
 */
export function becomesHttp2(connection: ServerConnection, { refusal }: RequestHead, bytes: Buffer): boolean {
  const { state, wire, isTls } = connection;
  const settings = state.speaksHttp2;
  if (settings?.clearText !== true || isTls || connection.requests > 0 || refusal !== 'method') return false;
  if (!preface.startsWith(bytes.toString('latin1', 0, preface.length))) return false;
  // A copy, since the shared buffer is written by the next read.
  wire.socket.unshift(Buffer.from(bytes));
  wire.owner = nobody;
  // It joins before this one leaves: a server that stops must not think itself empty in between.
  void new ServerSession(wire.socket, state, settings);
  state.leave(connection);
  return true;
}
