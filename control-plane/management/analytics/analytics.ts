import { Fault } from '../../../proto/faults/fault.ts';
import { type ApiRef, foundApi } from '../apis/api-gate.ts';
import type { AnalyticsDesk, AnalyticsQuery, Desk } from '../desk.ts';

/** An API and a span of time. */
export interface AnalyticsWish extends ApiRef {
  readonly fromMs: number | undefined;
  readonly toMs: number | undefined;
}

/** How many requests the API answered in the span; without one, in the last day. */
export async function requestsCount(desk: Desk, wish: AnalyticsWish) {
  const { analytics, query } = await prepare(desk, wish);
  return analytics.requestsCount(query);
}

/** The same, split by the hundreds of the response status. */
export async function responseStatusRanges(desk: Desk, wish: AnalyticsWish) {
  const { analytics, query } = await prepare(desk, wish);
  return analytics.responseStatusRanges(query);
}

const dayMs = 24 * 3_600_000;

async function prepare(
  desk: Desk,
  { at, id, fromMs, toMs }: AnalyticsWish,
): Promise<{ readonly analytics: AnalyticsDesk; readonly query: AnalyticsQuery }> {
  await foundApi(desk.storage.db, { at, id });
  // The end is exclusive, and a record of this very millisecond counts.
  const endMs = toMs ?? desk.clock.now() + 1;
  const startMs = fromMs ?? Math.max(0, endMs - dayMs);
  if (startMs >= endMs)
    throw new Fault('request.invalid', { details: [{ path: 'from', message: 'must be before to' }] });
  if (desk.analytics === undefined) throw new Fault('analytics.unavailable');
  return { analytics: desk.analytics, query: { ...at, api: id, fromMs: startMs, toMs: endMs } };
}
