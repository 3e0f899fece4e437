import type { TLSSocket } from 'node:tls';
import type { ClientCertificate, ExchangeRequest, HeaderList } from '../exchange.ts';
import type { IncomingBody } from '../message/body.ts';
import type { RequestHead } from '../message/request-head.ts';
import type { Target } from '../message/target.ts';
import type { ServerConnection } from './connection.ts';
import { clientCertificateOf } from './tls.ts';

interface RequestParts {
  readonly method: string;
  readonly target: Target;
  readonly authority: string;
  readonly host: string;
  readonly body: IncomingBody;
  readonly isUpgrade: boolean;
  readonly httpVersion: '1.0' | '1.1';
  readonly headers: HeaderList;
  readonly rawHead: string;
}

/** What the client asked; addresses and certificate are asked of the socket only when somebody asks here. */
export class ServerRequest implements ExchangeRequest {
  readonly method: string;
  readonly path: string;
  readonly query: string | undefined;
  readonly httpVersion: '1.0' | '1.1';
  readonly authority: string;
  readonly host: string;
  readonly headers: HeaderList;
  readonly body: IncomingBody;
  readonly isUpgrade: boolean;
  readonly rawHead: string;
  readonly #connection: ServerConnection;

  constructor(connection: ServerConnection, parts: RequestParts) {
    this.#connection = connection;
    this.method = parts.method;
    this.path = parts.target.path;
    this.query = parts.target.query;
    this.httpVersion = parts.httpVersion;
    this.authority = parts.authority;
    this.host = parts.host;
    this.headers = parts.headers;
    this.body = parts.body;
    this.isUpgrade = parts.isUpgrade;
    this.rawHead = parts.rawHead;
  }

  get scheme(): 'http' | 'https' {
    return this.#connection.isTls ? 'https' : 'http';
  }

  get remoteAddress(): string {
    return this.#connection.remoteAddress;
  }

  get remotePort(): number {
    return this.#connection.wire.socket.remotePort ?? 0;
  }

  get localAddress(): string {
    return this.#connection.wire.socket.localAddress ?? '';
  }

  get localPort(): number {
    return this.#connection.wire.socket.localPort ?? 0;
  }

  get clientCertificate(): ClientCertificate | undefined {
    const { socket } = this.#connection.wire;
    return this.#connection.isTls ? clientCertificateOf(socket as TLSSocket) : undefined;
  }
}

/** Common methods by their first bytes, so that comparing them later compares pointers. */
export function methodOf(text: string, head: RequestHead): string {
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
