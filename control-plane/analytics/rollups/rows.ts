import { Fault } from '../../../proto/faults/fault.ts';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import type { Duck } from '../duck.ts';
import type { LakeCache } from '../lake-cache.ts';
import type { LakeFile } from '../lake.store.ts';
import type { SpanFile } from '../questions/span-files.store.ts';
import { from, type Span } from '../questions/from.ts';
import { fromName, rolledName } from '../questions/only-from.ts';
import type { Question, QuestionParams, Row } from '../questions/question.ts';
import { type Plan, planOf, rolledFrom } from './plan.ts';
import { rollupKey, sieveKey } from './rollup-file.ts';
import { passed, type Sieved } from './sieve.ts';
import { rollupOf } from './rollups.store.ts';

/** What answers are made of. */
export interface Sources {
  readonly cache: LakeCache;
  /** The same for figures of files. */
  readonly rollupCache: LakeCache;
  /** And for what says which texts a file may hold. */
  readonly sieveCache: LakeCache;
  readonly duck: Pick<Duck, 'ask' | 'query'>;
}

interface Asked {
  readonly span: Span;
  /** Those that may hold records of the span. */
  readonly files: readonly SpanFile[];
  readonly values: QuestionParams;
}

/** Which part of a span is looked at first, of the newest records on; then of what is left, and so on. */
const partsOfSpan = [1 / 16, 1 / 4, 1];

/** What a question says of some files. Errors: as {@link rowsOfSpan}. */
export async function rowsOf(
  sources: Sources,
  question: Pick<Question<never, unknown>, 'about' | 'sql' | 'rolled' | 'newestFirst'> & {
    readonly sieves?: readonly Sieved[];
  },
  wish: Asked,
): Promise<readonly Row[]> {
  const { newestFirst, sieves = [] } = question;
  const asked = { ...wish, files: await sievedFiles(sources, wish.files, sieves) };
  if (newestFirst === undefined || asked.files.length === 0) return rowsOfSpan(sources, question, asked);
  const found: Row[] = [];
  for (const part of newestParts(asked, newestFirst)) {
    found.push(...(await rowsOfSpan(sources, question, part)));
    if (found.length >= newestFirst.rowsMax) break;
  }
  return found.slice(0, newestFirst.rowsMax);
}

/**
 * Those of some files that may hold what is asked for: of which there is no sieve, and whose sieve lets it pass.
 *
 * A sieve that is gone or damaged costs nobody an answer: it is written anew, and the files are read meanwhile. Errors: blobs.unavailable, analytics.overloaded.
 */
async function sievedFiles(
  { sieveCache, duck }: Sources,
  files: readonly SpanFile[],
  sieves: readonly Sieved[],
): Promise<readonly SpanFile[]> {
  const sieved = sieves.length === 0 ? [] : files.flatMap((file) => sieveFile(file) ?? []);
  if (sieved.length === 0) return files;
  try {
    const paths = await pathsOf(sieveCache, sieved);
    const isPassed = await passed(duck, [...paths.values()], sieves);
    return files.filter(({ id }) => !paths.has(id) || isPassed.has(paths.get(id) ?? ''));
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== 'analytics.failed') throw error;
    await sieveCache.doubtOver(sieved, error);
    return files;
  }
}

/** Parts of a span, the newest first. What is read of a file costs hardly less than all of it, so a part ends where a file does, where one is near. */
function newestParts(
  { span, files, ...asked }: Asked,
  { rowsMax, total }: NonNullable<Question<never, unknown>['newestFirst']>,
): readonly Asked[] {
  const fromMs = Math.max(span.fromMs, Math.min(...files.map(({ minMs }) => minMs)));
  const endMs = Math.min(span.toMs, Math.max(...files.map(({ maxMs }) => maxMs)) + 1);
  const startOf = (part: number): number => Math.max(fromMs, Math.floor(endMs - (endMs - fromMs) * part));
  // Where few fulfil the conditions, a small part would be read for nothing.
  const share = total === undefined ? 0 : (2 * rowsMax) / Math.max(total, 1);
  const parts: Asked[] = [];
  let toMs = endMs;
  for (const [n, part] of partsOfSpan.entries()) {
    if (part < 1 && part < share) continue;
    const near = files.filter(({ minMs, maxMs }) => maxMs >= startOf(part) && minMs < toMs);
    const sinceMs = Math.max(
      startOf(partsOfSpan[n + 1] ?? 1),
      Math.min(startOf(part), ...near.map(({ minMs }) => minMs)),
    );
    const within = files.filter(({ minMs, maxMs }) => maxMs >= sinceMs && minMs < toMs);
    if (within.length > 0 && sinceMs < toMs)
      parts.push({ ...asked, span: { ...span, fromMs: sinceMs, toMs }, files: within });
    toMs = Math.min(toMs, sinceMs);
  }
  return parts;
}

/**
 * What a question says of some files: out of their figures, where those can answer, and of what is left to read out of the files.
 *
 * Figures that are gone or damaged cost nobody an answer: they are written anew, and the files are read meanwhile. Errors: analytics.failed,
 * analytics.overloaded, blobs.unavailable.
 */
async function rowsOfSpan(
  sources: Sources,
  question: Pick<Question<never, unknown>, 'about' | 'sql' | 'rolled'>,
  asked: Asked,
): Promise<readonly Row[]> {
  const plan = planOf(question.rolled?.needs, asked.span, asked.files);
  if (plan.rolled.length === 0) return answered(sources, question, { ...asked, plan });
  try {
    return await answered(sources, question, { ...asked, plan });
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== 'analytics.failed') throw error;
    const files = plan.rolled.flatMap((part) => part.files.map(rollupFile));
    await sources.rollupCache.doubtOver(files, error);
    return answered(sources, question, { ...asked, plan: planOf(undefined, asked.span, asked.files) });
  }
}

async function answered(
  { cache, rollupCache, duck }: Sources,
  { about, sql, rolled }: Pick<Question<never, unknown>, 'about' | 'sql' | 'rolled'>,
  { span, values, plan }: Asked & { readonly plan: Plan },
): Promise<readonly Row[]> {
  const files = [...new Map(plan.read.flatMap((part) => part.files).map((file) => [file.id, file])).values()];
  const paths = await pathsOf(cache, files);
  const read = plan.read.map((part) =>
    from(
      { ...span, fromMs: part.fromMs, toMs: part.toMs },
      { about, paths: part.files.map(({ id }) => paths.get(id) ?? '') },
    ),
  );
  const records = read.length === 0 ? from(span, { about, paths: [] }) : read.join(' UNION ALL ');
  const isRolled = rolled !== undefined && plan.rolled.length > 0;
  const job = isRolled
    ? {
        from: records,
        rolled: await rolledOf(rollupCache, { span, plan, needs: rolled.needs }),
        question: rolled.sql(fromName, rolledName),
      }
    : { from: records, question: sql(fromName) };
  return duck.ask({ ...job, values }).catch(async (error: unknown) => {
    // One damaged file fails them all; which one it is shows when each is read.
    if (!isRolled) await cache.doubtOver(files, error);
    throw error;
  });
}

async function rolledOf(
  rollupCache: LakeCache,
  {
    span,
    plan,
    needs,
  }: {
    readonly span: Span;
    readonly plan: Plan;
    readonly needs: NonNullable<Question<never, unknown>['rolled']>['needs'];
  },
): Promise<string> {
  const all = plan.rolled.flatMap((part) => part.files.map(rollupFile));
  const paths = await pathsOf(rollupCache, all);
  return rolledFrom(
    span,
    needs,
    plan.rolled.map((part) => ({ ...part, paths: part.files.map(({ id }) => paths.get(id) ?? '') })),
  );
}

/** Local paths by id. */
async function pathsOf(
  cache: LakeCache,
  files: readonly (LakeFile & EnvironmentRef)[],
): Promise<ReadonlyMap<string, string>> {
  const paths = await cache.paths(files);
  return new Map(files.map(({ id }, n) => [id, paths[n] ?? '']));
}

/** The sieve of a file as a file of its own, which has its id; undefined where it has none. */
function sieveFile(file: SpanFile): (LakeFile & EnvironmentRef) | undefined {
  const bytes = rollupOf(file.rollup)?.sieve;
  return bytes === undefined ? undefined : { ...file, key: sieveKey(file.key), bytes };
}

/** The figures of a file as a file of their own, which has its id. */
const rollupFile = (file: SpanFile): LakeFile & EnvironmentRef => ({
  ...file,
  key: rollupKey(file.key),
  bytes: rollupOf(file.rollup)?.bytes ?? 0,
});
