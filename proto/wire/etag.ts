import { createHash } from 'node:crypto';

/** What a store says of an object in its head. */
interface ObjectHead {
  readonly ETag?: string | undefined;
  readonly ContentLength?: number | undefined;
}

/**
 * Whether an S3 store itself says that it has stored these bytes.
 *
 * Any 2xx passes for a stored object with the SDK, a log-in page's too. A store answers a PUT with the object's ETag: the MD5 of its bytes,
 * or, where it encrypts, something that a HEAD repeats beside the right length; only then is `head` asked.
 */
export async function isStored(
  bytes: Uint8Array,
  etag: string | undefined,
  head: () => Promise<ObjectHead>,
): Promise<boolean> {
  if (etag === undefined) return false;
  if (etag.replaceAll('"', '') === createHash('md5').update(bytes).digest('hex')) return true;
  const { ETag, ContentLength } = await head();
  return ETag === etag && ContentLength === bytes.length;
}
