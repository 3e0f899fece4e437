import { GetObjectCommand, HeadObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { isCode } from '../../proto/spool/folder.ts';
import { createS3Client } from '../../proto/process/s3/client.ts';
import type { S3Settings } from '../../proto/process/s3/settings.ts';
import { isStored } from '../../proto/wire/etag.ts';
import { bucketIdentityKey } from '../../proto/wire/bucket-identity.ts';
import { isContentOf } from '../../proto/wire/parcel.ts';
import { borderTroubleOf } from '../../proto/trust/border.ts';
import type { Delivery, Missing, Parcel } from '../topology.ts';
import type { BucketOutput } from './own-bucket.ts';
import { withoutRuntimeHint } from '../../proto/process/tls-words.ts';

/** PUTs into a bucket with credentials of its own. */
export function createS3Output(settings: S3Settings, timeoutMs: number): BucketOutput {
  const { send, read, readPresent, close } = createStore(settings, timeoutMs);
  /** Some stores do not know conditional writes; it is then left out until the next start. */
  let isConditional = settings.conditionalPut;

  const put = async (parcel: Parcel, signal: AbortSignal): Promise<Delivery> => {
    try {
      return await send(parcel, signal, isConditional);
    } catch (error) {
      const status = statusOf(error);
      // 412 is the standard's answer, 304 an old one; the object is there, but is it ours?
      if (status === 412 || status === 304) return compare(parcel, signal);
      if (isConditional && (status === 501 || status === 400)) {
        isConditional = false;
        return put(parcel, signal);
      }
      return failureOf(error);
    }
  };
  /**
   * A store may keep half of a put that failed, and may not even give it back. The key has a hash of the content, so whichever bytes match it
   * stay, and ours do.
   */
  const compare = async (parcel: Parcel, signal: AbortSignal): Promise<Delivery> => {
    try {
      const present = await readPresent(parcel, signal).catch(() => undefined);
      if (present !== undefined && Buffer.compare(present, parcel.bytes) === 0) return { kind: 'delivered' };
      if (present !== undefined && isContentOf(parcel.key, present))
        return { kind: 'refused', reason: 'the object exists with other content' };
      return await send(parcel, signal, false);
    } catch (error) {
      return failureOf(error);
    }
  };
  return {
    name: 's3',
    deliver: put,
    read,
    async look(signal) {
      try {
        await read(bucketIdentityKey, signal);
        return undefined;
      } catch (error) {
        // A policy may let put alone; the store then says so of what is not there, too.
        return isOf(error, 'AccessDenied') ? undefined : missingOf(error);
      }
    },
    close: async () => close(),
  };
}

function createStore(settings: S3Settings, timeoutMs: number) {
  // The shipment tries again itself, with its own pauses.
  const client = createS3Client(settings, { attemptsMax: 1 });
  const send = async (parcel: Parcel, signal: AbortSignal, onlyIfAbsent: boolean): Promise<Delivery> => {
    const at = { Bucket: settings.bucket, Key: settings.prefix + parcel.key };
    const abortSignal = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
    const put = new PutObjectCommand({
      ...at,
      Body: parcel.bytes,
      ContentType: 'application/zstd',
      ...(onlyIfAbsent ? { IfNoneMatch: '*' } : {}),
    });
    const { ETag } = await client.send(put, { abortSignal });
    const head = () => client.send(new HeadObjectCommand(at), { abortSignal });
    if (await isStored(parcel.bytes, ETag, head)) return { kind: 'delivered' };
    return { kind: 'foreign', reason: "a 2xx without the object's ETag: not the store's answer" };
  };
  const read: BucketOutput['read'] = async (key, signal) => {
    try {
      const answer = await client.send(
        new GetObjectCommand({ Bucket: settings.bucket, Key: settings.prefix + key }),
        { abortSignal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]) },
      );
      return await answer.Body?.transformToByteArray();
    } catch (error) {
      if (statusOf(error) === 404 && !isOf(error, 'NoSuchBucket')) return undefined;
      throw error;
    }
  };
  /** Undefined for one of another length: it cannot be ours, and with our key it is nobody's. */
  const readPresent = async (
    { key, bytes }: Parcel,
    signal: AbortSignal,
  ): Promise<Uint8Array | undefined> => {
    const answer = await client.send(
      new GetObjectCommand({ Bucket: settings.bucket, Key: settings.prefix + key }),
      { abortSignal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]) },
    );
    if (answer.ContentLength === bytes.length) return answer.Body?.transformToByteArray();
    answer.Body?.transformToWebStream()
      .cancel()
      .catch(() => undefined);
    return undefined;
  };
  return { send, read, readPresent, close: () => client.destroy() };
}

/** Also of an answer that is not the protocol's, such as a proxy's page. */
function statusOf(error: unknown): number {
  const { $metadata } = (error ?? {}) as { readonly $metadata?: { readonly httpStatusCode?: number } };
  return $metadata?.httpStatusCode ?? 0;
}

function failureOf(error: unknown): Delivery {
  const missing = missingOf(error);
  const isTooLarge = statusOf(error) === 413 || isOf(error, 'EntityTooLarge');
  if (isTooLarge) return { kind: 'tooLarge', reason: missing.reason };
  // Some hops answer a body that is too large for them by closing the connection under it.
  const mayBeTooLarge = isCode(error, 'ECONNRESET') || isCode(error, 'EPIPE');
  return { kind: 'unavailable', mayBeTooLarge, ...missing };
}

function missingOf(error: unknown): Missing {
  const status = statusOf(error);
  // A wrong key, name, policy or clock: the store says so to every parcel.
  const trouble = [401, 403, 404].includes(status) ? borderTroubleOf('blobs.refused') : undefined;
  return { reason: describe(error, status), trouble };
}

const isOf = (error: unknown, name: string): boolean => error instanceof Error && error.name === name;

function describe(error: unknown, status: number): string {
  return `${status === 0 ? '' : `${status} `}${error instanceof Error ? `${error.name}: ${withoutRuntimeHint(error.message)}` : String(error)}`;
}
