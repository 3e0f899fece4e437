import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { Fault } from '../faults/fault.ts';

/** A key that seals the secrets of one environment's definitions. */
export interface DataKey {
  /** What sealed texts name it by. */
  readonly id: string;
  /** 32 bytes. */
  readonly key: Uint8Array;
}

/** What a sealed text is bound to: it opens nowhere else. */
export interface SealedPlace {
  readonly organization: string;
  readonly environment: string;
  /** Kind and id of the record that holds it, e.g. `api` and the API's id. */
  readonly kind: string;
  readonly id: string;
  /** Name of the field (proto/model/secrets/fields.ts). */
  readonly field: string;
}

/** What stands in place of a secret wherever people look. */
export const mask = '********';

/** Whether a text is a mask, perhaps with the tag of what it stands for, as drafts have them. */
export const isMask = (text: string): boolean => text.startsWith(mask) && masks.test(text);
const masks = /^\*{8}(?:\.[\w-]{12})?$/;

const prefix = 'sealed:';
const nonceBytes = 12;
const tagBytes = 16;
const form = /^sealed:v1:([\w-]{1,64}):([\w-]{38,})$/;

/** Whether a text has the form of a sealed one, whoever made it. */
export function isSealed(text: string): boolean {
  return text.startsWith(prefix) && form.test(text);
}

/** Whether a text would be taken for a sealed one, of this version or another. */
export function looksSealed(text: string): boolean {
  return text.startsWith(prefix);
}

/** Id of the key that a sealed text says it was sealed with; undefined when it is none. */
export function dataKeyIdOf(text: string): string | undefined {
  return text.startsWith(prefix) ? form.exec(text)?.[1] : undefined;
}

/** What stands in every text sealed with a key, and in no other. */
export const sealedWith = (keyId: string): string => `${prefix}v1:${keyId}:`;

/** Whether bytes can hold a sealed text at all; costs next to nothing where they do not. */
export function mayHoldSealed(bytes: Uint8Array): boolean {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).includes(prefix);
}

/** Makes a key; its id is as random as itself, and says nothing of it. */
export function createDataKey(): DataKey {
  return { id: randomBytes(9).toString('base64url'), key: randomBytes(32) };
}

/**
 * Seals a text for one place.
 *
 * Shape: `sealed:v1:<key id>:<base64url of nonce (12), AES-256-GCM ciphertext, tag (16)>`; the place is authenticated and not written down.
 */
export function sealText({ id, key }: DataKey, text: string, place: SealedPlace): string {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(contextOf(id, place));
  const sealed = Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  return `${prefix}v1:${id}:${sealed.toString('base64url')}`;
}

/**
 * Opens what {@link sealText} sealed.
 *
 * Errors: secrets.key_missing when none of the keys sealed it; secrets.tampered when it was changed or stands in another place.
 */
export function openText(keys: ReadonlyMap<string, DataKey>, text: string, place: SealedPlace): string {
  const [, id = '', body = ''] = form.exec(text) ?? [];
  const known = keys.get(id);
  if (known === undefined) {
    if (id !== '') throw new Fault('secrets.key_missing');
    throw new Fault('secrets.tampered');
  }
  const bytes = Buffer.from(body, 'base64url');
  const end = bytes.length - tagBytes;
  try {
    const decipher = createDecipheriv('aes-256-gcm', known.key, bytes.subarray(0, nonceBytes))
      .setAAD(contextOf(id, place))
      .setAuthTag(bytes.subarray(end));
    return Buffer.concat([decipher.update(bytes.subarray(nonceBytes, end)), decipher.final()]).toString(
      'utf8',
    );
  } catch (cause) {
    throw new Fault('secrets.tampered', { cause });
  }
}

function contextOf(keyId: string, { organization, environment, kind, id, field }: SealedPlace): Buffer {
  return Buffer.from(
    JSON.stringify(['isthmus.secret.v1', keyId, organization, environment, kind, id, field]),
  );
}
