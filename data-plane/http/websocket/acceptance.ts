import type { ExchangeRequest, StreamEnding } from '../exchange.ts';
import type { ServerConnection } from '../server/connection.ts';
import type { TunnelEnd } from '../tunnel.ts';
import type { HandshakeRefusal, OpenWebSocket, WebSocketWish } from '../web-socket.ts';
import { AcceptedSocket } from './accepted.ts';
import { acceptHead, readHandshake } from './handshake.ts';

/** What becomes of a connection whose upgrade we accept. */
export interface AcceptancePlan {
  readonly wish: WebSocketWish;
  readonly open: OpenWebSocket;
  /** Asked when the turn has come: whether the client is still there. From then on the connection is the socket's. */
  readonly begin: () => boolean;
  readonly onEnd: (end: TunnelEnd) => void;
}

/**
 * An upgrade that was accepted: in a later turn of the event loop it is a WebSocket. Only then what came behind the request in the same
 * read is in the connection's hands.
 */
export class Acceptance {
  /** Judges the request; why it opens no WebSocket is a value. */
  static of(
    connection: ServerConnection,
    request: ExchangeRequest,
    plan: AcceptancePlan,
  ): Acceptance | HandshakeRefusal {
    const handshake = readHandshake(request);
    if ('status' in handshake) return handshake;
    return new Acceptance(connection, acceptHead(handshake, plan.wish), plan);
  }

  #socket: AcceptedSocket | undefined = undefined;
  #ending: StreamEnding | undefined = undefined;

  private constructor(connection: ServerConnection, head: string, plan: AcceptancePlan) {
    setImmediate(() => connection.wire.guard(() => this.#begin(connection, head, plan)));
  }

  /** See Exchange.end. */
  end(ending: StreamEnding): void {
    if (this.#socket === undefined) this.#ending ??= ending;
    else this.#socket.end(ending);
  }

  #begin(connection: ServerConnection, head: string, { wish, open, begin, onEnd }: AcceptancePlan): void {
    if (connection.wire.isClosed || !begin()) return;
    connection.wire.write(head);
    const socket = new AcceptedSocket(connection, wish.limits, onEnd);
    this.#socket = socket;
    socket.start(open);
    if (this.#ending !== undefined) socket.end(this.#ending);
  }
}
