import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { chmodSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { z } from 'zod';

import { Fault, invariant } from '../faults/fault.ts';
import {
  createDurably,
  makeFolderDurably,
  privateFileMode,
  privateFolderMode,
  writeDurably,
} from './disk/durable-file.ts';

/** A key-encryption key: 32 bytes under a name that sealed values carry. */
export interface NamedKey {
  /** 1 to 32 of [A-Za-z0-9._-]. */
  readonly id: string;
  readonly key: Uint8Array;
}

/** Either a folder whose file `kek` is made at first boot, or the keys themselves, the first of which seals. */
export type KeyringOptions =
  | {
      readonly dir: string;
      readonly keys?: undefined;
      /** Refuse a folder without the file instead of making a key that opens nothing. */
      readonly mustExist?: boolean;
    }
  | { readonly keys: readonly NamedKey[]; readonly dir?: undefined };

/**
 * Seals secrets at rest with AES-256-GCM.
 *
 * That of a folder follows its file while a key is replaced: it reads the file again before it seals, and when it meets a key that it does not
 * know. What it has opened with once it keeps opening with.
 *
 * Shape:  sealed = 0x01, length of key id, key id, nonce (12), cipher text, tag (16).
 * Errors: secrets.no_key when the sealing key is not in the ring; secrets.tampered when value, context or key do not match.
 */
export interface Keyring {
  /** The context (e.g. `organization/<id>/root`) is authenticated, so that a sealed value cannot be moved to another row. */
  seal(plain: Uint8Array, context: string): Uint8Array;
  open(sealed: Uint8Array, context: string): Uint8Array;
  /** True when the value was not sealed with the present first key: open and seal it again to finish a rotation. */
  isStale(sealed: Uint8Array): boolean;
  /** Reads the folder's file again; keys that were given stay what they are. Errors: config.unreadable. */
  reload(): void;
  /** Ids in order, as the file was read last; the first one seals. */
  readonly keyIds: readonly string[];
}

const VERSION = 1;
const nonceBytes = 12;
const tagBytes = 16;
const KeyFile = z.strictObject({
  keys: z
    .array(
      z.strictObject({
        id: z.string().regex(/^[A-Za-z0-9._-]{1,32}$/),
        key: z
          .base64()
          .refine((text) => Buffer.from(text, 'base64').length === 32, 'must be 32 bytes in base64'),
      }),
    )
    .min(1),
});

/** Opens a ring; a folder without a key file gets one (mode 0600, durable before anything is sealed with it). */
export function openKeyring(options: KeyringOptions): Keyring {
  let keys = options.keys ?? readKeyFile(ensureKeyFile(options.dir, options.mustExist));
  invariant(
    keys.length > 0 && keys.every(({ key }) => key.length === 32),
    'a key ring holds keys of 32 bytes',
  );
  const byId = new Map(keys.map((entry) => [entry.id, entry.key]));
  const reload = (): void => {
    if (options.dir === undefined) return;
    keys = readKeyFile(pathOf(options.dir));
    for (const { id, key } of keys) byId.set(id, key);
  };
  const find = (id: string): Uint8Array | undefined => {
    if (!byId.has(id)) reload();
    return byId.get(id);
  };
  const firstOf = ([first]: readonly NamedKey[]): NamedKey => {
    invariant(first !== undefined, 'a key ring has a first key');
    return first;
  };

  return {
    reload,
    get keyIds() {
      return keys.map(({ id }) => id);
    },
    seal(plain, context) {
      reload();
      const first = firstOf(keys);
      const header = headerOf(first.id);
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv('aes-256-gcm', first.key, nonce).setAAD(associated(header, context));
      return Buffer.concat([header, nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
    },
    open(sealed, context) {
      const { id, header, nonce, body, tag } = takeApart(sealed);
      const key = find(id);
      if (key === undefined)
        throw new Fault('secrets.no_key', { internal: `sealed with key "${id}", context ${context}` });
      try {
        const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes })
          .setAAD(associated(header, context))
          .setAuthTag(tag);
        return Buffer.concat([decipher.update(body), decipher.final()]);
      } catch (error) {
        throw new Fault('secrets.tampered', { internal: `key "${id}", context ${context}`, cause: error });
      }
    },
    isStale: (sealed) => takeApart(sealed).id !== firstOf(keys).id,
  };
}

/** Id of the key that sealed a value. Errors: secrets.tampered when it is none. */
export const keyIdOf = (sealed: Uint8Array): string => takeApart(sealed).id;

/**
 * A folder's ring that is opened when it is needed: sealing makes the key, opening never does, and a process that refuses to
 * start before either leaves no folder behind.
 */
export function createLazyKeyring(dir: string): Pick<Keyring, 'seal' | 'open'> {
  return {
    seal: (plain, context) => openKeyring({ dir }).seal(plain, context),
    open: (sealed, context) => openKeyring({ dir, mustExist: true }).open(sealed, context),
  };
}

/**
 * Puts a fresh key in front of those in the folder's file; older ones stay, to open what they sealed.
 *
 * Rings that are open follow by themselves. Returns the new key's id.
 */
export function rotateKeyFile(dir: string): string {
  const path = ensureKeyFile(dir, true);
  const fresh = freshKey();
  writeDurably(path, keyFileText([fresh, ...readKeyFile(path)]));
  return fresh.id;
}

/** Takes keys out of the folder's file, but never the one that seals: nothing may be sealed with them any more. Returns those that went. */
export function forgetKeys(dir: string, isInUse: (id: string) => boolean): readonly string[] {
  const path = pathOf(dir);
  const keys = readKeyFile(path);
  const kept = keys.filter(({ id }, index) => index === 0 || isInUse(id));
  const gone = keys.filter((key) => !kept.includes(key)).map(({ id }) => id);
  if (gone.length > 0) writeDurably(path, keyFileText(kept));
  return gone;
}

const pathOf = (dir: string): string => join(dir, 'kek');

function ensureKeyFile(dir: string, mustExist = false): string {
  const path = pathOf(dir);
  try {
    readFileSync(path);
    tighten(dir, privateFolderMode);
    tighten(path, privateFileMode);
    return path;
  } catch (error) {
    if (!isCode(error, 'ENOENT')) throw unreadable(path, error);
    if (mustExist) throw absent(path);
  }
  makeFolderDurably(dir);
  // Of two processes that start together both then read the same key, and none reads half of one.
  createDurably(path, keyFileText([freshKey()]));
  return path;
}

/** What lies open to others from before is for its owner alone from now on; a mount that others own or nobody may change stays. */
function tighten(path: string, mode: number): void {
  try {
    if ((statSync(path).mode & 0o077) !== 0) chmodSync(path, mode);
  } catch (error) {
    if (!['EPERM', 'EROFS', 'EACCES'].some((code) => isCode(error, code))) throw error;
  }
}

function readKeyFile(path: string): readonly NamedKey[] {
  try {
    const { keys } = KeyFile.parse(JSON.parse(readFileSync(path, 'utf8')));
    return keys.map(({ id, key }) => ({ id, key: Buffer.from(key, 'base64') }));
  } catch (error) {
    // The cause is left out: a parser quotes what it read, and what it read is the key.
    throw unreadable(path, error instanceof z.ZodError || error instanceof SyntaxError ? undefined : error);
  }
}

function unreadable(path: string, cause: unknown): Fault {
  return new Fault('config.unreadable', {
    detail: 'The key-encryption key file cannot be read.',
    internal: path,
    hint: 'Restore it from where you keep it; without it what it sealed is lost.',
    cause,
  });
}

function absent(path: string): Fault {
  return new Fault('config.unreadable', {
    detail: `There is no key-encryption key ${resolve(path)}.`,
    hint: 'Put the one that sealed the keys in this database or backup there; check dataDir and secrets.dir for a slip.',
  });
}

const freshKey = (): NamedKey => ({ id: randomBytes(6).toString('hex'), key: randomBytes(32) });

function keyFileText(keys: readonly NamedKey[]): string {
  const entries = keys.map(({ id, key }) => ({ id, key: Buffer.from(key).toString('base64') }));
  return `${JSON.stringify({ keys: entries }, undefined, 2)}\n`;
}

function headerOf(id: string): Buffer {
  const name = Buffer.from(id);
  return Buffer.concat([Buffer.from([VERSION, name.length]), name]);
}

const associated = (header: Uint8Array, context: string): Buffer =>
  Buffer.concat([header, Buffer.from(context)]);

function takeApart(sealed: Uint8Array) {
  const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength);
  const headerBytes = 2 + (bytes[1] ?? 0);
  if (bytes[0] !== VERSION || bytes.length < headerBytes + nonceBytes + tagBytes) {
    throw new Fault('secrets.tampered', { internal: 'not a sealed value' });
  }
  return {
    id: bytes.toString('utf8', 2, headerBytes),
    header: bytes.subarray(0, headerBytes),
    nonce: bytes.subarray(headerBytes, headerBytes + nonceBytes),
    body: bytes.subarray(headerBytes + nonceBytes, bytes.length - tagBytes),
    tag: bytes.subarray(bytes.length - tagBytes),
  };
}

const isCode = (error: unknown, code: string): boolean =>
  error instanceof Error && 'code' in error && error.code === code;
