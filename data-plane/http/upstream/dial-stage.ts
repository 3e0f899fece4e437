import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { TestContext } from 'node:test';

import type { UpstreamFailure, UpstreamOptions, UpstreamTls } from '../exchange.ts';
import { createDialer, type Dialer, type DialHooks } from './dial.ts';
import { createDnsCache, type DnsLookup } from './dns.ts';

/** How a dial ended; `address` is where the socket leads. */
export type Dialled =
  | { readonly kind: 'connected'; readonly socket: Socket; readonly address: string | undefined }
  | { readonly kind: 'failed'; readonly failure: UpstreamFailure; readonly message: string };

/** Options of an upstream on this machine; a patience that no test should need. */
export const upstreamOptions = (more: Partial<UpstreamOptions>): UpstreamOptions => ({
  scheme: 'http',
  host: '127.0.0.1',
  port: 1,
  connectMsMax: 5_000,
  readMsMax: 5_000,
  bodyMsMax: 5_000,
  idleMsMax: 5_000,
  keepAlive: true,
  connectionsMax: 10,
  queueMax: -1,
  ageMsMax: 0,
  dnsTtlMs: 30_000,
  headerBytesMax: 65_536,
  headersMax: 200,
  tls: undefined,
  proxy: undefined,
  ...more,
});

/** TLS of an upstream: trusts what it is told to. */
export const upstreamTls = (more: Partial<UpstreamTls>): UpstreamTls => ({
  rejectUnauthorized: true,
  verifyHost: true,
  servername: undefined,
  ca: undefined,
  cert: undefined,
  key: undefined,
  pfx: undefined,
  passphrase: undefined,
  ...more,
});

/** A dialer over a resolver of our own: names it does not know are not found. */
export function createTestDialer(
  more: Partial<UpstreamOptions>,
  names: Readonly<Record<string, readonly string[]>> = {},
): Dialer {
  const lookup: DnsLookup = (name, callback) => {
    const addresses = Object.hasOwn(names, name) ? names[name] : undefined;
    if (addresses === undefined) return callback(Object.assign(new Error(name), { code: 'ENOTFOUND' }), []);
    callback(
      null,
      addresses.map((address) => ({ address, family: 4 })),
    );
  };
  const dns = createDnsCache({ ttlMs: 30_000, entriesMax: 16, now: () => performance.now(), lookup });
  return createDialer(upstreamOptions(more), dns);
}

/** Nothing should throw: here it ends the test. */
export const rethrow = (error: unknown): never => {
  throw error;
};

/** Dials once; the socket is destroyed when the test ends. */
export function dialled(
  t: Pick<TestContext, 'after'>,
  dialer: Dialer,
  hooks: Pick<DialHooks, 'onread'> = {},
): Promise<Dialled> {
  return new Promise((resolve) => {
    dialer.dial({
      ...hooks,
      onConnected(socket) {
        socket.on('error', () => undefined);
        t.after(() => socket.destroy());
        resolve({ kind: 'connected', socket, address: socket.remoteAddress });
      },
      onFailed: (failure, message) => resolve({ kind: 'failed', failure, message }),
      onThrown: rethrow,
    });
  });
}

/** Opens a server for one test; whatever it accepted is closed with it. */
export async function listening(
  t: Pick<TestContext, 'after'>,
  server: Server = createServer(),
  address: { readonly host?: string; readonly port?: number } = {},
): Promise<number> {
  const open = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    socket.on('error', () => undefined);
    open.add(socket);
  });
  server.listen(address.port ?? 0, address.host ?? '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}
