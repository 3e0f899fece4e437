import type { Queries } from '../../storage/storage.ts';
import type { RevokedKey, RolledRoot } from '../../publish/revocation.ts';
import { writeAudit } from './audit.store.ts';

/** Tells the audit of an environment that its publishing key was replaced. */
export async function recordKeys(
  db: Queries,
  { organization, environment, epoch, keyId, revoked }: RevokedKey,
  by: { readonly operator: string; readonly nowMs: number },
): Promise<void> {
  await writeAudit(db, {
    organization,
    actor: { id: by.operator },
    event: 'KEYS_REVOKED',
    type: 'ENVIRONMENT',
    id: environment,
    properties: { EPOCH: String(epoch), KEY: keyId, REVOKED: revoked.join(' ') },
    nowMs: by.nowMs,
  });
}

/** Tells the audit of an organization that its root was replaced. */
export async function recordRoot(
  db: Queries,
  { organization, environments, tokens }: RolledRoot,
  by: { readonly operator: string; readonly nowMs: number },
): Promise<void> {
  await writeAudit(db, {
    organization,
    actor: { id: by.operator },
    event: 'ROOT_REPLACED',
    type: 'ORGANIZATION',
    id: organization,
    properties: { ENVIRONMENTS: String(environments), TOKENS: String(tokens) },
    nowMs: by.nowMs,
  });
}
