import {
  CopyObjectCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3ServiceException,
  type ListObjectsV2CommandOutput,
  type S3Client,
} from '@aws-sdk/client-s3';
import { Fault } from '../../../proto/faults/fault.ts';
import { createS3Client } from '../../../proto/process/s3/client.ts';
import { isStored } from '../../../proto/wire/etag.ts';
import type { BlobStore, PutOptions } from '../../../proto/wire/blobs.ts';
import type { S3BlobsSettings } from './settings.ts';
import { checkBlobKey, comparedBytesMax } from './keys.ts';
import { isOfNoBucket } from './no-bucket.ts';

/** Objects per page of a listing; the protocol's own most. */
const listPageMax = 1_000;

/** A bucket behind the S3 protocol: AWS, MinIO, Ceph, R2 and the many that are nearly alike. */
export function createS3Blobs(settings: S3BlobsSettings): BlobStore & { close(): void } {
  const client = createS3Client(settings, settings);
  const Bucket = settings.bucket;
  const fullKey = (key: string): string => `${settings.prefix}${key}`;
  const { get, compare, write } = createObjects(client, settings);

  return {
    get,
    async put(key, bytes, { ifAbsent = false, isSound } = {}) {
      checkBlobKey(key);
      // Stores that ignore If-None-Match would replace in silence: look first, and let the header close the gap where it works.
      const before = ifAbsent ? await compare(key, bytes, isSound) : 'absent';
      if (before === 'existed') return 'existed';
      try {
        await write(key, bytes, ifAbsent && before === 'absent' && settings.conditionalPut);
        return before === 'unsound' ? 'replaced' : 'stored';
      } catch (error) {
        // 412: somebody was faster; older MinIO says 304. 409 is a race that is worth retrying.
        const status = statusOf(error);
        if ((status === 412 || status === 304) && (await compare(key, bytes, isSound)) === 'existed')
          return 'existed';
        throw unavailable(key, error);
      }
    },
    async copy(from, to) {
      checkBlobKey(from);
      checkBlobKey(to);
      try {
        const source = encodeURI(`${Bucket}/${fullKey(from)}`);
        const copy = new CopyObjectCommand({ Bucket, Key: fullKey(to), CopySource: source });
        const { CopyObjectResult } = await client.send(copy);
        if (CopyObjectResult?.ETag === undefined) throw foreign(from);
        return true;
      } catch (error) {
        if (isNotThere(error)) return false;
        throw unavailable(from, error);
      }
    },
    async *list(prefix, { after } = {}) {
      const StartAfter = after === undefined ? undefined : fullKey(after);
      for await (const page of listPages(client, settings, { prefix, StartAfter }))
        for (const { Key, Size, LastModified } of page.Contents ?? [])
          if (Key !== undefined)
            yield {
              key: Key.slice(settings.prefix.length),
              bytes: Size ?? 0,
              writtenMs: LastModified?.getTime(),
            };
    },
    folders: (prefix, depth = 1) => listFolders(client, settings, { prefix, depth }),
    async delete(key) {
      checkBlobKey(key);
      try {
        await client.send(new DeleteObjectCommand({ Bucket, Key: fullKey(key) }));
      } catch (error) {
        if (!isNotThere(error)) throw unavailable(key, error);
      }
    },
    close: () => client.destroy(),
  };
}

/** Reading, comparing and writing one object. */
function createObjects(client: S3Client, { bucket: Bucket, prefix }: S3BlobsSettings) {
  const get: BlobStore['get'] = async (key, { bytesMax = Infinity } = {}) => {
    checkBlobKey(key);
    try {
      const answer = await client.send(new GetObjectCommand({ Bucket, Key: `${prefix}${key}` }));
      if (answer.ETag === undefined) throw foreign(key);
      if ((answer.ContentLength ?? 0) > bytesMax) {
        answer.Body?.transformToWebStream()
          .cancel()
          .catch(() => undefined);
        throw new Fault('blobs.too_large', { internal: `${answer.ContentLength} bytes at ${key}` });
      }
      return await answer.Body?.transformToByteArray().catch((cause: unknown) => {
        throw new BrokenOff('the object breaks off', { cause });
      });
    } catch (error) {
      if (error instanceof Fault) throw error;
      if (isNotThere(error)) return undefined;
      throw unavailable(key, error);
    }
  };
  const compare = async (
    key: string,
    bytes: Uint8Array,
    isSound: PutOptions['isSound'],
  ): Promise<'existed' | 'absent' | 'unsound'> => {
    let present: Uint8Array | undefined;
    try {
      present = await get(key, { bytesMax: comparedBytesMax });
    } catch (error) {
      // A store may give back no half that it kept: what is put proves itself right by its key, whatever is there.
      if (isSound !== undefined && isOfTheObject(error)) return 'unsound';
      throw error;
    }
    if (present === undefined) return 'absent';
    if (Buffer.compare(present, bytes) === 0) return 'existed';
    if (isSound !== undefined && !isSound(present)) return 'unsound';
    throw new Fault('blobs.conflict', { internal: key });
  };
  const write = async (key: string, bytes: Uint8Array, isConditional: boolean): Promise<void> => {
    const at = { Bucket, Key: `${prefix}${key}` };
    const object = { ...at, Body: bytes, ContentLength: bytes.length };
    const condition = isConditional ? { IfNoneMatch: '*' } : {};
    const { ETag } = await client.send(new PutObjectCommand({ ...object, ...condition }));
    if (!(await isStored(bytes, ETag, () => client.send(new HeadObjectCommand(at))))) throw foreign(key);
  };
  return { get, compare, write };
}

async function* listPages(
  client: S3Client,
  settings: S3BlobsSettings,
  wish: { readonly prefix: string; readonly StartAfter?: string | undefined },
): AsyncGenerator<ListObjectsV2CommandOutput> {
  const { prefix, StartAfter } = wish;
  let token: string | undefined;
  do {
    const page = await client
      .send(
        new ListObjectsV2Command({
          Bucket: settings.bucket,
          Prefix: `${settings.prefix}${prefix}`,
          MaxKeys: listPageMax,
          ContinuationToken: token,
          StartAfter,
        }),
      )
      .catch((error: unknown) => Promise.reject(unavailable(prefix, error)));
    if (page.Name === undefined && page.KeyCount === undefined) throw foreign(prefix);
    yield page;
    token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
  } while (token !== undefined);
}

/** A page, then on behind the folder that it ends in. Not by delimiter: stores that are nearly alike differ there. */
async function* listFolders(
  client: S3Client,
  settings: S3BlobsSettings,
  { prefix, depth }: { readonly prefix: string; readonly depth: number },
): AsyncGenerator<string> {
  const above = `${settings.prefix}${prefix}`;
  let last: string | undefined;
  let StartAfter: string | undefined;
  for (let isMore = true; isMore;) {
    isMore = false;
    for await (const page of listPages(client, settings, { prefix, StartAfter })) {
      for (const { Key = '' } of page.Contents ?? []) {
        const segments = Key.slice(above.length).split('/');
        const name = segments.length > depth ? segments.slice(0, depth).join('/') : undefined;
        if (name !== undefined && name !== last) yield (last = name);
        // '~' comes behind every character of a key of ours.
        const behind = name === undefined ? Key : `${above}${name}/~`;
        StartAfter = behind > Key ? behind : Key;
      }
      isMore = page.IsTruncated === true && StartAfter !== undefined;
      break;
    }
  }
}

/** The SDK takes any 2xx for success, a log-in page's too; a store names what it stored, copied, read or listed. */
const foreign = (key: string): Fault =>
  new Fault('blobs.unavailable', { internal: `a 2xx at ${key} that is not the store's answer` });

/** The object; of a bucket that is not there nothing can be said. */
function isNotThere(error: unknown): boolean {
  return statusOf(error) === 404 && !isOfNoBucket(error);
}

/** Wrong credentials and a bucket that nobody has made count as unavailable too: they come right later, and what is lost meanwhile does not. */
function unavailable(key: string, cause: unknown): Fault {
  if (isOfNoBucket(cause))
    return new Fault('blobs.unavailable', {
      detail: 'The bucket is not there.',
      internal: `${reasonOf(cause)} at ${key}`,
      hint: 'Create it (aws s3 mb s3://<bucket>, told the endpoint, or in the console of the store), or check endpoint and bucket in blobs.s3 for a slip.',
      cause,
    });
  return new Fault('blobs.unavailable', { internal: `${reasonOf(cause)} at ${key}`, cause });
}

/** The store has begun to give an object, and not ended. */
class BrokenOff extends Error {
  override readonly name = 'BrokenOff';
}

/** Whether the store answers and it is this object that cannot be had: cut, too large, refused. What holds for the store holds for a put too. */
function isOfTheObject(error: unknown): boolean {
  if (!(error instanceof Fault)) return false;
  const { code, cause } = error;
  return code === 'blobs.too_large' || cause instanceof BrokenOff || statusOf(cause) !== undefined;
}

/** What an operator can act on: the store's name and status of an error, or the system's code of a connection that failed. */
function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return 'error';
  const status = statusOf(cause);
  if (status !== undefined) return `${cause.name} ${status}`;
  return 'code' in cause && typeof cause.code === 'string' ? `${cause.name} ${cause.code}` : cause.name;
}

function statusOf(error: unknown): number | undefined {
  return error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
}
