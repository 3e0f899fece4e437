import { randomUUID } from 'node:crypto';
import { keyOf } from '../../mail/hooks.ts';
import type { Queries, Storage, Trx } from '../../storage/storage.ts';
import { type Ending, forgetTold, insertTold, nextEnding } from './ending.store.ts';
import { isRaisedFull, raisedMax } from './raised.store.ts';
import type { About } from './raising.ts';

/** Most ends that are noted in a look; the next one follows at once. */
const perLook = 100;

const kinds = [
  { type: 'SUBSCRIPTION', hook: 'SUBSCRIPTION_EXPIRING' },
  { type: 'API_KEY', hook: 'APIKEY_EXPIRING' },
] as const;

/** The hooks that an end raises. */
export const endingHooks: readonly string[] = kinds.flatMap(({ hook }) => hooksOf(hook));

/** Subscriptions and keys that end soon, and who is told of them. */
export interface Endings {
  readonly storage: Storage;
  /** Days before an end, in any order; what is nearer than several of them is told once. */
  readonly days: readonly number[];
}

/**
 * Raises what ends within the days, each once for each of them, and an end that was moved once more. Says whether there may be more.
 *
 * `isHeld` says inside each transaction whether this control plane still is the one that does this.
 */
export async function raiseEndings(
  { storage, days }: Endings,
  nowMs: number,
  isHeld: (trx: Trx) => Promise<boolean>,
): Promise<boolean> {
  await forgetTold(storage.db, nowMs);
  // The nearest first: it says that those before it are past.
  for (const within of days.toSorted((a, b) => a - b))
    for (const { type, hook } of kinds) {
      const endings = await nextEnding(storage.db, type, { nowMs, days: within, limit: perLook });
      let raised = 0;
      for (const ending of endings)
        await storage.transaction(async (trx) => {
          // Where too many wait it is told of in a later look.
          if (!(await isHeld(trx)) || (await isRaisedFull(trx, ending.organization, raisedMax))) return;
          await insertTold(trx, ending, within);
          await raise(trx, { ending, hook, nowMs });
          raised += 1;
        });
      if (raised === perLook) return true;
    }
  return false;
}

async function raise(
  trx: Queries,
  { ending, hook, nowMs }: { readonly ending: Ending; readonly hook: string; readonly nowMs: number },
): Promise<void> {
  const about: About = {
    api: ending.api ?? undefined,
    application: ending.application,
    plan: ending.plan ?? undefined,
    subscription: ending.subscription ?? undefined,
    endsAtMs: ending.ends_at_ms,
  };
  const rows = hooksOf(hook).map((each) => ({
    id: randomUUID(),
    organization: ending.organization,
    environment: ending.environment,
    hook: each,
    about: JSON.stringify(about),
    user_id: '',
    created_at_ms: nowMs,
  }));
  await trx.insertInto('raised_hook').values(rows).execute();
}

function hooksOf(id: string): readonly string[] {
  return [keyOf({ scope: 'API', id }), keyOf({ scope: 'APPLICATION', id })];
}
