import type { Selectable } from 'kysely';
import { followRoots } from '../../proto/trust/roots.ts';
import type { DialectName } from '../storage/migrations/migration.ts';
import type { Trx } from '../storage/storage.ts';
import { userTables } from '../storage/tables-dump.ts';
import type { OrganizationRootTable, RootSuccessionTable } from '../storage/tables.ts';

/** The roots that a database has, with how each came from those before. */
export interface Roots {
  readonly roots: readonly Selectable<OrganizationRootTable>[];
  readonly successions: readonly Selectable<RootSuccessionTable>[];
}

/** Reads them before a restore; an older schema knows of no successions. */
export async function readRoots(trx: Trx, dialect: DialectName): Promise<Roots> {
  const { tables } = await userTables(trx, dialect);
  if (!tables.includes('root_succession')) return { roots: [], successions: [] };
  return {
    roots: await trx.selectFrom('organization_root').selectAll().execute(),
    successions: await trx.selectFrom('root_succession').selectAll().orderBy('position').execute(),
  };
}

/**
 * Puts back the roots that came after those of a backup: gateways have followed to them and believe no older one.
 *
 * Certificates are made anew by the caller. An organization whose root did not come from the backup's keeps the backup's: then it is
 * another installation, or nothing was replaced.
 */
export async function putRoots(trx: Trx, { roots, successions }: Roots): Promise<void> {
  for (const root of roots) {
    const { organization } = root;
    const chain = successions.filter((each) => each.organization === organization);
    const restored = await trx
      .selectFrom('organization_root')
      .select('public_key')
      .where('organization', '=', organization)
      .executeTakeFirst();
    if (restored === undefined) continue;
    const { rootKey, chain: followed } = followRoots(
      restored.public_key,
      organization,
      chain.map(({ bytes }) => bytes),
    );
    if (followed.length === 0 || Buffer.compare(rootKey, root.public_key) !== 0) continue;
    await trx
      .updateTable('organization_root')
      .set({ public_key: root.public_key, sealed_private_key: root.sealed_private_key })
      .where('organization', '=', organization)
      .execute();
    await trx.deleteFrom('root_succession').where('organization', '=', organization).execute();
    await trx.insertInto('root_succession').values(chain).execute();
  }
}
