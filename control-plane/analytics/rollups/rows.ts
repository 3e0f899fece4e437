import { Fault } from '../../../proto/faults/fault.ts';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import type { AskJob } from '../duck-jobs.ts';
import type { Duck } from '../duck.ts';
import type { LakeCache } from '../lake-cache.ts';
import type { LakeFile } from '../lake.store.ts';
import type { SpanFile } from '../questions/span-files.store.ts';
import { from, fromNarrow, type Place, type Span } from '../questions/from.ts';
import { fromName, rolledName } from '../questions/only-from.ts';
import type { Question, QuestionParams, Row } from '../questions/question.ts';
import { type Plan, planOf, rolledFrom } from './plan.ts';
import { type Beside, besideKey } from './rollup-file.ts';
import { passed, type Sieved } from './sieve.ts';
import { rollupOf } from './rollups.store.ts';

/** Local copies of what lies beside files of the lake. */
export type BesideCaches = Readonly<Record<Beside, LakeCache>>;

/** What answers are made of. */
export interface Sources {
  readonly cache: LakeCache;
  /** The same for what lies beside files. */
  readonly caches: BesideCaches;
  readonly duck: Pick<Duck, 'ask' | 'query'>;
}

/** What is put of a question. */
type Put = Pick<Question<never, unknown>, 'about' | 'sql' | 'rolled' | 'isNarrow' | 'places'>;

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
  question: Put &
    Pick<Question<never, unknown>, 'newestFirst'> & {
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
  { caches, duck }: Sources,
  files: readonly SpanFile[],
  sieves: readonly Sieved[],
): Promise<readonly SpanFile[]> {
  const sieved = sieves.length === 0 ? [] : besidesOf('sieve', files);
  if (sieved.length === 0) return files;
  try {
    return await holding(caches.sieve, sieved, async (paths) => {
      const isPassed = await passed(duck, [...paths.values()], sieves);
      return files.filter(({ id }) => !paths.has(id) || isPassed.has(paths.get(id) ?? ''));
    });
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== 'analytics.failed') throw error;
    await caches.sieve.doubtOver(sieved, error);
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
 * What a question says of some files: out of their figures or narrow copies, where those can answer, and of what is left to read out of the files.
 *
 * Those that are gone or damaged cost nobody an answer: they are written anew, and the files are read meanwhile. Errors: analytics.failed,
 * analytics.overloaded, blobs.unavailable.
 */
async function rowsOfSpan(sources: Sources, question: Put, asked: Asked): Promise<readonly Row[]> {
  const { span, files } = asked;
  const copies = question.isNarrow === true ? besidesOf('narrow', files) : [];
  const copied = new Set(copies.map(({ id }) => id));
  const left = files.filter(({ id }) => !copied.has(id));
  const plan = planOf(question.rolled?.needs, span, left);
  try {
    return await answered(sources, question, { ...asked, plan, copies });
  } catch (error) {
    const isOfFiles = plan.rolled.length === 0 && copies.length === 0;
    if (isOfFiles || !(error instanceof Fault) || error.code !== 'analytics.failed') throw error;
    await sources.caches.rollup.doubtOver(rollupsIn(plan), error);
    await sources.caches.narrow.doubtOver(copies, error);
    return answered(sources, question, { ...asked, plan: planOf(undefined, span, files), copies: [] });
  }
}

async function answered(
  { cache, caches, duck }: Sources,
  { about, sql, rolled, places }: Put,
  { span, values, plan, copies }: Asked & { readonly plan: Plan; readonly copies: readonly BesideFile[] },
): Promise<readonly Row[]> {
  const parts: Placed = places === undefined ? plan.read : placed(plan.read, places);
  const files = [...new Map(parts.flatMap((part) => part.files).map((file) => [file.id, file])).values()];
  const written = (
    paths: Paths,
    narrowPaths: Paths,
    rollupPaths: Paths,
  ): Pick<AskJob, 'from' | 'rolled' | 'question'> => {
    const read = parts.map(({ fromMs, toMs, ...part }) =>
      from({ ...span, fromMs, toMs }, { about, paths: pathsIn(part, paths), places: part.places }),
    );
    if (narrowPaths.size > 0) read.push(fromNarrow(span, [...narrowPaths.values()]));
    const records = read.length === 0 ? from(span, { about, paths: [] }) : read.join(' UNION ALL ');
    if (rolled === undefined || plan.rolled.length === 0) return { from: records, question: sql(fromName) };
    const cubes = plan.rolled.map((part) => ({ ...part, paths: pathsIn(part, rollupPaths) }));
    return {
      from: records,
      rolled: rolledFrom(span, rolled.needs, cubes),
      question: rolled.sql(fromName, rolledName),
    };
  };
  return holding(cache, files, (paths) =>
    holding(caches.narrow, copies, (narrowPaths) =>
      holding(caches.rollup, rollupsIn(plan), (rollupPaths) =>
        duck.ask({ ...written(paths, narrowPaths, rollupPaths), values }).catch(async (error: unknown) => {
          // One damaged file fails them all; which one it is shows when each is read.
          if (plan.rolled.length === 0 && copies.length === 0) await cache.doubtOver(files, error);
          throw error;
        }),
      ),
    ),
  );
}

type Placed = readonly (Plan['read'][number] & { readonly places?: readonly Place[] })[];

/** What is to be read, file by file, where places lie in it. */
const placed = (parts: Plan['read'], places: readonly Place[]): Placed =>
  parts.flatMap((part) =>
    part.files.flatMap((file) => {
      const own = places.filter(({ atMs }) => atMs >= file.minMs && atMs <= file.maxMs);
      return own.length === 0 ? [] : [{ ...part, files: [file], places: own }];
    }),
  );

/** Local paths by id. */
type Paths = ReadonlyMap<string, string>;

const pathsIn = ({ files }: { readonly files: readonly SpanFile[] }, paths: Paths): readonly string[] =>
  files.map(({ id }) => paths.get(id) ?? '');

const holding = <T>(
  cache: LakeCache,
  files: readonly (LakeFile & EnvironmentRef)[],
  work: (paths: Paths) => Promise<T>,
): Promise<T> => cache.hold(files, (paths) => work(new Map(files.map(({ id }, n) => [id, paths[n] ?? '']))));

/** What lies beside a file as a file of its own, which has its id. */
type BesideFile = LakeFile & EnvironmentRef;

/** Of those of some files that have one. */
const besidesOf = (beside: Beside, files: readonly SpanFile[]): readonly BesideFile[] =>
  files.flatMap((file) => {
    const rollup = rollupOf(file.rollup);
    const sizes = { rollup: rollup?.bytes, sieve: rollup?.sieve, narrow: rollup?.narrow };
    const bytes = sizes[beside];
    return bytes === undefined ? [] : [{ ...file, key: besideKey(beside, file.key), bytes }];
  });

const rollupsIn = ({ rolled }: Plan): readonly BesideFile[] =>
  rolled.flatMap(({ files }) => besidesOf('rollup', files));
