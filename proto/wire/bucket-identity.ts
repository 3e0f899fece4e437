import { z } from 'zod';

/** The object that says which bucket this is; under the configured prefix, because another prefix is another place. */
export const bucketIdentityKey = 'isthmus-bucket.json';

const Identity = z.looseObject({ format: z.literal('isthmus-bucket'), version: z.literal(1), id: z.uuid() });

/** The object's bytes; the same for the same id, so that writing it twice is no conflict. */
export function encodeBucketIdentity(id: string): Uint8Array {
  return Buffer.from(`${JSON.stringify({ format: 'isthmus-bucket', version: 1, id })}\n`);
}

/** The id in the object, or `unreadable` when the object is something else: never taken for absent. */
export function decodeBucketIdentity(bytes: Uint8Array): string {
  try {
    return Identity.parse(JSON.parse(Buffer.from(bytes).toString('utf8'))).id;
  } catch {
    return 'unreadable';
  }
}

/** Whether the object is the beginning of some identity, and no more: half of a put that failed. */
export function isCutIdentity(bytes: Uint8Array): boolean {
  const whole = Buffer.from(encodeBucketIdentity(crypto.randomUUID()));
  const head = whole.subarray(0, whole.indexOf('"id":"') + 6);
  const isBegun = head.subarray(0, bytes.length).equals(bytes.subarray(0, head.length));
  return isBegun && bytes.length < whole.length && decodeBucketIdentity(bytes) === 'unreadable';
}
