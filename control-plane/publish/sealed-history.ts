import type { Expression, SqlBool } from 'kysely';
import { definitionIn } from '../../proto/wire/definitions.ts';
import type { EnvironmentRef, RecordKind } from '../../proto/wire/published.ts';
import { decodeRecord, encodeRecord } from '../../proto/wire/record.ts';
import type { Queries, Trx } from '../storage/storage.ts';
import { type DefinitionSecrets, hasOpenSecrets, type SecretsOwner } from './definition-secrets.ts';
import type { PublishChange } from './publisher.ts';
import { lockEnvironment } from './tenant-locks.ts';

/** Records of one step. */
const rowsPerStep = 100;

/** Kinds whose records hold a definition. */
const kinds: readonly RecordKind[] = ['api', 'shared-policy-group', 'organization-flows'];

/** A change of an environment in which its records are written over. */
interface Rewriting {
  readonly trx: Trx;
  readonly at: EnvironmentRef;
  readonly secrets: DefinitionSecrets;
  publish(changes: readonly PublishChange[]): void;
}

/**
 * Seals secrets that lie open in records of an environment, a number of records after `afterSeq` at a time: what is in force is published
 * again, what was is written over. Returns where the next step begins; undefined when there is none.
 */
export async function sealRecords(now: Rewriting, afterSeq: number): Promise<number | undefined> {
  const seal: Rewrite = async (definition, owner) =>
    hasOpenSecrets(definition) ? now.secrets.seal(definition, owner, definition) : definition;
  return (await rewriteRecords(now, { afterSeq, rewrite: seal })).lastSeq;
}

/** The same with what older keys sealed: the newest seals it. Says also how many records were written over. */
export async function resealRecords(
  now: Rewriting,
  {
    afterSeq,
    holding,
  }: { readonly afterSeq: number; readonly holding: (column: string) => Expression<SqlBool> },
): Promise<{ readonly lastSeq: number | undefined; readonly rewritten: number }> {
  const rewrite: Rewrite = async (definition, owner) =>
    (await now.secrets.reseal(definition, owner)).definition;
  return rewriteRecords(now, { afterSeq, holding, rewrite });
}

/** Gives the definition as it is to be; the very same object when it stays. */
type Rewrite = (definition: unknown, owner: SecretsOwner) => Promise<unknown>;

async function rewriteRecords(
  now: Rewriting,
  {
    afterSeq,
    holding,
    rewrite,
  }: {
    readonly afterSeq: number;
    readonly holding?: (column: string) => Expression<SqlBool>;
    readonly rewrite: Rewrite;
  },
): Promise<{ readonly lastSeq: number | undefined; readonly rewritten: number }> {
  const { trx, at } = now;
  await lockEnvironment(trx, at, 0);
  const rows = await trx
    .selectFrom('published_record')
    .leftJoin('published_latest', (join) =>
      join
        .onRef('published_latest.organization', '=', 'published_record.organization')
        .onRef('published_latest.environment', '=', 'published_record.environment')
        .onRef('published_latest.seq', '=', 'published_record.seq'),
    )
    .select(['published_record.seq', 'published_record.bytes', 'published_latest.seq as latest'])
    .where('published_record.organization', '=', at.organization)
    .where('published_record.environment', '=', at.environment)
    .where('published_record.kind', 'in', kinds)
    .where('published_record.seq', '>', afterSeq)
    .$if(holding !== undefined, (query) =>
      holding === undefined ? query : query.where(holding('published_record.bytes')),
    )
    .orderBy('published_record.seq')
    .limit(rowsPerStep)
    .execute();
  let rewritten = 0;
  for (const { seq, bytes, latest } of rows) {
    const record = decodeRecord(bytes);
    const { kind, id, revision, tags } = record;
    if (record.isDeleted) continue;
    const held = definitionIn(record);
    if (held === undefined) continue;
    const before = JSON.parse(held.definition) as unknown;
    const definition = await rewrite(before, { kind, id });
    if (definition === before) continue;
    const payload = held.with(JSON.stringify(definition));
    if (latest !== null) now.publish([{ kind, id, revision, tags, payload }]);
    await trx
      .updateTable('published_record')
      .set({ bytes: encodeRecord({ ...record, payload }) })
      .where('organization', '=', at.organization)
      .where('environment', '=', at.environment)
      .where('seq', '=', seq)
      .execute();
    rewritten += 1;
  }
  return { lastSeq: rows.at(-1)?.seq, rewritten };
}

/** Whether everything was sealed for these fields. */
export async function hasSealed(db: Queries, digest: string): Promise<boolean> {
  const row = await db
    .selectFrom('sealed_fields')
    .select('digest')
    .where('digest', '=', digest)
    .executeTakeFirst();
  return row !== undefined;
}

/** Notes that it was. */
export async function noteSealed(db: Queries, digest: string, nowMs: number): Promise<void> {
  await db
    .insertInto('sealed_fields')
    .values({ digest, sealed_at_ms: nowMs })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** Every environment of every organization. */
export function environmentsOf(db: Queries): Promise<EnvironmentRef[]> {
  return db.selectFrom('environment').select(['organization', 'id as environment']).execute();
}

/** Writes the flows of an organization. */
export async function rewriteFlows(trx: Trx, organization: string, flows: string): Promise<void> {
  await trx.updateTable('organization').set({ flows }).where('id', '=', organization).execute();
}
