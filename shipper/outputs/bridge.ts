import { hostname } from 'node:os';
import { Fault } from '../../proto/faults/fault.ts';
import type { Clock } from '../../proto/process/clock.ts';
import type { Log } from '../../proto/process/log.ts';
import type { Outbound, OutboundResponse } from '../../proto/process/outbound/outbound.ts';
import { createCredential, CredentialRefusal } from '../../proto/trust/credential.ts';
import { borderTroubleOf } from '../../proto/trust/border.ts';
import type { EnrolledIdentity } from '../../proto/trust/identity.ts';
import type { TicketStore } from '../../proto/trust/seat-file.ts';
import { sha256Of } from '../../proto/wire/parcel.ts';
import { readReceipt, readRefusal } from '../../proto/wire/receipt.ts';
import { describeStranger } from '../../proto/process/stranger.ts';
import type { Delivery, Output, Parcel } from '../topology.ts';

/** What the way through the bridge needs. */
export interface BridgeOutputOptions {
  readonly outbound: Outbound;
  readonly identity: Pick<EnrolledIdentity, 'gateway' | 'bridge' | 'signing'>;
  /** The shipper sits beside the gateway with a ticket of its own. */
  readonly tickets: TicketStore;
  /** Random for this start of the process. */
  readonly instance: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly timeoutMs: number;
}

const answerBytesMax = 64 * 1024;

/** Uploads through the bridge: the same origin and the same credential as the gateway's stream, so one firewall rule in all. */
export function createBridgeOutput(options: BridgeOutputOptions): Output {
  const { outbound, identity, tickets, instance, clock, log, timeoutMs } = options;
  const base = identity.bridge.replace(/\/$/, '');
  const credential = createCredential({
    identity,
    bridgeUrl: base,
    role: 'shipper',
    instance,
    hostname: hostname().slice(0, 256),
    tickets,
    monotonicMs: () => clock.monotonicMs(),
    onUnwritable: (error) =>
      log.error({ err: error }, 'the seat file cannot be written; a restart may be refused'),
    async call({ path, ...request }) {
      const answer = await outbound.request(`${base}/bridge/v1/${path}`, {
        ...request,
        timeoutMs,
        bodyBytesMax: answerBytesMax,
      });
      return { status: answer.status, headers: answer.headers, text: await answer.text() };
    },
  });

  return {
    name: 'bridge',
    async deliver(parcel, signal): Promise<Delivery> {
      const { key, bytes } = parcel;
      try {
        const put = async (): Promise<OutboundResponse> =>
          outbound.request(`${base}/bridge/v1/uploads/${encodeURI(key)}`, {
            method: 'PUT',
            headers: {
              authorization: await credential.authorization(),
              'content-type': 'application/zstd',
              'content-length': String(bytes.length),
            },
            body: bytes,
            timeoutMs,
            signal,
            bodyBytesMax: answerBytesMax,
          });
        let answer = await put();
        // A nonce that was used up on the way, or a seat that was emptied: the refusal brought a new one.
        if (credential.heard(answer)) {
          await answer.text();
          answer = await put();
          credential.heard(answer);
        }
        const { status, headers } = answer;
        // Whatever breaks off or has no end is no receipt; the head says enough of a refusal.
        const text = await answer.text().catch(() => '');
        return judge({ status, headers, text }, parcel);
      } catch (error) {
        if (error instanceof CredentialRefusal) return unseated(error.answer);
        const reason = error instanceof Fault ? error.message : String(error);
        // Some hops answer a body that is too large for them by closing the connection under it; a slow line finds no end.
        const mayBeTooLarge = error instanceof Fault && isCutOff(error);
        const trouble = error instanceof Fault ? borderTroubleOf(error.code) : undefined;
        return { kind: 'unavailable', reason, mayBeTooLarge, trouble };
      }
    },
    close: () => outbound.close(),
  };
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

/**
 * What an answer means for the parcel it should be about.
 *
 * Delivered is only what the bridge's receipt says of this key and hash, and given up is only what the bridge refuses by name;
 * anything else may be somebody in between or a wrong setting, and data outlives both. Whoever is in between may find the body too large and
 * say so in any way: a firewall's page for that has 200, 302, 403, 406 or 501.
 */
function judge(answer: Answer, { key, bytes }: Parcel): Delivery {
  const { status, headers, text } = answer;
  if (status === 200 || status === 201) {
    const receipt = readReceipt(text);
    if (receipt?.key === key && receipt.sha256 === sha256Of(bytes)) return { kind: 'delivered' };
    const why =
      receipt === undefined ? 'no receipt of the bridge' : `the receipt of another parcel: ${receipt.key}`;
    const reason = `${describeStranger(answer)}: ${why}`;
    return { kind: 'foreign', reason, mayBeTooLarge: receipt === undefined, trouble: foreign };
  }
  const refusal = readRefusal(text, headers);
  const who =
    refusal === undefined ? describeStranger(answer) : `${status} ${refusal.code}: ${refusal.reason}`;
  if (status === 413) return { kind: 'tooLarge', reason: who };
  const isGivenUp =
    refusal?.code === 'blobs.conflict' && refusal.details?.some(({ path }) => path === key) === true;
  if (isGivenUp) return { kind: 'refused', reason: who };
  if (refusal === undefined && !isAway.has(status)) {
    const reason = `${who}: not the bridge's answer`;
    return { kind: 'foreign', reason, mayBeTooLarge: true, trouble: foreign };
  }
  // Some hops say this of a body that they find too large.
  const mayBeTooLarge = refusal === undefined && status === 502;
  const retryAfterMs = Number(headers['retry-after'] ?? 0) * 1_000;
  return {
    kind: 'unavailable',
    reason: who,
    mayBeTooLarge,
    trouble: refusal && borderTroubleOf(refusal.code, status),
    ...(retryAfterMs > 0 && { retryAfterMs }),
  };
}

/** No proof of identity could be had: that says nothing of any parcel. */
function unseated(answer: Answer): Delivery {
  const refusal = readRefusal(answer.text, answer.headers);
  if (refusal !== undefined) {
    const reason = `${answer.status} ${refusal.code}: ${refusal.reason}`;
    return { kind: 'unavailable', reason, trouble: borderTroubleOf(refusal.code, answer.status) };
  }
  const reason = `${describeStranger(answer)}: not the bridge's answer`;
  // A load balancer without a bridge behind it.
  return { kind: 'foreign', reason, trouble: isAway.has(answer.status) ? undefined : foreign };
}

const foreign = borderTroubleOf('sync.foreign_answer');
/** What a proxy says by itself while the bridge is away. */
const isAway: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/** True when the connection ended under a request, not before it, or the request found no end. */
function isCutOff({ code, cause }: Fault): boolean {
  if (code === 'outbound.timeout') return true;
  const found = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  return code === 'outbound.unreachable' && ['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET'].includes(found);
}
