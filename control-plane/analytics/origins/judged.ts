import { recordTables, type RecordTable } from '../../../proto/model/record-tables.ts';
import type { ConvertJob, Grant, Origin } from '../duck-jobs.ts';
import { columnsOfStream, hasBadTime, isRecord, literal } from '../lake-columns.ts';

/** The type of a record that says what its gateway may not; no question counts it. */
export const refusedType = 'refused';
/** The type of a record whose own type or time means nothing; no question counts it. */
export const malformedType = 'malformed';

const tables: readonly RecordTable[] = Object.values(recordTables);
const ofApis = tables.flatMap(({ type, fields }) => (Object.hasOwn(fields, 'api_id') ? [literal(type)] : []));
/** Of a foreign value, where it is kept for a human. */
const charsMax = 200;

const said = (name: string, otherwise = 'missing'): string =>
  `'${name} ' || coalesce(left(${name}::VARCHAR, ${charsMax}), '${otherwise}')`;

/** Says in SQL that a record names another tenant than its landing object's. */
export const isStranger = ({
  organization,
  environment,
}: Pick<ConvertJob, 'organization' | 'environment'>): string =>
  `(org_id IS DISTINCT FROM ${literal(organization)} OR env_id IS DISTINCT FROM ${literal(environment)})`;

/** What a landing object's records are held against, as columns of the table `source`. */
export const originColumns = 'gateway, gateways, since_ms, until_ms, has_grant, grant_name';

/** Their values for one of them. */
export function originValues({ gateways, sinceMs, untilMs, grant }: Origin): string {
  const names = `[${gateways.map(literal).join(', ')}]`;
  const own = literal(gateways[0] ?? '');
  return `${own}, ${names}, ${sinceMs}, ${untilMs}, ${grant !== undefined}, ${literal(grant ?? '')}`;
}

const idsPerStatement = 5_000;

/** Statements that fill the table `granted`. */
export function* grantedTable(grants: readonly Grant[]): Generator<string> {
  yield 'CREATE OR REPLACE TEMP TABLE granted (grant_name VARCHAR, api_id VARCHAR)';
  for (const { name, apis } of grants)
    for (let start = 0; start < apis.length; start += idsPerStatement) {
      const ids = apis.slice(start, start + idsPerStatement).map(literal);
      yield `INSERT INTO granted SELECT ${literal(name)}, unnest([${ids.join(', ')}])`;
    }
}

/**
 * The lines of `batch` beside what is known of their origin, and the verdict on each: null when the line is no record, `malformed` when its
 * type or time is missing or means nothing, `refused` when it says what its gateway may not (a record of another tenant, gateway or API, or
 * from a time at which it cannot have been written), else its own type.
 *
 * A record that is malformed or refused stays in the lake, for a human and so that its offset is accounted for: as one of its own tenant
 * and gateway, with each field that is wrong and what it said in `refused_because`. The others of its landing object count.
 */
export function judgedView(job: Pick<ConvertJob, 'stream' | 'organization' | 'environment'>): string {
  const { hasBadType } = columnsOfStream[job.stream];
  return (
    `CREATE OR REPLACE TEMP VIEW judged AS SELECT *, CASE WHEN NOT ${isRecord} THEN NULL ` +
    `WHEN bad_tenant OR bad_gateway_id THEN '${refusedType}' WHEN bad_type OR bad_time THEN '${malformedType}' ` +
    `WHEN bad_api_id OR bad_timestamp THEN '${refusedType}' ELSE type END AS verdict FROM (` +
    `SELECT batch.*, batch.rowid AS row_number, source.* EXCLUDE (filename), ${isStranger(job)} AS bad_tenant, ` +
    `${hasBadType} AS bad_type, ${hasBadTime} AS bad_time, ` +
    `NOT coalesce(list_contains(gateways, gateway_id), false) AS bad_gateway_id, ` +
    `(has_grant AND granted.api_id IS NULL AND coalesce(type IN (${ofApis.join(', ')}), false)) AS bad_api_id, ` +
    `NOT coalesce(timestamp BETWEEN since_ms AND until_ms, false) AS bad_timestamp ` +
    `FROM batch JOIN source USING (filename) LEFT JOIN granted ON granted.grant_name = source.grant_name AND granted.api_id = batch.api_id)`
  );
}

/** Whose a record is in the lake: nobody else's, whatever it says; beside them what it said that makes it count for nothing. */
export const ownColumns = ({
  organization,
  environment,
}: Pick<ConvertJob, 'organization' | 'environment'>): string =>
  `${literal(organization)} AS org_id, ${literal(environment)} AS env_id, ` +
  `CASE WHEN bad_gateway_id THEN gateway ELSE gateway_id END AS gateway_id, ` +
  `CASE WHEN verdict IN ('${refusedType}', '${malformedType}') THEN concat_ws('; ', ` +
  `CASE WHEN bad_type THEN ${said('type')} END, ` +
  `CASE WHEN bad_tenant THEN ${said('org_id')} || ' ' || ${said('env_id')} END, ` +
  `CASE WHEN bad_gateway_id THEN ${said('gateway_id')} END, ` +
  `CASE WHEN bad_api_id THEN ${said('api_id')} END, ` +
  `CASE WHEN bad_time OR bad_timestamp THEN ${said('timestamp', 'missing or no number')} END) END AS refused_because`;
