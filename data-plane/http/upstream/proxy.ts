import { isIP, type Socket } from 'node:net';

import type { UpstreamFailure, UpstreamOptions, UpstreamProxy } from '../exchange.ts';

/** Why a proxy opened no tunnel. */
export interface TunnelFailure {
  readonly failure: UpstreamFailure;
  readonly message: string;
}

/** A proxy's answer to CONNECT is a few lines. */
const headBytesMax = 16 * 1_024;
const headLinesMax = 100;
const statusLine = /^HTTP\/1\.[01] ([1-5][0-9]{2})(?: [\t\x20-\x7e\x80-\xff]*)?$/;
const fieldLine = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t\x20-\x7e\x80-\xff]*$/;

/** The value of Proxy-Authorization (RFC 7617); undefined for a proxy without user. */
export function proxyAuthorizationOf(proxy: UpstreamProxy | undefined): string | undefined {
  if (proxy?.username === undefined) return undefined;
  return `Basic ${Buffer.from(`${proxy.username}:${proxy.password ?? ''}`).toString('base64')}`;
}

/**
 * Asks the proxy at the other end of an open socket for a tunnel (RFC 9110 section 9.3.6) and calls back once: without a
 * failure the socket is the tunnel, with nothing of it read.
 *
 * The caller bounds the time, runs what an event begins, so that a throw reaches it, and destroys the socket on failure. The name of
 * the upstream is resolved by the proxy.
 */
export function openTunnel(
  socket: Socket,
  { host, port, proxy }: UpstreamOptions,
  {
    run,
    done,
  }: {
    readonly run: (work: () => void) => void;
    readonly done: (failure: TunnelFailure | undefined) => void;
  },
): void {
  const authority = `${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
  const authorization = proxyAuthorizationOf(proxy);
  const name = `the proxy ${proxy?.host ?? ''}:${proxy?.port ?? ''}`;
  let head = Buffer.alloc(0);
  const finish = (failure: TunnelFailure | undefined): void => {
    socket.off('readable', onReadable).off('end', onEnd).off('close', onEnd);
    done(failure);
  };
  const onEnd = (): void =>
    run(() => finish({ failure: 'reset', message: `${name} closed the connection on CONNECT` }));
  // Not 'data': that listener would leave the socket flowing, and bytes of the tunnel could be lost before TLS takes over.
  const onReadable = (): void => run(readHead);
  const readHead = (): void => {
    for (let piece = read(socket); piece !== undefined; piece = read(socket)) {
      head = Buffer.concat([head, piece]);
      const end = head.indexOf('\r\n\r\n');
      if (end >= 0 && end + 4 <= headBytesMax) return finish(judge(head, { end, name, authority }));
      if (head.length >= headBytesMax) {
        return finish({ failure: 'unreachable', message: `${name} answered with an endless head` });
      }
    }
  };
  socket.on('readable', onReadable).on('end', onEnd).on('close', onEnd);
  socket.write(
    `CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n${
      authorization === undefined ? '' : `Proxy-Authorization: ${authorization}\r\n`
    }\r\n`,
    'latin1',
  );
}

/** A head of whole lines, read as strictly as any answer: what is not HTTP opens no tunnel. */
function judge(
  head: Buffer,
  { end, name, authority }: { readonly end: number; readonly name: string; readonly authority: string },
): TunnelFailure | undefined {
  const refused = (why: string): TunnelFailure => ({ failure: 'unreachable', message: `${name} ${why}` });
  const [first = '', ...fields] = head.toString('latin1', 0, end).split('\r\n');
  const status = statusLine.exec(first)?.[1];
  if (status === undefined || fields.length > headLinesMax || !fields.every((line) => fieldLine.test(line)))
    return refused('did not answer in HTTP');
  if (status === '407') return refused('wants authentication, or another user or password (407)');
  if (!status.startsWith('2')) return refused(`opened no tunnel to ${authority} (${status})`);
  // A TLS server waits for its client to speak: bytes that are here already come from the proxy itself.
  if (head.length > end + 4) return refused('sent a body with its answer to CONNECT');
  return undefined;
}

function read(socket: Socket): Buffer | undefined {
  const piece: unknown = socket.read();
  return Buffer.isBuffer(piece) ? piece : undefined;
}
