import type { Env, Hono } from 'hono';

import type { Clock } from './clock.ts';

/** How a process is; see {@link healthAnswers}. */
export interface Health {
  /** False when nothing of what it is for works. Default: true. */
  readonly isUp?: boolean | undefined;
  /** True once it has begun to end. */
  readonly isStopping?: boolean | undefined;
  /** What does not go as it should, e.g. ['spool']; the facts say why. A restart would mend none of it. */
  readonly degraded: readonly string[];
  /** What its room says of itself. */
  readonly facts?: object | undefined;
}

/** Whether a process can take work. */
export interface Readiness {
  /** Every part has to be true. */
  readonly parts: Readonly<Record<string, boolean>>;
  readonly facts?: object | undefined;
}

/** What a process is asked. */
export interface HealthSource {
  /** e.g. `gateway`. */
  readonly process: string;
  readonly version: string;
  readonly health: () => Health | Promise<Health>;
  readonly ready: () => Readiness | Promise<Readiness>;
  /** Whether it has begun to end, where health and readiness do not say it themselves. */
  readonly isClosing: () => boolean;
  readonly clock: Clock;
}

/** Longest wait for what a process asks to know how it is: a database that hangs is an answer too. */
const askMsMax = 2_000;
/** Strangers may ask as often as they like, and what is asked for them may cost a query: it is asked once in this time. */
const strangersEveryMs = 1_000;

/** What is answered to a GET. */
export interface HealthAnswer {
  readonly status: 200 | 503;
  readonly body: object;
}

/** No copy of it is of use to anybody. */
export const healthHeaders = { 'cache-control': 'no-store' } as const;

/**
 * How a process is, in the one form of all of them, by path.
 *
 * Shape:  `/health`: { process, version, status: UP | DOWN | STOPPING, degraded, ...facts }, 503 when DOWN. `/health/live`: { status: UP } as
 *         long as the process answers at all. `/health/ready`: { ready, parts: { <name>: UP | DOWN }, ...facts }, 503 unless ready.
 * Trust:  `strangers` for a port that others reach: the same without version and facts, asked for at most once a second.
 */
export function healthAnswers(
  source: HealthSource,
  audience: 'operators' | 'strangers',
): ReadonlyMap<string, () => Promise<HealthAnswer>> {
  const isOpen = audience === 'operators';
  const { process, version, isClosing, clock } = source;
  const pace = <T>(ask: () => T | Promise<T>): (() => Promise<T | undefined>) => {
    const bounded = (): Promise<T | undefined> => within(ask, clock);
    return isOpen ? bounded : remembered(bounded, clock);
  };
  const [health, readiness] = [pace(source.health), pace(source.ready)];
  return new Map([
    [
      '/health',
      async () => {
        const { isUp = true, isStopping = isClosing(), degraded, facts } = (await health()) ?? hangs;
        const status = isStopping ? 'STOPPING' : isUp ? 'UP' : 'DOWN';
        const said = isOpen
          ? { process, version, status, degraded, ...facts }
          : { process, status, degraded };
        return answer(said, isUp);
      },
    ],
    ['/health/live', async () => answer({ status: 'UP' }, true)],
    [
      '/health/ready',
      async () => {
        const { parts, facts } = (await readiness()) ?? { parts: { answer: false } };
        const states = Object.entries({ ...parts, open: parts['open'] ?? !isClosing() });
        const ready = states.every(([, isUp]) => isUp);
        const said = Object.fromEntries(states.map(([name, isUp]) => [name, isUp ? 'UP' : 'DOWN']));
        return answer({ ready, parts: said, ...(isOpen && facts) }, ready);
      },
    ],
  ]);
}

/** Adds it to an app on a port that strangers reach. */
export function addHealth<Bound extends Env>(app: Hono<Bound>, source: HealthSource): void {
  for (const [path, ask] of healthAnswers(source, 'strangers'))
    app.get(path, async (c) => {
      const { status, body } = await ask();
      return c.json(body, status, healthHeaders);
    });
}

const hangs: Health = { degraded: ['answer'] };

const answer = (body: object, isWell: boolean): HealthAnswer => ({ status: isWell ? 200 : 503, body });

/** Undefined when there is no answer in time. */
async function within<T>(ask: () => T | Promise<T>, clock: Clock): Promise<T | undefined> {
  const late = Promise.withResolvers<undefined>();
  const cancel = clock.after(askMsMax, () => late.resolve(undefined));
  try {
    return await Promise.race([ask(), late.promise]);
  } finally {
    cancel();
  }
}

/** All who ask while it is asked, and for a while after, get one answer. */
function remembered<T>(ask: () => Promise<T>, clock: Clock): () => Promise<T> {
  let last: { readonly atMs: number; readonly answer: Promise<T> } | undefined;
  return () => {
    const nowMs = clock.monotonicMs();
    if (last === undefined || nowMs - last.atMs >= strangersEveryMs) last = { atMs: nowMs, answer: ask() };
    return last.answer;
  };
}
