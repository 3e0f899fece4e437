import { isIP, type Socket } from 'node:net';
import {
  checkServerIdentity,
  connect,
  createSecureContext,
  type ConnectionOptions,
  type SecureContext,
  type TLSSocket,
} from 'node:tls';

import { Fault } from '../../../proto/faults/fault.ts';
import type { UpstreamOptions, UpstreamTls } from '../exchange.ts';
import { readCertificates } from '../pem.ts';

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
export function createHandshake({ host, tls = trusting }: UpstreamOptions): Handshake {
  const secureContext = createContext(tls);
  // RFC 6066 section 3: a server name is a DNS name, without the dot at its end and never an address.
  const name = (tls.servername ?? host).replace(/\.$/, '');
  const fixed: ConnectionOptions = {
    secureContext,
    rejectUnauthorized: tls.rejectUnauthorized,
    servername: isIP(name) === 0 ? name : '',
    // Against the name that was asked for, whichever address the connection goes to.
    checkServerIdentity: (_given, certificate) =>
      tls.verifyHost ? checkServerIdentity(name, certificate) : undefined,
    ALPNProtocols: ['http/1.1'],
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
      const onSecure = (): void => finish(undefined);
      const onClose = (): void => finish(closedEarly());
      secured.on('secureConnect', onSecure).on('error', finish).on('close', onClose);
      secured.on('session', (next) => (session = next));
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
