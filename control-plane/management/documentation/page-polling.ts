import { Fault } from '../../../proto/faults/fault.ts';
import { laterThan } from '../desk.ts';
import type { Fetcher } from '../fetches/fetches.ts';
import type { FetchOutcome } from '../fetches/fetching.ts';
import { auditPage, columns, lockedOwner } from './documentation.ts';
import { findAnyPage, updatePage } from './documentation.store.ts';
import { contentAt, nextFetchMs, scheduleOf } from './page-fetches.ts';
import { openedSource } from './page-source.ts';

/** Pages that are fetched by a schedule, for whoever polls. What their source says takes the place of what somebody wrote meanwhile. */
export const pageFetcher: Fetcher = {
  async question(now, id) {
    const page = await findAnyPage(now.trx, now.at, id);
    const source = page && (await openedSource(now, page));
    const schedule = scheduleOf(source);
    if (source === undefined || schedule === undefined) return undefined;
    return {
      nextMs: (afterMs) => nextFetchMs(schedule, afterMs),
      ask: async ({ outbound, signal }): Promise<FetchOutcome> => {
        try {
          return { kind: 'came', text: await contentAt({ outbound, signal }, source), isKept: false };
        } catch (error) {
          signal.throwIfAborted();
          return { kind: 'failed', problem: problemOf(error), cause: error };
        }
      },
    };
  },
  async lock(now, id) {
    const found = await findAnyPage(now.trx, now.at, id);
    if (found === undefined) return undefined;
    const owner = { at: now.at, id: found.api_id ?? undefined };
    await lockedOwner(now, owner);
    const page = await findAnyPage(now.trx, now.at, id);
    if (page === undefined) return undefined;
    return {
      object:
        owner.id === undefined
          ? { type: 'ENVIRONMENT', id: now.at.environment }
          : { type: 'API', id: owner.id },
      touched: { PAGE: id },
      events: { failed: 'PAGE_FETCH_FAILED', recovered: 'PAGE_FETCH_RECOVERED' },
      async publish(text) {
        if (text === page.content) return undefined;
        try {
          columns({ name: page.name, type: page.type, content: text });
        } catch (error) {
          return problemOf(error);
        }
        const set = {
          content: text,
          last_contributor: now.actor.id,
          updated_at_ms: laterThan(page.updated_at_ms, now.nowMs),
        };
        await updatePage(now.trx, page, set);
        await auditPage(now, 'PAGE_UPDATED', { before: page, after: { ...page, ...set } });
        return undefined;
      },
    };
  },
};

/** In words for whoever reads the page; of what nobody expected the log says more. */
function problemOf(error: unknown): string {
  if (!(error instanceof Fault))
    return 'Something unexpected went wrong; the log of the control plane says more.';
  const [first] = error.details ?? [];
  return first === undefined ? error.detail : `What it comes from ${first.message}.`;
}
