import { createHash } from 'node:crypto';
import { HeadObjectCommand, PutObjectCommand, S3Client, S3ServiceException } from '@aws-sdk/client-s3';
import type { Delivery, Output, Parcel } from '../topology.ts';
import type { ShipperConfig } from '../config.ts';

/** PUTs into a bucket with credentials of its own. */
export function createS3Output(settings: ShipperConfig['s3'], timeoutMs: number): Output {
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
  /** Some stores do not know conditional writes; it is then left out until the next start. */
  let isConditional = settings.ifNoneMatch === 'auto';

  const put = async (parcel: Parcel, signal: AbortSignal): Promise<Delivery> => {
    const Key = settings.prefix + parcel.key;
    try {
      await client.send(
        new PutObjectCommand({
          Bucket: settings.bucket,
          Key,
          Body: parcel.bytes,
          ContentType: 'application/zstd',
          ...(isConditional ? { IfNoneMatch: '*' } : {}),
        }),
        { abortSignal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]) },
      );
      return { kind: 'delivered' };
    } catch (error) {
      const status = error instanceof S3ServiceException ? (error.$metadata.httpStatusCode ?? 0) : 0;
      // 412 is the standard's answer, 304 an old one; the object is there, but is it ours?
      if (status === 412 || status === 304) return compare(Key, parcel);
      if (isConditional && (status === 501 || status === 400)) {
        isConditional = false;
        return put(parcel, signal);
      }
      return { kind: 'unavailable', reason: describe(error, status) };
    }
  };
  const compare = async (Key: string, { bytes }: Parcel): Promise<Delivery> => {
    try {
      const head = await client.send(new HeadObjectCommand({ Bucket: settings.bucket, Key }));
      const etag = head.ETag?.replaceAll('"', '') ?? '';
      const isMd5 = /^[0-9a-f]{32}$/.test(etag);
      const isSame =
        head.ContentLength === bytes.length &&
        (!isMd5 || etag === createHash('md5').update(bytes).digest('hex'));
      // An encrypting store's ETag is no MD5 either; the key has a hash of the content, so equal length is then enough.
      return isSame || (head.ContentLength === bytes.length && head.ServerSideEncryption !== undefined)
        ? { kind: 'delivered' }
        : { kind: 'refused', reason: 'the object exists with other content' };
    } catch (error) {
      return { kind: 'unavailable', reason: describe(error, 0) };
    }
  };
  return {
    name: 's3',
    deliver: put,
    close: async () => client.destroy(),
  };
}

function describe(error: unknown, status: number): string {
  return `${status === 0 ? '' : `${status} `}${error instanceof Error ? `${error.name}: ${error.message}` : String(error)}`;
}
