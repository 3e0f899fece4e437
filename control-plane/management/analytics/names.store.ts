import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import { inTenant } from '../../storage/in-tenant.ts';
import type { Queries } from '../../storage/storage.ts';

/** What records name by id and people by name. */
export const namedKinds = ['api', 'application', 'plan'] as const;
/** One of {@link namedKinds}. */
export type NamedKind = (typeof namedKinds)[number];

/** Names by id; an id that records hold and the environment does not (any more) is missing. */
export type Names = Readonly<Record<NamedKind, ReadonlyMap<string, string>>>;

/** Most ids of one question to the database. */
const idsMax = 1_000;

/** Names of what records of an environment speak of; ids of anything outside of it have none. */
export async function namesIn(
  db: Queries,
  at: EnvironmentRef,
  ids: Readonly<Partial<Record<NamedKind, Iterable<unknown>>>>,
): Promise<Names> {
  const [api, application, plan] = await Promise.all(
    namedKinds.map(async (kind) => namesOf(db, { at, kind }, [...new Set(ids[kind])].filter(isText))),
  );
  const none = new Map<string, string>();
  return { api: api ?? none, application: application ?? none, plan: plan ?? none };
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';

async function namesOf(
  db: Queries,
  { at, kind }: { readonly at: EnvironmentRef; readonly kind: NamedKind },
  ids: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const names = new Map<string, string>();
  for (let first = 0; first < ids.length; first += idsMax) {
    const rows = await inTenant(db.selectFrom(kind), at)
      .select(['id', 'name'])
      .where('id', 'in', ids.slice(first, first + idsMax))
      .execute();
    for (const { id, name } of rows) names.set(id, name);
  }
  return names;
}
