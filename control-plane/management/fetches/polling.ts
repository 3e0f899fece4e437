import { randomUUID } from 'node:crypto';
import { Fault } from '../../../proto/faults/fault.ts';
import type { Log } from '../../../proto/process/log.ts';
import type { Actor } from '../../access/actor.ts';
import { keepLease, releaseLease, takeLease } from '../../storage/leases.ts';
import { keptText } from '../../storage/kept-text.ts';
import { createRecurring } from '../../storage/recurring.ts';
import { change, type Desk } from '../desk.ts';
import { isInUse } from '../tenants/tenants.store.ts';
import type { Fetcher } from './fetches.ts';
import {
  type FetchedKind,
  type FetchedRef,
  type FetchedRow,
  lockFetched,
  noteFetch,
} from './fetches.store.ts';
import type { FetchBounds, FetchOutcome } from './fetching.ts';

/** What polls, and its bounds. */
export interface PollingOptions extends FetchBounds {
  readonly desk: Desk;
  readonly log: Log;
  readonly fetchers: Readonly<Record<FetchedKind, Fetcher>>;
  /** Fetches at once, of all organizations and of one. */
  readonly runningMax: number;
  readonly runningPerOrganizationMax: number;
}

const lease = { name: 'management.fetches', leaseMs: 30_000 };
const lookEveryMs = 1_000;
/** Who cannot even be asked is looked at again after this time. */
const retryMs = 60_000;
/** Longest text of a problem that is kept. */
const problemCharsMax = 1_024;

/**
 * Fetches what is due, again and again, until the signal; one control plane on the database at a time.
 *
 * What is fetched counts only as long as the question is the same, and reaches gateways only when it differs. A fetch that fails changes
 * nothing but what is told of it. What was due while nobody polled is fetched once.
 */
export async function pollFetches(options: PollingOptions, signal: AbortSignal): Promise<void> {
  const { desk, log, runningMax, runningPerOrganizationMax } = options;
  const { storage, clock } = desk;
  const holder = randomUUID();
  const running = new Map<string, { readonly organization: string; readonly done: Promise<unknown> }>();
  const trouble = createRecurring(
    { log, clock },
    { lasts: 'what is fetched again and again waits for the database', over: 'fetching goes on' },
  );
  const count = (organization: string): number =>
    [...running.values()].filter((one) => one.organization === organization).length;

  /** Whether something that is due waits for a free place. */
  let isCrowded = false;
  let wake = new AbortController();
  const look = async (): Promise<void> => {
    isCrowded = false;
    wake = new AbortController();
    if ((await takeLease(storage, { ...lease, holder })) === undefined) return;
    const organizations = new Set([...running.values()].map((one) => one.organization));
    const busy = [...organizations].filter((each) => count(each) >= runningPerOrganizationMax);
    isCrowded = busy.length > 0;
    // Those that run are due as well until they are done.
    const rows = await dueFetches(desk, { busy, limit: 2 * runningMax });
    for (const row of rows) {
      const key = `${row.environment}/${row.kind}/${row.id}`;
      const isFree = running.size < runningMax && count(row.organization) < runningPerOrganizationMax;
      if (running.has(key)) continue;
      isCrowded ||= !isFree;
      if (!isFree) continue;
      const done = fetchOnce(options, row, { holder, signal })
        .finally(() => running.delete(key))
        .then(() => isCrowded && wake.abort())
        // Who fails here waits for the next look, lest it be tried without a pause.
        .catch((error: unknown) => {
          if (!signal.aborted) trouble.failed({ err: error, ...refOf(row) });
        });
      running.set(key, { organization: row.organization, done });
    }
  };
  while (!signal.aborted) {
    try {
      await look();
      trouble.worked();
    } catch (error) {
      trouble.failed({ err: error });
    }
    await clock.delay(lookEveryMs, AbortSignal.any([signal, wake.signal]));
  }
  await Promise.all([...running.values()].map(({ done }) => done));
  await releaseLease(storage.db, lease.name, holder).catch(() => undefined);
}

/** What is due in all environments, the longest waiting first. A try that lies ahead was dated by a clock that was set back since. */
function dueFetches(
  { storage, clock }: Desk,
  { busy, limit }: { readonly busy: readonly string[]; readonly limit: number },
): Promise<FetchedRow[]> {
  const nowMs = clock.now();
  let selected = storage.db
    .selectFrom('fetched')
    .selectAll()
    .where('due_at_ms', 'is not', null)
    // Nobody can end what is fetched for an environment that was archived, so nothing is.
    .where((where) => isInUse(where.ref('fetched.environment')))
    .where((where) => where.or([where('due_at_ms', '<=', nowMs), where('tried_at_ms', '>', nowMs)]));
  if (busy.length > 0) selected = selected.where('organization', 'not in', busy);
  return selected.orderBy('due_at_ms').orderBy('id').limit(limit).execute();
}

const refOf = ({ organization, environment, kind, id }: FetchedRow): FetchedRef => ({
  at: { organization, environment },
  kind: kind as FetchedKind,
  id,
});

/** Fetches one and writes down what came of it. */
async function fetchOnce(
  options: PollingOptions,
  row: FetchedRow,
  { holder, signal }: { readonly holder: string; readonly signal: AbortSignal },
): Promise<void> {
  const { desk, log, fetchers } = options;
  const ref = refOf(row);
  const fetcher = fetchers[ref.kind];
  const actor = pollingActor(ref.at.organization);
  const question = await change(desk, { actor, at: ref.at }, (now) => fetcher.question(now, ref.id)).catch(
    (error: unknown) => {
      // Secrets that do not open; what is wrong with the database goes on.
      if (error instanceof Fault && error.code.startsWith('secrets.')) return error;
      throw error;
    },
  );
  const outcome: FetchOutcome =
    question instanceof Fault
      ? { kind: 'failed', problem: question.detail, cause: question }
      : question === undefined
        ? { kind: 'failed', problem: 'There is nothing to ask for.' }
        : await question.ask({ ...options, signal });
  await change(desk, { actor, at: ref.at }, async (now) => {
    // Owner, then row: in the order of whoever changes both. Who lost the lease meanwhile leaves it to its holder.
    const owner = await fetcher.lock(now, ref.id);
    const locked = await lockFetched(now.trx, ref, row.version);
    if (locked === undefined || !(await keepLease(now.trx, desk.storage.dialect, { ...lease, holder })))
      return;
    const next =
      question === undefined || question instanceof Fault ? now.nowMs + retryMs : question.nextMs(now.nowMs);
    const tried = { tried_at_ms: now.nowMs, due_at_ms: owner === undefined ? null : (next ?? null) };
    if (owner === undefined) return noteFetch(now.trx, locked, tried);
    let problem = outcome.kind === 'failed' ? outcome.problem : undefined;
    const kept = outcome.kind === 'came' && outcome.isKept ? outcome.text : null;
    const isNew = kept === null || kept !== locked.words;
    if (outcome.kind === 'came' && isNew) problem = await owner.publish(outcome.text);
    if (problem === undefined) {
      await noteFetch(now.trx, locked, {
        ...tried,
        fetched_at_ms: now.nowMs,
        words: kept,
        problem: null,
      });
      if (locked.problem !== null) await now.audit(owner.events.recovered, owner.object, owner.touched);
      return;
    }
    await noteFetch(now.trx, locked, { ...tried, problem: keptText(problem, problemCharsMax) });
    if (locked.problem !== null) return;
    await now.audit(owner.events.failed, owner.object, owner.touched);
    const err = outcome.kind === 'failed' ? outcome.cause : undefined;
    log.warn(
      { ...ref, err, problem },
      'what is fetched again and again cannot be fetched; the former words stay',
    );
  });
}

/** Who changes what nobody changes by hand. */
const pollingActor = (organization: string): Actor => ({
  id: 'control-plane',
  organization,
  username: 'control-plane',
  displayName: 'Control plane',
  roles: [],
});
