import { Fault } from '../../proto/faults/fault.ts';
import type { Clock } from '../../proto/process/clock.ts';
import type { Keyring } from '../../proto/process/secrets.ts';
import type { EnvironmentRef } from '../../proto/wire/published.ts';
import type { Storage, Trx } from '../storage/storage.ts';
import { createHeads } from './heads.ts';
import { createKeys } from './keys.ts';
import { publishedTopic, publishSettings } from './publisher.ts';
import { lockEnvironment } from './tenant-locks.ts';

/** What taking keys out of use needs. */
export interface RevocationOptions {
  readonly storage: Storage;
  readonly keyring: Keyring;
  readonly clock: Clock;
}

/** An environment whose publishing key was replaced. */
export interface RevokedKey extends EnvironmentRef {
  readonly epoch: number;
  /** Those that sign nothing any more. */
  readonly revoked: readonly string[];
  readonly keyId: string;
}

/** An organization whose root was replaced. */
export interface RolledRoot {
  readonly organization: string;
  readonly environments: number;
  /** Enrolment tokens that carried the old root and are revoked with it. */
  readonly tokens: number;
}

/**
 * Gives environments a new publishing key and the next epoch, and deletes the keys before.
 *
 * A gateway that has seen the new epoch takes nothing of an older one, whoever signs it; a revoked key has no certificate of the new
 * one. `record` runs in the same transaction. Errors: request.not_found when there is no such environment, secrets.*.
 */
export async function revokeKeys(
  options: RevocationOptions,
  wish: {
    /** Id; undefined: of all organizations. */
    readonly organization?: string | undefined;
    /** Id, or human-readable id; undefined: all of them. */
    readonly environment: string | undefined;
    readonly record: (trx: Trx, revoked: RevokedKey) => Promise<void>;
  },
): Promise<readonly RevokedKey[]> {
  const { storage } = options;
  const found = await storage.db
    .selectFrom('environment')
    .select(['organization', 'id as environment'])
    .$if(wish.organization !== undefined, (query) =>
      query.where('organization', '=', wish.organization ?? ''),
    )
    .$if(wish.environment !== undefined, (query) =>
      query.where((where) =>
        where.or([where('id', '=', wish.environment ?? ''), where('hrid', '=', wish.environment ?? '')]),
      ),
    )
    .orderBy('id')
    .execute();
  if (found.length === 0)
    throw new Fault('request.not_found', {
      detail: `There is no environment ${wish.environment ?? ''} in this database.`,
      hint: 'isthmus keys revoke without --environment takes all of them.',
    });
  const done: RevokedKey[] = [];
  for (const at of found) {
    done.push(
      await storage.transaction(async (trx) => {
        const revoked = await renewKey(trx, at, options);
        await wish.record(trx, revoked);
        return revoked;
      }),
    );
    await storage.notifier.notify(publishedTopic, at.environment);
  }
  return done;
}

/**
 * A new key for a higher epoch, the only one that is left; used by a restore too, so that a backup brings no revoked key back.
 *
 * The epoch is at least `epochMin`, and the seconds of the wall clock, so that it is higher than what anybody remembers.
 */
export async function renewKey(
  trx: Trx,
  at: EnvironmentRef,
  {
    keyring,
    clock,
    epochMin = 0,
  }: Pick<RevocationOptions, 'keyring' | 'clock'> & { readonly epochMin?: number },
): Promise<RevokedKey> {
  const keys = createKeys({ keyring, clock });
  const heads = createHeads({ keys, clock, lifetimeMs: publishSettings.headLifetimeMs });
  const locked = await lockEnvironment(trx, at, 0);
  const epoch = Math.max(locked.epoch + 1, epochMin, Math.floor(clock.now() / 1_000));
  await trx
    .updateTable('environment')
    .set({ epoch })
    .where('organization', '=', at.organization)
    .where('id', '=', at.environment)
    .execute();
  const { keyId } = await keys.create(trx, at, epoch);
  const revoked = await keys.forgetOthers(trx, at, keyId);
  await heads.renew(trx, { ...locked, epoch });
  return { ...at, epoch, revoked, keyId };
}

/**
 * Gives an organization a new root, which the old one names, and certifies its publishing keys by it; the old private key is deleted.
 *
 * Gateways follow the signed succession by themselves. Enrolment tokens carry the old root, and end with it.
 * Errors: request.not_found, request.conflict after 32 of them, secrets.*.
 */
export async function rollRoot(
  { storage, keyring, clock }: RevocationOptions,
  wish: { readonly organization: string; readonly record: (trx: Trx, rolled: RolledRoot) => Promise<void> },
): Promise<RolledRoot> {
  const { organization } = wish;
  const keys = createKeys({ keyring, clock });
  const heads = createHeads({ keys, clock, lifetimeMs: publishSettings.headLifetimeMs });
  const rolled = await storage.transaction(async (trx) => {
    const environments = await trx
      .selectFrom('environment')
      .select('id')
      .where('organization', '=', organization)
      .orderBy('id')
      .execute();
    if (environments.length === 0)
      throw new Fault('request.not_found', { detail: `There is no organization ${organization} here.` });
    // All of them first: a head that another process signs meanwhile would have a certificate of neither root.
    const locked = [];
    for (const { id } of environments)
      locked.push(await lockEnvironment(trx, { organization, environment: id }, 0));
    await keys.succeedRoot(trx, organization);
    for (const at of locked) {
      await keys.certifyAnew(trx, at, at.epoch);
      await heads.renew(trx, at);
    }
    const tokens = await trx
      .updateTable('enrolment_token')
      .set({ is_revoked: 1 })
      .where('organization', '=', organization)
      .where('is_revoked', '=', 0)
      .executeTakeFirst();
    const result = { organization, environments: locked.length, tokens: Number(tokens.numUpdatedRows) };
    await wish.record(trx, result);
    return result;
  });
  await storage.notifier.notify(publishedTopic, '');
  return rolled;
}
