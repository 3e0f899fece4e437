import type { WebSocket } from 'ws';
import { Fault } from '../proto/faults/fault.ts';
import type { GatewayIdentity, Grant } from '../proto/wire/published.ts';
import type { Visitor } from './admission.ts';
import { createBatches } from './batches.ts';
import type { Services } from './services.ts';
import { startStream, type Stream } from './stream.ts';

/** Who sits where: each identity has at most one open stream. */
export interface Seats {
  /**
   * Gives the stream of an identity to a newcomer, unless another instance holds it and is alive: then the newcomer is
   * a clone. A process that was killed does not answer the ping, so its restart is taken.
   */
  take(socket: WebSocket, visitor: Visitor): Promise<void>;
  /** Refuses after the handshake, where the client can read why and when to come back. */
  refuse(socket: WebSocket, visitor: Visitor, because: Refused): void;
  /** The instance that holds the gateway's stream now. */
  instanceOf(gateway: string): string | undefined;
  size(): number;
  /** Reads every identity again and ends the streams of those revoked or under another grant. */
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
export function createSeats(services: Services): Seats {
  const { log, metrics, repository } = services;
  const live = new Map<string, Stream>();
  const withBatches = { ...services, batches: createBatches() };
  const open = metrics.gauge('isthmus_bridge_streams', 'Open streams.');
  const inTurn = createTurns();

  const register = (socket: WebSocket, visitor: Visitor): void => {
    const facts = { gateway: visitor.identity.id, instance: visitor.instance };
    const stream = startStream(socket, visitor, withBatches);
    live.set(facts.gateway, stream);
    open.set(live.size);
    log.info(facts, 'stream opened');
    void stream.ended.then(() => {
      if (live.get(facts.gateway) === stream) live.delete(facts.gateway);
      open.set(live.size);
      log.info(facts, 'stream closed');
    });
  };
  const refuse: Seats['refuse'] = (socket, visitor, { reason, retryAfterMs }) =>
    startStream(socket, visitor, withBatches).end(reason, retryAfterMs);

  return {
    refuse,
    instanceOf: (gateway) => live.get(gateway)?.visitor.instance,
    size: () => live.size,
    take: (socket, visitor) =>
      inTurn(visitor.identity.id, async () => {
        const old = live.get(visitor.identity.id);
        if (old !== undefined && old.visitor.instance !== visitor.instance && (await old.isAlive())) {
          reportClone(services, visitor, old.visitor.instance);
          return refuse(socket, visitor, { reason: new Fault('bridge.identity_in_use') });
        }
        old?.end(new Fault('bridge.closing', { detail: 'A newer stream of this gateway took over.' }));
        register(socket, visitor);
      }),
    async recheck() {
      const streams = [...live.values()];
      for (let start = 0; start < streams.length; start += recheckAtOnce) {
        const some = streams.slice(start, start + recheckAtOnce);
        await Promise.all(
          some.map(async (stream) => judge(stream, await repository.gateway(stream.visitor.identity.id))),
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

/** A newcomer waits for the pong of the old one; a third must wait for both, so each identity has its queue. */
function createTurns(): (id: string, work: () => Promise<void>) => Promise<void> {
  const turns = new Map<string, Promise<void>>();
  return async (id, work) => {
    const turn = (turns.get(id) ?? Promise.resolve()).then(work);
    const settled = turn.catch(() => undefined);
    turns.set(id, settled);
    await turn.finally(() => {
      if (turns.get(id) === settled) turns.delete(id);
    });
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
