import type { HeaderList } from './exchange.ts';

/**
 * A WebSocket (RFC 6455) whose server the gateway itself is; see `Exchange.accept`. Who may open one (credentials, Origin) was decided
 * before.
 */
export interface AcceptedWebSocket {
  /**
   * Sends a message, a text when it is a string. False: it was not taken, because what was sent before has not left, or because the socket
   * closes; in the first case `onDrain` says when there is room. A message for an empty queue is always taken.
   */
  send(message: string | Uint8Array): boolean;
  /** Reads nothing more until `resume`: whoever sends has to wait. A client that leaves meanwhile is noticed then. */
  pause(): void;
  resume(): void;
  /** Begins the closing handshake; harmless when it has begun. What was sent before still leaves. */
  close(code: number, reason: string): void;
}

/** Who speaks on it. What it throws is told ({@link OnThrown}) and closes the socket with 1011. */
export interface WebSocketHandler {
  /** `bytes` is the handler's own; a text is valid UTF-8. Pings are answered and not told. */
  onMessage(message: WebSocketMessage): void;
  /** There is room again after `send` was false. */
  onDrain(): void;
  /** It is over; once, the last call. */
  onClose(close: WebSocketClose): void;
}

/** Makes who speaks on a WebSocket. What it throws is told and closes the socket with 1011. */
export type OpenWebSocket = (socket: AcceptedWebSocket) => WebSocketHandler;

/** One message, put together. */
export interface WebSocketMessage {
  readonly isText: boolean;
  readonly bytes: Buffer;
}

/** How a WebSocket ended. */
export interface WebSocketClose {
  /** The client's code, or ours when we closed; 1005 when the client gave none, 1006 when there was no closing handshake. */
  readonly code: number;
  readonly reason: string;
}

/** What an accepted WebSocket holds and waits for at most. */
export interface WebSocketLimits {
  /** A longer frame closes with 1009. */
  readonly frameBytesMax: number;
  /** A longer message, over all its frames, closes with 1009. */
  readonly messageBytesMax: number;
  /** What may wait to be read by the client; past it `send` takes nothing. */
  readonly unsentBytesMax: number;
  /** How long the client may take to answer our close frame, and to take what was sent before it. */
  readonly closeMsMax: number;
}

/** How an upgrade is answered. */
export interface WebSocketWish {
  /** Further lines of the 101, e.g. Set-Cookie. */
  readonly headers: HeaderList;
  /** The subprotocol that was chosen, one of those that were offered; undefined for none. */
  readonly protocol: string | undefined;
  readonly limits: WebSocketLimits;
}

/** Why a request opens no WebSocket (RFC 6455 section 4.2): nothing has been answered. */
export interface HandshakeRefusal {
  /** 426 when the client speaks another version; its answer names ours. */
  readonly status: 400 | 426;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly reason: string;
}
