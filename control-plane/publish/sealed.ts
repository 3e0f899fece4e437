import { join } from 'node:path';
import { Fault } from '../../proto/faults/fault.ts';
import { keyIdOf, openKeyring, type Keyring } from '../../proto/process/secrets.ts';
import type { EnvironmentRef } from '../../proto/wire/published.ts';
import { mailContext } from '../mail/mail.ts';
import { webhookContext, webhookSecretContext } from '../mail/webhooks.ts';
import type { Queries, Trx } from '../storage/storage.ts';
import { dataKeyContext } from './data-keys.ts';
import { rootContext, signingContext } from './keys.ts';

/** What a look at health opens of roots and of publishing keys, the newest first: what was there at the start was proved then. */
const newestRowsMax = 100;

/**
 * Opens the key ring of a database, and refuses one that does not open what lies sealed there: the first deployment would tell otherwise.
 *
 * `mayMake`: a database that holds nothing sealed gets a key; beside any other a new one would open nothing, and hide a slip in the path.
 * Errors: config.unreadable when there is no key, secrets.no_key when it is another installation's.
 */
export async function openKeyringOf(
  db: Queries,
  { dir, mayMake = false }: { readonly dir: string; readonly mayMake?: boolean },
): Promise<Keyring> {
  const keyring = openKeyring({ dir, mustExist: !mayMake || (await hasRoot(db)) });
  await requireKeyring(db, keyring, dir);
  return keyring;
}

/** Refuses a ring that does not open what lies sealed in the database. Errors: secrets.no_key. */
export async function requireKeyring(db: Queries, keyring: Keyring, dir: string): Promise<void> {
  await requireKeys(db, keyring, {
    holder: 'this database',
    file: join(dir, 'kek'),
    hint: 'Put the kek that made this database there, from where you keep it, or check secrets.dir, dataDir and database.url for a slip: without that key nothing can be deployed.',
  });
}

/** The same of what a restore is about to leave in the database, some of which may be from after the backup. Errors: secrets.no_key. */
export async function requireRestoredKeys(db: Queries, keyring: Keyring, file: string): Promise<void> {
  await requireKeys(db, keyring, {
    holder: 'the backup',
    file,
    hint: 'Nothing was changed. A roll of the key-encryption key took that key away since: add it from the copy of the kek of those days, behind the keys in that file, and restore again; isthmus keys roll-kek seals all with the newest one then.',
  });
}

async function requireKeys(
  db: Queries,
  keyring: Keyring,
  { holder, file, hint }: { readonly holder: string; readonly file: string; readonly hint: string },
): Promise<void> {
  const wrong = await findWrongKeys(db, keyring);
  if (wrong.length === 0) return;
  const held = keyring.keyIds.filter((id) => !wrong.includes(id));
  const holds = held.length === 0 ? 'holds another key of that name' : `holds ${quoted(held)}`;
  throw new Fault('secrets.no_key', {
    detail: `What ${holder} holds is sealed with key ${quoted(wrong)}; ${file} ${holds}.`,
    hint,
  });
}

/** False when something of late was sealed with a key that this ring has not, e.g. by another control plane of the same database. */
export async function opensNewest(db: Queries, keyring: Keyring): Promise<boolean> {
  return (await findWrongKeys(db, keyring, newestRowsMax)).length === 0;
}

/** Whether anything can lie sealed in the database. */
export async function hasRoot(db: Queries): Promise<boolean> {
  return (await db.selectFrom('organization_root').select('organization').limit(1).execute()).length > 0;
}

/**
 * The ids of keys that sealed something and open nothing here. A single value that does not open beside others of the same key is
 * damaged, which is no word on the key: whoever needs it is told.
 */
async function findWrongKeys(
  db: Queries,
  keyring: Keyring,
  newestMax = Number.MAX_SAFE_INTEGER,
): Promise<readonly string[]> {
  const opened = new Set<string>();
  const failed = new Set<string>();
  for (const { sealed, context } of await readSealed(db, { newestMax })) {
    const id = idOf(sealed);
    if (id === undefined || opened.has(id)) continue;
    try {
      keyring.open(sealed, context);
      opened.add(id);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      failed.add(id);
    }
  }
  return [...failed].filter((id) => !opened.has(id));
}

/** A value under the key-encryption key, and where it is. */
export type SealedRow = {
  readonly sealed: Uint8Array;
  /** What it is bound to. */
  readonly context: string;
} & (
  | { readonly table: 'organization_root' | NotifiedTable; readonly id: string }
  | { readonly table: 'signing_key' | 'data_key'; readonly at: EnvironmentRef; readonly id: string }
);

/** What lies in the database sealed under the key-encryption key: all of it, or what is in use, the newest of each table. */
export async function readSealed(
  db: Queries,
  inUse?: { readonly newestMax: number },
): Promise<readonly SealedRow[]> {
  const rowsMax = inUse?.newestMax ?? Number.MAX_SAFE_INTEGER;
  const roots = await db
    .selectFrom('organization_root')
    .select(['organization', 'sealed_private_key as sealed'])
    .orderBy('created_at_ms', 'desc')
    .limit(rowsMax)
    .execute();
  const signing = await db
    .selectFrom('signing_key')
    .select(['organization', 'environment', 'id', 'sealed_private_key as sealed'])
    .$if(inUse !== undefined, (query) => query.where('is_active', '=', 1))
    .orderBy('created_at_ms', 'desc')
    .limit(rowsMax)
    .execute();
  const data = await db
    .selectFrom('data_key')
    .select(['organization', 'environment', 'id', 'sealed_key as sealed'])
    .orderBy('created_at_ms', 'desc')
    .limit(rowsMax)
    .execute();
  return [
    ...roots.map(({ organization, sealed }) => ({
      table: 'organization_root' as const,
      id: organization,
      sealed,
      context: rootContext(organization),
    })),
    ...signing.map(({ id, sealed, ...at }) => ({
      table: 'signing_key' as const,
      at,
      id,
      sealed,
      context: signingContext(at, id),
    })),
    ...data.map(({ id, sealed, ...at }) => ({
      table: 'data_key' as const,
      at,
      id,
      sealed,
      context: dataKeyContext(at, id),
    })),
    ...(await readNotified(db, rowsMax)),
  ];
}

/** Of what leaves by mail and webhook. */
type NotifiedTable = 'outgoing_mail' | 'outgoing_webhook' | 'notification_setting';

async function readNotified(db: Queries, rowsMax: number): Promise<readonly SealedRow[]> {
  const waiting = (table: 'outgoing_mail' | 'outgoing_webhook') =>
    db
      .selectFrom(table)
      .select(['organization', 'id', 'sealed'])
      .where('state', '=', 'WAITING')
      .orderBy('created_at_ms', 'desc')
      .limit(rowsMax)
      .execute();
  const mails = await waiting('outgoing_mail');
  const webhooks = await waiting('outgoing_webhook');
  const settings = await db
    .selectFrom('notification_setting')
    .select(['id', 'sealed_secret as sealed'])
    .where('sealed_secret', 'is not', null)
    .orderBy('created_at_ms', 'desc')
    .limit(rowsMax)
    .execute();
  const rowOf = (
    table: NotifiedTable,
    { id, sealed }: { readonly id: string; readonly sealed: Uint8Array | null },
    context: string,
  ): readonly SealedRow[] => (sealed === null ? [] : [{ table, id, sealed, context }]);
  return [
    ...mails.flatMap((row) => rowOf('outgoing_mail', row, mailContext(row))),
    ...webhooks.flatMap((row) => rowOf('outgoing_webhook', row, webhookContext(row))),
    ...settings.flatMap((row) => rowOf('notification_setting', row, webhookSecretContext(row.id))),
  ];
}

/** Puts a value in the place of one that was read, if it is still there. */
export async function writeSealed(trx: Trx, row: SealedRow, sealed: Uint8Array): Promise<boolean> {
  const { numUpdatedRows } = await updateOf(trx, row, sealed).executeTakeFirstOrThrow();
  return Number(numUpdatedRows) === 1;
}

function updateOf(trx: Trx, row: SealedRow, sealed: Uint8Array) {
  switch (row.table) {
    case 'organization_root':
      return trx
        .updateTable('organization_root')
        .set({ sealed_private_key: sealed })
        .where('organization', '=', row.id)
        .where('sealed_private_key', '=', row.sealed);
    case 'outgoing_mail':
    case 'outgoing_webhook':
      return trx
        .updateTable(row.table)
        .set({ sealed })
        .where('id', '=', row.id)
        .where('sealed', '=', row.sealed);
    case 'notification_setting':
      return trx
        .updateTable('notification_setting')
        .set({ sealed_secret: sealed })
        .where('id', '=', row.id)
        .where('sealed_secret', '=', row.sealed);
    case 'signing_key':
      return trx
        .updateTable('signing_key')
        .set({ sealed_private_key: sealed })
        .where('id', '=', row.id)
        .where('sealed_private_key', '=', row.sealed);
    case 'data_key':
      return trx
        .updateTable('data_key')
        .set({ sealed_key: sealed })
        .where('organization', '=', row.at.organization)
        .where('environment', '=', row.at.environment)
        .where('id', '=', row.id)
        .where('sealed_key', '=', row.sealed);
  }
}

function idOf(sealed: Uint8Array): string | undefined {
  try {
    return keyIdOf(sealed);
  } catch {
    return undefined;
  }
}

const quoted = (ids: readonly string[]): string => ids.map((id) => `"${id}"`).join(', ');
