import { Fault } from '../../../proto/faults/fault.ts';
import { mask } from '../../../proto/trust/sealed-text.ts';
import type { Actor } from '../../access/actor.ts';
import {
  deleteProvider,
  endSessionsOfSource,
  findProvider,
  forgetSource,
  type IdentityProviderRow,
  insertProvider,
  listProviders as listRows,
  lockProvider,
  type ProviderRef,
  updateProvider as updateRow,
} from '../../access/identity/identity.store.ts';
import { namesOf } from '../../access/object-names.ts';
import { firstAdministrator } from '../../access/users.store.ts';
import { lockOrganization } from '../../publish/tenant-locks.ts';
import type { AuditEvent } from '../audit/events.ts';
import { changeOrganization, type Desk, isAsBefore, laterThan, type OrganizationChange } from '../desk.ts';
import { checkRoles } from '../members/assignable.ts';
import { slugOf } from '../slug.ts';
import { resolveEnvironment } from '../tenants/tenants.store.ts';
import { demandAdministrator } from '../users/guards.ts';
import { checkIfMatch } from '../route.ts';
import {
  configurationOf,
  discoveryOf,
  listedView,
  misfits,
  type ProviderConfiguration,
  providerView,
  type ProviderMappings,
  type ProviderType,
  type ProviderView,
  type ProviderWish,
} from './provider-shape.ts';

/** Most providers of an organization. */
const providersMax = 50;

/** Those of an organization, by name. */
export async function listProviders(desk: Desk, organization: string) {
  return (await listRows(desk.storage.db, organization)).map(listedView);
}

/** One of them. Errors: identityProvider.notFound. */
export async function getProvider(desk: Desk, ref: ProviderRef): Promise<ProviderView> {
  return providerView(demanded(await findProvider(desk.storage.db, ref), ref), desk.publicUrl);
}

/**
 * Trusts somebody to say who people are; nobody comes in by him before he is activated.
 *
 * Errors: identityProvider.exists, identityProvider.clientId.required, request.invalid, role.invalid; request.forbidden for whoever is no
 * ADMIN, or came with a token that ends or is narrowed: who writes providers can be anybody who comes by them.
 */
export function createProvider(
  desk: Desk,
  actor: Actor,
  {
    organization,
    wish,
  }: { readonly organization: string; readonly wish: ProviderWish & { readonly type: ProviderType } },
): Promise<ProviderView> {
  demandAdministrator(actor);
  return changeOrganization(desk, { actor, organization }, async (now) => {
    const id = slugOf(wish.name);
    await lockOrganization(now.trx, organization);
    const others = await listRows(now.trx, organization);
    if (others.some((one) => one.id === id))
      throw new Fault('identityProvider.exists', { parameters: { identityProvider: wish.name } });
    if (others.length >= providersMax)
      throw new Fault('request.invalid', { detail: `There can be ${providersMax}; delete one first.` });
    const row: IdentityProviderRow = {
      organization,
      id,
      type: wish.type,
      ...(await columnsOf(now, { organization, id }, { type: wish.type, wish })),
      created_at_ms: now.nowMs,
      updated_at_ms: now.nowMs,
    };
    await insertProvider(now.trx, row);
    const view = providerView(row, desk.publicUrl);
    await audit(now, 'IDENTITY_PROVIDER_CREATED', { id, after: view });
    return view;
  });
}

/** Replaces what can be changed; the sessions of who comes by one that is disabled end. Errors: those of a creation, identityProvider.notFound. */
export function updateProvider(
  desk: Desk,
  actor: Actor,
  ref: ProviderRef & { readonly wish: ProviderWish; readonly ifMatch?: string | undefined },
): Promise<ProviderView> {
  demandAdministrator(actor);
  return changeOrganization(desk, { actor, organization: ref.organization }, async (now) => {
    const before = demanded(await lockProvider(now.trx, ref), ref);
    checkIfMatch(ref.ifMatch, before.updated_at_ms);
    const type = before.type as ProviderType;
    const columns = await columnsOf(now, ref, { type, wish: ref.wish, before });
    if (isAsBefore(before, columns)) return providerView(before, desk.publicUrl);
    const row: IdentityProviderRow = {
      ...before,
      ...columns,
      updated_at_ms: laterThan(before.updated_at_ms, now.nowMs),
    };
    await updateRow(now.trx, row);
    if (row.enabled === 0) await endSessionsOfSource(now.trx, ref);
    const view = providerView(row, desk.publicUrl);
    const was = providerView(before, desk.publicUrl);
    await audit(now, 'IDENTITY_PROVIDER_UPDATED', { id: ref.id, before: was, after: view });
    return view;
  });
}

/**
 * Trusts a provider no more: what its mapping gave goes, and the sessions of who comes by it end. The users stay, with what people gave them.
 *
 * Errors: identityProvider.notFound; user.lastAdministrator; request.forbidden as for a creation.
 */
export function removeProvider(
  desk: Desk,
  actor: Actor,
  ref: ProviderRef & { readonly ifMatch?: string | undefined },
): Promise<void> {
  demandAdministrator(actor);
  return changeOrganization(desk, { actor, organization: ref.organization }, async (now) => {
    await lockOrganization(now.trx, ref.organization);
    const before = demanded(await lockProvider(now.trx, ref), ref);
    checkIfMatch(ref.ifMatch, before.updated_at_ms);
    await forgetSource(now.trx, ref);
    await endSessionsOfSource(now.trx, ref);
    if ((await firstAdministrator(now.trx, ref.organization)) === undefined)
      throw new Fault('user.lastAdministrator');
    await deleteProvider(now.trx, ref);
    await audit(now, 'IDENTITY_PROVIDER_DELETED', {
      id: ref.id,
      before: providerView(before, desk.publicUrl),
    });
  });
}

/** Whose secret a client secret is. */
export const secretPlace = (id: string) =>
  ({ kind: 'identity-provider', id, field: 'clientSecret' }) as const;

async function columnsOf(
  now: OrganizationChange,
  { id }: ProviderRef,
  {
    type,
    wish,
    before,
  }: { readonly type: ProviderType; readonly wish: ProviderWish; readonly before?: IdentityProviderRow },
) {
  const { clientId = '', clientSecret = '', ...open } = wish.configuration;
  if (clientId === '' || clientSecret === '')
    throw new Fault('identityProvider.clientId.required', { parameters: { identityProvider: wish.name } });
  const details = misfits(type, wish.configuration);
  if (details.length > 0) throw new Fault('request.invalid', { details });
  const configuration = { clientId, ...open } as ProviderConfiguration;
  const mappings: ProviderMappings = {
    userProfileMapping: wish.userProfileMapping ?? {},
    groupMappings: wish.groupMappings ?? [],
    roleMappings: await checkedRoles(now, wish.roleMappings ?? []),
  };
  await checkGroups(now, mappings.groupMappings);
  return {
    name: wish.name,
    description: wish.description ?? '',
    enabled: wish.enabled ? 1 : 0,
    configuration: JSON.stringify(configuration),
    client_secret: await sealedSecret(now, { id, type, clientSecret, configuration, before }),
    mappings: JSON.stringify(mappings),
    email_required: wish.emailRequired ? 1 : 0,
    sync_mappings: wish.syncMappings ? 1 : 0,
  };
}

/** A mask stands for the secret that is kept, where that goes to whom it went before. */
async function sealedSecret(
  now: OrganizationChange,
  wish: {
    readonly id: string;
    readonly type: ProviderType;
    readonly clientSecret: string;
    readonly configuration: ProviderConfiguration;
    readonly before?: IdentityProviderRow | undefined;
  },
): Promise<string> {
  const { before, type, clientSecret } = wish;
  if (clientSecret !== mask) return now.secretsIn('').sealWhole(clientSecret, secretPlace(wish.id));
  const invalid = (message: string): Fault =>
    new Fault('request.invalid', { details: [{ path: 'configuration.clientSecret', message }] });
  if (before === undefined)
    throw invalid(`is ${mask}, the mask of a secret, and none is kept; write the secret`);
  const receiver = (one: ProviderConfiguration): string =>
    JSON.stringify([discoveryOf(type, one), one.tokenEndpoint]);
  if (receiver(wish.configuration) !== receiver(configurationOf(before)))
    throw invalid(`is ${mask}, and would be sent somewhere else than before; write the secret`);
  return now.secretsIn('').resealWhole(before.client_secret, secretPlace(wish.id));
}

async function checkedRoles(
  now: OrganizationChange,
  mappings: ProviderMappings['roleMappings'],
): Promise<ProviderMappings['roleMappings']> {
  const checked: ProviderMappings['roleMappings'] = [];
  const named = mappings.flatMap(({ environments }) => Object.values(environments).flat());
  await checkRoles(
    now,
    'organization',
    mappings.flatMap(({ organizations }) => organizations),
  );
  await checkRoles(now, 'environment', named);
  for (const [index, { condition, organizations, environments }] of mappings.entries()) {
    const byId = new Map<string, string[]>();
    for (const [name, names] of Object.entries(environments)) {
      const environment = await resolveEnvironment(now.trx, now.organization, name);
      const path = `roleMappings[${index}].environments`;
      if (environment === undefined)
        throw new Fault('request.invalid', {
          details: [{ path, message: `there is no environment "${name}"` }],
        });
      byId.set(environment.id, names);
    }
    checked.push({ condition, organizations, environments: Object.fromEntries(byId) });
  }
  return checked;
}

async function checkGroups(
  now: OrganizationChange,
  mappings: ProviderMappings['groupMappings'],
): Promise<void> {
  const ids = mappings.flatMap(({ groups }) => groups);
  const known = await namesOf(now.trx, now.organization, { type: 'group', ids });
  const details = mappings.flatMap(({ groups }, index) =>
    groups
      .filter((id) => !known.has(id))
      .map((id) => ({ path: `groupMappings[${index}].groups`, message: `there is no group "${id}"` })),
  );
  if (details.length > 0) throw new Fault('request.invalid', { details });
}

function demanded(row: IdentityProviderRow | undefined, { id }: ProviderRef): IdentityProviderRow {
  if (row === undefined)
    throw new Fault('identityProvider.notFound', { parameters: { identityProvider: id } });
  return row;
}

function audit(
  now: OrganizationChange,
  event: AuditEvent,
  {
    id,
    before,
    after,
  }: { readonly id: string; readonly before?: ProviderView; readonly after?: ProviderView },
): Promise<void> {
  const object = { type: 'ORGANIZATION', id: now.organization, before, after } as const;
  return now.audit(event, object, { IDENTITY_PROVIDER: id });
}
