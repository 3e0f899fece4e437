import { now } from '../../kit/now.ts';
import { dayMs } from '../../kit/numbers.ts';

/** What of traffic an address says: its span, and what it is narrowed by. Several values of one are separated by commas. */
export interface TrafficSearch {
  /** `now-24h`, or ms since the epoch beside {@link to}. */
  readonly from?: string | number;
  readonly to?: number;
  /** What figures are compared with; the span before where it is not said. */
  readonly against?: Against;
  readonly api?: string;
  readonly application?: string;
  readonly plan?: string;
  readonly gateway?: string;
  readonly method?: string;
  readonly status?: string | number;
  /** `4xx` and the like. */
  readonly group?: string;
  readonly error?: string;
  /** A part of path and query. */
  readonly q?: string;
  /** Id of a request or a transaction. */
  readonly id?: string;
  readonly page?: number;
}

/** With what figures can be compared beside the span before: the same hours of another day. A day that a clock is put forward on has its 24 hours here. */
export const againsts = {
  day: ['the day before', dayMs],
  week: ['the week before', 7 * dayMs],
} as const;

/** One of {@link againsts}. */
export type Against = keyof typeof againsts;
export const againstNames = Object.keys(againsts) as readonly Against[];

/** What traffic is narrowed by, each with the name that the management API has for it. */
export const narrowings = {
  group: 'HTTP_STATUS_CODE_GROUP',
  status: 'HTTP_STATUS',
  api: 'API',
  application: 'APPLICATION',
  plan: 'PLAN',
  gateway: 'GATEWAY',
  method: 'HTTP_METHOD',
  error: 'ERROR_KEY',
} as const;

/** One of {@link narrowings}. */
export type Narrowing = keyof typeof narrowings;
export const narrowingNames = Object.keys(narrowings) as readonly Narrowing[];

/** What `group` can be. */
export const statusGroups = ['1xx', '2xx', '3xx', '4xx', '5xx'] as const;

/** Spans that somebody can choose, and how long each is. */
export const spans = [
  ['now-15m', 'Last 15 minutes', 15 * 60_000],
  ['now-1h', 'Last hour', 3_600_000],
  ['now-3h', 'Last 3 hours', 3 * 3_600_000],
  ['now-24h', 'Last 24 hours', 24 * 3_600_000],
  ['now-7d', 'Last 7 days', 7 * dayMs],
  ['now-30d', 'Last 30 days', 30 * dayMs],
] as const;

/** The span of an address that names none. */
export const usualSpan = 'now-24h';

const isMoment = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;

const isAgainst = (value: unknown): value is Against => againstNames.some((name) => name === value);

/** Reads an address; what it says that is none of this counts as not said. */
export function trafficSearch(search: Record<string, unknown>): TrafficSearch {
  const { from, to, q, id, page, against } = search;
  const isFixed = isMoment(from) && isMoment(to) && from < to;
  const text = (value: unknown): value is string => typeof value === 'string' && value !== '';
  return {
    ...(isFixed && { from, to }),
    ...(spans.some(([span]) => span === from) && { from: from as string }),
    ...(isAgainst(against) && { against }),
    ...Object.fromEntries(
      narrowingNames.flatMap((name) => {
        const value = Object.hasOwn(search, name) ? search[name] : undefined;
        return text(value) || (name === 'status' && isMoment(value)) ? [[name, value]] : [];
      }),
    ),
    ...(text(q) && { q }),
    ...(text(id) && { id }),
    ...(isMoment(page) && page > 1 && { page }),
  };
}

/** Values that something is narrowed by. */
export const valuesOf = (search: TrafficSearch, name: Narrowing): readonly string[] =>
  String(search[name] ?? '')
    .split(',')
    .filter(Boolean);

/** The address with a value more, or without it where it was there; from its first page. */
export function toggled(search: TrafficSearch, name: Narrowing, value: string): TrafficSearch {
  const before = valuesOf(search, name);
  const after = before.includes(value) ? before.filter((each) => each !== value) : [...before, value];
  const { [name]: _former, page: _page, ...rest } = search;
  return after.length === 0 ? rest : { ...rest, [name]: after.join(',') };
}

/** Whether a text looks like the id of a request, or of anything else. */
export const isId = (text: string): boolean => /^[\da-f]{8}-[\da-f-]{20,}$/i.test(text);

/** The address with what somebody typed, from its first page: an id when it looks like one, else a part of the path. */
export function withText(search: TrafficSearch, text: string): TrafficSearch {
  const { q: _q, id: _id, page: _page, ...rest } = search;
  if (text === '') return rest;
  return isId(text) ? { ...rest, id: text } : { ...rest, q: text };
}

/** The address with nothing that narrows it, of the same span. */
export const cleared = ({ from, to, against }: TrafficSearch): TrafficSearch => ({
  ...(from !== undefined && { from }),
  ...(to !== undefined && { to }),
  ...(against !== undefined && { against }),
});

/** Whether anything narrows it. */
export const isNarrowed = (search: TrafficSearch): boolean =>
  search.q !== undefined ||
  search.id !== undefined ||
  narrowingNames.some((name) => search[name] !== undefined);

/** A span of time, ms since the epoch. */
export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** The span that an address means at a moment. */
export function spanOf({ from, to }: TrafficSearch, asOfMs: number): Span {
  if (typeof from === 'number' && to !== undefined) return { fromMs: from, toMs: to };
  const lengthMs = spans.find(([span]) => span === (from ?? usualSpan))?.[2] ?? 0;
  return { fromMs: asOfMs - lengthMs, toMs: asOfMs };
}

/** What a span is compared with: one of the same length that ends where it begins, or the same hours of another day. */
export function spanBefore({ fromMs, toMs }: Span, against?: Against): Span {
  const lengthMs = against === undefined ? toMs - fromMs : againsts[against][1];
  return { fromMs: fromMs - lengthMs, toMs: toMs - lengthMs };
}

const stepsWished = 72;
const stepsMs = [1, 5, 15, 30, 60, 300, 900, 1_800, 3_600, 10_800, 21_600, 43_200, 86_400, 604_800].map(
  (seconds) => seconds * 1_000,
);

/** How long a step of a chart is, so that there are some dozens. */
export function stepOf({ fromMs, toMs }: Span): number {
  const last = stepsMs.at(-1) ?? 1;
  return stepsMs.find((ms) => (toMs - fromMs) / ms <= stepsWished) ?? last;
}

/** A moment in the reader's zone, so that steps of a day begin at midnight there: `2026-11-23T15:04:05.123+01:00`. */
export function zoned(ms: number): string {
  const offsetMinutes = -new Date(ms).getTimezoneOffset();
  const two = (value: number): string => String(Math.floor(Math.abs(value))).padStart(2, '0');
  const local = new Date(ms + offsetMinutes * 60_000).toISOString().slice(0, -1);
  return `${local}${offsetMinutes < 0 ? '-' : '+'}${two(offsetMinutes / 60)}:${two(offsetMinutes % 60)}`;
}

/** Now, for what is asked with a span that ends now. */
export const asOf = now;

/** What of an address a stream of calls is narrowed by, in the words of its query. */
export function liveQuery(search: TrafficSearch): string {
  const lists = {
    apiIds: 'api',
    applicationIds: 'application',
    planIds: 'plan',
    gatewayIds: 'gateway',
    methods: 'method',
    statuses: 'status',
    statusGroups: 'group',
    errorKeys: 'error',
  } as const;
  const query = new URLSearchParams();
  for (const [name, narrowing] of Object.entries(lists)) {
    const values = valuesOf(search, narrowing);
    if (values.length > 0) query.set(name, values.join(','));
  }
  if (search.q !== undefined) query.set('uri', search.q);
  if (search.id !== undefined) query.set('requestIds', search.id);
  return query.toString();
}
