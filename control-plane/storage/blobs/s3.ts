import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { Fault } from '../../../proto/faults/fault.ts';
import type { BlobStore } from '../../../proto/wire/blobs.ts';
import type { S3Settings } from './settings.ts';
import { checkBlobKey } from './keys.ts';

/** Objects per page of a listing; the protocol's own most. */
const listPageMax = 1_000;

/** A bucket behind the S3 protocol: AWS, MinIO, Ceph, R2 and the many that are nearly alike. */
export function createS3Blobs(settings: S3Settings): BlobStore & { close(): void } {
  const client = createClient(settings);
  const Bucket = settings.bucket;
  const fullKey = (key: string): string => `${settings.prefix}${key}`;

  const get = async (key: string): Promise<Uint8Array | undefined> => {
    checkBlobKey(key);
    try {
      const answer = await client.send(new GetObjectCommand({ Bucket, Key: fullKey(key) }));
      return await answer.Body?.transformToByteArray();
    } catch (error) {
      if (statusOf(error) === 404) return undefined;
      throw unavailable(key, error);
    }
  };
  const compare = async (key: string, bytes: Uint8Array): Promise<'existed' | 'absent'> => {
    const present = await get(key);
    if (present === undefined) return 'absent';
    if (Buffer.compare(present, bytes) === 0) return 'existed';
    throw new Fault('blobs.conflict', { internal: key });
  };

  return {
    get,
    async put(key, bytes, options = {}) {
      checkBlobKey(key);
      // Stores that ignore If-None-Match would replace in silence: look first, and let the header close the gap where it works.
      if (options.ifAbsent === true && (await compare(key, bytes)) === 'existed') return 'existed';
      const condition = options.ifAbsent === true && settings.conditionalPut ? { IfNoneMatch: '*' } : {};
      try {
        await client.send(
          new PutObjectCommand({
            Bucket,
            Key: fullKey(key),
            Body: bytes,
            ContentLength: bytes.length,
            ...condition,
          }),
        );
        return 'stored';
      } catch (error) {
        // 412: somebody was faster; older MinIO says 304. 409 is a race that is worth retrying.
        const status = statusOf(error);
        if ((status === 412 || status === 304) && (await compare(key, bytes)) === 'existed') return 'existed';
        throw unavailable(key, error);
      }
    },
    list: (prefix) => listPages(client, settings, prefix),
    async delete(key) {
      checkBlobKey(key);
      try {
        await client.send(new DeleteObjectCommand({ Bucket, Key: fullKey(key) }));
      } catch (error) {
        if (statusOf(error) !== 404) throw unavailable(key, error);
      }
    },
    close: () => client.destroy(),
  };
}

async function* listPages(
  client: S3Client,
  settings: S3Settings,
  prefix: string,
): AsyncGenerator<{ readonly key: string; readonly bytes: number }> {
  let token: string | undefined;
  do {
    const page = await client
      .send(
        new ListObjectsV2Command({
          Bucket: settings.bucket,
          Prefix: `${settings.prefix}${prefix}`,
          MaxKeys: listPageMax,
          ContinuationToken: token,
        }),
      )
      .catch((error: unknown) => Promise.reject(unavailable(prefix, error)));
    for (const { Key, Size } of page.Contents ?? []) {
      if (Key !== undefined) yield { key: Key.slice(settings.prefix.length), bytes: Size ?? 0 };
    }
    token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
  } while (token !== undefined);
}

function createClient(settings: S3Settings): S3Client {
  return new S3Client({
    region: settings.region,
    forcePathStyle: settings.forcePathStyle,
    // The SDK's default checksums break many compatible stores; 'required' sends them only where the protocol demands.
    requestChecksumCalculation: settings.checksums === 'always' ? 'WHEN_SUPPORTED' : 'WHEN_REQUIRED',
    responseChecksumValidation: settings.checksums === 'always' ? 'WHEN_SUPPORTED' : 'WHEN_REQUIRED',
    maxAttempts: settings.attemptsMax,
    requestHandler: {
      connectionTimeout: settings.connectMsMax,
      requestTimeout: settings.requestMsMax,
      throwOnRequestTimeout: true,
    },
    ...(settings.endpoint === undefined ? {} : { endpoint: settings.endpoint }),
    ...(settings.accessKeyId === undefined || settings.secretAccessKey === undefined
      ? {}
      : { credentials: { accessKeyId: settings.accessKeyId, secretAccessKey: settings.secretAccessKey } }),
  });
}

/** Wrong credentials count as unavailable too: they come right later, and what is lost meanwhile does not. */
function unavailable(key: string, cause: unknown): Fault {
  const name = cause instanceof Error ? cause.name : 'error';
  return new Fault('blobs.unavailable', { internal: `${name} ${statusOf(cause) ?? ''} at ${key}`, cause });
}

function statusOf(error: unknown): number | undefined {
  return error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
}
