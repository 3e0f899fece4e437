import { z } from '@hono/zod-openapi';
import { Fault } from '../../../proto/faults/fault.ts';
import { readSchedule, type Schedule } from '../../../proto/model/api/schedule.ts';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import type { Queries } from '../../storage/storage.ts';
import type { Change } from '../desk.ts';
import { present } from '../fields.ts';
import { fetchText, type TextCaller } from '../fetches/fetch-text.ts';
import { firstUnkeepable } from '../keepable.ts';
import {
  beginFetching,
  endFetching,
  type FetchedRef,
  type FetchedRow,
  fetchedOf,
  findFetched,
  noteFetch,
} from '../fetches/fetches.store.ts';
import type { PageHead } from './documentation.store.ts';
import { contentCharsMax, serverFields, type PageSource, questionOf } from './page-fetchers.ts';

/* Contents that come from elsewhere: how they are asked, when they are asked again, and how that went. */

/** No page is fetched more often, whatever its schedule says. */
const fetchEveryMsMin = 60_000;

/** How fetching by a schedule goes, as answers have it. */
export const pageFetchSchema = z
  .object({
    /** When it was tried last, and when it last worked. */
    triedAt: z.string().optional(),
    fetchedAt: z.string().optional(),
    /** What was wrong at the last try. */
    problem: z.string().optional(),
    /** When it is tried next. */
    nextAt: z.string().optional(),
  })
  .openapi('PageFetch');

/** What stands in the place of a page's content where it comes from. Errors: request.invalid. */
export async function contentAt(by: TextCaller, source: PageSource): Promise<string> {
  const question = questionOf(source);
  const path = `source.configuration.${serverFields[source.type]}`;
  const answer = await fetchText(by, { ...question, bytesMax: question.bytesMax(contentCharsMax), path });
  const page = question.pageOf(answer);
  const refused = (message: string): Fault => new Fault('request.invalid', { details: [{ path, message }] });
  if (page === undefined) throw refused('answers with something that is no file');
  // What was encoded is judged as it is kept.
  const fault = firstUnkeepable(page);
  if (fault !== undefined) throw refused(`answers with a text that cannot be kept: it ${fault.message}`);
  if (page.length > contentCharsMax) throw refused(`answers with more than ${contentCharsMax} characters`);
  return page;
}

/** When a source is asked by itself; undefined when it is not. Errors: fetch.cron.invalid. */
export function scheduleOf(source: PageSource | undefined): Schedule | undefined {
  const { autoFetch = false, fetchCron = '' } = source?.configuration ?? {};
  const read = fetchCron === '' && !autoFetch ? undefined : readSchedule(fetchCron);
  if (typeof read === 'string')
    throw new Fault('fetch.cron.invalid', {
      details: [{ path: 'source.configuration.fetchCron', message: read }],
      parameters: { fetchCron },
    });
  return autoFetch ? read : undefined;
}

/** The moment of the next fetch after one at the given moment. */
export const nextFetchMs = (schedule: Schedule, afterMs: number): number | undefined =>
  schedule.nextMs(afterMs + fetchEveryMsMin - 1);

const fetchedRef = (page: PageHead): FetchedRef => ({ at: page, kind: 'page', id: page.id });

/** Fetches a page by the schedule of its source from now on, or no more. */
export async function scheduleFetches(now: Change, page: PageHead): Promise<void> {
  const { source } = JSON.parse(page.access) as { readonly source?: PageSource };
  const schedule = scheduleOf(source);
  const nextMs = schedule && nextFetchMs(schedule, now.nowMs);
  if (nextMs === undefined) await endFetching(now.trx, fetchedRef(page));
  else await beginFetching(now.trx, fetchedRef(page), nextMs);
}

/** Fetches a page that is deleted no more. */
export const endFetches = (now: Change, page: PageHead): Promise<void> =>
  endFetching(now.trx, fetchedRef(page));

/** Somebody fetched it by hand: what was wrong with its schedule's last try is over. */
export async function noteFetched(now: Change, page: PageHead): Promise<void> {
  const row = await findFetched(now.trx, fetchedRef(page));
  if (row === undefined) return;
  await noteFetch(now.trx, row, { tried_at_ms: now.nowMs, fetched_at_ms: now.nowMs, problem: null });
}

/** How fetching goes of those pages that are fetched by a schedule, by id. */
export function fetchesOf(
  db: Queries,
  at: EnvironmentRef,
  pages: readonly PageHead[],
): Promise<ReadonlyMap<string, FetchedRow>> {
  const ids = pages.filter(({ access }) => access.includes('"autoFetch":true')).map(({ id }) => id);
  return fetchedOf(db, at, { kind: 'page', ids });
}

const isoOf = (ms: number | null): string | undefined =>
  ms === null ? undefined : new Date(ms).toISOString();

/** The same for a reader. */
export function pageFetchOf(row: FetchedRow | undefined): z.infer<typeof pageFetchSchema> | undefined {
  if (row === undefined) return undefined;
  return present({
    triedAt: isoOf(row.tried_at_ms),
    fetchedAt: isoOf(row.fetched_at_ms),
    problem: row.problem ?? undefined,
    nextAt: isoOf(row.due_at_ms),
  });
}
