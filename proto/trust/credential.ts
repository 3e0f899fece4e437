import { z } from 'zod';
import { audienceOf, signAssertion } from './assertions.ts';
import type { EnrolledIdentity } from './identity.ts';
import { ticketForm, type TicketStore } from './seat-file.ts';
import { nonceSeconds } from './nonces.ts';
import type { SeatRole } from './seats.ts';

/** An answer of the bridge as far as a credential looks at it; header names in lower case. */
export interface BridgeAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
}

/** What a process needs to prove to its bridge who it is. */
export interface CredentialOptions {
  readonly identity: Pick<EnrolledIdentity, 'gateway' | 'signing'>;
  /** The URL that is dialled. */
  readonly bridgeUrl: string;
  readonly role: SeatRole;
  /** Random for this start of the process. */
  readonly instance: string;
  readonly hostname: string;
  readonly tickets: TicketStore;
  readonly monotonicMs: () => number;
  /** Calls the bridge; rejects when there is no answer, gives any status. */
  readonly call: (request: {
    readonly method: 'GET' | 'POST';
    /** Relative to `<bridge>/bridge/v1/`. */
    readonly path: 'nonce' | 'seat';
    readonly headers: Readonly<Record<string, string>>;
  }) => Promise<BridgeAnswer & { readonly text: string }>;
  /** Told once when the ticket cannot be written: a restart then presents an old one. */
  readonly onUnwritable: (error: unknown) => void;
}

/**
 * Proves who a process is, one nonce of the bridge per call.
 *
 * Every answer of a bridge carries the next nonce, so a process that calls often pays no further round trip; one that
 * was silent for a while asks for one. Only a monotonic clock is looked at.
 */
export interface Credential {
  /** The Authorization header of one call; claims the seat first when it has to. Rejects with what the bridge said. */
  authorization(): Promise<string>;
  /** Takes what an answer says; true when the same call should be made once more, at once. */
  heard(answer: BridgeAnswer): boolean;
  /** The next call claims the seat anew; a stream begins so. */
  renew(): void;
}

/** The bridge refused a nonce or a seat. */
export class CredentialRefusal extends Error {
  override readonly name = 'CredentialRefusal';
  readonly answer: BridgeAnswer & { readonly text: string };

  constructor(answer: BridgeAnswer & { readonly text: string }) {
    super(`the bridge refused the seat: ${answer.status} ${answer.headers['x-isthmus-code'] ?? ''}`);
    this.answer = answer;
  }
}

/** A nonce is left alone some time before it ends: the answer that carried it and the call take time. */
const nonceMsMax = (nonceSeconds - 15) * 1_000;
const noncesMax = 8;
/** So that a running machine that was copied shows: both copies claim again, and one comes with an old ticket. */
const seatMsMax = 5 * 60_000;
const nonceForm = /^[A-Za-z0-9_-]{16,128}$/;
const seatAnswer = z.object({ ticket: z.string().regex(ticketForm) });

/** Makes the credential of one process; nothing is asked before the first call. */
export function createCredential(options: CredentialOptions): Credential {
  const { identity, role, instance, tickets, monotonicMs, call } = options;
  const audience = audienceOf(options.bridgeUrl);
  const nonces = createPool(monotonicMs);
  let seatedAtMs: number | undefined;
  let claiming: Promise<void> | undefined;
  let isUnwritableSaid = false;

  const takeNonce = async (): Promise<string> => {
    const kept = nonces.take();
    if (kept !== undefined) return kept;
    const answer = await call({ method: 'GET', path: 'nonce', headers: {} });
    if (answer.status >= 400) throw new CredentialRefusal(answer);
    nonces.keep(answer.headers['x-isthmus-nonce']);
    const nonce = nonces.take();
    if (nonce === undefined) throw new CredentialRefusal(answer);
    return nonce;
  };
  const sign = async (): Promise<string> => {
    const nonce = await takeNonce();
    const { privateKey: key } = identity.signing;
    return `Bearer ${await signAssertion({ gateway: identity.gateway, instance, role, nonce, audience, key })}`;
  };
  const keepTicket = (ticket: string): void => {
    try {
      tickets.write(ticket);
    } catch (error) {
      // The ticket before it stays good as long as this one was not presented.
      if (!isUnwritableSaid) options.onUnwritable(error);
      isUnwritableSaid = true;
    }
  };
  const heard = (answer: BridgeAnswer): boolean => {
    const code = answer.headers['x-isthmus-code'];
    const isNonceBad = code === 'trust.bad_nonce' || code === 'trust.replayed';
    if (isNonceBad) nonces.clear();
    nonces.keep(answer.headers['x-isthmus-nonce']);
    if (code === 'bridge.seat_required' || code === 'bridge.identity_in_use') seatedAtMs = undefined;
    return isNonceBad || code === 'bridge.seat_required';
  };
  const claim = async (): Promise<void> => {
    const ticket = tickets.read();
    // No body: a hop that lets only small ones pass must not stand between a process and its seat.
    const facts = {
      'x-isthmus-hostname': encodeURIComponent(options.hostname),
      ...(ticket !== undefined && { 'x-isthmus-ticket': ticket }),
    };
    for (let attempt = 0; ; attempt += 1) {
      const headers = { ...facts, authorization: await sign() };
      const answer = await call({ method: 'POST', path: 'seat', headers });
      const isWorthAgain = heard(answer);
      // Somebody in between may answer anything with 200; a seat has a ticket.
      const given = answer.status < 300 ? ticketOf(answer.text) : undefined;
      if (given !== undefined) {
        keepTicket(given);
        seatedAtMs = monotonicMs();
        return;
      }
      if (!isWorthAgain || attempt > 0) throw new CredentialRefusal(answer);
    }
  };

  return {
    heard,
    renew: () => void (seatedAtMs = undefined),
    async authorization() {
      if (seatedAtMs === undefined || monotonicMs() - seatedAtMs > seatMsMax) {
        claiming ??= claim().finally(() => (claiming = undefined));
        await claiming;
      }
      return sign();
    },
  };
}

function ticketOf(text: string): string | undefined {
  try {
    return seatAnswer.safeParse(JSON.parse(text)).data?.ticket;
  } catch {
    return undefined;
  }
}

/** The nonces that answers brought and nobody has used: a few, and only while they are surely good. */
function createPool(monotonicMs: () => number): {
  keep(text: string | undefined): void;
  take(): string | undefined;
  clear(): void;
} {
  const nonces: { readonly text: string; readonly atMs: number }[] = [];
  return {
    keep(text) {
      if (text === undefined || !nonceForm.test(text)) return;
      nonces.push({ text, atMs: monotonicMs() });
      if (nonces.length > noncesMax) nonces.shift();
    },
    take() {
      for (let nonce = nonces.pop(); nonce !== undefined; nonce = nonces.pop())
        if (monotonicMs() - nonce.atMs < nonceMsMax) return nonce.text;
      return undefined;
    },
    clear: () => void (nonces.length = 0),
  };
}
