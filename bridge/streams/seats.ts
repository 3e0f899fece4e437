import type { WebSocket } from 'ws';
import { Fault } from '../../proto/faults/fault.ts';
import type { GatewayIdentity, Grant } from '../../proto/wire/published.ts';
import type { Visitor } from '../admission/admission.ts';
import { createBatches } from '../changes/batches.ts';
import type { Presence } from './presence.ts';
import type { Services } from '../services.ts';
import { startStream, type Stream } from './stream.ts';

/** The open streams: at most one per identity, opened for who sits (claims.ts). */
export interface Seats {
  /** Opens the stream of a visitor who sits; an older one of his identity ends. */
  take(socket: WebSocket, visitor: Visitor): void;
  /** Refuses after the handshake, where the client can read why and when to come back. */
  refuse(socket: WebSocket, visitor: Visitor, because: Refused): void;
  size(): number;
  /** Reads every identity again and ends the streams of those revoked or under another grant, and open requests of those revoked. */
  recheck(): Promise<void>;
  /** Ends all streams and waits for their farewells. */
  close(): Promise<void>;
}

/** Why a newcomer gets no seat. */
export interface Refused {
  readonly reason: Fault;
  readonly retryAfterMs?: number;
}

const recheckAtOnce = 16;

/** Makes an empty registry. */
export function createSeats(services: Services, presence: Presence): Seats {
  const { log, metrics, repository } = services;
  const live = new Map<string, Stream>();
  const withBatches = { ...services, batches: createBatches() };
  const open = metrics.gauge('isthmus_bridge_streams', 'Open streams.');

  return {
    size: () => live.size,
    refuse: (socket, visitor, { reason, retryAfterMs }) =>
      startStream(socket, visitor, withBatches).end(reason, retryAfterMs),
    take(socket, visitor) {
      const facts = { gateway: visitor.identity.id, instance: visitor.instance };
      // Also one of another instance, which has lost the seat: only one of an identity is served.
      live
        .get(facts.gateway)
        ?.end(new Fault('bridge.closing', { detail: 'A newer stream of this gateway took over.' }));
      const stream = startStream(socket, visitor, withBatches);
      presence.attach(visitor, stream);
      live.set(facts.gateway, stream);
      open.set(live.size);
      log.info(facts, 'stream opened');
      void stream.ended.then(() => {
        if (live.get(facts.gateway) === stream) live.delete(facts.gateway);
        open.set(live.size);
        log.info(facts, 'stream closed');
      });
    },
    async recheck() {
      const streams = [...live.values()];
      for (let start = 0; start < streams.length; start += recheckAtOnce) {
        const some = streams.slice(start, start + recheckAtOnce);
        await Promise.all(
          some.map(async (stream) => judge(stream, await repository.gateway(stream.visitor.identity.id))),
        );
      }
      const calling = [...presence.gateways()];
      for (let start = 0; start < calling.length; start += recheckAtOnce) {
        const some = calling.slice(start, start + recheckAtOnce);
        await Promise.all(
          some.map(async (gateway) => {
            const identity = await repository.gateway(gateway);
            if (identity === undefined || identity.isRevoked) presence.cut(gateway);
          }),
        );
      }
    },
    async close() {
      const streams = [...live.values()];
      for (const stream of streams) stream.end(new Fault('bridge.closing'), 1_000);
      await Promise.all(streams.map((stream) => stream.ended));
    },
  };
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
