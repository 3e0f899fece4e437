import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { Fault } from '../faults/fault.ts';
import { makeFolderDurably, writeDurably } from '../process/disk/durable-file.ts';

/** A key pair in raw form: 32 bytes each. */
export interface RawKeyPair {
  readonly publicKey: Uint8Array;
  readonly privateKey: Uint8Array;
}

/** Who a gateway is since its enrolment; its shipper signs with the same identity. */
export interface EnrolledIdentity {
  readonly gateway: string;
  readonly organization: string;
  readonly fleet: string;
  /** The bridge's origin, e.g. `https://bridge.example.com`. */
  readonly bridge: string;
  /** Raw Ed25519 public key of the organization's root: what everything is verified against. */
  readonly rootKey: Uint8Array;
  /** Ed25519; signs assertions. */
  readonly signing: RawKeyPair;
  /** X25519; what payload fields are sealed to. */
  readonly sealing: RawKeyPair;
  readonly enrolledAtMs: number;
  /** What was granted at enrolment; the bridge's welcome says what is granted now. */
  readonly environments?: readonly string[];
}

/** The part of proto/process/secrets.ts Keyring that is needed here; trust does not import process. */
export interface Sealer {
  seal(plain: Uint8Array, context: string): Uint8Array;
  open(sealed: Uint8Array, context: string): Uint8Array;
}

/** The file's name inside a gateway's data folder. */
export const identityFile = 'identity.json';

const bytes = z.base64().transform((text) => new Uint8Array(Buffer.from(text, 'base64')));
const key = bytes.refine((value) => value.length === 32, 'must be 32 bytes in base64');
const IdentityFile = z.strictObject({
  version: z.literal(1),
  gateway: z.string().min(1),
  organization: z.string().min(1),
  fleet: z.string().min(1),
  bridge: z.url(),
  rootKey: key,
  signingKey: z.strictObject({ publicKey: key, sealedPrivateKey: bytes }),
  sealingKey: z.strictObject({ publicKey: key, sealedPrivateKey: bytes }),
  enrolledAtMs: z.number().int(),
  environments: z.array(z.string().min(1)).optional(),
});

/**
 * Writes `<dir>/identity.json` (mode 0600), whole and durable; private keys are sealed by the key ring.
 *
 * Other processes (the shipper beside a gateway) read it with {@link loadIdentity} and the same key ring,
 * `openKeyring({dir: <dataDir>/secrets})`.
 */
export function saveIdentity(dir: string, identity: EnrolledIdentity, keyring: Sealer): void {
  const text = (value: Uint8Array): string => Buffer.from(value).toString('base64');
  const sealed = (purpose: string, pair: RawKeyPair): object => ({
    publicKey: text(pair.publicKey),
    sealedPrivateKey: text(keyring.seal(pair.privateKey, contextOf(identity.gateway, purpose))),
  });
  const { gateway, organization, fleet, bridge, rootKey, signing, sealing, enrolledAtMs } = identity;
  const file = {
    version: 1,
    gateway,
    organization,
    fleet,
    bridge,
    rootKey: text(rootKey),
    signingKey: sealed('signing', signing),
    sealingKey: sealed('sealing', sealing),
    enrolledAtMs,
    environments: identity.environments,
  };
  makeFolderDurably(dir);
  writeDurably(join(dir, identityFile), `${JSON.stringify(file, undefined, 2)}\n`);
}

/**
 * Reads the identity, or undefined when the gateway has not enrolled yet.
 *
 * Errors: config.unreadable when the file is not an identity; secrets.no_key and secrets.tampered from the key ring.
 */
export function loadIdentity(dir: string, keyring: Sealer): EnrolledIdentity | undefined {
  const path = join(dir, identityFile);
  const text = readText(path);
  if (text === undefined) return undefined;
  const file = parse(path, text);
  const pair = (purpose: string, entry: (typeof file)['signingKey']): RawKeyPair => ({
    publicKey: entry.publicKey,
    privateKey: new Uint8Array(keyring.open(entry.sealedPrivateKey, contextOf(file.gateway, purpose))),
  });
  return {
    gateway: file.gateway,
    organization: file.organization,
    fleet: file.fleet,
    bridge: file.bridge,
    rootKey: file.rootKey,
    signing: pair('signing', file.signingKey),
    sealing: pair('sealing', file.sealingKey),
    enrolledAtMs: file.enrolledAtMs,
    ...(file.environments !== undefined && { environments: file.environments }),
  };
}

/** Seals the private keys of an identity again, if there is one; whoever reads the file finds one state or the other. */
export function resealIdentity(dir: string, keyring: Sealer): void {
  const identity = loadIdentity(dir, keyring);
  if (identity !== undefined) saveIdentity(dir, identity, keyring);
}

const contextOf = (gateway: string, purpose: string): string => `identity/${gateway}/${purpose}`;

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw unreadable(path, error);
  }
}

function parse(path: string, text: string): z.infer<typeof IdentityFile> {
  try {
    return IdentityFile.parse(JSON.parse(text));
  } catch (error) {
    throw unreadable(path, error);
  }
}

function unreadable(path: string, cause: unknown): Fault {
  return new Fault('config.unreadable', {
    detail: 'The identity file cannot be read.',
    internal: path,
    hint: 'Restore it, or enrol again with a new token.',
    cause,
  });
}
