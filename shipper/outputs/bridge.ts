import { randomBytes } from 'node:crypto';
import { Fault } from '../../proto/faults/fault.ts';
import type { Clock } from '../../proto/process/clock.ts';
import type { Outbound } from '../../proto/process/outbound.ts';
import { audienceOf, signAssertion } from '../../proto/trust/assertions.ts';
import type { EnrolledIdentity } from '../../proto/trust/identity.ts';
import type { Delivery, Output } from '../topology.ts';

/** What the way through the bridge needs. */
export interface BridgeOutputOptions {
  readonly outbound: Outbound;
  readonly identity: Pick<EnrolledIdentity, 'gateway' | 'bridge' | 'signing'>;
  readonly clock: Clock;
  readonly timeoutMs: number;
}

/** Uploads through the bridge: the same origin and the same credential as the gateway's stream, so one firewall rule in all. */
export function createBridgeOutput({ outbound, identity, clock, timeoutMs }: BridgeOutputOptions): Output {
  const base = identity.bridge.replace(/\/$/, '');
  const audience = audienceOf(base);
  const instance = `shipper-${randomBytes(8).toString('hex')}`;
  /** The bridge's clock less ours; every answer tells it, so a wrong clock here locks nobody out. */
  let skewMs = 0;

  return {
    name: 'bridge',
    async deliver({ key, bytes }, signal): Promise<Delivery> {
      try {
        const assertion = await signAssertion({
          gateway: identity.gateway,
          instance,
          audience,
          nowMs: clock.now() + skewMs,
          key: identity.signing.privateKey,
        });
        const answer = await outbound.request(`${base}/bridge/v1/uploads/${encodeURI(key)}`, {
          method: 'PUT',
          headers: {
            authorization: `Bearer ${assertion}`,
            'content-type': 'application/zstd',
            'content-length': String(bytes.length),
          },
          body: bytes,
          timeoutMs,
          signal,
          bodyBytesMax: 64 * 1024,
        });
        const bridgeTimeMs = Number(answer.headers['x-isthmus-time']);
        if (bridgeTimeMs > 0) skewMs = bridgeTimeMs - clock.now();
        const retryAfterMs = Number(answer.headers['retry-after'] ?? 0) * 1_000;
        return judge(answer.status, { text: await answer.text(), retryAfterMs });
      } catch (error) {
        return { kind: 'unavailable', reason: error instanceof Fault ? error.message : String(error) };
      }
    },
    close: () => outbound.close(),
  };
}

/** Only a conflict is for good: everything else may be a wrong setting, and data outlives settings. */
function judge(
  status: number,
  { text, retryAfterMs }: { readonly text: string; readonly retryAfterMs: number },
): Delivery {
  if (status >= 200 && status < 300) return { kind: 'delivered' };
  const reason = `${status} ${text.slice(0, 500)}`;
  if (status === 409) return { kind: 'refused', reason };
  return Number.isFinite(retryAfterMs) && retryAfterMs > 0
    ? { kind: 'unavailable', reason, retryAfterMs }
    : { kind: 'unavailable', reason };
}
