import { constants, createPrivateKey, X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import {
  createSecureContext,
  createServer,
  type SecureContext,
  type SecureContextOptions,
  type Server,
  TLSSocket,
} from 'node:tls';

import { Fault } from '../../../proto/faults/fault.ts';
import type { ClientCertificate, TlsOptions } from '../exchange.ts';
import { readCertificates } from '../pem.ts';

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
  options: { readonly handshakeMsMax?: number | undefined } = {},
): TlsAcceptor {
  let secured: (socket: TLSSocket) => void = (socket) => void socket.destroy();
  let failed: (socket: TLSSocket, error: Error) => void = () => undefined;
  const pending = new Map<string, Socket>();
  const open = (given: TlsOptions): Server => {
    const server = createHandshakes(given, options.handshakeMsMax ?? handshakeMsMaxDefault);
    server.on('secureConnection', (socket) => {
      pending.delete(peerOf(socket));
      secured(socket);
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

/** What a client proved in its handshake; undefined when it showed no certificate. */
export function clientCertificateOf(socket: TLSSocket): ClientCertificate | undefined {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return undefined;
  return {
    pem: certificate.toString(),
    // Node separates the parts by line ends and escapes those inside of values.
    subject: certificate.subject.replaceAll('\n', ', '),
    fingerprintSha256: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
    isVerified: socket.authorized,
  };
}

function createHandshakes(tls: TlsOptions, handshakeMsMax: number): Server {
  const { ca } = tls;
  if (tls.clientAuth === 'required' && ca === undefined)
    throw invalid('ca', 'is needed where client certificates are required');
  if (ca !== undefined) attempt(() => readCertificates(ca), 'ca', 'cannot be read');
  const contexts = createContexts(tls);
  return createServer({
    ...contexts.fallback,
    handshakeTimeout: handshakeMsMax,
    requestCert: tls.clientAuth !== 'none',
    rejectUnauthorized: tls.clientAuth === 'required',
    // HTTP/2 joins here as 'h2', before http/1.1, and in onSecure by `socket.alpnProtocol`.
    ALPNProtocols: ['http/1.1'],
    // Node calls it on the socket. It does not say so; the test with several key types would tell.
    SNICallback(this: unknown, name, callback) {
      try {
        callback(null, contexts.of(name, this instanceof TLSSocket ? this : undefined));
      } catch (error) {
        // The handshake fails; thrown here it would end the process.
        callback(error instanceof Error ? error : new Error(String(error)));
      }
    },
  });
}

interface Certificate {
  readonly cert: string;
  readonly key: string;
  /** rsa, ec, ed25519 ... */
  readonly keyType: string;
  /** Lower case; `*.acme.com` for a wildcard. */
  readonly dnsNames: readonly string[];
  /** All of them, as written: which certificates stand for the same. */
  readonly names: readonly string[];
}

interface Choice {
  readonly context: SecureContext;
  /** Signature algorithms of the certificate's key, as node:tls spells them. */
  readonly signsBy: RegExp;
}

const signaturesOf: ReadonlyMap<string, RegExp> = new Map([
  ['ec', /^ECDSA/],
  ['ed25519', /^ed25519/i],
  ['ed448', /^ed448/i],
  ['rsa', /^RSA/],
]);

/**
 * A context per certificate, found by name.
 *
 * Several certificates may stand for one name, with keys of different types. Among those of the fallback OpenSSL chooses by what
 * the client offers. A context that is chosen by name is reduced to one certificate by Node, so there the choice is ours: the
 * first whose signatures the client takes, RSA last because it costs most.
 */
function createContexts(tls: TlsOptions) {
  const certificates = tls.certificates.map(readCertificate);
  const [first, ...others] = certificates;
  if (first === undefined) throw invalid('certificates', 'must hold at least one');
  const ofFirst = [
    first,
    ...others.filter((other) => first.names.every((name) => other.names.includes(name))),
  ];
  const fallback = contextOptions(tls, ofFirst);
  // What is wrong with it is found here, under its name, and not by the server.
  createContext(fallback);
  const choices = certificates.map((certificate): Choice => ({
    context: createContext(contextOptions(tls, [certificate])),
    signsBy: signaturesOf.get(certificate.keyType) ?? /^/,
  }));
  const byName = new Map<string, readonly Choice[]>();
  for (const name of new Set(certificates.flatMap(({ dnsNames }) => dnsNames))) {
    const holders = certificates.filter(({ dnsNames }) => dnsNames.includes(name));
    const isFallback = holders.length === ofFirst.length && holders.every((one) => ofFirst.includes(one));
    const cheapestFirst = holders.toSorted((one, other) => costOf(one) - costOf(other));
    const ofName = cheapestFirst.flatMap((holder) => choices[certificates.indexOf(holder)] ?? []);
    byName.set(name, isFallback ? [] : ofName);
  }
  return {
    fallback,
    /** RFC 9525 section 6.3: a wildcard stands for one label, the leftmost. Undefined is the fallback. */
    of(name: string, socket: TLSSocket | undefined): SecureContext | undefined {
      const lower = name.toLowerCase();
      const ofName = byName.get(lower) ?? byName.get(`*${lower.slice(lower.indexOf('.'))}`) ?? [];
      if (ofName.length < 2) return ofName[0]?.context;
      const offered = socket?.getSharedSigalgs() ?? [];
      const fitting = ofName.find(({ signsBy }) => offered.some((algorithm) => signsBy.test(algorithm)));
      return (fitting ?? ofName[0])?.context;
    },
  };
}

const costOf = ({ keyType }: Certificate): number => (keyType.startsWith('rsa') ? 1 : 0);

function contextOptions(tls: TlsOptions, certificates: readonly Certificate[]): SecureContextOptions {
  // The first of each key type; a second one would replace it in silence.
  const held = certificates.filter(
    ({ keyType }, index) => certificates.findIndex((one) => one.keyType === keyType) === index,
  );
  return {
    cert: held.map(({ cert }) => cert),
    key: held.map(({ key }) => key),
    // Without authorities of its own a listener trusts nobody; left out, Node would trust every public one.
    ca: tls.ca ?? [],
    minVersion: tls.minVersion,
    // RFC 5746: TLS 1.2 lets a client ask for handshake after handshake, which costs it little and us much.
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
  };
}

function createContext(options: SecureContextOptions): SecureContext {
  try {
    return createSecureContext(options);
  } catch (error) {
    throw invalid('certificates', `cannot be used (${messageOf(error)})`, error);
  }
}

function readCertificate({ cert, key }: TlsOptions['certificates'][number], index: number): Certificate {
  const place = `certificates[${index}]`;
  const x509 = attempt(() => new X509Certificate(cert), `${place}.cert`, 'is no certificate in PEM');
  const privateKey = attempt(
    () => createPrivateKey(key),
    `${place}.key`,
    'is no unencrypted private key in PEM',
  );
  if (!x509.checkPrivateKey(privateKey)) throw invalid(`${place}.key`, 'does not belong to the certificate');
  const names = alternativeNames(x509);
  const dnsNames = names.flatMap((name) => (name.startsWith('DNS:') ? [name.slice(4).toLowerCase()] : []));
  if (index > 0 && dnsNames.length === 0)
    throw invalid(`${place}.cert`, 'has no DNS name that a client could ask for');
  return { cert, key, keyType: privateKey.asymmetricKeyType ?? '', dnsNames, names };
}

/** e.g. `DNS:a.acme.com`, `IP Address:10.0.0.1`. Node puts names that hold a comma or a quote in quotes: no host is called so. */
function alternativeNames(certificate: X509Certificate): readonly string[] {
  const parts = (certificate.subjectAltName ?? '').matchAll(
    /(?:^|, )(?:[A-Za-z ]+):(?:"(?:[^"\\]|\\.)*"|[^,]*)/gy,
  );
  return [...parts].map(([part]) => part.replace(/^, /, '')).filter((name) => !name.includes('"'));
}

function attempt<T>(read: () => T, place: string, why: string): T {
  try {
    return read();
  } catch (error) {
    throw invalid(place, `${why} (${messageOf(error)})`, error);
  }
}

function invalid(place: string, why: string, cause?: unknown): Fault {
  return new Fault('config.invalid', {
    detail: `tls.${place} ${why}.`,
    ...(cause === undefined ? {} : { cause }),
  });
}

/** The one thing that a plain socket and the secured one over it have in common. */
const peerOf = (socket: Socket): string =>
  `${socket.remoteAddress} ${socket.remotePort} ${socket.localAddress} ${socket.localPort}`;

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
const ignore = (): void => undefined;
