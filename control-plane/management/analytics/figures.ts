import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import type { Condition } from '../../analytics/questions/conditions.ts';
import { type Figure, type Grouping } from '../../analytics/questions/figure-sql.ts';
import { type FigureGroup, figures, type FoundFigures } from '../../analytics/questions/figures.ts';
import { Fault } from '../../../proto/faults/fault.ts';
import type { Desk } from '../desk.ts';
import { askAbout, type EnvironmentSpanWish, spanOf } from './analytics.ts';
import { type NamedKind, namesIn } from './names.store.ts';

/** Requests of an environment in a span that fulfil every condition. */
export interface RequestsOf extends EnvironmentSpanWish {
  readonly conditions: readonly Condition[];
}

/** Steps of time of one answer: from the first on, `count` of `intervalMs`; ms since the epoch, ms. */
export interface TimeSteps {
  readonly fromMs: number;
  readonly toMs: number;
  readonly intervalMs: number;
  readonly count: number;
}

/** Figures of no requests: none but that there were none. */
export function figuresOfNone(asked: readonly Figure[]): FigureGroup['figures'] {
  return asked.map(({ measure }) => (measure === 'COUNT' ? 0 : undefined));
}

/** Figures of requests, and of groups of them. Errors: as {@link askAbout}. */
export async function figuresOf(
  desk: Desk,
  wish: RequestsOf,
  of: { readonly figures: readonly Figure[]; readonly groupings?: readonly Grouping[] | undefined },
): Promise<FigureGroup> {
  const found = await askAbout(desk, figures({ conditions: wish.conditions, ...of }), wish);
  return found.steps.get(0) ?? { key: undefined, figures: figuresOfNone(of.figures), groups: [] };
}

/** Figures of each step of time, by its number. Errors: as {@link askAbout}. */
export async function figuresOverTime(
  desk: Desk,
  wish: RequestsOf & { readonly steps: TimeSteps },
  of: { readonly figures: readonly Figure[]; readonly groupings?: readonly Grouping[] | undefined },
): Promise<FoundFigures['steps']> {
  const { conditions, steps } = wish;
  const { fromMs: startMs, intervalMs } = steps;
  const asked = figures({ conditions, ...of, steps: { startMs, intervalMs } });
  return (await askAbout(desk, asked, wish)).steps;
}

/** Most steps of time of one answer. */
export const stepsMax = 2_000;
const stepsUsual = 60;

/**
 * The steps of a span: from its start on, in {@link stepsUsual} steps unless an interval is asked for.
 *
 * Errors: request.invalid when there were more than {@link stepsMax}, or the span ends before it begins.
 */
export function stepsOf(
  desk: Desk,
  wish: EnvironmentSpanWish & { readonly intervalMs?: number | undefined },
): TimeSteps {
  const { fromMs, toMs } = spanOf(desk, wish);
  const intervalMs = wish.intervalMs ?? Math.max(1, Math.ceil((toMs - fromMs) / stepsUsual));
  const count = Math.ceil((toMs - fromMs) / intervalMs);
  if (count > stepsMax)
    throw new Fault('request.invalid', {
      details: [
        { path: 'interval', message: `makes ${count} steps of this span, of which ${stepsMax} may be` },
      ],
    });
  return { fromMs, toMs, intervalMs, count };
}

/** The steps as the reference's answers name them. */
export const timeRangeOf = ({ fromMs, toMs, intervalMs }: TimeSteps) => ({
  from: fromMs,
  to: toMs,
  interval: intervalMs,
});

/** A figure for each step; `none` where there is nothing to compute it of. */
export function seriesOf({ count }: TimeSteps, at: (step: number) => number | undefined, none = 0): number[] {
  return Array.from({ length: count }, (_, step) => at(step) ?? none);
}

/** The first figure of each group over time, by the key of the group; 0 where it has none. Keys are foreign. */
export function seriesByKey(
  steps: TimeSteps,
  found: FoundFigures['steps'],
): ReadonlyMap<string | undefined, readonly number[]> {
  const byKey = new Map<string | undefined, Map<number, number | undefined>>();
  for (const [step, { groups }] of found)
    for (const {
      key,
      figures: [figure],
    } of groups) {
      const own = byKey.get(key) ?? new Map<number, number | undefined>();
      byKey.set(key, own.set(step, figure));
    }
  return new Map([...byKey].map(([key, own]) => [key, seriesOf(steps, (step) => own.get(step))]));
}

/** What the reference calls requests that do not say what they are grouped by. */
export const unknownKey = '?';

const namedBy: ReadonlyMap<string, NamedKind> = new Map([
  ['API', 'api'],
  ['APPLICATION', 'application'],
  ['PLAN', 'plan'],
]);

/** Names of what keys of groups stand for: of an API, application or plan its own, else the key. */
export async function namesOfKeys(
  desk: Desk,
  { at, by }: { readonly at: EnvironmentRef; readonly by: string },
  keys: readonly (string | undefined)[],
): Promise<(key: string | undefined) => { readonly name: string; readonly isGone: boolean }> {
  const kind = namedBy.get(by);
  const names = kind === undefined ? undefined : (await namesIn(desk.storage.db, at, { [kind]: keys }))[kind];
  return (key) => {
    if (key === undefined) return { name: 'Unknown', isGone: false };
    const name = names?.get(key);
    return { name: name ?? key, isGone: names !== undefined && name === undefined };
  };
}
