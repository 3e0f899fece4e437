import { z } from '@hono/zod-openapi';
import { Fault, type FaultDetail } from '../../../proto/faults/fault.ts';
import type { Actor } from '../../access/actor.ts';
import { lockOrganization } from '../../publish/tenant-locks.ts';
import { isUniqueViolation, type Trx } from '../../storage/storage.ts';
import type { AuditEvent } from '../audit/events.ts';
import {
  changeOrganization,
  type Desk,
  isAsBefore,
  type OrganizationChange,
  type Told,
  toldRow,
} from '../desk.ts';
import { present, readOnlyFields, textSchema } from '../fields.ts';
import {
  apiWithTenant,
  deleteTenantRow,
  fleetIn,
  insertTenant,
  type TenantRow,
  tenantsOf,
  updateTenantRow,
} from './gateway-tenants.store.ts';

/** Most tenants of an organization, and so of a body. */
const tenantsMax = 200;

const fields = {
  key: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$/, 'must be letters, digits, - and _, 40 at most'),
  name: z.string().trim().min(1).max(40),
  description: textSchema.optional(),
};

/** Body of creations and updates. */
export const tenantWishesSchema = z
  .array(z.strictObject({ ...readOnlyFields('id'), ...fields }).openapi('GatewayTenantWish'))
  .min(1)
  .max(tenantsMax)
  .refine((all) => new Set(all.map(({ key }) => key)).size === all.length, 'must not repeat a key');
/** A tenant as it is answered; `id` is the key again, as clients of the reference ask for it. */
export const gatewayTenantSchema = z.object({ id: z.string(), ...fields }).openapi('GatewayTenant');

type TenantView = z.infer<typeof gatewayTenantSchema>;
type TenantWishes = z.infer<typeof tenantWishesSchema>;

interface Wished {
  readonly organization: string;
  readonly wishes: TenantWishes;
}

/** All tenants of an organization, by name. */
export async function listTenants(desk: Desk, organization: string): Promise<readonly TenantView[]> {
  return (await tenantsOf(desk.storage.db, organization)).map(view);
}

/** One tenant. Errors: tenant.notFound. */
export async function getTenant(desk: Desk, organization: string, key: string): Promise<TenantView> {
  return view(foundIn(await tenantsOf(desk.storage.db, organization), key));
}

/** Makes tenants, all or none. Errors: tenant.exists. */
export async function createTenants(
  desk: Desk,
  actor: Actor,
  { organization, wishes }: Wished,
): Promise<readonly TenantView[]> {
  let key = '';
  try {
    return await changeOrganization(desk, { actor, organization }, async (now) => {
      await lockOrganization(now.trx, organization);
      const others = await tenantsOf(now.trx, organization);
      if (others.length + wishes.length > tenantsMax)
        throw new Fault('request.invalid', { detail: `There can be ${tenantsMax}; delete some first.` });
      const made: TenantView[] = [];
      for (const wish of wishes) {
        key = wish.key;
        const row = { organization, key, ...columns(wish), created_at_ms: now.nowMs };
        await insertTenant(now.trx, row);
        await audit(now, 'TENANT_CREATED', { after: row });
        made.push(view(row));
      }
      return made;
    });
  } catch (error) {
    if (isUniqueViolation(error)) throw new Fault('tenant.exists', { parameters: { tenant: key } });
    throw error;
  }
}

/** Replaces name and description of tenants, all or none. Errors: tenant.notFound. */
export function updateTenants(
  desk: Desk,
  actor: Actor,
  { organization, wishes }: Wished,
): Promise<readonly TenantView[]> {
  return changeOrganization(desk, { actor, organization }, async (now) => {
    await lockOrganization(now.trx, organization);
    const all = await tenantsOf(now.trx, organization);
    const changed: TenantView[] = [];
    for (const wish of wishes) {
      const before = foundIn(all, wish.key);
      const row = { ...before, ...columns(wish) };
      if (!isAsBefore(before, row)) {
        await updateTenantRow(now.trx, row);
        await audit(now, 'TENANT_UPDATED', { before, after: row });
      }
      changed.push(view(row));
    }
    return changed;
  });
}

/** Removes a tenant in which no fleet stands, and for which no API keeps an endpoint. Errors: tenant.notFound; tenant.inUse. */
export function deleteTenant(
  desk: Desk,
  actor: Actor,
  { organization, key }: { readonly organization: string; readonly key: string },
): Promise<void> {
  return changeOrganization(desk, { actor, organization }, async (now) => {
    await lockOrganization(now.trx, organization);
    const row = foundIn(await tenantsOf(now.trx, organization), key);
    const fleet = await fleetIn(now.trx, row);
    if (fleet !== undefined)
      throw new Fault('tenant.inUse', {
        detail: `The fleet "${fleet}" stands there.`,
        parameters: { tenant: key },
      });
    const api = await apiWithTenant(now.trx, row);
    if (api !== undefined)
      throw new Fault('tenant.inUse', {
        detail: `An endpoint of the API "${api}" is kept for it.`,
        parameters: { tenant: key },
      });
    await deleteTenantRow(now.trx, row);
    await audit(now, 'TENANT_DELETED', { before: row });
  });
}

/** The places of the words that are no tenants of the organization. */
export async function unknownTenants(
  trx: Trx,
  organization: string,
  named: readonly { readonly path: string; readonly word: string }[],
): Promise<readonly FaultDetail[]> {
  if (named.length === 0) return [];
  const known = new Set((await tenantsOf(trx, organization)).map(({ key }) => key));
  return named.flatMap(({ path, word }) =>
    known.has(word)
      ? []
      : [{ path, message: `There is no tenant "${word}" of gateways in the organization.` }],
  );
}

const columns = ({ name, description = '' }: TenantWishes[number]) => ({ name, description });

function foundIn(rows: readonly TenantRow[], key: string): TenantRow {
  const row = rows.find((one) => one.key === key);
  if (row === undefined) throw new Fault('tenant.notFound', { parameters: { tenant: key } });
  return row;
}

const view = ({ key, name, description }: TenantRow): TenantView =>
  present({ id: key, key, name, description: description === '' ? undefined : description });

function audit(now: OrganizationChange, event: AuditEvent, told: Told<TenantRow>): Promise<void> {
  const { organization, key } = toldRow(told);
  return now.audit(event, { type: 'ORGANIZATION', id: organization, ...told }, { TENANT: key });
}
