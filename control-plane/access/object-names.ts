import type { Queries } from '../storage/storage.ts';

/** What somebody is a member of, as it is called. */
interface Named {
  readonly name: string;
  readonly environmentId: string;
  readonly version?: string | undefined;
  readonly visibility?: string | undefined;
}

/** Names of APIs, applications or groups of an organization, wherever they are. */
export async function namesOf(
  db: Queries,
  organization: string,
  { type, ids }: { readonly type: 'api' | 'application' | 'group'; readonly ids: readonly string[] },
): Promise<ReadonlyMap<string, Named>> {
  if (ids.length === 0) return new Map();
  const wanted = [...new Set(ids)];
  if (type === 'api') {
    const rows = await db
      .selectFrom('api')
      .select(['id', 'name', 'environment', 'api_version', 'visibility'])
      .where('organization', '=', organization)
      .where('id', 'in', wanted)
      .execute();
    return new Map(
      rows.map(({ id, name, environment, api_version: version, visibility }) => [
        id,
        { name, environmentId: environment, version, visibility },
      ]),
    );
  }
  const rows = await db
    .selectFrom(type === 'group' ? 'user_group' : 'application')
    .select(['id', 'name', 'environment'])
    .where('organization', '=', organization)
    .where('id', 'in', wanted)
    .execute();
  return new Map(rows.map(({ id, name, environment }) => [id, { name, environmentId: environment }]));
}
