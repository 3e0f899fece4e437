import { Fault } from '../../proto/faults/fault.ts';
import type { Clock } from '../../proto/process/clock.ts';
import type { ShipperConfig } from '../config.ts';
import type { Output } from '../topology.ts';
import { createOwnBucketOutput, type BucketOutput } from './own-bucket.ts';

/** Refuses an output that is not installed, before anything listens. Errors: config.invalid. */
export async function requireOutput(output: string): Promise<void> {
  if (output === 's3') await loadS3();
}

/** Opens the bucket of output s3. Errors: config.invalid where it is not installed. */
export async function openS3Output(config: ShipperConfig, clock: Clock): Promise<Output> {
  const { createS3Output } = await loadS3();
  return ofOwnBucket(createS3Output(config.s3, config.deliveryMsMax), config, clock);
}

/** A bucket that may have to bear an identity. */
export function ofOwnBucket(output: BucketOutput, { bucketIdentity }: ShipperConfig, clock: Clock): Output {
  return bucketIdentity === undefined ? output : createOwnBucketOutput(output, bucketIdentity, clock);
}

// Loaded only where it is used: the SDK costs a start 0.1 to 0.2 s.
const loadS3 = () => import('./s3.ts').catch(notPacked);

/** The package isthmus-gateway comes without this output and what it needs. */
function notPacked(cause: unknown): never {
  if (!(cause instanceof Error && 'code' in cause && cause.code === 'ERR_MODULE_NOT_FOUND')) throw cause;
  const message =
    'is s3, which isthmus-gateway does not bring; install the package isthmus, or use bridge or folder';
  throw new Fault('config.invalid', { details: [{ path: 'output', message }], cause });
}
