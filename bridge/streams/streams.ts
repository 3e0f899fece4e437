import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import { Fault } from '../../proto/faults/fault.ts';
import { createRate } from '../../proto/process/rate.ts';
import type { Admission } from '../admission/admission.ts';
import type { Nonces } from '../admission/nonces.ts';
import { refuseUpgrade } from '../admission/refusal.ts';
import type { Claims } from '../admission/claims.ts';
import type { Seats } from './seats.ts';
import type { Services } from '../services.ts';
import type { Strangers } from '../admission/strangers.ts';

/** An Upgrade request with its bare socket. */
export interface UpgradeRequest {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
}

/** Turns Upgrade requests into streams. */
export interface Streams {
  /** Takes an Upgrade request; never rejects. */
  upgrade(upgrade: UpgradeRequest): Promise<void>;
  /** Open ones. */
  size(): number;
  close(): Promise<void>;
}

const path = '/bridge/v1/stream';
const fragmentsMax = 64;
/** A new stream counts as so many calls: it reads a set, and takes the place of the one before. */
const streamCost = 20;

/** Opens the stream door and starts to watch for revocations. */
export function createStreams(
  services: Services,
  doors: {
    readonly admission: Admission;
    readonly claims: Claims;
    readonly nonces: Nonces;
    readonly seats: Seats;
    readonly strangers: Strangers;
  },
): Streams {
  const { config, clock, log } = services;
  const { seats, admission, claims, nonces, strangers } = doors;
  const { limits } = config;
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: limits.frameInBytesMax,
    // Our gateways send whole messages; each fragment could keep a whole read of the socket in memory.
    maxFragments: fragmentsMax,
    perMessageDeflate: false,
  });
  const newStreams = createRate(limits.newStreamsPerSecondMax, clock);
  let upgrading = 0;

  const stopWatching = services.feeds.onIdentities(() => {
    seats.recheck().catch((error: unknown) => log.warn({ err: error }, 'revocations could not be read'));
  });
  const accept = async ({ request, socket, head }: UpgradeRequest): Promise<void> => {
    if (request.url?.split('?')[0] !== path) throw new Fault('request.not_found');
    if (seats.size() + upgrading > limits.streamsMax) throw new Fault('bridge.busy');
    strangers.came(request);
    const visitor = await admission.admit(request.headers.authorization, (gateway) =>
      strangers.proven(request, gateway, streamCost),
    );
    await claims.demand(visitor, 'gateway');
    const retryAfterMs = newStreams.take();
    const webSocket = await handshake(server, { request, socket, head });
    if (services.signal.aborted)
      return seats.refuse(webSocket, visitor, { reason: new Fault('bridge.closing'), retryAfterMs: 1_000 });
    if (retryAfterMs > 0)
      return seats.refuse(webSocket, visitor, { reason: new Fault('bridge.busy'), retryAfterMs });
    seats.take(webSocket, visitor);
  };

  return {
    size: () => seats.size(),
    async upgrade(upgrade) {
      const { socket } = upgrade;
      socket.on('error', (error) => log.debug({ err: error }, 'upgrade error'));
      upgrading += 1;
      try {
        await accept(upgrade);
      } catch (error) {
        if (!(error instanceof Fault)) log.error({ err: error }, 'an upgrade failed');
        const nonce = await nonces.make().catch(() => undefined);
        if (socket.writable) refuseUpgrade(socket, error, { nowMs: clock.now(), nonce });
      } finally {
        upgrading -= 1;
      }
    },
    close() {
      stopWatching();
      return seats.close();
    },
  };
}

/** Completes the handshake and pauses: the hello may come before the stream has its seat; startStream resumes. */
async function handshake(
  server: WebSocketServer,
  { request, socket, head }: UpgradeRequest,
): Promise<WebSocket> {
  const accepted = Promise.withResolvers<WebSocket>();
  const onGone = (): void =>
    accepted.reject(new Fault('request.invalid', { detail: 'The handshake failed.' }));
  socket.once('close', onGone);
  server.handleUpgrade(request, socket, head, accepted.resolve);
  const webSocket = await accepted.promise;
  socket.off('close', onGone);
  webSocket.pause();
  return webSocket;
}
