import { randomUUID } from 'node:crypto';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import type { Actor } from '../../access/actor.ts';
import { lockEnvironment } from '../../publish/tenant-locks.ts';
import { type HeldLease, underLease } from '../../storage/leases.ts';
import type { Trx } from '../../storage/storage.ts';
import { writeAudit } from '../audit/audit.store.ts';
import { changeOrganization, type Desk } from '../desk.ts';
import { countHolding, type Needle } from './reseal.store.ts';
import { resealStored } from './reseal.ts';

/** Changes go on meanwhile; each look finds less. */
const looksMax = 20;

/** What is asked of a roll of data keys. */
export interface RollDataWish {
  /** Whose keys: environments, and organizations themselves (`environment` is empty). Those without a key are passed over. */
  readonly of: readonly EnvironmentRef[];
  /** Say what would be done, and do nothing. */
  readonly isDryRun?: boolean;
  /** Called when a key was made, and after each transaction that sealed texts again. */
  readonly onStep?: (at: EnvironmentRef, step: RollDataStep) => void;
  readonly onWait?: () => void;
  /** How long others keep away from one that was killed. */
  readonly leaseMs?: number;
}

/** A step that is done. */
export type RollDataStep =
  | { readonly kind: 'made'; readonly key: string }
  | { readonly kind: 'resealed'; readonly texts: number }
  | { readonly kind: 'forgotten'; readonly keys: readonly string[] };

/** What came of it in one environment. */
export interface RolledData extends EnvironmentRef {
  /** The key that seals now; of a dry run, the one that does so far. */
  readonly key: string;
  /** False when a roll that was begun before was finished. */
  readonly isNew: boolean;
  /** Texts and records that were written again; of a dry run, that would be. */
  readonly resealed: number;
  /** Keys that are deleted; of a dry run, that would be. */
  readonly forgotten: readonly string[];
  /** Texts and records of older keys in which something does not open, or stands where no secret does: those keys stay. */
  readonly left: number;
}

/**
 * Gives environments a new key for the secrets of definitions, while control planes and gateways run, in steps of which each leaves everything
 * readable: the key is made and published to every gateway before anything is sealed with it; what older ones sealed is sealed again; when
 * nothing refers to those, and nobody who might still write it is at work, they are deleted and withdrawn from gateways.
 *
 * Killed at any point and said again, it goes on where it was: an environment with several keys is a roll that was begun.
 * A gateway that is away meanwhile comes back to the newest key with everything that it needs. Errors: request.conflict while another one is
 * at it, secrets.*.
 */
export async function rollData(desk: Desk, actor: Actor, wish: RollDataWish): Promise<readonly RolledData[]> {
  const rolled: RolledData[] = [];
  const { storage, clock } = desk;
  const leaseMs = wish.leaseMs ?? 15_000;
  const lease = { name: 'keys.roll-data', holder: randomUUID(), leaseMs, clock, onWait: wish.onWait };
  const each = async (work: (at: EnvironmentRef) => Promise<RolledData | undefined>): Promise<void> => {
    for (const at of wish.of) {
      const one = await work(at);
      if (one !== undefined) rolled.push(one);
    }
  };
  if (wish.isDryRun === true) await each((at) => foresee(desk, at));
  else
    await underLease(storage, lease, (held) =>
      each((at) => roll({ desk, actor, at, lease: held, onStep: (step) => wish.onStep?.(at, step) })),
    );
  return rolled;
}

interface Rolling {
  readonly desk: Desk;
  readonly actor: Actor;
  readonly at: EnvironmentRef;
  readonly lease: HeldLease;
  readonly onStep: (step: RollDataStep) => void;
}

async function roll(rolling: Rolling): Promise<RolledData | undefined> {
  const { desk, at, lease, onStep } = rolling;
  const { storage, publisher } = desk;
  const before = await publisher.dataKeys.open(storage.db, at);
  if (before.length === 0) return undefined;
  const isNew = before.length === 1;
  if (isNew) {
    await changed(rolling, async (trx) => {
      await lease.keep(trx);
      await publisher.dataKeys.add(trx, at);
    });
  }
  const [newest, ...older] = await publisher.dataKeys.open(storage.db, at);
  const key = newest?.id ?? '';
  if (isNew) onStep({ kind: 'made', key });
  const ids = older.map(({ id }) => id);
  const needle: Needle = { dialect: storage.dialect, keys: ids };
  let resealed = 0;
  let left = 0;
  for (let look = 0; look < looksMax; look += 1) {
    const texts = await resealStored({
      ...rolling,
      needle,
      onStep: (each) => onStep({ kind: 'resealed', texts: each }),
    });
    resealed += texts;
    left = await countHolding(storage.db, at, needle);
    if (left > 0 && texts > 0) continue;
    if (left > 0) break;
    const result = { ...at, key, isNew, resealed, forgotten: ids, left: 0 };
    if (await forget(rolling, { ids, needle, result })) {
      onStep({ kind: 'forgotten', keys: ids });
      // By a transaction of its own: whoever holds keys takes the environment's lock after them.
      await changed(rolling, async () => undefined);
      return result;
    }
  }
  return { ...at, key, isNew, resealed, forgotten: [], left };
}

/** Deletes older keys when nothing refers to them, and tells the audit. */
function forget(
  { desk, actor, at, lease }: Rolling,
  {
    ids,
    needle,
    result,
  }: { readonly ids: readonly string[]; readonly needle: Needle; readonly result: RolledData },
): Promise<boolean> {
  const { storage, publisher, clock } = desk;
  return storage.transaction(async (trx) => {
    await lease.keep(trx);
    const isUnused = async (): Promise<boolean> => (await countHolding(trx, at, needle)) === 0;
    if (!(await publisher.dataKeys.forget(trx, at, { ids, isUnused }))) return false;
    const { organization, environment } = at;
    await writeAudit(trx, {
      organization,
      environment,
      actor,
      event: 'DATA_KEY_REPLACED',
      type: environment === '' ? 'ORGANIZATION' : 'ENVIRONMENT',
      id: environment === '' ? organization : environment,
      properties: { KEY: result.key, FORGOTTEN: ids.join(' '), RESEALED: String(result.resealed) },
      nowMs: clock.now(),
    });
    return true;
  });
}

/** Changes the keys of an environment and publishes what gateways must learn of it, in one transaction. */
async function changed({ desk, actor, at }: Rolling, work: (trx: Trx) => Promise<void>): Promise<void> {
  const { organization, environment } = at;
  await changeOrganization(desk, { actor, organization }, async (now) => {
    await work(now.trx);
    if (environment === '') return;
    await lockEnvironment(now.trx, at, 0);
    now.publishIn(environment, await desk.publisher.dataKeys.owed(now.trx, at));
  });
}

async function foresee({ storage, publisher }: Desk, at: EnvironmentRef): Promise<RolledData | undefined> {
  const keys = (await publisher.dataKeys.open(storage.db, at)).map(({ id }) => id);
  const [key, ...older] = keys;
  if (key === undefined) return undefined;
  const isNew = older.length === 0;
  const going = isNew ? keys : older;
  const resealed = await countHolding(storage.db, at, { dialect: storage.dialect, keys: going });
  return { ...at, key, isNew, resealed, forgotten: going, left: 0 };
}
