import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import type { Clock } from '../../proto/process/clock.ts';
import type { Keyring } from '../../proto/process/secrets.ts';
import { Fault, invariant } from '../../proto/faults/fault.ts';
import { signCertificate } from '../../proto/trust/heads.ts';
import { createSigningKeyPair } from '../../proto/trust/keys.ts';
import type { EnvironmentRef } from '../../proto/wire/published.ts';
import { signSuccession } from '../../proto/trust/roots.ts';
import { encodeCertificate, encodeSuccession } from '../../proto/wire/head.ts';
import type { DialectName } from '../storage/migrations/migration.ts';
import type { Queries, Trx } from '../storage/storage.ts';

/** How long a publishing key is certified; upkeep rotates it when a quarter is left. */
export const certificateMs = 365 * 24 * 3_600_000;
/** A longer chain of roots no gateway that was away would follow: it is sent with every certificate. */
export const successionsMax = 32;
/** A certificate begins a little in the past, for gateways whose clock is behind. */
const certificateSkewMs = 3_600_000;

/** A private key, opened; it exists in memory only. */
export interface OpenKey {
  readonly keyId: string;
  readonly publicKey: Uint8Array;
  /** Raw Ed25519 seed, 32 bytes. */
  readonly privateKey: Uint8Array;
}

/** The keys of organizations (roots) and environments (publishing keys), sealed at rest. */
export interface Keys {
  /** Makes the organization's root unless it has one. */
  ensureRoot(trx: Trx, organization: string): Promise<void>;
  root(db: Queries, organization: string): Promise<OpenKey>;
  /** Makes a new publishing key, certifies it for the epoch and lets it sign from now on. */
  create(trx: Trx, at: EnvironmentRef, epoch: number): Promise<OpenKey>;
  /** Deletes every other key of the environment with its certificates; says which they were. */
  forgetOthers(trx: Trx, at: EnvironmentRef, keyId: string): Promise<readonly string[]>;
  /** Puts the root's certificate in the place of all that there are, for the key that signs now. */
  certifyAnew(trx: Trx, at: EnvironmentRef, epoch: number): Promise<void>;
  /** Makes a new root, has the old one name it, and deletes the old private key. Errors: request.conflict when it has too many before it. */
  succeedRoot(trx: Trx, organization: string): Promise<void>;
  /** The key that signs now. */
  active(db: Queries, at: EnvironmentRef): Promise<OpenKey>;
}

/** Makes the keeper of keys. */
export function createKeys(options: { readonly keyring: Keyring; readonly clock: Clock }): Keys {
  const { keyring, clock } = options;
  const root: Keys['root'] = (db, organization) => readRoot(db, organization, keyring);
  const active: Keys['active'] = (db, at) => readActive(db, at, keyring);
  const certify = async (
    trx: Trx,
    at: EnvironmentRef,
    { key, epoch }: { readonly key: OpenKey; readonly epoch: number },
  ): Promise<void> => {
    const { privateKey } = await root(trx, at.organization);
    await insertCertificate(trx, { at, key, epoch, nowMs: clock.now() }, privateKey);
  };
  return {
    root,
    active,
    ensureRoot: (trx, organization) => insertRoot(trx, organization, options),
    async create(trx, at, epoch) {
      const key: OpenKey = { keyId: randomUUID(), ...createSigningKeyPair() };
      await insertActive(trx, { at, key, nowMs: clock.now() }, keyring);
      await certify(trx, at, { key, epoch });
      return key;
    },
    forgetOthers: deleteOthers,
    async certifyAnew(trx, at, epoch) {
      const key = await active(trx, at);
      await deleteOthers(trx, at, key.keyId);
      await trx
        .deleteFrom('key_certificate')
        .where('organization', '=', at.organization)
        .where('environment', '=', at.environment)
        .execute();
      await certify(trx, at, { key, epoch });
    },
    succeedRoot: (trx, organization) => replaceRoot(trx, organization, options),
  };
}

async function insertRoot(
  trx: Trx,
  organization: string,
  { keyring, clock }: { readonly keyring: Keyring; readonly clock: Clock },
): Promise<void> {
  const pair = createSigningKeyPair();
  await beforeSealing(trx);
  await trx
    .insertInto('organization_root')
    .values({
      organization,
      public_key: pair.publicKey,
      sealed_private_key: keyring.seal(pair.privateKey, rootContext(organization)),
      created_at_ms: clock.now(),
    })
    .onConflict((conflict) => conflict.column('organization').doNothing())
    .execute();
}

async function readRoot(db: Queries, organization: string, keyring: Keyring): Promise<OpenKey> {
  const row = await db
    .selectFrom('organization_root')
    .selectAll()
    .where('organization', '=', organization)
    .executeTakeFirst();
  invariant(row !== undefined, `organization ${organization} has a root key`);
  return {
    keyId: 'root',
    publicKey: row.public_key,
    privateKey: keyring.open(row.sealed_private_key, rootContext(organization)),
  };
}

async function replaceRoot(
  trx: Trx,
  organization: string,
  { keyring, clock }: { readonly keyring: Keyring; readonly clock: Clock },
): Promise<void> {
  const old = await readRoot(trx, organization, keyring);
  const before = await trx
    .selectFrom('root_succession')
    .select('position')
    .where('organization', '=', organization)
    .execute();
  if (before.length >= successionsMax)
    throw new Fault('request.conflict', {
      detail: `The root of ${organization} was replaced ${before.length} times; gateways follow no longer chain.`,
      hint: 'Enrol the gateways into another organization.',
    });
  const next = createSigningKeyPair();
  await beforeSealing(trx);
  const issuedAtMs = clock.now();
  const succession = signSuccession(
    { organization, fromKey: old.publicKey, toKey: next.publicKey, issuedAtMs },
    old.privateKey,
  );
  await trx
    .insertInto('root_succession')
    .values({
      organization,
      position: before.length,
      bytes: encodeSuccession(succession),
      created_at_ms: issuedAtMs,
    })
    .execute();
  await trx
    .updateTable('organization_root')
    .set({
      public_key: next.publicKey,
      sealed_private_key: keyring.seal(next.privateKey, rootContext(organization)),
    })
    .where('organization', '=', organization)
    .execute();
}

async function deleteOthers(trx: Trx, at: EnvironmentRef, keyId: string): Promise<readonly string[]> {
  await trx
    .deleteFrom('key_certificate')
    .where('organization', '=', at.organization)
    .where('environment', '=', at.environment)
    .where('key_id', '!=', keyId)
    .execute();
  const gone = await trx
    .deleteFrom('signing_key')
    .where('organization', '=', at.organization)
    .where('environment', '=', at.environment)
    .where('id', '!=', keyId)
    .returning('id')
    .execute();
  return gone.map(({ id }) => id);
}

async function readActive(db: Queries, at: EnvironmentRef, keyring: Keyring): Promise<OpenKey> {
  const row = await db
    .selectFrom('signing_key')
    .selectAll()
    .where('organization', '=', at.organization)
    .where('environment', '=', at.environment)
    .where('is_active', '=', 1)
    .executeTakeFirst();
  invariant(row !== undefined, `environment ${at.environment} has a publishing key`);
  return {
    keyId: row.id,
    publicKey: row.public_key,
    privateKey: keyring.open(row.sealed_private_key, signingContext(at, row.id)),
  };
}

interface NewKey {
  readonly at: EnvironmentRef;
  readonly key: OpenKey;
  readonly nowMs: number;
}

async function insertActive(trx: Trx, { at, key, nowMs }: NewKey, keyring: Keyring): Promise<void> {
  const { organization, environment } = at;
  await beforeSealing(trx);
  await trx
    .updateTable('signing_key')
    .set({ is_active: 0 })
    .where('organization', '=', organization)
    .where('environment', '=', environment)
    .execute();
  await trx
    .insertInto('signing_key')
    .values({
      id: key.keyId,
      organization,
      environment,
      public_key: key.publicKey,
      sealed_private_key: keyring.seal(key.privateKey, signingContext(at, key.keyId)),
      is_active: 1,
      created_at_ms: nowMs,
    })
    .execute();
}

async function insertCertificate(
  trx: Trx,
  { at, key, epoch, nowMs }: NewKey & { readonly epoch: number },
  rootPrivateKey: Uint8Array,
): Promise<void> {
  const { organization, environment } = at;
  const { keyId, publicKey } = key;
  const notBeforeMs = nowMs - certificateSkewMs;
  const notAfterMs = nowMs + certificateMs;
  const certificate = signCertificate(
    { organization, environment, keyId, publicKey, epoch, notBeforeMs, notAfterMs },
    rootPrivateKey,
  );
  await trx
    .insertInto('key_certificate')
    .values({
      organization,
      environment,
      key_id: keyId,
      epoch,
      not_before_ms: notBeforeMs,
      not_after_ms: notAfterMs,
      bytes: encodeCertificate(certificate),
    })
    .execute();
}

/**
 * Said before a value is sealed under the key-encryption key that this transaction is going to write: whoever takes a key out of use waits
 * for it by {@link keepFromSealing}, and it waits for him, so that no value comes after its key has gone.
 *
 * A statement that means to write takes the table's lock, also when it finds nothing; SQLite has one writer at a time anyway.
 */
export async function beforeSealing(trx: Trx): Promise<void> {
  await trx
    .deleteFrom('organization_root')
    .where(sql<boolean>`1 = 0`)
    .execute();
}

/** From here to the end of the transaction nobody seals under the key-encryption key, and what was sealed before is there to read. */
export async function keepFromSealing(trx: Trx, dialect: DialectName): Promise<void> {
  if (dialect === 'postgres')
    await sql`lock table organization_root in share row exclusive mode`.execute(trx);
}

/** What the sealed root of an organization is bound to. */
export const rootContext = (organization: string): string => `organization/${organization}/root`;
/** What a sealed publishing key is bound to. */
export const signingContext = (at: EnvironmentRef, keyId: string): string =>
  `organization/${at.organization}/environment/${at.environment}/signing/${keyId}`;
