import type { Page, Route } from 'playwright-core';

/** What answers of the management API are made of what it says. */
export type Altered =
  | { readonly kind: 'held' }
  | { readonly kind: 'refused'; readonly retryAfterS: number }
  | { readonly kind: 'empty' }
  | { readonly kind: 'many'; readonly rows: number };

/** What stands around every page: who reads, where, with which rights. Streams are no answers. */
const ofShell =
  /\/(user|environments|permissions|preferences|_count|console|DEFAULT|user\/notifications)(\?|$)|_live|social-identities/;
const isOfPage = (url: string): boolean => {
  const { pathname } = new URL(url);
  return pathname.startsWith('/management/') && !ofShell.test(pathname);
};

/** Answers of the management API to a page, altered on their way. */
export interface Answers {
  /** From now on; what was held is let go. */
  alter(altered: Altered | undefined): void;
  /** How many were altered since they were last told to be. */
  altered(): number;
}

const refusal = {
  httpStatus: 429,
  message: 'Too much was asked for at once.',
  technicalCode: 'request.too_many',
  parameters: {},
  details: [],
};

/** Stands between a page and the management API. */
export async function answersOf(page: Page): Promise<Answers> {
  let now: Altered | undefined;
  let count = 0;
  let held: (() => void)[] = [];
  await page.route(
    (url) => isOfPage(url.href),
    async (route) => {
      const altered = now;
      if (altered === undefined) return route.continue();
      count += 1;
      if (altered.kind === 'refused')
        return route.fulfill({
          status: 429,
          headers: { 'retry-after': String(altered.retryAfterS) },
          json: refusal,
        });
      if (altered.kind === 'held') {
        await new Promise<void>((go) => held.push(go));
        return route.continue().catch(() => undefined);
      }
      return alteredAnswer(route, altered).catch(() => undefined);
    },
  );
  return {
    alter: (altered) => {
      now = altered;
      count = 0;
      for (const go of held) go();
      held = [];
    },
    altered: () => count,
  };
}

async function alteredAnswer(
  route: Route,
  altered: Extract<Altered, { kind: 'empty' | 'many' }>,
): Promise<void> {
  const response = await route.fetch();
  const isJson = response.headers()['content-type']?.startsWith('application/json') === true;
  if (!response.ok() || !isJson) return route.fulfill({ response });
  const isPaged = /[?&](perPage|size)=/.test(route.request().url());
  const rows = altered.kind === 'empty' ? 0 : altered.rows;
  return route.fulfill({ response, json: withRows(await response.json(), { rows, isPaged }) });
}

type Json = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A list with as many rows, or, of one that comes in pages, with its own and as many in all. */
function withRows(
  answer: unknown,
  { rows, isPaged }: { readonly rows: number; readonly isPaged: boolean },
): unknown {
  const repeated = (list: readonly unknown[]): unknown => {
    if (rows === 0) return [];
    const [first] = list;
    // What has no id is no row of a list.
    if (isPaged || !isObject(first) || typeof first['id'] !== 'string') return list;
    return Array.from({ length: rows }, (_, at) => {
      const one = list[at % list.length];
      return at < list.length || !isObject(one) ? one : { ...one, id: `${String(one['id'])}-${at}` };
    });
  };
  if (Array.isArray(answer)) return repeated(answer);
  if (!isObject(answer)) return answer;
  return Object.fromEntries(
    Object.entries(answer).map(([key, value]) => {
      if (Array.isArray(value) && (key === 'data' || key === 'content')) return [key, repeated(value)];
      if (/^(total_?elements|totalCount|total)$/i.test(key) && typeof value === 'number') return [key, rows];
      if (isObject(value) && /^(page|pagination)$/.test(key))
        return [key, withRows(value, { rows, isPaged })];
      return [key, value];
    }),
  );
}
