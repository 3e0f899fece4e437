import { createHash } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { z } from 'zod';
import { foldersOf } from '../../proto/process/data-folder.ts';
import { makeFolderDurably, writeDurably } from '../../proto/process/disk/durable-file.ts';
import type { RawKeyPair, Sealer } from '../../proto/trust/identity.ts';
import { createSealingKeyPair, createSigningKeyPair } from '../../proto/trust/keys.ts';

/** The keys that an enrolment is made with. */
export interface EnrolmentKeys {
  readonly signing: RawKeyPair;
  readonly sealing: RawKeyPair;
}

const base64 = z.base64().transform((text) => new Uint8Array(Buffer.from(text, 'base64')));
const pair = z.strictObject({ publicKey: base64, sealedPrivateKey: base64 });
const BegunFile = z.strictObject({
  version: z.literal(1),
  tokenSha256: z.string(),
  signing: pair,
  sealing: pair,
});

/**
 * Makes the keys of an enrolment and keeps them, sealed, before anything is sent: should the answer be lost, the same token brings the
 * same keys again, and the bridge knows whom it has let in. With another token, or a file that says nothing, they are made anew.
 *
 * Errors: system.* when they cannot be kept, before the token is used.
 */
export function beginEnrolment(dir: string, token: string, keyring: Sealer): EnrolmentKeys {
  const tokenSha256 = createHash('sha256').update(token.trim()).digest('base64');
  const begun = readBegun(dir, tokenSha256, keyring);
  if (begun !== undefined) return begun;
  const keys = { signing: createSigningKeyPair(), sealing: createSealingKeyPair() };
  const text = (value: Uint8Array): string => Buffer.from(value).toString('base64');
  const sealed = (purpose: keyof EnrolmentKeys): object => ({
    publicKey: text(keys[purpose].publicKey),
    sealedPrivateKey: text(keyring.seal(keys[purpose].privateKey, contextOf(purpose))),
  });
  const file = { version: 1, tokenSha256, signing: sealed('signing'), sealing: sealed('sealing') };
  makeFolderDurably(dir);
  writeDurably(foldersOf(dir).begunEnrolment, `${JSON.stringify(file)}\n`);
  return keys;
}

/** The keys are an identity's now, or nobody's. */
export function endEnrolment(dir: string): void {
  rmSync(foldersOf(dir).begunEnrolment, { force: true });
}

function readBegun(dir: string, tokenSha256: string, keyring: Sealer): EnrolmentKeys | undefined {
  try {
    const file = BegunFile.parse(JSON.parse(readFileSync(foldersOf(dir).begunEnrolment, 'utf8')));
    if (file.tokenSha256 !== tokenSha256) return undefined;
    const open = (purpose: keyof EnrolmentKeys): RawKeyPair => ({
      publicKey: file[purpose].publicKey,
      privateKey: new Uint8Array(keyring.open(file[purpose].sealedPrivateKey, contextOf(purpose))),
    });
    return { signing: open('signing'), sealing: open('sealing') };
  } catch {
    return undefined;
  }
}

const contextOf = (purpose: string): string => `enrolment/${purpose}`;
