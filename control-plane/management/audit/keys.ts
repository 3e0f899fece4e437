import type { Trx } from '../../storage/storage.ts';
import type { RolledKek } from '../../publish/roll-kek.ts';
import type { RevokedKey, RolledRoot } from '../../publish/revocation.ts';
import { byCommandLine, writeAudit } from './audit.store.ts';

/** Tells the audit of an environment that its publishing key was replaced. */
export async function recordKeys(
  trx: Trx,
  { organization, environment, epoch, keyId, revoked }: RevokedKey,
  by: { readonly operator: string; readonly nowMs: number },
): Promise<void> {
  await writeAudit(trx, {
    organization,
    actor: { id: by.operator, from: byCommandLine },
    event: 'KEYS_REVOKED',
    type: 'ENVIRONMENT',
    id: environment,
    properties: { EPOCH: String(epoch), KEY: keyId, REVOKED: revoked.join(' ') },
    nowMs: by.nowMs,
  });
}

/** Tells the audit of an organization that its root was replaced. */
export async function recordRoot(
  trx: Trx,
  { organization, environments, tokens }: RolledRoot,
  by: { readonly operator: string; readonly nowMs: number },
): Promise<void> {
  await writeAudit(trx, {
    organization,
    actor: { id: by.operator, from: byCommandLine },
    event: 'ROOT_REPLACED',
    type: 'ORGANIZATION',
    id: organization,
    properties: { ENVIRONMENTS: String(environments), TOKENS: String(tokens) },
    nowMs: by.nowMs,
  });
}

/** Tells the audit of every organization that the key-encryption key was replaced. */
export async function recordKek(
  trx: Trx,
  { key, resealed, forgotten, kept }: RolledKek,
  by: { readonly operator: string; readonly nowMs: number },
): Promise<void> {
  for (const { id } of await trx.selectFrom('organization').select('id').execute())
    await writeAudit(trx, {
      organization: id,
      actor: { id: by.operator, from: byCommandLine },
      event: 'KEK_REPLACED',
      type: 'ORGANIZATION',
      id,
      properties: {
        KEY: key,
        RESEALED: String(resealed),
        FORGOTTEN: forgotten.join(' '),
        KEPT: kept.join(' '),
      },
      nowMs: by.nowMs,
    });
}
