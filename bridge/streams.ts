import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import { Fault } from '../proto/faults/fault.ts';
import type { GatewayIdentity, Grant } from '../proto/wire/published.ts';
import type { Admission, Visitor } from './admission.ts';
import { createBatches } from './batches.ts';
import { createRate } from './rate.ts';
import { refuseUpgrade } from './refusal.ts';
import type { Services } from './services.ts';
import { startStream, type Stream } from './stream.ts';

/** All open streams: at most one per identity. */
export interface Streams {
  /** Takes an Upgrade request; never rejects. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void>;
  /** The instance that holds the gateway's stream now. */
  instanceOf(gateway: string): string | undefined;
  /** Ends all streams and waits for their farewells. */
  close(): Promise<void>;
}

const path = '/bridge/v1/stream';
const recheckAtOnce = 16;

/** Makes the registry and starts to watch for revocations. */
export function createStreams(services: Services, admission: Admission): Streams {
  const { config, clock, log, metrics, repository } = services;
  const { limits } = config;
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: limits.frameInBytesMax,
    perMessageDeflate: false,
  });
  const newStreams = createRate(limits.newStreamsPerSecondMax, clock);
  const batches = createBatches();
  const live = new Map<string, Stream>();
  const turns = new Map<string, Promise<void>>();
  let upgrading = 0;
  const open = metrics.gauge('isthmus_bridge_streams', 'Open streams.');

  const register = (socket: WebSocket, visitor: Visitor): void => {
    const { id } = visitor.identity;
    const stream = startStream(socket, visitor, { ...services, batches });
    live.set(id, stream);
    open.set(live.size);
    log.info({ gateway: id, instance: visitor.instance }, 'stream opened');
    void stream.ended.then(() => {
      if (live.get(id) === stream) live.delete(id);
      open.set(live.size);
      log.info({ gateway: id, instance: visitor.instance }, 'stream closed');
    });
  };
  // A newcomer waits for the pong of the old one; a third must wait for both, so each identity has its queue.
  const inTurn = async (id: string, work: () => Promise<void>): Promise<void> => {
    const turn = (turns.get(id) ?? Promise.resolve()).then(work);
    const settled = turn.catch(() => undefined);
    turns.set(id, settled);
    await turn.finally(() => {
      if (turns.get(id) === settled) turns.delete(id);
    });
  };
  const seat = (socket: WebSocket, visitor: Visitor): Promise<void> =>
    inTurn(visitor.identity.id, async () => {
      const old = live.get(visitor.identity.id);
      if (old !== undefined && old.visitor.instance !== visitor.instance && (await old.isAlive())) {
        reportClone(services, visitor, old.visitor.instance);
        return refuse(socket, visitor, new Fault('bridge.identity_in_use'));
      }
      old?.end(new Fault('bridge.closing', { detail: 'A newer stream of this gateway took over.' }));
      register(socket, visitor);
    });
  /** Refused after the handshake, where the client can read why and when to come back. */
  const refuse = (socket: WebSocket, visitor: Visitor, reason: Fault, retryAfterMs?: number): void =>
    startStream(socket, visitor, { ...services, batches }).end(reason, retryAfterMs);

  const stopWatching = services.feeds.onIdentities(() => {
    void recheckAll(services, [...live.values()]).catch((error: unknown) =>
      log.warn({ err: error }, 'revocations could not be read'),
    );
  });

  return {
    instanceOf: (gateway) => live.get(gateway)?.visitor.instance,
    async upgrade(request, socket, head) {
      socket.on('error', (error) => log.debug({ err: error }, 'upgrade error'));
      upgrading += 1;
      try {
        if (request.url?.split('?')[0] !== path) throw new Fault('request.not_found');
        if (live.size + upgrading > limits.streamsMax) throw new Fault('bridge.busy');
        const visitor = await admission.admit(request.headers);
        const retryAfterMs = newStreams.take();
        const accepted = Promise.withResolvers<WebSocket>();
        socket.once('close', () => accepted.reject(new Fault('request.invalid', { detail: 'gone' })));
        server.handleUpgrade(request, socket, head, accepted.resolve);
        const webSocket = await accepted.promise;
        // Its hello may come before it has a seat; startStream resumes it.
        webSocket.pause();
        if (services.signal.aborted) return refuse(webSocket, visitor, new Fault('bridge.closing'), 1_000);
        if (retryAfterMs > 0) return refuse(webSocket, visitor, new Fault('bridge.busy'), retryAfterMs);
        await seat(webSocket, visitor);
      } catch (error) {
        if (!(error instanceof Fault)) log.error({ err: error }, 'an upgrade failed');
        if (socket.writable) refuseUpgrade(socket, error, clock.now());
      } finally {
        upgrading -= 1;
      }
    },
    async close() {
      stopWatching();
      const streams = [...live.values()];
      for (const stream of streams) stream.end(new Fault('bridge.closing'), 1_000);
      await Promise.all(streams.map((stream) => stream.ended));
    },
  };

  async function recheckAll({ clock: now }: Services, streams: readonly Stream[]): Promise<void> {
    const startedAtMs = now.monotonicMs();
    for (let start = 0; start < streams.length; start += recheckAtOnce) {
      const some = streams.slice(start, start + recheckAtOnce);
      await Promise.all(
        some.map(async (stream) => judge(stream, await repository.gateway(stream.visitor.identity.id))),
      );
    }
    log.trace({ streams: streams.length, ms: now.monotonicMs() - startedAtMs }, 'identities read again');
  }
}

function judge(stream: Stream, identity: GatewayIdentity | undefined): void {
  if (identity === undefined) stream.end(new Fault('bridge.unknown_gateway'));
  else if (identity.isRevoked) stream.end(new Fault('bridge.revoked'));
  else if (!isSameGrant(identity.grant, stream.visitor.identity.grant))
    stream.end(new Fault('bridge.grant_changed'), 0);
}

function isSameGrant(a: Grant, b: Grant): boolean {
  const text = ({ organization, fleet, environments, tags, tenant }: Grant): string =>
    JSON.stringify([organization, fleet, environments.toSorted(), tags.toSorted(), tenant]);
  return text(a) === text(b);
}

/** Reports that one identity lives twice; the long poll says it in the same words. */
export function reportClone(
  { events }: Pick<Services, 'events'>,
  visitor: Visitor,
  liveInstance: string,
): void {
  events.report({
    gateway: visitor.identity.id,
    kind: 'identity.cloned',
    detail: `instance ${visitor.instance} was refused while ${liveInstance} is alive`,
  });
}
