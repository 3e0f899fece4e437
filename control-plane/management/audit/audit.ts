import { z } from '@hono/zod-openapi';
import { namesOf } from '../../access/object-names.ts';
import { displayNames } from '../../access/users.store.ts';
import type { Queries } from '../../storage/storage.ts';
import { type NamedKind, namesIn } from '../analytics/names.store.ts';
import { csvLine } from '../csv.ts';
import type { Desk } from '../desk.ts';
import { momentText, present } from '../fields.ts';
import { boundsOf, type PageWish } from '../pages.ts';
import type { Content } from '../route.ts';
import { listEnvironmentRows } from '../tenants/tenants.store.ts';
import { type AuditFilter, chainPart, fewPlaces, listAuditRows, rowsAt } from './audit-list.store.ts';
import { type AuditRow, chainHead } from './audit.store.ts';
import { auditEvents } from './events.ts';

/** What the audit tells of, by name. */
export const eventNames: readonly string[] = Object.keys(auditEvents).toSorted();

const originSchema = z.string().optional();

/** One change, as the second version of the API tells it. */
export const auditSchema = z
  .object({
    id: z.string(),
    createdAt: z.string(),
    organizationId: z.string(),
    environmentId: z.string().optional(),
    reference: z.object({ id: z.string(), type: z.string(), name: z.string().optional() }),
    user: z.object({ id: z.string(), displayName: z.string() }),
    event: z.string(),
    properties: z.array(z.object({ key: z.string(), value: z.string(), name: z.string().optional() })),
    /** A JSON Patch as text. */
    patch: z.string().optional(),
    address: z.string().optional(),
    /** console, script, automation or cli. */
    origin: originSchema,
    /** Place in the chain of the organization. */
    seq: z.int().optional(),
  })
  .openapi('Audit');

/** Changes as version 1 tells them; what ids stand for is in metadata, e.g. `API:<id>:name`. */
export const v1AuditsSchema = z
  .object({
    content: z.array(
      z.object({
        id: z.string(),
        referenceId: z.string(),
        referenceType: z.string(),
        user: z.string(),
        /** ms since the epoch. */
        createdAt: z.int(),
        event: z.string(),
        properties: z.record(z.string(), z.string()),
        patch: z.string().optional(),
        address: z.string().optional(),
        origin: originSchema,
      }),
    ),
    metadata: z.record(z.string(), z.string()),
    pageNumber: z.int(),
    pageElements: z.int(),
    totalElements: z.int(),
  })
  .openapi('AuditsV1');

type Name = (kind: string, id: string) => string | undefined;

/** Lists changes, newest first. */
export async function listAudits(desk: Desk, filter: AuditFilter, page: PageWish) {
  const { rows, total } = await listAuditRows(desk.storage.db, filter, boundsOf(page));
  const name = await namerOf(desk, filter.organization, rows);
  return { data: rows.map((row) => auditOf(row, name)), total };
}

/** The same as version 1 has it. */
export async function listV1Audits(
  desk: Desk,
  filter: AuditFilter,
  page: PageWish,
): Promise<z.infer<typeof v1AuditsSchema>> {
  const { rows, total } = await listAuditRows(desk.storage.db, filter, boundsOf(page));
  const name = await namerOf(desk, filter.organization, rows);
  const metadata = new Map<string, string>();
  const content = rows.map((row) => {
    const properties = propertiesOf(row);
    const named = [['USER', row.user_id], [row.reference_type, row.reference_id], ...properties] as const;
    for (const [kind, id] of named) metadata.set(`${kind}:${id}:name`, name(kind, id) ?? id);
    return present({
      id: row.id,
      referenceId: row.reference_id,
      referenceType: row.reference_type,
      user: row.user_id,
      createdAt: Number(row.created_at_ms),
      event: row.event,
      properties: Object.fromEntries(properties),
      patch: row.patch ?? undefined,
      address: row.address ?? undefined,
      origin: row.origin ?? undefined,
    });
  });
  return {
    content,
    metadata: Object.fromEntries(metadata),
    pageNumber: page.page ?? 1,
    pageElements: content.length,
    totalElements: total,
  };
}

/** Places of a chain that an export looks at in one step. */
const exportPlaces = 1_000;

/** Media types of exports. */
export const exportTypes = { ndjson: 'application/x-ndjson', csv: 'text/csv' } as const;
/** How an export is written: whole rows, which prove themselves anywhere, or a table for people. */
export type ExportFormat = keyof typeof exportTypes;

/**
 * The chain, oldest first, with its hashes, sent while it is read some thousand rows at a time. What former versions wrote is not in it, nor is
 * what is written after the newest row of its beginning.
 */
export async function exportAudits(desk: Desk, filter: AuditFilter, format: ExportFormat): Promise<Content> {
  const { seq } = await chainHead(desk.storage.db, filter.organization);
  return {
    type: `${exportTypes[format]}; charset=utf-8`,
    fileName: `audit.${format}`,
    text: linesOf(desk, filter, { seqMax: seq, format }),
  };
}

async function* linesOf(
  desk: Desk,
  filter: AuditFilter,
  { seqMax, format }: { readonly seqMax: number; readonly format: ExportFormat },
): AsyncGenerator<string> {
  if (format === 'csv') yield csvLine(Object.keys(columns));
  const write = { csv: tableLine, ndjson: (row: AuditRow) => `${JSON.stringify(row)}\n` }[format];
  for await (const rows of partsOf(desk.storage.db, filter, seqMax)) yield rows.map(write).join('');
}

/** What is wanted of a chain, some thousand rows at a time: few are looked up, many are read with all that stands between them. */
async function* partsOf(
  db: Queries,
  filter: AuditFilter,
  seqMax: number,
): AsyncGenerator<readonly AuditRow[]> {
  const places = await fewPlaces(db, filter, seqMax);
  const count = places?.length ?? seqMax;
  for (let at = 0; at < count; at += exportPlaces)
    yield places === undefined
      ? await chainPart(db, filter, { seq: at, seqMax: Math.min(at + exportPlaces, seqMax) })
      : await rowsAt(db, filter.organization, places.slice(at, at + exportPlaces));
}

const columns: Readonly<Record<string, (row: AuditRow) => string | number | null | undefined>> = {
  seq: (row) => Number(row.seq),
  id: (row) => row.id,
  createdAt: (row) => momentText(Number(row.created_at_ms)),
  organizationId: (row) => row.organization,
  environmentId: (row) => row.environment,
  referenceType: (row) => row.reference_type,
  referenceId: (row) => row.reference_id,
  user: (row) => row.user_id,
  event: (row) => row.event,
  properties: (row) => row.properties,
  patch: (row) => row.patch,
  address: (row) => row.address,
  origin: (row) => row.origin,
  hash: (row) => row.hash,
};

const tableLine = (row: AuditRow): string => csvLine(Object.values(columns).map((column) => column(row)));

function auditOf(row: AuditRow, name: Name): z.infer<typeof auditSchema> {
  return present({
    id: row.id,
    createdAt: momentText(Number(row.created_at_ms)) ?? '',
    organizationId: row.organization,
    environmentId: row.environment ?? undefined,
    reference: present({
      id: row.reference_id,
      type: row.reference_type,
      name: name(row.reference_type, row.reference_id),
    }),
    user: { id: row.user_id, displayName: name('USER', row.user_id) ?? row.user_id },
    event: row.event,
    properties: propertiesOf(row).map(([key, value]) => present({ key, value, name: name(key, value) })),
    patch: row.patch ?? undefined,
    address: row.address ?? undefined,
    origin: row.origin ?? undefined,
    seq: row.seq === null ? undefined : Number(row.seq),
  });
}

const propertiesOf = (row: AuditRow): [string, string][] =>
  Object.entries(JSON.parse(row.properties) as Record<string, string>);

/** Names of what rows speak of, as far as it is still there. */
async function namerOf(desk: Desk, organization: string, rows: readonly AuditRow[]): Promise<Name> {
  const { db } = desk.storage;
  const spoken = rows.flatMap((row) => [
    ['USER', row.user_id] as const,
    [row.reference_type, row.reference_id] as const,
    ...propertiesOf(row),
  ]);
  const idsOf = (kind: string): string[] => spoken.filter(([one]) => one === kind).map(([, id]) => id);
  const ids = { api: idsOf('API'), application: idsOf('APPLICATION'), plan: idsOf('PLAN') };
  const users = await displayNames(db, organization, idsOf('USER'));
  const environments = [...new Set(rows.map((row) => row.environment))].filter((one) => one !== null);
  const named = await Promise.all(
    environments.map((environment) => namesIn(db, { organization, environment }, ids)),
  );
  const groups = await namesOf(db, organization, { type: 'group', ids: idsOf('GROUP') });
  const places = new Map(
    environments.length === 0
      ? []
      : (await listEnvironmentRows(db, organization)).map(({ id, name }) => [id, name]),
  );
  return (kind, id) => {
    if (kind === 'USER') return users.get(id);
    if (kind === 'GROUP') return groups.get(id)?.name;
    if (kind === 'ENVIRONMENT') return places.get(id);
    const one = kinds.get(kind);
    return one === undefined ? undefined : named.map((names) => names[one].get(id)).find(Boolean);
  };
}

const kinds: ReadonlyMap<string, NamedKind> = new Map([
  ['API', 'api'],
  ['APPLICATION', 'application'],
  ['PLAN', 'plan'],
]);
