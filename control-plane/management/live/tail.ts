import { Fault } from '../../../proto/faults/fault.ts';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import { type Arrival, arrivedTopic } from '../../analytics/questions/arrivals.store.ts';
import type { Condition } from '../../analytics/questions/conditions.ts';
import { calls } from '../../analytics/questions/log-questions.ts';
import { environmentCallOf, idsIn } from '../analytics/log-shape.ts';
import { namesIn } from '../analytics/names.store.ts';
import type { Desk } from '../desk.ts';
import type { LiveEvent } from './event.ts';
import type { SubjectSpec } from './subject.ts';

/** Whose calls are followed. */
export interface TailWish {
  readonly at: EnvironmentRef;
  readonly conditions: readonly Condition[];
}

/** Calls that are older when they arrive are no news: their gateway was cut off for a while, and lists have them. */
export const newsMsMax = 900_000;
/** Most calls of one look, the newest of them; how many there were beside those is told. */
export const callsPerLookMax = 50;
/** So far the clocks of two ingesters that follow each other may be apart. */
const clocksApartMsMax = 60_000;
const everyMs = 5_000;
const dayMs = 86_400_000;

/** Calls as they arrive in the lake: some seconds after a gateway has answered them. One may come twice after a break; its id tells. */
export function tailOf(desk: Desk, wish: TailWish): SubjectSpec {
  const { at, conditions } = wish;
  return {
    key: JSON.stringify(['tail', at.organization, at.environment, conditions]),
    hints: [{ topic: arrivedTopic, payload: at.environment }],
    everyMs,
    watch() {
      const seen = new Map<string, number>();
      let upToMs: number | undefined;
      return async () => {
        const isFirst = upToMs === undefined;
        const since = isFirst ? 0 : (upToMs ?? 0) - clocksApartMsMax;
        const fresh = (await arrivals(desk, at, since)).filter(({ id }) => !seen.has(id));
        const found = isFirst ? { events: [] } : await callsOf(desk, wish, fresh);
        // Only now: a look that failed is taken again.
        for (const { id, arrivedMs } of fresh) seen.set(id, arrivedMs);
        upToMs = Math.max(upToMs ?? 0, ...fresh.map(({ arrivedMs }) => arrivedMs));
        for (const [id, arrivedMs] of seen) if (arrivedMs < upToMs - 2 * clocksApartMsMax) seen.delete(id);
        return { ...found, events: [ready, ...found.events] };
      };
    },
  };
}

/** What arrived since somebody's last event, for who comes back; `lastEventId` is foreign. */
export async function missed(desk: Desk, wish: TailWish, lastEventId: string | undefined) {
  if (lastEventId === undefined || !/^\d{1,15}$/.test(lastEventId)) return { events: [], skipped: 0 };
  return callsOf(desk, wish, await arrivals(desk, wish.at, Number(lastEventId)));
}

/** From now on nothing is missed. */
const ready: LiveEvent = { name: 'ready', kind: 'state', data: {} };

function arrivals(desk: Desk, at: EnvironmentRef, arrivedMs: number): Promise<readonly Arrival[]> {
  if (desk.analytics === undefined) throw new Fault('analytics.unavailable');
  return desk.analytics.arrivals(at, { arrivedMs, recordsMs: oldestMs(desk) });
}

const oldestMs = (desk: Desk): number => Math.max(0, desk.clock.now() - newsMsMax);

async function callsOf(
  desk: Desk,
  { at, conditions }: TailWish,
  arrivals: readonly Arrival[],
): Promise<{ readonly events: readonly LiveEvent[]; readonly skipped: number }> {
  const last = arrivals.at(-1);
  if (last === undefined) return { events: [], skipped: 0 };
  if (desk.analytics === undefined) throw new Fault('analytics.unavailable');
  const { question, params } = calls({ conditions, limit: callsPerLookMax, offset: 0 });
  const among = new Set(arrivals.map(({ id }) => id));
  // Clocks of gateways may be ahead.
  const span = { ...at, fromMs: oldestMs(desk), toMs: desk.clock.now() + dayMs, among };
  const { rows, total } = await desk.analytics.ask(question, span, params);
  const names = await namesIn(desk.storage.db, at, idsIn(rows));
  const told = rows.map((row) => environmentCallOf(row, names)).toReversed();
  const events = told.map((data, n): LiveEvent => {
    // Whoever has the last of them has all of them.
    const id = n === told.length - 1 ? String(last.arrivedMs) : undefined;
    return { name: 'call', kind: 'each', data, id };
  });
  return { events, skipped: total - rows.length };
}
