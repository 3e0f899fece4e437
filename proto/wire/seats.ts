import type { NonceKey } from '../trust/nonces.ts';
import type { ClaimOutcome, Rival, SeatClaim, SeatRole } from '../trust/seats.ts';

/** One process of one identity. */
export interface Seated {
  readonly gateway: string;
  readonly role: SeatRole;
  readonly instance: string;
}

/** What a door finds about who sits. */
export type SeatUse =
  /** The caller sits; `rival` is one to report, now that both have shown life. */
  | { readonly kind: 'seated'; readonly rival: Rival | undefined }
  /** Another instance sits. */
  | { readonly kind: 'taken'; readonly holder: string }
  /** Nobody sits: claim first. */
  | { readonly kind: 'none' };

/** What became of seats that a bridge wants to keep for those it serves right now. */
export interface KeptSeats {
  /** Somebody else sits there now. */
  readonly lost: readonly Seated[];
  /** Nobody sits there, since a restore has emptied all seats: claim it anew. */
  readonly vacant: readonly Seated[];
  /** Somebody else came with a good ticket: show that you live, or give the seat up. */
  readonly contested: readonly Seated[];
}

/**
 * Nonces and seats, the same for all bridges on one database. Every time is the database's, never a bridge's or a
 * gateway's. Rejects with storage.unavailable when the database is away.
 */
export interface SeatLedger {
  /** The keys that nonces are made with now, newest first, and the database's time; makes a new one when it is time. */
  nonceKeys(): Promise<{ readonly nowMs: number; readonly keys: readonly NonceKey[] }>;
  /** Uses a nonce once; false when it was used before or is older than nonceSeconds. */
  takeNonce(nonce: string, issuedAtMs: number): Promise<boolean>;
  /** Claims a seat; see decideClaim. */
  claimSeat(seat: Pick<Seated, 'gateway' | 'role'>, claim: SeatClaim): Promise<ClaimOutcome>;
  /** Asks whether the caller sits, and prolongs his lease; one statement when he does. */
  useSeat(seat: Seated, leaseMs: number): Promise<SeatUse>;
  /** Prolongs the leases of many. */
  keepSeats(seats: readonly Seated[], leaseMs: number): Promise<KeptSeats>;
  /** The process is gone: the next one need not wait for the lease. */
  releaseSeat(seat: Seated): Promise<void>;
}
