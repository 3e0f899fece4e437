import { GetObjectCommand, PutObjectCommand, S3Client, S3ServiceException } from '@aws-sdk/client-s3';
import { isContentOf } from '../../proto/wire/parcel.ts';
import type { Delivery, Output, Parcel } from '../topology.ts';
import type { ShipperConfig } from '../config.ts';

/** PUTs into a bucket with credentials of its own. */
export function createS3Output(settings: ShipperConfig['s3'], timeoutMs: number): Output {
  const { send, readPresent, close } = createStore(settings, timeoutMs);
  /** Some stores do not know conditional writes; it is then left out until the next start. */
  let isConditional = settings.ifNoneMatch === 'auto';

  const put = async (parcel: Parcel, signal: AbortSignal): Promise<Delivery> => {
    try {
      await send(parcel, signal, isConditional);
      return { kind: 'delivered' };
    } catch (error) {
      const status = statusOf(error);
      // 412 is the standard's answer, 304 an old one; the object is there, but is it ours?
      if (status === 412 || status === 304) return compare(parcel, signal);
      if (isConditional && (status === 501 || status === 400)) {
        isConditional = false;
        return put(parcel, signal);
      }
      return { kind: 'unavailable', reason: describe(error, status) };
    }
  };
  /** A store may keep half of a put that failed. The key has a hash of the content, so whichever bytes match it stay. */
  const compare = async (parcel: Parcel, signal: AbortSignal): Promise<Delivery> => {
    try {
      const present = await readPresent(parcel, signal);
      if (present !== undefined && Buffer.compare(present, parcel.bytes) === 0) return { kind: 'delivered' };
      if (present !== undefined && isContentOf(parcel.key, present))
        return { kind: 'refused', reason: 'the object exists with other content' };
      await send(parcel, signal, false);
      return { kind: 'delivered' };
    } catch (error) {
      return { kind: 'unavailable', reason: describe(error, statusOf(error)) };
    }
  };
  return {
    name: 's3',
    deliver: put,
    close: async () => close(),
  };
}

function createStore(settings: ShipperConfig['s3'], timeoutMs: number) {
  const client = new S3Client({
    region: settings.region,
    forcePathStyle: settings.pathStyle,
    requestChecksumCalculation: settings.checksum,
    responseChecksumValidation: settings.checksum,
    // The shipment tries again itself, with its own pauses.
    maxAttempts: 1,
    ...(settings.endpoint === undefined ? {} : { endpoint: settings.endpoint }),
    ...(settings.accessKeyId === undefined || settings.secretAccessKey === undefined
      ? {}
      : { credentials: { accessKeyId: settings.accessKeyId, secretAccessKey: settings.secretAccessKey } }),
  });
  const send = async (parcel: Parcel, signal: AbortSignal, onlyIfAbsent: boolean): Promise<void> => {
    await client.send(
      new PutObjectCommand({
        Bucket: settings.bucket,
        Key: settings.prefix + parcel.key,
        Body: parcel.bytes,
        ContentType: 'application/zstd',
        ...(onlyIfAbsent ? { IfNoneMatch: '*' } : {}),
      }),
      { abortSignal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]) },
    );
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
  return { send, readPresent, close: () => client.destroy() };
}

function statusOf(error: unknown): number {
  return error instanceof S3ServiceException ? (error.$metadata.httpStatusCode ?? 0) : 0;
}

function describe(error: unknown, status: number): string {
  return `${status === 0 ? '' : `${status} `}${error instanceof Error ? `${error.name}: ${error.message}` : String(error)}`;
}
