import { join } from 'node:path';
import { Fault } from '../../proto/faults/fault.ts';
import { keyIdOf, openKeyring, type Keyring } from '../../proto/process/secrets.ts';
import type { Queries } from '../storage/storage.ts';
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
  const wrong = await findWrongKeys(db, keyring);
  if (wrong.length === 0) return;
  const held = keyring.keyIds.filter((id) => !wrong.includes(id));
  const holds = held.length === 0 ? 'holds another key of that name' : `holds ${quoted(held)}`;
  throw new Fault('secrets.no_key', {
    detail: `What this database holds is sealed with key ${quoted(wrong)}; ${join(dir, 'kek')} ${holds}.`,
    hint: 'Put the kek that made this database there, from where you keep it, or check secrets.dir, dataDir and database.url for a slip: without that key nothing can be deployed.',
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
  rowsMax = Number.MAX_SAFE_INTEGER,
): Promise<readonly string[]> {
  const opened = new Set<string>();
  const failed = new Set<string>();
  for (const { sealed, context } of await readSealed(db, rowsMax)) {
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

async function readSealed(db: Queries, rowsMax: number) {
  const roots = await db
    .selectFrom('organization_root')
    .select(['organization', 'sealed_private_key as sealed'])
    .orderBy('created_at_ms', 'desc')
    .limit(rowsMax)
    .execute();
  const signing = await db
    .selectFrom('signing_key')
    .select(['organization', 'environment', 'id', 'sealed_private_key as sealed'])
    .where('is_active', '=', 1)
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
    ...roots.map(({ organization, sealed }) => ({ sealed, context: rootContext(organization) })),
    ...signing.map(({ id, sealed, ...at }) => ({ sealed, context: signingContext(at, id) })),
    ...data.map(({ id, sealed, ...at }) => ({ sealed, context: dataKeyContext(at, id) })),
  ];
}

function idOf(sealed: Uint8Array): string | undefined {
  try {
    return keyIdOf(sealed);
  } catch {
    return undefined;
  }
}

const quoted = (ids: readonly string[]): string => ids.map((id) => `"${id}"`).join(', ');
