import type { Clock } from '../../proto/process/clock.ts';
import { bucketIdentityKey, decodeBucketIdentity } from '../../proto/wire/bucket-identity.ts';
import type { Output } from '../topology.ts';

/** An output that is a bucket: it can be asked which one. */
export interface BucketOutput extends Output {
  /** The object's bytes, undefined when there is none; rejects when the store does not say. */
  read(key: string, signal: AbortSignal): Promise<Uint8Array | undefined>;
}

/** How long the bucket is believed to be the same: a folder may be unmounted under us. */
const trustMsMax = 60_000;

/**
 * Delivers only into the bucket that bears this identity.
 *
 * A shipper that puts straight into a bucket sees no database. What it puts into another one than the control plane reads,
 * it would take for delivered, and nobody would ever see it; so it waits, and health says why.
 */
export function createOwnBucketOutput(output: BucketOutput, identity: string, clock: Clock): Output {
  let trustedUntilMs = -Infinity;
  const whyNot = async (signal: AbortSignal): Promise<string | undefined> => {
    try {
      const bytes = await output.read(bucketIdentityKey, signal);
      const borne = bytes === undefined ? 'no identity' : decodeBucketIdentity(bytes);
      return borne === identity ? undefined : `the bucket bears ${borne}, bucketIdentity is ${identity}`;
    } catch (error) {
      return `the bucket's identity cannot be read: ${error instanceof Error ? error.message : String(error)}`;
    }
  };
  return {
    name: output.name,
    async deliver(parcel, signal) {
      if (clock.monotonicMs() >= trustedUntilMs) {
        const reason = await whyNot(signal);
        if (reason !== undefined) return { kind: 'unavailable', reason };
        trustedUntilMs = clock.monotonicMs() + trustMsMax;
      }
      return output.deliver(parcel, signal);
    },
    async look(signal) {
      const missing = await output.look?.(signal);
      if (missing !== undefined) return missing;
      const reason = await whyNot(signal);
      return reason === undefined ? undefined : { reason };
    },
    close: () => output.close(),
  };
}
