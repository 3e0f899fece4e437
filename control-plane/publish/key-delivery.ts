import type { EnvironmentRef } from '../../proto/wire/published.ts';
import type { Queries, Storage, StorageLog } from '../storage/storage.ts';
import type { Clock } from '../../proto/process/clock.ts';
import type { DataKeys } from './data-keys.ts';
import type { Publisher } from './publisher.ts';
import { lockEnvironment } from './tenant-locks.ts';

/** The topic of hints that a gateway has enrolled; whoever delivers keys also polls. */
export const enrolledTopic = 'enrolled';

/** How long a gateway that enrolled waits at most for somebody to look, when the hint is lost. */
const lookEveryMs = 2_000;

/** Sees to it that every gateway has the keys of the environments that it may serve, and no other. */
export interface KeyDelivery {
  /** Publishes what is owed anywhere now. */
  deliver(): Promise<void>;
  /** The same whenever gateways, fleets or keys have changed, until aborted. Several control planes may: what is owed is judged under lock. */
  run(signal: AbortSignal): Promise<void>;
}

/** Makes it. */
export function createKeyDelivery({
  storage,
  clock,
  log,
  dataKeys,
  publisher,
}: {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly log: StorageLog;
  readonly dataKeys: DataKeys;
  readonly publisher: Pick<Publisher, 'publish' | 'published'>;
}): KeyDelivery {
  const deliver = async (): Promise<void> => {
    const keyed = (await keyedEnvironments(storage.db)).filter(({ environment }) => environment !== '');
    for (const at of keyed) {
      const hasPublished = await storage.transaction(async (trx) => {
        if ((await dataKeys.owed(trx, at)).length === 0) return false;
        await lockEnvironment(trx, at, 0);
        const changes = await dataKeys.owed(trx, at);
        if (changes.length > 0) await publisher.publish(trx, at, { changes, actor: '' });
        return changes.length > 0;
      });
      if (hasPublished) await publisher.published(at);
    }
  };
  return {
    deliver,
    async run(signal) {
      let looked: string | undefined;
      let ring: (() => void) | undefined;
      const unsubscribe = storage.notifier.subscribe(enrolledTopic, () => ring?.());
      while (!signal.aborted) {
        const bell = new Promise<void>((resolve) => (ring = resolve));
        try {
          const found = await stampOf(storage);
          if (found !== looked) await deliver();
          looked = found;
        } catch (error) {
          log.warn({ err: error }, 'the keys of secrets wait for the database');
        }
        const waiting = new AbortController();
        await Promise.race([bell, clock.delay(lookEveryMs, AbortSignal.any([signal, waiting.signal]))]);
        waiting.abort();
      }
      unsubscribe();
    },
  };
}

/** Environments that have a key for the secrets of definitions, and organizations that have one themselves (`environment` is empty). */
export async function keyedEnvironments(db: Queries): Promise<readonly EnvironmentRef[]> {
  return db
    .selectFrom('data_key')
    .select(['organization', 'environment'])
    .distinct()
    .orderBy('organization')
    .orderBy('environment')
    .execute();
}

/** Says whether anything happened that could make somebody owe a key; much cheaper than to look who. */
async function stampOf({ db }: Storage): Promise<string> {
  const gateways = await db
    .selectFrom('gateway')
    .select((eb) => [
      eb.fn.countAll().as('count'),
      eb.fn.max('enrolled_at_ms').as('newest'),
      eb.fn.sum('is_revoked').as('revoked'),
    ])
    .executeTakeFirst();
  const fleets = await db
    .selectFrom('fleet')
    .select((eb) => [eb.fn.countAll().as('count'), eb.fn.sum('revision').as('revisions')])
    .executeTakeFirst();
  const keys = await db
    .selectFrom('data_key')
    // One may have gone and another come since the last look.
    .select((eb) => [eb.fn.countAll().as('count'), eb.fn.sum('position').as('positions')])
    .executeTakeFirst();
  return JSON.stringify([gateways, fleets, keys], (_key, value: unknown) =>
    typeof value === 'bigint' ? String(value) : value,
  );
}
