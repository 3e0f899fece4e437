import {
  type Expression,
  type ExpressionBuilder,
  type RawBuilder,
  type Selectable,
  type SelectQueryBuilder,
  sql,
  type SqlBool,
} from 'kysely';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import type { Visible } from '../../access/actor.ts';
import { isMemberOf } from '../../access/memberships.store.ts';
import { inTenant } from '../../storage/in-tenant.ts';
import { type PageBounds, readPage, type Rows } from '../../storage/read-page.ts';
import type { Storage, Trx } from '../../storage/storage.ts';
import type { Database } from '../../storage/tables.ts';
import { likePattern } from '../pages.ts';
import type { ApiRow } from './apis.store.ts';

/** What an API is found by; beside its row, which holds a whole definition that a search would have to read past. */
interface ApiSearchTable {
  readonly organization: string;
  readonly environment: string;
  readonly api_id: string;
  /** PROXY, MESSAGE ... */
  type: string;
  /** Name, description, labels and tags in lower case, a line each. */
  text: string;
  /** 1 when it may be part of API products. */
  is_for_products: number;
}

/** A sharding tag, a label or a category of an API. */
interface ApiWordTable {
  readonly organization: string;
  readonly environment: string;
  readonly api_id: string;
  /** tag, label or category. */
  readonly kind: string;
  readonly word: string;
}

declare module '../../storage/tables.ts' {
  interface Database {
    api_search: ApiSearchTable;
    api_word: ApiWordTable;
  }
}

/** What a list of APIs may be narrowed by; of several conditions all hold, of several values one. An empty list is no condition. */
export interface ApiFilter {
  /** Words of which each is found in name, description, labels, tags, host or path, or is the id. */
  readonly query?: string | undefined;
  readonly ids?: readonly string[] | undefined;
  readonly types?: readonly string[] | undefined;
  readonly states?: readonly string[] | undefined;
  readonly visibilities?: readonly string[] | undefined;
  readonly lifecycleStates?: readonly string[] | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly categories?: readonly string[] | undefined;
  readonly isForProducts?: boolean | undefined;
  /** True when something is asked for that no API is. */
  readonly isNone?: boolean | undefined;
}

/** How a list of APIs may be sorted, in the reference's spelling. */
export const apiSorts = [
  'name',
  '-name',
  'api_type',
  '-api_type',
  'status',
  '-status',
  'paths',
  '-paths',
  'tags_asc',
  '-tags_desc',
  'categories_asc',
  '-categories_desc',
  'owner',
  '-owner',
  'visibility',
  '-visibility',
] as const;
/** One of {@link apiSorts}. */
export type ApiSort = (typeof apiSorts)[number];

// What an API has none of sorts as the empty text, on both databases.
const sortKeys: ReadonlyMap<string, RawBuilder<string>> = new Map([
  ['status', sql<string>`api.state`],
  ['visibility', sql<string>`api.visibility`],
  ['api_type', sql<string>`(select type from api_search where api_search.api_id = api.id)`],
  ['paths', sql<string>`coalesce((select min(path) from api_path where api_path.api_id = api.id), '')`],
  ['tags', wordKey('tag')],
  ['categories', wordKey('category')],
  [
    'owner',
    sql<string>`coalesce((select min(lower(user_account.display_name)) from membership
    join user_account on user_account.id = membership.member
    where membership.organization = api.organization and membership.scope = 'api'
    and membership.reference = api.id and membership.role = 'PRIMARY_OWNER'), '')`,
  ],
]);

function wordKey(kind: string): RawBuilder<string> {
  return sql`coalesce((select min(word) from api_word where api_word.api_id = api.id and api_word.kind = ${kind}), '')`;
}

/** A page of APIs. Rows are read for the page alone: they hold whole definitions, which no index has to be read past. */
export async function listApis(
  storage: Pick<Storage, 'db'>,
  at: EnvironmentRef,
  wish: {
    readonly filter: ApiFilter;
    readonly visible: Visible;
    /** Whether public APIs count that the user is no member of. */
    readonly withPublic: boolean;
    readonly sort: ApiSort;
    readonly bounds: PageBounds;
  },
): Promise<Rows<ApiRow>> {
  const selected = inTenant(storage.db.selectFrom('api'), at).where((where) =>
    where.and([isVisible(where, wish), ...matches(where, at, wish.filter)]),
  );
  const direction = wish.sort.startsWith('-') ? 'desc' : 'asc';
  const name = sql<string>`api.name_key`;
  const key = sortKeys.get(wish.sort.replace(/^-/, '').replace(/_(asc|desc)$/, '')) ?? name;
  const ordered = selected.select('id').orderBy(key, direction);
  const page = await readPage((key === name ? ordered : ordered.orderBy(name)).orderBy('id'), wish.bounds);
  if (page.rows.length === 0) return { rows: [], total: page.total };
  const ids = page.rows.map(({ id }) => id);
  const rows = await inTenant(storage.db.selectFrom('api'), at).selectAll().where('id', 'in', ids).execute();
  const byId = new Map(rows.map((row) => [row.id, row]));
  return { rows: ids.flatMap((id) => byId.get(id) ?? []), total: page.total };
}

type Where = ExpressionBuilder<Database, 'api'>;

function isVisible(
  where: Where,
  { visible, withPublic }: { readonly visible: Visible; readonly withPublic: boolean },
): Expression<SqlBool> {
  if (visible.kind === 'all') return where.lit(true);
  const isMember = isMemberOf(where.ref('api.id'), 'api', visible);
  return withPublic ? where.or([where('visibility', '=', 'PUBLIC'), isMember]) : isMember;
}

function matches(where: Where, at: EnvironmentRef, filter: ApiFilter): readonly Expression<SqlBool>[] {
  const conditions = (filter.query ?? '')
    .split(/\s+/)
    .filter((word) => word !== '')
    .map((word) => hasText(where, at, word));
  const narrow = <Value>(wish: Value | undefined, condition: (value: Value) => Expression<SqlBool>): void => {
    if (wish !== undefined && !(Array.isArray(wish) && wish.length === 0)) conditions.push(condition(wish));
  };
  const foundBy = () => inTenant(where.selectFrom('api_search'), at).select('api_search.api_id');
  narrow(filter.ids, (ids) => where('id', 'in', ids));
  narrow(filter.states, (states) => where('state', 'in', states));
  narrow(filter.visibilities, (visibilities) => where('visibility', 'in', visibilities));
  narrow(filter.lifecycleStates, (states) => where('lifecycle_state', 'in', states));
  narrow(filter.types, (types) => among(where, foundBy().where('type', 'in', types)));
  narrow(filter.isForProducts, (is) => among(where, foundBy().where('is_for_products', '=', is ? 1 : 0)));
  narrow(filter.tags, (words) => hasWord(where, at, { kind: 'tag', words }));
  narrow(filter.categories, (words) => hasWord(where, at, { kind: 'category', words }));
  if (filter.isNone === true) conditions.push(where.lit(false));
  return conditions;
}

function hasText(where: Where, at: EnvironmentRef, word: string): Expression<SqlBool> {
  const pattern = likePattern(word);
  const named = inTenant(where.selectFrom('api_search'), at)
    .select('api_search.api_id')
    .where((search) => like(search.ref('api_search.text'), pattern));
  const placed = inTenant(where.selectFrom('api_path'), at)
    .select('api_path.api_id')
    .where((path) =>
      path.or([like(path.ref('api_path.path'), pattern), like(path.ref('api_path.host'), pattern)]),
    );
  return where.or([where('id', '=', word), where('id', 'in', named), where('id', 'in', placed)]);
}

function hasWord(
  where: Where,
  at: EnvironmentRef,
  { kind, words }: { readonly kind: string; readonly words: readonly string[] },
): Expression<SqlBool> {
  const having = inTenant(where.selectFrom('api_word'), at)
    .select('api_word.api_id')
    .where('kind', '=', kind)
    .where('word', 'in', words);
  return among(where, having);
}

/**
 * The API is among these. Beside another condition PostgreSQL asks the question once and looks up its answer; alone it makes a join of it, which
 * took 16 seconds for 10,000 APIs when it had no statistics.
 */
function among<Table extends keyof Database>(
  where: Where,
  ids: SelectQueryBuilder<Database, Table, { api_id: string }>,
): Expression<SqlBool> {
  return where.or([where('id', 'in', ids), where.lit(false)]);
}

/** LIKE with the same escape character on both dialects. */
function like(column: Expression<string>, pattern: string): Expression<SqlBool> {
  return sql<SqlBool>`${column} like ${pattern} escape '\\'`;
}

interface FoundBy {
  readonly type: string;
  readonly labels?: readonly string[];
  readonly categories?: readonly string[];
  readonly allowedInApiProducts?: boolean;
}

/** Writes down what an API is found by, as its row is now. */
export async function writeFoundBy(
  trx: Trx,
  row: Pick<
    Selectable<Database['api']>,
    'organization' | 'environment' | 'id' | 'name' | 'description' | 'definition' | 'tags'
  >,
): Promise<void> {
  const { organization, environment, id, name, description } = row;
  const at = { organization, environment, api_id: id };
  const { type, labels = [], categories = [], allowedInApiProducts } = JSON.parse(row.definition) as FoundBy;
  const tags = JSON.parse(row.tags) as readonly string[];
  const found = {
    type,
    text: [name, description, ...labels, ...tags].join('\n').toLowerCase(),
    is_for_products: allowedInApiProducts === true ? 1 : 0,
  };
  await trx
    .insertInto('api_search')
    .values({ ...at, ...found })
    .onConflict((conflict) => conflict.column('api_id').doUpdateSet(found))
    .execute();
  await inTenant(trx.deleteFrom('api_word'), row).where('api_id', '=', id).execute();
  const words = Object.entries({ tag: tags, label: labels, category: categories }).flatMap(([kind, all]) =>
    [...new Set(all)].map((word) => ({ ...at, kind, word })),
  );
  if (words.length > 0) await trx.insertInto('api_word').values(words).execute();
}
