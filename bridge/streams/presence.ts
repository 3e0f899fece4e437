import { Fault } from '../../proto/faults/fault.ts';
import type { Rival } from '../../proto/trust/seats.ts';
import type { Seated } from '../../proto/wire/seats.ts';
import type { Visitor } from '../admission/admission.ts';
import type { Events } from '../admission/events.ts';
import type { Services } from '../services.ts';
import type { Stream } from './stream.ts';

/**
 * Who of those that sit is here right now: their leases are prolonged, since a stream or a waiting poll is a sign of life.
 * Who sits at all is the database's to say (proto/trust/seats.ts), the same for every bridge.
 */
export interface Presence {
  /** Keeps the seat of a visitor while one of his requests is open; call the result when it ends. `cut` ends it when the seat is lost. */
  occupy(visitor: Visitor, cut: () => void): (end: { readonly isGone: boolean }) => void;
  /** Keeps the seat of a visitor while his stream is open. */
  attach(visitor: Visitor, stream: Stream): void;
  /** Open requests of that process. */
  requestsOf(visitor: Visitor): number;
  /** Gateways with open requests. */
  gateways(): ReadonlySet<string>;
  /** Ends the open requests of a gateway that may not be here any more. */
  cut(gateway: string): void;
  /**
   * Somebody else came with a good ticket: the holder whose stream is here shows life, and both are reported, or loses
   * the seat, as a killed process does.
   */
  challenge(seat: Seated): Promise<'alive' | 'dead' | 'elsewhere'>;
}

/** Requests of a gateway beside a poll and a heartbeat per environment: some that the network has not ended yet. */
const spareRequests = 8;
/** Uploads of a shipper: one for each spool that it finds, and each start of a gateway makes new ones. */
const uploadsMax = 256;

/** How many requests of a process may be open at once. */
export function requestsMaxOf({ role, identity }: Visitor): number {
  return role === 'shipper' ? uploadsMax : 2 * identity.grant.environments.length + spareRequests;
}

interface Present {
  readonly seat: Seated;
  /** How each of its open requests is ended. */
  readonly requests: Set<() => void>;
  stream: Stream | undefined;
}

/** Begins with nobody, and prolongs leases three times as often as they end. */
export function createPresence(services: Services): Presence {
  const { log, repository, clock, config } = services;
  const { seatLeaseMs } = config.limits;
  const present = new Map<string, Present>();

  const enter = (visitor: Visitor): Present => {
    const seat = seatOf(visitor);
    const known = present.get(keyOf(seat)) ?? { seat, requests: new Set(), stream: undefined };
    present.set(keyOf(seat), known);
    return known;
  };
  const leave = (known: Present, isGone: boolean): void => {
    if (known.requests.size > 0 || known.stream !== undefined) return;
    if (present.get(keyOf(known.seat)) === known) present.delete(keyOf(known.seat));
    if (!isGone) return;
    repository.releaseSeat(known.seat).catch((error: unknown) => {
      log.debug({ err: error }, 'a seat could not be released; its lease ends by itself');
    });
  };
  const challenge: Presence['challenge'] = async (seat) => {
    const stream = present.get(keyOf(seat))?.stream;
    if (stream === undefined) return 'elsewhere';
    if (!(await stream.isAlive())) {
      stream.end(new Fault('request.timeout', { detail: 'the stream answers no ping' }));
      await repository.releaseSeat(seat);
      return 'dead';
    }
    const use = await repository.useSeat(seat, seatLeaseMs);
    if (use.kind === 'seated' && use.rival !== undefined) reportRival(services.events, seat, use.rival);
    return 'alive';
  };
  const renew = async (): Promise<void> => {
    const seats = [...present.values()].map(({ seat }) => seat);
    if (seats.length === 0) return;
    const { lost, vacant, contested } = await repository.keepSeats(seats, seatLeaseMs);
    for (const seat of lost) end(present.get(keyOf(seat)), new Fault('bridge.identity_in_use'));
    // Only the process can claim, with its ticket: its next stream begins so.
    for (const seat of vacant) end(present.get(keyOf(seat)), emptied());
    await Promise.all(contested.map(challenge));
  };
  const tick = (): void => {
    if (services.signal.aborted) return;
    renew().catch((error: unknown) => log.debug({ err: error }, 'leases could not be prolonged'));
    clock.after(seatLeaseMs / 3, tick);
  };
  clock.after(seatLeaseMs / 3, tick);

  return {
    challenge,
    requestsOf: (visitor) => present.get(keyOf(seatOf(visitor)))?.requests.size ?? 0,
    ...openRequests(present),
    occupy(visitor, cut) {
      const known = enter(visitor);
      // One function may be given for several requests.
      const own = (): void => cut();
      known.requests.add(own);
      return ({ isGone }) => {
        known.requests.delete(own);
        leave(known, isGone);
      };
    },
    attach(visitor, stream) {
      const known = enter(visitor);
      known.stream = stream;
      void stream.ended.then(() => {
        if (known.stream !== stream) return;
        known.stream = undefined;
        leave(known, true);
      });
    },
  };
}

function end(known: Present | undefined, why: Fault): void {
  known?.stream?.end(why);
  for (const cut of known?.requests ?? []) cut();
}

function openRequests(present: ReadonlyMap<string, Present>): Pick<Presence, 'gateways' | 'cut'> {
  return {
    gateways() {
      const calling = [...present.values()].filter(({ requests }) => requests.size > 0);
      return new Set(calling.map(({ seat }) => seat.gateway));
    },
    cut(gateway) {
      for (const { seat, requests } of present.values())
        if (seat.gateway === gateway) for (const cut of requests) cut();
    },
  };
}

const emptied = (): Fault =>
  new Fault('bridge.seat_required', {
    detail: 'The seats were emptied, as a restore does: claim yours anew.',
  });
const seatOf = ({ identity, role, instance }: Visitor): Seated => ({ gateway: identity.id, role, instance });
const keyOf = ({ gateway, role, instance }: Seated): string => `${gateway}\0${role}\0${instance}`;

/** Says that one seat is wanted by two that live. */
export function reportRival(events: Events, { gateway, role, instance }: Seated, rival: Rival): void {
  const other = `${rival.instance} of ${rival.hostname} (${rival.source})`;
  events.report({
    gateway,
    kind: 'identity.cloned',
    detail: `${role} instance ${instance} lives; ${other} was refused`,
  });
}
