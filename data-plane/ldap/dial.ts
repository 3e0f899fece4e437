import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, type SecureContext } from 'node:tls';

import type { Clock } from '../../proto/process/clock.ts';
import { checkedLookup } from '../../proto/process/outbound/dial.ts';
import type { Guard } from '../../proto/process/outbound/guard.ts';
import type { DirectoryServer } from '../../proto/resources/auth-provider-ldap-resource.ts';
import { LdapConnection } from './connection.ts';
import { startTlsRequest } from './messages.ts';

/** How servers of a directory are reached. */
export interface LdapDial {
  /** Asked about every address, also of what a name resolves to. */
  readonly guard: Guard;
  /** Whom to believe. */
  readonly secureContext: () => SecureContext;
  readonly startsTls: boolean;
  /** Name look-up, TCP and TLS together. */
  readonly connectMsMax: number;
  readonly clock: Clock;
}

/** Opens a connection, secured where it is to be. Errors: what it failed by; outbound.refused_address; an abort of the signal rejects with its reason. */
export async function dialLdap(
  { host, port, isTls }: DirectoryServer,
  { guard, secureContext, startsTls, connectMsMax, clock }: LdapDial,
  signal: AbortSignal,
): Promise<LdapConnection> {
  signal.throwIfAborted();
  guard.checkHost({ host, port });
  const target = { host, port };
  let newest: Socket = connectTcp({ ...target, lookup: checkedLookup({ guard })(target), noDelay: true });
  newest.setKeepAlive(true, keepAliveMs);
  const stop = (why: unknown): void => void newest.destroy(why instanceof Error ? why : new Error('stopped'));
  const onAbort = (): void => stop(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  const cancel = clock.after(connectMsMax, () => stop(new Error(`no connection within ${connectMsMax} ms`)));
  const secure = async (socket: Socket): Promise<Socket> => {
    newest = connectTls({
      socket,
      host,
      servername: isIP(host) === 0 ? host : '',
      secureContext: secureContext(),
    });
    return opened(newest, 'secureConnect');
  };
  try {
    const plain = await opened(newest, 'connect');
    if (isTls) return new LdapConnection(await secure(plain));
    if (!startsTls) return new LdapConnection(plain);
    const asking = new LdapConnection(plain);
    const { code } = await asking.ask(startTlsRequest);
    if (code !== 0) throw new Error(`StartTLS was answered with code ${code}`);
    return new LdapConnection(await secure(asking.giveBack()));
  } catch (error) {
    newest.destroy();
    throw error;
  } finally {
    cancel();
    signal.removeEventListener('abort', onAbort);
  }
}

/** A server that went away without a word is noticed before a caller waits for it. */
const keepAliveMs = 30_000;

/** Errors: what it failed by. A later error has its listener still, until somebody else has. */
function opened(socket: Socket, event: 'connect' | 'secureConnect'): Promise<Socket> {
  return new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.once('close', () => reject(new Error('the connection was closed')));
    socket.once(event, () => resolve(socket));
  });
}
