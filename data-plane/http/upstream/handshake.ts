import { X509Certificate } from 'node:crypto';
import { isIP, type Socket } from 'node:net';
import {
  checkServerIdentity,
  connect,
  createSecureContext,
  type ConnectionOptions,
  getCACertificates,
  type PeerCertificate,
  type SecureContext,
  type TLSSocket,
} from 'node:tls';

import { Fault } from '../../../proto/faults/fault.ts';
import type { UpstreamOptions, UpstreamTls } from '../exchange.ts';
import { readCertificates } from '../../../proto/trust/certificate-facts.ts';

/** Secures connections to one upstream. */
export interface Handshake {
  /** Shakes hands over an open socket and calls back once, never before it returns. The error's code names what is wrong. */
  start(socket: Socket, done: (error: Error | undefined) => void): TLSSocket;
}

/**
 * Prepares TLS towards an upstream: the context is made once, and the last session is offered again, which saves the
 * server a signature per connection.
 *
 * Errors: request.invalid when certificates, keys or passphrase do not fit together.
 */
export function createHandshake({ host, http2, tls = trusting }: UpstreamOptions): Handshake {
  const secureContext = createContext(tls);
  // RFC 6066 section 3: a server name is a DNS name, without the dot at its end and never an address.
  const name = (tls.servername ?? host).replace(/\.$/, '');
  const endsWhereTrusted =
    tls.pfx !== undefined && tls.rejectUnauthorized ? createRootCheck(tls.ca) : undefined;
  const fixed: ConnectionOptions = {
    secureContext,
    rejectUnauthorized: tls.rejectUnauthorized,
    servername: isIP(name) === 0 ? name : '',
    // Against the name that was asked for, whichever address the connection goes to.
    checkServerIdentity: (_given, certificate) => {
      try {
        return (
          endsWhereTrusted?.(certificate) ??
          (tls.verifyHost ? checkServerIdentity(name, certificate) : undefined)
        );
      } catch (error) {
        // A certificate that cannot even be judged; thrown here it would end the process.
        return Object.assign(error instanceof Error ? error : new Error(String(error)), {
          code: 'CERT_INVALID',
        });
      }
    },
    ALPNProtocols: http2 === undefined ? ['http/1.1'] : http2.isRequired ? ['h2'] : ['h2', 'http/1.1'],
  };
  let session: Buffer | undefined;
  return {
    start(socket, done) {
      const secured = connect({ ...fixed, socket, ...(session === undefined ? {} : { session }) });
      const finish = (error: Error | undefined): void => {
        secured.off('secureConnect', onSecure).off('error', finish).off('close', onClose);
        if (error !== undefined) {
          // It may be the session that the server stumbles over.
          session = undefined;
          secured.on('error', ignore);
        }
        done(error);
      };
      const onSecure = (): void => {
        // Only now: a resumed session is not checked against the name again, so one that failed the check must not be kept.
        // TLS 1.2 has its session at the end of the handshake, TLS 1.3 sends it later.
        if (secured.getProtocol() === 'TLSv1.2') session = secured.getSession();
        secured.on('session', (next) => (session = next));
        finish(undefined);
      };
      const onClose = (): void => finish(closedEarly());
      secured.on('secureConnect', onSecure).on('error', finish).on('close', onClose);
      return secured;
    },
  };
}

const trusting: UpstreamTls = {
  rejectUnauthorized: true,
  verifyHost: true,
  servername: undefined,
  ca: undefined,
  cert: undefined,
  key: undefined,
  pfx: undefined,
  passphrase: undefined,
};

/**
 * Says whether a verified chain ends at an authority that was named.
 *
 * Reason: Node adds the authorities of a PKCS12 key store, which vouch for us, to those that vouch for the server. Nobody who
 * fills a key store means that.
 */
function createRootCheck(ca: string | undefined): (certificate: LinkedCertificate) => Error | undefined {
  const trusted = ca === undefined ? publicAuthorities() : fingerprintsOf(readCertificates(ca));
  return (certificate) => {
    let link: LinkedCertificate | undefined = certificate;
    // At its end an authority is its own issuer.
    for (let depth = 0; link !== undefined && depth < chainMax; depth += 1) {
      if (trusted.has(link.fingerprint256)) return undefined;
      link = link.issuerCertificate === link ? undefined : link.issuerCertificate;
    }
    return Object.assign(new Error('only the key store shown to the server vouches for its certificate'), {
      code: 'UNABLE_TO_GET_ISSUER_CERT',
    });
  };
}

/** What Node hands to checkServerIdentity: each certificate with the one that vouches for it. */
type LinkedCertificate = PeerCertificate & { readonly issuerCertificate?: LinkedCertificate };

let cachedAuthorities: ReadonlySet<string> | undefined;

/** Parsing them takes some milliseconds, and they do not change while the process runs. */
function publicAuthorities(): ReadonlySet<string> {
  cachedAuthorities ??= fingerprintsOf(getCACertificates('default').map((text) => new X509Certificate(text)));
  return cachedAuthorities;
}

const fingerprintsOf = (certificates: readonly X509Certificate[]): ReadonlySet<string> =>
  new Set(certificates.map(({ fingerprint256 }) => fingerprint256));

const chainMax = 32;

function createContext({ ca, cert, key, pfx, passphrase }: UpstreamTls): SecureContext {
  try {
    if (ca !== undefined) readCertificates(ca);
    return createSecureContext({
      minVersion: 'TLSv1.2',
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
      ...(pfx === undefined ? {} : { pfx: Buffer.from(pfx, 'base64') }),
      ...(passphrase === undefined ? {} : { passphrase }),
    });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Fault('request.invalid', {
      detail: `The certificates of an endpoint cannot be used: ${why}.`,
      cause: error,
    });
  }
}

const closedEarly = (): Error =>
  Object.assign(new Error('the connection was closed before the handshake was complete'), {
    code: 'ECONNRESET',
  });

const ignore = (): void => undefined;
