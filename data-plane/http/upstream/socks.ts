import type { Socket } from 'node:net';

import type { UpstreamOptions, UpstreamProxy } from '../exchange.ts';
import type { TunnelFailure } from './proxy.ts';

/**
 * Asks the SOCKS proxy at the other end of an open socket for a way to the upstream (RFC 1928, 1929; SOCKS4a) and calls back once: without
 * a failure the socket leads there.
 *
 * As `openTunnel`: the caller bounds the time, runs what an event begins, and destroys the socket on failure. The name of the upstream is
 * resolved by the proxy. What speaks the protocol is loaded with the first such endpoint.
 */
export function openSocks(
  socket: Socket,
  { host, port, connectMsMax, proxy }: UpstreamOptions,
  {
    run,
    done,
  }: {
    readonly run: (work: () => void) => void;
    readonly done: (failure: TunnelFailure | undefined) => void;
  },
): void {
  const name = `the proxy ${proxy?.host ?? ''}:${proxy?.port ?? ''}`;
  const failed = (error: unknown): void =>
    run(() =>
      done({
        failure: 'unreachable',
        message: `${name} opened no way to ${host}:${port}: ${reasonOf(error)}`,
      }),
    );
  const speak = async (): Promise<void> => {
    const { SocksClient } = await import('socks');
    if (socket.destroyed) return;
    const client = new SocksClient({
      proxy: {
        ...addressOf(proxy),
        type: proxy?.kind === 'socks4' ? 4 : 5,
        ...(proxy?.username !== undefined && { userId: proxy.username, password: proxy.password ?? '' }),
      },
      command: 'connect',
      destination: { host, port },
      // The dial's own deadline comes first.
      timeout: connectMsMax + graceMs,
      existing_socket: socket,
    });
    client.on('established', () => run(() => done(undefined)));
    client.on('error', failed);
    client.connect(socket);
  };
  void speak().catch(failed);
}

const graceMs = 1_000;

/** It is connected already; the library wants to know where. */
const addressOf = (proxy: UpstreamProxy | undefined) => ({ host: proxy?.host ?? '', port: proxy?.port ?? 0 });

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
