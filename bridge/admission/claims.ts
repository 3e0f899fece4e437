import { randomBytes } from 'node:crypto';
import { Fault } from '../../proto/faults/fault.ts';
import { ticketForm } from '../../proto/trust/seat-file.ts';
import { hashTicket, type ClaimOutcome, type SeatName, type SeatRole } from '../../proto/trust/seats.ts';
import type { Visitor } from './admission.ts';
import { reportRival, type Presence } from '../streams/presence.ts';
import type { Services } from '../services.ts';

/** What a claim says beside its proof. */
export interface SeatWish {
  /** What the last claim gave; undefined the first time. */
  readonly ticket: string | undefined;
  /** For the operator. */
  readonly hostname: string;
}

const hostnameCharsMax = 256;

/** Reads the headers x-isthmus-ticket and x-isthmus-hostname (percent-encoded). Errors: request.invalid naming the one. */
export function seatWishOf(headers: {
  readonly ticket: string | undefined;
  readonly hostname: string | undefined;
}): SeatWish {
  const { ticket } = headers;
  if (ticket !== undefined && !ticketForm.test(ticket))
    throw invalid('x-isthmus-ticket', 'must be 32 bytes in base64url');
  try {
    return { ticket, hostname: decodeURIComponent(headers.hostname ?? '').slice(0, hostnameCharsMax) };
  } catch {
    throw invalid('x-isthmus-hostname', 'must be percent-encoded');
  }
}

function invalid(path: string, message: string): Fault {
  return new Fault('request.invalid', { details: [{ path, message }] });
}

/** Every door but enrolment's and health's asks here whether the visitor is the one process of his identity. */
export interface Claims {
  /**
   * Gives the visitor his seat and a new ticket.
   *
   * Errors: bridge.identity_in_use when another process sits (reported as soon as both have shown life, or at once when
   * the ticket is old), trust.bad_nonce when a later claim was faster.
   */
  claim(
    visitor: Visitor,
    wish: SeatWish & { readonly source: string },
  ): Promise<{ readonly ticket: string; readonly generation: number; readonly leaseMs: number }>;
  /**
   * Lets a visitor through who sits, and prolongs his lease.
   *
   * Errors: bridge.seat_required when nobody sits, bridge.identity_in_use (reported) when somebody else does,
   *         request.forbidden at a door that is not for his role.
   */
  demand(visitor: Visitor, role: SeatRole): Promise<void>;
}

/** Between two uploads nothing tells a killed shipper from a silent one, and its restart should not wait for long. */
const shipperLeaseMsMax = 3_000;

/** Makes the judge of seats. */
export function createClaims(services: Services, presence: Presence): Claims {
  const { repository, events, config } = services;
  const { seatLeaseMs } = config.limits;
  const leaseOf = (role: SeatRole): number =>
    role === 'shipper' ? Math.min(seatLeaseMs, shipperLeaseMsMax) : seatLeaseMs;

  const reportPair = (visitor: Visitor, others: string, how: string): void =>
    events.report({
      gateway: visitor.identity.id,
      kind: 'identity.cloned',
      detail: `${visitor.role} instance ${visitor.instance} ${how} ${others}`,
    });
  const reportDouble = (visitor: Visitor, { instance, hostname, source }: SeatName): void =>
    reportPair(
      visitor,
      `${instance} of ${hostname} (${source}), which is gone: one is a copy, or could not keep what it was given`,
      'came with the ticket that was already replaced for',
    );
  const seatOf = ({ identity, role, instance }: Visitor) => ({ gateway: identity.id, role, instance });

  return {
    async claim(visitor, { ticket, hostname, source }) {
      const seat = seatOf(visitor);
      const next = randomBytes(32).toString('base64url');
      const ask = (): Promise<ClaimOutcome> =>
        repository.claimSeat(seat, {
          instance: visitor.instance,
          hostname,
          source,
          ticket: ticket === undefined ? undefined : hashTicket(ticket),
          next: hashTicket(next),
          nonceMadeAtMs: visitor.nonceMadeAtMs,
          leaseMs: leaseOf(visitor.role),
        });
      let outcome = await ask();
      // A killed process does not answer a ping: its restart need not wait for the lease.
      if (
        outcome.kind === 'held' &&
        (await presence.challenge({ ...seat, instance: outcome.holder })) === 'dead'
      )
        outcome = await ask();
      switch (outcome.kind) {
        case 'seated':
          if (outcome.rival !== undefined) reportRival(events, seat, outcome.rival);
          if (outcome.double !== undefined) reportDouble(visitor, outcome.double);
          return { ticket: next, generation: outcome.generation, leaseMs: leaseOf(visitor.role) };
        case 'late':
          throw new Fault('trust.bad_nonce');
        case 'held':
          throw new Fault('bridge.identity_in_use');
        case 'stale':
          reportPair(visitor, outcome.holder, 'came with an old ticket, or none, to the seat of');
          throw new Fault('bridge.identity_in_use');
      }
    },
    async demand(visitor, role) {
      if (visitor.role !== role)
        throw new Fault('request.forbidden', { detail: `This is for the ${role} of an identity.` });
      const seat = seatOf(visitor);
      const use = await repository.useSeat(seat, leaseOf(role));
      if (use.kind === 'seated') {
        if (use.rival !== undefined) reportRival(events, seat, use.rival);
        return;
      }
      if (use.kind === 'none') throw new Fault('bridge.seat_required');
      reportPair(visitor, use.holder, 'was refused, the seat is of');
      throw new Fault('bridge.identity_in_use');
    },
  };
}
