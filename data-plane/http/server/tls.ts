import type { X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';

import { createHandshakes, type TlsOptions } from '../../../proto/process/listening/tls.ts';
import type { ClientCertificate, ClientDistrust } from '../exchange.ts';

/** The TLS side of a listener: takes plain sockets, gives secured ones. */
export interface TlsAcceptor {
  /** Shakes hands over a socket that was just accepted and of which nothing was read. */
  accept(socket: Socket): void;
  /** Called once per socket whose handshake is complete, in the turn in which its first bytes may follow. */
  onSecure(callback: (socket: TLSSocket) => void): void;
  /** Called once per socket whose handshake failed, was broken off or took too long; it is destroyed right after. */
  onFailed(callback: (socket: TLSSocket, error: Error) => void): void;
  /**
   * Handshakes that begin from now on use these; open connections and handshakes under way keep what they began with.
   * Tickets of before are not taken any more, so that a client whose authority was removed cannot resume.
   *
   * Errors: config.invalid as when it was made; what was in use before stays in use.
   */
  reload(tls: TlsOptions): void;
  /** Handshakes under way. Until it is complete a connection is known here only, so whoever bounds connections adds these. */
  readonly handshakes: number;
  /** Ends the handshakes under way, each as a failed one; secured connections are their owner's. */
  close(): void;
}

/** From the accepted connection to the end of the handshake. */
const handshakeMsMaxDefault = 10_000;

/**
 * Makes the TLS side of a listener.
 *
 * Handshakes belong to a `tls.Server` that never listens; sockets reach it by its `connection` event, which Node documents for
 * this purpose. A reload makes a new one.
 *
 * Errors: config.invalid with the place, e.g. `certificates[1]`, when the PEM texts do not fit together.
 */
export function createTlsAcceptor(
  tls: TlsOptions,
  options: {
    readonly handshakeMsMax?: number | undefined;
    /** See `ServerOptions`. */
    readonly distrustOf?: ((certificate: ClientCertificate) => ClientDistrust | undefined) | undefined;
    /** In our order of preference. Default: HTTP/1.1 alone. */
    readonly protocols?: readonly string[];
  } = {},
): TlsAcceptor {
  let secured: (socket: TLSSocket) => void = (socket) => void socket.destroy();
  let failed: (socket: TLSSocket, error: Error) => void = () => undefined;
  const pending = new Map<string, Socket>();
  const open = (given: TlsOptions): Server => {
    const { distrustOf } = options;
    const server = openHandshakes(given, {
      handshakeMsMax: options.handshakeMsMax ?? handshakeMsMaxDefault,
      judgesClients: distrustOf !== undefined,
      protocols: options.protocols ?? ['http/1.1'],
    });
    server.on('secureConnection', (socket) => {
      pending.delete(peerOf(socket));
      const distrusted = distrustOf === undefined ? undefined : judge(socket, given, distrustOf);
      if (distrusted === undefined) return secured(socket);
      failed(socket, distrusted);
      socket.destroy();
    });
    server.on('tlsClientError', (error, socket) => {
      failed(socket, error);
      // Node leaves a handshake that took too long open.
      socket.destroy();
    });
    return server;
  };
  let server = open(tls);
  return {
    accept(socket) {
      if (socket.destroyed) return;
      // Whatever happens from here on is told by the secured socket.
      socket.on('error', ignore);
      const peer = peerOf(socket);
      pending.set(peer, socket);
      socket.once('close', () => {
        if (pending.get(peer) === socket) pending.delete(peer);
      });
      server.emit('connection', socket);
    },
    onSecure: (callback) => void (secured = callback),
    onFailed: (callback) => void (failed = callback),
    reload: (next) => void (server = open(next)),
    get handshakes() {
      return pending.size;
    },
    close() {
      for (const socket of pending.values()) socket.destroy();
    },
  };
}

/**
 * The same that Node does with `rejectUnauthorized`, in the same moment: both let OpenSSL finish and end the connection before a byte
 * of it is read. Contexts that hold what is trusted would have to be made anew with every subscription, and could not be asked again
 * for a resumed session.
 */
function judge(
  socket: TLSSocket,
  { clientAuth }: TlsOptions,
  distrustOf: (certificate: ClientCertificate) => ClientDistrust | undefined,
): DistrustedClientError | undefined {
  const certificate = clientAuth === 'none' ? undefined : clientCertificateOf(socket);
  const missing = clientAuth === 'required' ? 'missing' : undefined;
  const reason = certificate === undefined ? missing : distrustOf(certificate);
  return reason === undefined ? undefined : new DistrustedClientError(reason, certificate);
}

/** What a handshake failed with that was in order but for the client's certificate. */
export class DistrustedClientError extends Error {
  readonly reason: ClientDistrust;
  /** What the client showed; undefined when that was nothing. */
  readonly certificate: ClientCertificate | undefined;

  constructor(reason: ClientDistrust, certificate: ClientCertificate | undefined) {
    super(`the certificate of the client is not trusted: ${reason}`);
    this.reason = reason;
    this.certificate = certificate;
  }
}

/** Whether the handshake failed because the client spoke HTTP in the clear: OpenSSL compares its first bytes with the usual methods. */
export function isPlainHttp(error: Error): boolean {
  return 'code' in error && error.code === 'ERR_SSL_HTTP_REQUEST';
}

/** By connection: renegotiation is off, so that what was shown once stands to the end. */
const shown = new WeakMap<TLSSocket, ClientCertificate>();

/** What a client proved in its handshake; undefined when it showed no certificate. */
export function clientCertificateOf(socket: TLSSocket): ClientCertificate | undefined {
  const before = shown.get(socket);
  if (before !== undefined) return before;
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return undefined;
  const known = new ShownCertificate(certificate, socket.authorized);
  shown.set(socket, known);
  return known;
}

/** Whom the certificate names that the client was shown: of several by the name that it asked for. */
export function serverSubjectOf(socket: TLSSocket): string | undefined {
  const certificate = socket.getX509Certificate();
  return certificate === undefined ? undefined : subjectOf(certificate);
}

/** Node separates the parts by line ends and escapes those inside of values. */
const subjectOf = ({ subject }: X509Certificate): string => subject.replaceAll('\n', ', ');

class ShownCertificate implements ClientCertificate {
  readonly fingerprintSha256: string;
  readonly validFromMs: number;
  readonly validToMs: number;
  readonly isVerified: boolean;
  readonly #certificate: X509Certificate;

  constructor(certificate: X509Certificate, isVerified: boolean) {
    this.#certificate = certificate;
    this.fingerprintSha256 = certificate.fingerprint256.replaceAll(':', '').toLowerCase();
    this.validFromMs = certificate.validFromDate.getTime();
    this.validToMs = certificate.validToDate.getTime();
    this.isVerified = isVerified;
  }

  get pem(): string {
    return this.#certificate.toString();
  }

  get subject(): string {
    return subjectOf(this.#certificate);
  }
}

function openHandshakes(
  tls: TlsOptions,
  {
    handshakeMsMax,
    judgesClients,
    protocols,
  }: {
    readonly handshakeMsMax: number;
    readonly judgesClients: boolean;
    readonly protocols: readonly string[];
  },
): Server {
  const { fallback, ...handshakes } = createHandshakes(tls, { judgesClients });
  return createServer({
    ...fallback,
    ...handshakes,
    handshakeTimeout: handshakeMsMax,
    ALPNProtocols: [...protocols],
  });
}

/** The one thing that a plain socket and the secured one over it have in common. */
const peerOf = (socket: Socket): string =>
  `${socket.remoteAddress} ${socket.remotePort} ${socket.localAddress} ${socket.localPort}`;

const ignore = (): void => undefined;
