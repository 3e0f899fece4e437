import { createHash } from 'node:crypto';

import { invariant } from '../../../proto/faults/fault.ts';
import type { ExchangeRequest } from '../exchange.ts';
import { listMembers } from '../message/grammar.ts';
import { wireHeadersOf } from '../message/wire-headers.ts';
import type { HandshakeRefusal, WebSocketWish } from '../web-socket.ts';

/** RFC 6455 section 1.3. */
const keySuffix = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
/** 16 bytes in base64. */
const keyPattern = /^[A-Za-z0-9+/]{22}==$/;
const version = '13';

/** What a client's opening handshake says, once it is in order. */
export interface OpeningHandshake {
  /** The value of our Sec-WebSocket-Accept. */
  readonly accept: string;
  /** Subprotocols in the client's order. */
  readonly protocols: readonly string[];
}

/** Judges a request by RFC 6455 section 4.2.1. */
export function readHandshake(request: ExchangeRequest): OpeningHandshake | HandshakeRefusal {
  const { headers, method, isUpgrade } = request;
  const offers = headers.getAll('upgrade').flatMap(listMembers);
  if (method !== 'GET' || !isUpgrade || !offers.some((offer) => offer.toLowerCase() === 'websocket'))
    return refusal('the request asks for no WebSocket');
  const versions = headers.getAll('sec-websocket-version');
  if (versions.length !== 1 || versions[0] !== version)
    return {
      status: 426,
      headers: [['Sec-WebSocket-Version', version]],
      reason: 'another version is asked for',
    };
  const [key = '', ...others] = headers.getAll('sec-websocket-key');
  if (others.length > 0 || !keyPattern.test(key)) return refusal('Sec-WebSocket-Key is no key');
  return {
    accept: createHash('sha1')
      .update(key + keySuffix)
      .digest('base64'),
    protocols: headers.getAll('sec-websocket-protocol').flatMap(listMembers),
  };
}

/** The head of our 101. Throws when the protocol was not offered, or a line is one that only the handshake itself says. */
export function acceptHead(
  { accept, protocols }: OpeningHandshake,
  { headers, protocol }: Pick<WebSocketWish, 'headers' | 'protocol'>,
): string {
  invariant(protocol === undefined || protocols.includes(protocol), 'a subprotocol is one that was offered');
  headers.forEachName((name) =>
    invariant(!/^sec-websocket-/i.test(name), 'the handshake says its own lines'),
  );
  const chosen = protocol === undefined ? '' : `Sec-WebSocket-Protocol: ${protocol}\r\n`;
  const lines = wireHeadersOf(headers).forwardable();
  return `HTTP/1.1 101 Switching Protocols\r\n${lines}Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept}\r\n${chosen}\r\n`;
}

function refusal(reason: string): HandshakeRefusal {
  return { status: 400, headers: [], reason };
}
