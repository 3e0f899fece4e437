import { sql, type SqlBool } from 'kysely';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import { gatewayRows } from '../../publish/gateway-views.ts';
import { inTenant } from '../../storage/in-tenant.ts';
import { type PageBounds, readPage } from '../../storage/read-page.ts';
import type { Queries } from '../../storage/storage.ts';

/** What a list of gateways may be narrowed by. */
export interface InstanceFilter {
  /** Revoked gateways too, and those that another one has taken the place of. */
  readonly includeStopped: boolean;
  /** Heard of in this span, ms since the epoch, both ends in it; 0 is no bound. */
  readonly fromMs: number;
  readonly toMs: number;
}

/** A page of the gateways of fleets that have the environment, by host name. */
export function listInstanceRows(
  db: Queries,
  at: EnvironmentRef,
  { includeStopped, fromMs, toMs, ...bounds }: InstanceFilter & PageBounds,
) {
  const query = instanceRows(db, at)
    .$if(!includeStopped, (rows) =>
      rows.where('gateway.is_revoked', '=', 0).where('successor.id', 'is', null),
    )
    .$if(fromMs > 0, (rows) => rows.where('gateway_report.received_at_ms', '>=', fromMs))
    .$if(toMs > 0, (rows) => rows.where('gateway_report.received_at_ms', '<=', toMs));
  return readPage(query.orderBy('gateway.hostname').orderBy('gateway.id'), bounds);
}

/** One of them. */
export function findInstance(db: Queries, at: EnvironmentRef, id: string) {
  return instanceRows(db, at).where('gateway.id', '=', id).executeTakeFirst();
}

/** A fleet's environments are a JSON list of ids, which hold no quotes. */
function instanceRows(db: Queries, at: EnvironmentRef) {
  const quoted = `%"${at.environment.replaceAll(/[\\%_]/g, String.raw`\$&`)}"%`;
  return gatewayRows(db, at.organization)
    .innerJoin('fleet', (join) =>
      join.onRef('fleet.id', '=', 'gateway.fleet').onRef('fleet.organization', '=', 'gateway.organization'),
    )
    .select(['fleet.tags as fleet_tags', 'fleet.tenant as fleet_tenant'])
    .where(sql<SqlBool>`fleet.environments like ${quoted} escape '\\'`);
}

/** What a gateway refuses of an environment, the newest revision first; at most `limit`. */
export function refusalsOf(
  db: Queries,
  at: EnvironmentRef,
  { gateway, limit }: { readonly gateway: string; readonly limit: number },
) {
  return inTenant(db.selectFrom('gateway_nack'), at)
    .select(['kind', 'id', 'seq', 'code', 'reason', 'at_ms'])
    .where('gateway', '=', gateway)
    .orderBy('seq', 'desc')
    .orderBy('id')
    .limit(limit)
    .execute();
}

/** A page of the APIs that are published in an environment, by name, with what one gateway has refused of each. */
export function listPublishedApis(
  db: Queries,
  at: EnvironmentRef,
  { gateway, ...bounds }: PageBounds & { readonly gateway: string },
) {
  const apis = inTenant(db.selectFrom('api'), at).select(['id', 'name', 'api_version']);
  const published = inTenant(db.selectFrom('published_latest'), at)
    .select(['id', 'seq', 'revision', 'tags'])
    .where('kind', '=', 'api')
    .where('is_deleted', '=', 0);
  const refused = inTenant(db.selectFrom('gateway_nack'), at)
    .select(['id', 'seq', 'code', 'reason'])
    .where('gateway', '=', gateway)
    .where('kind', '=', 'api');
  const query = db
    .selectFrom(apis.as('own'))
    .innerJoin(published.as('latest'), 'latest.id', 'own.id')
    .leftJoin(refused.as('nack'), 'nack.id', 'own.id')
    .select([
      'own.id',
      'own.name',
      'own.api_version',
      'latest.seq',
      'latest.revision',
      'latest.tags',
      'nack.seq as nack_seq',
      'nack.code',
      'nack.reason',
    ]);
  return readPage(query.orderBy('own.name').orderBy('own.id'), bounds);
}
