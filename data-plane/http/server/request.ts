import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { ClientCertificate, ExchangeRequest, HeaderList } from '../exchange.ts';
import type { IncomingBody } from '../message/incoming-body.ts';
import type { ReadRequest } from '../message/request.ts';
import type { RequestHead } from '../message/request-head.ts';
import { WireHeaders } from '../message/wire-headers.ts';
import { addressText, type ServerState } from './state.ts';
import { clientCertificateOf, serverSubjectOf } from './tls.ts';

/** The connection that a request came on. */
export interface RequestSource {
  readonly isTls: boolean;
  readonly remoteAddress: string;
  readonly socket: Socket;
  readonly state: Pick<ServerState, 'id'>;
}

/** What the client asked; addresses and certificate are asked of the socket only when somebody asks here. */
export class ServerRequest implements ExchangeRequest {
  readonly method: string;
  readonly path: string;
  readonly query: string | undefined;
  readonly httpVersion: '1.0' | '1.1' | '2';
  readonly authority: string;
  readonly host: string;
  readonly headers: HeaderList;
  readonly body: IncomingBody;
  readonly isUpgrade: boolean;
  readonly rawHead: string;
  readonly #connection: RequestSource;

  constructor(
    connection: RequestSource,
    read: ReadRequest,
    parts: {
      readonly head: RequestHead;
      readonly text: string;
      readonly body: IncomingBody;
      /** Of a head that came in another spelling. */
      readonly httpVersion?: '2';
    },
  ) {
    this.#connection = connection;
    this.method = read.method;
    this.path = read.target.path;
    this.query = read.target.query;
    this.httpVersion = parts.httpVersion ?? (parts.head.minorVersion === 1 ? '1.1' : '1.0');
    this.authority = read.authority;
    this.host = read.host;
    const headers = new WireHeaders(parts.text, parts.head);
    this.headers = headers;
    this.body = parts.body;
    this.body.head = headers;
    this.isUpgrade = read.framing.isUpgrade && parts.body.isEmpty;
    this.rawHead = parts.text;
  }

  get scheme(): 'http' | 'https' {
    return this.#connection.isTls ? 'https' : 'http';
  }

  get remoteAddress(): string {
    return this.#connection.remoteAddress;
  }

  get remotePort(): number {
    return this.#connection.socket.remotePort ?? 0;
  }

  get localAddress(): string {
    return addressText(this.#connection.socket.localAddress);
  }

  get localPort(): number {
    return this.#connection.socket.localPort ?? 0;
  }

  get server(): string | undefined {
    return this.#connection.state.id;
  }

  get clientCertificate(): ClientCertificate | undefined {
    const { socket } = this.#connection;
    return this.#connection.isTls ? clientCertificateOf(socket as TLSSocket) : undefined;
  }

  get serverSubject(): string | undefined {
    const { socket } = this.#connection;
    return this.#connection.isTls ? serverSubjectOf(socket as TLSSocket) : undefined;
  }
}
