import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { listenOn } from '../../../proto/process/listen.ts';
import type { RunningServer, ServerHttp2, ServerOptions } from '../exchange.ts';
import type { TlsOptions } from '../../../proto/process/listening/tls.ts';
import { ServerSession } from '../h2/server-session.ts';
import { acceptFrom } from '../socket/accept.ts';
import type { RefusalReason } from '../message/refusal.ts';
import type { Sweep } from '../socket/sweep.ts';
import { ServerConnection } from './connection.ts';
import { plainHttpAnswer } from './refusal-answer.ts';
import { addressText, type Member, ServerState } from './state.ts';
import { createTlsAcceptor, DistrustedClientError, isPlainHttp, type TlsAcceptor } from './tls.ts';

/** Waiting connections that the kernel keeps for us. */
const backlog = 4_096;

/** Listens for HTTP/1.1, and HTTP/2 where it is spoken. Errors: process.port_taken, process.port_refused; config.invalid when certificates do not fit. */
export async function startListener(options: ServerOptions, sweep: Sweep): Promise<RunningServer> {
  const state = new ServerState(options, sweep);
  const acceptor = options.tls === undefined ? undefined : acceptTls(options.tls, options, state);
  const server = options.listener ?? (await listen(options));
  acceptFrom(
    server,
    (socket, reading) => {
      try {
        const remoteAddress = addressText(socket.remoteAddress);
        if (!state.admits(remoteAddress)) {
          void state.onRefusal('too-many-connections', remoteAddress);
          socket.on('error', () => undefined);
          socket.resetAndDestroy();
        } else if (acceptor !== undefined) acceptor.accept(socket);
        else void new ServerConnection(socket, reading, state);
      } catch (error) {
        state.sweep.tellThrown(error);
        socket.destroy();
      }
    },
    { mayReadDirectly: acceptor === undefined },
  );
  return {
    port: (server.address() as AddressInfo).port,
    get connections() {
      return state.members.size;
    },
    http2: state.http2,
    reloadTls: (tls) => acceptor?.reload(tls),
    async close(deadlineMs, quietMs = 0) {
      // Who waits in the kernel's queue is accepted first: closing the socket would reset him.
      await new Promise((resolve) => setImmediate(resolve));
      server.close();
      await state.drain(deadlineMs, quietMs);
    },
  };
}

/**
 * A connection whose handshake is under way. It counts as every other one does, so that clients which never finish theirs
 * cannot open more than their share; how long it may last is the acceptor's to know.
 */
class Handshaking implements Member {
  readonly remoteAddress: string;
  readonly wire: Socket;
  /** What it is counted as when it ends before its handshake is complete. */
  refusal: RefusalReason = 'tls-handshake';

  constructor(socket: Socket) {
    this.wire = socket;
    this.remoteAddress = addressText(socket.remoteAddress);
  }

  onSweep(): void {
    // The acceptor has a timer for it.
  }

  onThrown(): void {
    // Nothing is done here that could throw.
  }

  /** Nothing was asked on it yet. */
  retire(): void {
    this.wire.destroy();
  }
}

/** Joins the TLS acceptor with the state: each connection is a member from its first byte on. */
function acceptTls(
  tls: TlsOptions,
  { distrustOf, onDistrusted }: Pick<ServerOptions, 'distrustOf' | 'onDistrusted'>,
  state: ServerState,
): TlsAcceptor {
  // A handshake takes as long as a request's head may.
  const acceptor = createTlsAcceptor(tls, {
    handshakeMsMax: state.limits.headerMsMax,
    distrustOf,
    protocols: protocolsOf(state.speaksHttp2),
  });
  const underWay = new Map<string, Handshaking>();
  // The secured socket does not say which one it secures, but both have the same peer.
  const peerOf = (socket: Socket): string => `${socket.remoteAddress} ${socket.remotePort}`;
  const join = (socket: TLSSocket, transport: Socket | undefined): void => {
    const { speaksHttp2 } = state;
    if (speaksHttp2?.alpn === true && socket.alpnProtocol === 'h2')
      return void new ServerSession(socket, state, speaksHttp2);
    // Who asked for no protocol means HTTP/1.1.
    if (speaksHttp2?.hasHttp11 === false) return void socket.destroy();
    const { wire } = new ServerConnection(socket, undefined, state);
    wire.transport = transport;
  };
  const onSecure = (socket: TLSSocket): void => {
    const before = underWay.get(peerOf(socket));
    // Joins before the handshake leaves: a server that stops must not think itself empty in between.
    join(socket, before?.wire);
    if (before === undefined) return;
    underWay.delete(peerOf(socket));
    state.leave(before);
  };
  acceptor.onSecure((socket) => {
    try {
      onSecure(socket);
    } catch (error) {
      state.sweep.tellThrown(error);
      socket.destroy();
    }
  });
  acceptor.onFailed((socket, error) => {
    const before = underWay.get(peerOf(socket));
    if (before === undefined) return;
    if (isPlainHttp(error)) {
      before.refusal = 'plain-http';
      // In the clear, and at once: Node closes what failed before its handshake as soon as this returns.
      before.wire.write(plainHttpAnswer(state.sweep.dateLine));
      return;
    }
    if (!(error instanceof DistrustedClientError)) return;
    before.refusal = 'client-certificate';
    const { reason, certificate } = error;
    const { remoteAddress } = before;
    state.sweep.run(() => onDistrusted?.({ reason, certificate, remoteAddress }));
  });
  return {
    ...acceptor,
    accept(socket) {
      const peer = peerOf(socket);
      const handshaking = new Handshaking(socket);
      underWay.set(peer, handshaking);
      state.join(handshaking);
      socket.once('close', () => {
        // The kernel may have given its port to the next one already.
        if (underWay.get(peer) === handshaking) {
          underWay.delete(peer);
          void state.onRefusal(handshaking.refusal, handshaking.remoteAddress);
        }
        state.leave(handshaking);
      });
      acceptor.accept(socket);
    },
  };
}

/** HTTP/2 first, as clients that know both prefer it. */
function protocolsOf(http2: ServerHttp2 | undefined): readonly string[] {
  if (http2?.alpn !== true) return ['http/1.1'];
  return http2.hasHttp11 ? ['h2', 'http/1.1'] : ['h2'];
}

async function listen({ host, port, setting = 'listen' }: ServerOptions): Promise<Server> {
  const server = createServer();
  await listenOn(server, { host, port, backlog, setting });
  return server;
}
