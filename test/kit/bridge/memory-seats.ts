import { randomBytes } from 'node:crypto';
import type { Clock } from '../../../proto/process/clock.ts';
import { nonceSeconds, type NonceKey } from '../../../proto/trust/nonces.ts';
import { decideClaim, reseat, rivalAfter, type Seat } from '../../../proto/trust/seats.ts';
import type { Seated, SeatLedger } from '../../../proto/wire/seats.ts';

/** Nonces and seats in memory; what it decides is decided by the same functions as in the database. */
export interface MemorySeats extends SeatLedger {
  /** As `isthmus fleet reseat` does; the caller tells the bridges. */
  reseat(gateway: string, instance: string): void;
  /** As a restore does. */
  emptySeats(): void;
  /** What a table would hold. */
  readonly seats: ReadonlyMap<string, Seat>;
}

/** Makes an empty ledger; `here` rejects while the database is away. */
export function createMemorySeats(clock: Clock, here: <T>(answer: () => T) => Promise<T>): MemorySeats {
  const key: NonceKey = { id: randomBytes(8).toString('hex'), key: randomBytes(32) };
  const used = new Set<string>();
  const seats = new Map<string, Seat>();
  const keyOf = ({ gateway, role }: Pick<Seated, 'gateway' | 'role'>): string => `${gateway}\0${role}`;
  const heldBy = (seat: Seated): Seat | undefined => {
    const known = seats.get(keyOf(seat));
    return known?.instance === seat.instance ? known : undefined;
  };
  return {
    seats,
    emptySeats: () => seats.clear(),
    reseat(gateway, instance) {
      for (const [name, seat] of seats) {
        const after = name.startsWith(`${gateway}\0`) ? reseat(seat, instance, clock.now()) : undefined;
        if (after !== undefined) seats.set(name, after);
      }
    },
    nonceKeys: () => here(() => ({ nowMs: clock.now(), keys: [key] })),
    takeNonce: (nonce, issuedAtMs) =>
      here(() => {
        if (used.has(nonce) || issuedAtMs < clock.now() - nonceSeconds * 1_000) return false;
        used.add(nonce);
        return true;
      }),
    claimSeat: (at, claim) =>
      here(() => {
        const { seat, outcome } = decideClaim(seats.get(keyOf(at)), claim, clock.now());
        if (seat !== undefined) seats.set(keyOf(at), seat);
        return outcome;
      }),
    useSeat: (at, leaseMs) =>
      here(() => {
        const seat = heldBy(at);
        if (seat === undefined) {
          const other = seats.get(keyOf(at));
          return other === undefined ? { kind: 'none' } : { kind: 'taken', holder: other.instance };
        }
        const { rival, isNews } = rivalAfter(seat, at.instance);
        seats.set(keyOf(at), { ...seat, rival, hasNextArrived: true, leaseUntilMs: clock.now() + leaseMs });
        return { kind: 'seated', rival: isNews ? rival : undefined };
      }),
    keepSeats: (wanted, leaseMs) =>
      here(() => {
        const lost: Seated[] = [];
        const vacant: Seated[] = [];
        const contested: Seated[] = [];
        for (const at of wanted) {
          const seat = heldBy(at);
          if (seat === undefined) (seats.has(keyOf(at)) ? lost : vacant).push(at);
          else {
            seats.set(keyOf(at), { ...seat, leaseUntilMs: clock.now() + leaseMs });
            if (seat.rival?.isReported === false) contested.push(at);
          }
        }
        return { lost, vacant, contested };
      }),
    releaseSeat: (at) =>
      here(() => {
        const seat = heldBy(at);
        if (seat !== undefined) seats.set(keyOf(at), { ...seat, leaseUntilMs: 0 });
      }),
  };
}
