import { createHash } from 'node:crypto';

/**
 * One identity, one living process per role: the gateway and the shipper beside it share the keys and sit apart.
 *
 * Who sits is known by his instance (random per process start) and, across restarts, by a ticket that the bridge hands
 * out at each claim and the process keeps on disk: whoever comes with an old one is a copy, or was copied. A new ticket
 * counts once it was presented; until then the one before it is good too, since an answer may be lost. Once its holder has passed a door
 * the answer was not: who then comes with the one before it sits when nobody else does, and is told of.
 */
export const seatRoles = ['gateway', 'shipper'] as const;
/** What a process with a gateway's identity does. */
export type SeatRole = (typeof seatRoles)[number];

/** A process as an operator knows it. */
export interface SeatName {
  readonly instance: string;
  readonly hostname: string;
  readonly source: string;
}

/** Who wanted the seat last and did not get it. */
export interface Rival {
  readonly instance: string;
  /** Hash of the ticket that he came with; undefined when he had none. */
  readonly ticket: string | undefined;
  readonly hostname: string;
  readonly source: string;
  readonly atMs: number;
  /** Whether an event told of him: one who may just be the restart of a dead process is told of when the holder shows life. */
  readonly isReported: boolean;
}

/** The seat of one role of one identity, as the database keeps it. Tickets are hashes. */
export interface Seat {
  readonly instance: string;
  readonly hostname: string;
  readonly source: string;
  /** The ticket that was presented last; undefined when the holder had none yet. */
  readonly ticket: string | undefined;
  /** The ticket that was handed out and not presented yet. */
  readonly next: string | undefined;
  /** Whether the holder passed a door since its claim: `next` has arrived then. */
  readonly hasNextArrived: boolean;
  /** Rises when an operator settles who sits. */
  readonly generation: number;
  readonly leaseUntilMs: number;
  /** When the nonce of the last claim was made: a claim that was overtaken on its way must not undo a later one. */
  readonly claimedAtMs: number;
  readonly rival: Rival | undefined;
}

/** A claim of a seat by a process that has proven its identity. */
export interface SeatClaim {
  readonly instance: string;
  readonly hostname: string;
  /** Address that it came from, for the operator. */
  readonly source: string;
  /** Hash of what it presents. */
  readonly ticket: string | undefined;
  /** Hash of what it gets. */
  readonly next: string;
  readonly nonceMadeAtMs: number;
  readonly leaseMs: number;
}

/** What comes of a claim. */
export type ClaimOutcome =
  /** It sits; `rival` is one to report, now that both have shown life, `double` one that had the same ticket and used it. */
  | {
      readonly kind: 'seated';
      readonly generation: number;
      readonly rival: Rival | undefined;
      readonly double?: SeatName | undefined;
    }
  /** Its ticket is good but another process holds the lease: wait, it may be dead. */
  | { readonly kind: 'held'; readonly holder: string; readonly leftMs: number }
  /** Its ticket is old or missing: it is a copy, or was copied. */
  | { readonly kind: 'stale'; readonly holder: string }
  /** A later claim was faster. */
  | { readonly kind: 'late' };

/** How far a time of the database may lie ahead of it: a bridge's idea of it is as old as its last look. */
export const aheadMsMax = 5_000;
/** How long a seat that an operator gave away waits for its new holder; no lease is longer. */
const reseatLeaseMs = 120_000;

/**
 * What a seat says of times that have not been yet was written before the database's clock was set back: that is no lease and no claim,
 * or everybody would be locked out until the clock is there again.
 */
function believable(seat: Seat, { leaseMs }: SeatClaim, nowMs: number): Seat {
  const isLease = seat.leaseUntilMs <= nowMs + Math.max(leaseMs, reseatLeaseMs);
  const isClaim = seat.claimedAtMs <= nowMs + aheadMsMax;
  return isLease && isClaim
    ? seat
    : {
        ...seat,
        leaseUntilMs: isLease ? seat.leaseUntilMs : 0,
        claimedAtMs: isClaim ? seat.claimedAtMs : 0,
      };
}

/** Judges a claim; pure: `seat` is what the row has to become. */
export function decideClaim(
  found: Seat | undefined,
  claim: SeatClaim,
  nowMs: number,
): { readonly seat: Seat | undefined; readonly outcome: ClaimOutcome } {
  const before = found === undefined ? undefined : believable(found, claim, nowMs);
  const { instance, hostname, source, ticket, next } = claim;
  const sits = {
    instance,
    hostname,
    source,
    ticket,
    next,
    hasNextArrived: false,
    generation: before?.generation ?? 1,
    leaseUntilMs: nowMs + claim.leaseMs,
    claimedAtMs: claim.nonceMadeAtMs,
  };
  if (before === undefined)
    return {
      seat: { ...sits, rival: undefined },
      outcome: { kind: 'seated', generation: 1, rival: undefined },
    };
  if (claim.nonceMadeAtMs < before.claimedAtMs) return { seat: before, outcome: { kind: 'late' } };
  const isCurrent = ticket === before.ticket;
  const isNext = before.next !== undefined && ticket === before.next;
  const asRival = (isReported: boolean): Seat => ({
    ...before,
    rival: { instance, ticket, hostname, source, atMs: nowMs, isReported },
  });
  if (!isCurrent && !isNext)
    return {
      seat: asRival(true),
      outcome: { kind: 'stale', holder: before.instance },
    };
  if (before.instance !== instance && before.leaseUntilMs > nowMs) {
    const isKnown = before.rival?.instance === instance && before.rival.isReported;
    return {
      seat: asRival(isKnown),
      outcome: { kind: 'held', holder: before.instance, leftMs: before.leaseUntilMs - nowMs },
    };
  }
  const { rival, isNews } = rivalAfter(before, instance);
  return {
    seat: { ...sits, rival },
    outcome: {
      kind: 'seated',
      generation: sits.generation,
      rival: isNews ? rival : undefined,
      // One came with this ticket, went through a door and is gone: its copy, or its own restart without what it was given.
      double: !isNext && before.hasNextArrived && before.instance !== instance ? nameOf(before) : undefined,
    },
  };
}

const nameOf = ({ instance, hostname, source }: SeatName): SeatName => ({ instance, hostname, source });

/** What is left of the rival when `instance` shows life: nothing if it is himself, and news if nobody told of him. */
export function rivalAfter(
  { rival, instance: holder }: Pick<Seat, 'rival' | 'instance'>,
  instance: string,
): { readonly rival: Rival | undefined; readonly isNews: boolean } {
  if (rival === undefined || rival.instance === instance) return { rival: undefined, isNews: false };
  // The holder changed hands in good order: the one refused meanwhile was refused by somebody who is gone.
  const isNews = !rival.isReported && holder === instance;
  return { rival: { ...rival, isReported: true }, isNews };
}

/**
 * What an operator decides: the instance that he names has the seat, be it the holder or the one that was refused last.
 *
 * Undefined when it is neither: whoever holds a copied identity can have himself refused at any time, and must win nothing by it.
 */
export function reseat(seat: Seat, instance: string, nowMs: number): Seat | undefined {
  const { rival } = seat;
  if (rival === undefined) return undefined;
  const generation = seat.generation + 1;
  if (seat.instance === instance) return { ...seat, generation, rival: undefined };
  if (rival.instance !== instance) return undefined;
  const { ticket, hostname, source } = rival;
  return {
    instance,
    ticket,
    hostname,
    source,
    next: undefined,
    hasNextArrived: false,
    generation,
    leaseUntilMs: nowMs + reseatLeaseMs,
    claimedAtMs: seat.claimedAtMs,
    rival: undefined,
  };
}

/** What the database keeps of a ticket. */
export function hashTicket(ticket: string): string {
  return createHash('sha256').update(`isthmus-seat\0${ticket}`).digest('hex');
}
