import { createHash } from 'node:crypto';
import { z } from 'zod';
import { Fault } from '../../../proto/faults/fault.ts';
import { openText, type DataKey } from '../../../proto/trust/sealed-text.ts';
import { findUserOfSource, type UserRow } from '../../access/access.store.ts';
import { actorOf } from '../../access/access.ts';
import type { Actor } from '../../access/actor.ts';
import {
  activationsAt,
  activationsOf,
  findProvider,
  type IdentityActivationRow,
  type IdentityProviderRow,
  listProviders,
  type ProviderRef,
  useSignIn,
} from '../../access/identity/identity.store.ts';
import { type Profile, profileOf } from '../../access/identity/mapping.ts';
import type { Claims, OidcProvider } from '../../access/identity/oidc.ts';
import { tenantRoles } from '../../access/memberships.store.ts';
import { updateUser } from '../../access/users.store.ts';
import { lockOrganization } from '../../publish/tenant-locks.ts';
import { keptText } from '../../storage/kept-text.ts';
import { changeOrganization, type Desk, laterThan, type OrganizationChange } from '../desk.ts';
import { profileColumns } from '../users/user-shape.ts';
import { secretPlace } from './identity-providers.ts';
import { giveMapped, lockMappedGroups, type MappedWish } from './mapped.ts';
import {
  configurationOf,
  discoveryOf,
  mappingsOf,
  type ProviderMappings,
  type ProviderType,
} from './provider-shape.ts';

/** A provider by which people come in. */
export interface OpenProvider {
  readonly row: IdentityProviderRow;
  readonly oidc: OidcProvider;
  /** The organization's data keys, the newest first: they seal what a browser keeps while somebody signs in. */
  readonly keys: readonly DataKey[];
}

/** The providers by which people come in to an organization, by name. */
export async function openProviders(
  desk: Desk,
  organization: string,
): Promise<readonly IdentityProviderRow[]> {
  const { db } = desk.storage;
  const activated = new Set(
    (await activationsAt(db, { organization, environment: '' })).map(({ provider }) => provider),
  );
  const rows = await listProviders(db, organization);
  return rows.filter(({ id, enabled }) => enabled === 1 && activated.has(id));
}

/** One of them with its secret. Errors: identityProvider.notFound, also for one that is disabled or not activated. */
export async function openProvider(desk: Desk, ref: ProviderRef): Promise<OpenProvider> {
  const { organization, id } = ref;
  const row = await findProvider(desk.storage.db, ref);
  const active = await activationsOf(desk.storage.db, ref);
  if (row === undefined || !letsIn(row, active))
    throw new Fault('identityProvider.notFound', { parameters: { identityProvider: id } });
  const at = { organization, environment: '' };
  const keys = await desk.publisher.dataKeys.open(desk.storage.db, at);
  const kept = configurationOf(row);
  const byId = new Map(keys.map((key) => [key.id, key]));
  return {
    row,
    keys,
    oidc: {
      key: `${organization}/${id}/${row.updated_at_ms}`,
      discoveryUrl: discoveryOf(row.type as ProviderType, kept),
      clientId: kept.clientId,
      clientSecret: openText(byId, row.client_secret, { ...at, ...secretPlace(id) }),
      scopes: kept.scopes ?? ['openid', 'profile', 'email'],
      endpoints: {
        authorize: kept.authorizeEndpoint,
        token: kept.tokenEndpoint,
        userInfo: kept.userInfoEndpoint,
      },
    },
  };
}

/** Whether people come in by a provider. */
const letsIn = ({ enabled }: IdentityProviderRow, active: readonly IdentityActivationRow[]): boolean =>
  enabled === 1 && active.some(({ environment }) => environment === '');

/** Somebody whom a provider has named. */
interface Arrival {
  readonly ref: ProviderRef;
  readonly claims: Claims;
  /** Of the sign-in, which opens one session and no more. */
  readonly state: string;
  readonly stateExpiresAtMs: number;
  /** Where the browser is. */
  readonly address: string;
}

/**
 * Lets in whom a provider named: makes the user at the first time, writes what the profile says, and gives what the mapping gives.
 *
 * Who he is, the provider and its id for him say; nobody becomes a user who is here already by having the same name or mail address.
 * Errors: signIn.failed for a sign-in that came to its end before; signIn.notAllowed for a user who is disabled or was deleted, and for a
 * provider that lets nobody in any more; signIn.emailRequired.
 */
export async function arrive(desk: Desk, arrival: Arrival): Promise<Actor> {
  const { ref, claims, state, stateExpiresAtMs, address } = arrival;
  const { organization } = ref;
  const operator: Actor = {
    id: `identity provider ${ref.id}`,
    organization,
    username: ref.id,
    displayName: ref.id,
    roles: [],
    from: { address, origin: 'console' },
  };
  return changeOrganization(desk, { actor: operator, organization }, async (now) => {
    const stateHash = createHash('sha256').update(state).digest('hex');
    const used = { state_hash: stateHash, organization, expires_at_ms: stateExpiresAtMs, nowMs: now.nowMs };
    if (!(await useSignIn(now.trx, used)))
      throw new Fault('signIn.failed', { internal: 'it came to its end before' });
    const row = await findProvider(now.trx, ref);
    const active = await activationsOf(now.trx, ref);
    if (row === undefined || !letsIn(row, active))
      throw new Fault('signIn.notAllowed', { internal: 'the provider lets nobody in' });
    const profile = profileOf(claims);
    const mappings = mappingsOf(row);
    const person = personOf(row, profile, mappings);
    const environments = active.map(({ environment }) => environment).filter((id) => id !== '');
    const wish: MappedWish = { source: row.id, mappings, profile, environments };
    // Before the organization, as everybody takes locks.
    const groups = await lockMappedGroups(now, wish, await findUserOfSource(now.trx, organization, person));
    await lockOrganization(now.trx, organization);
    const known = await findUserOfSource(now.trx, organization, person);
    if (known !== undefined && (known.status !== 'ACTIVE' || known.is_service === 1))
      throw new Fault('signIn.notAllowed', { internal: `user ${known.id} is ${known.status}` });
    const user = known === undefined ? await made(desk, now, person) : await refreshed(now, known, person);
    if (known === undefined || row.sync_mappings === 1) await giveMapped(now, { ...wish, user, groups });
    return actorOf(user, await tenantRoles(now.trx, organization, user.id));
  });
}

interface Person {
  readonly source: string;
  readonly sourceId: string;
  readonly email: string | undefined;
  readonly firstname: string | undefined;
  readonly lastname: string | undefined;
}

const nameCharsMax = 64;
const sourceIdSchema = z.string().max(255);
const emailSchema = z.email().max(256);

function personOf(
  row: IdentityProviderRow,
  profile: Profile,
  { userProfileMapping }: ProviderMappings,
): Person {
  const { id = 'sub', firstname, lastname, email } = userProfileMapping;
  const sourceId = sourceIdSchema.safeParse(profile.claim(id));
  if (!sourceId.success) throw new Fault('signIn.failed', { internal: `the profile has no usable ${id}` });
  const address = emailSchema.safeParse(profile.claim(email ?? 'email'));
  if (row.email_required === 1 && !address.success) throw new Fault('signIn.emailRequired');
  return {
    source: row.id,
    sourceId: sourceId.data,
    email: address.data,
    firstname: nameOf(profile.claim(firstname ?? 'given_name')),
    lastname: nameOf(profile.claim(lastname ?? 'family_name')),
  };
}

const nameOf = (text: string | undefined): string | undefined =>
  text === undefined ? undefined : keptText(text, nameCharsMax);

async function made(desk: Desk, now: OrganizationChange, person: Person): Promise<UserRow> {
  const { source, sourceId, email, firstname, lastname } = person;
  // No user of our own can have this name: it has a colon.
  const username = `${source}:${sourceId}`;
  const { id } = await desk.access.createUser(now.trx, {
    organization: now.organization,
    username,
    passwordHash: '',
    displayName: displayNameOf(person),
    email,
    firstname,
    lastname,
    role: 'USER',
    from: { source, sourceId },
  });
  await now.audit('USER_CREATED', { type: 'ORGANIZATION', id: now.organization }, { USER: id });
  const row = await findUserOfSource(now.trx, now.organization, person);
  if (row === undefined) throw new Fault('signIn.failed', { internal: 'the user was not made' });
  return row;
}

async function refreshed(now: OrganizationChange, user: UserRow, person: Person): Promise<UserRow> {
  const columns = { ...profileColumns(person, user.username), display_name: displayNameOf(person) };
  const isSame = (Object.keys(columns) as (keyof typeof columns)[]).every(
    (name) => columns[name] === user[name],
  );
  if (isSame) return user;
  const ref = { organization: now.organization, userId: user.id };
  const row = await updateUser(now.trx, ref, {
    ...columns,
    updated_at_ms: laterThan(user.updated_at_ms, now.nowMs),
  });
  await now.audit('USER_UPDATED', { type: 'ORGANIZATION', id: now.organization }, { USER: user.id });
  return row;
}

function displayNameOf({ firstname, lastname, email, sourceId }: Person): string {
  const whole = [firstname, lastname].filter((part) => part !== undefined).join(' ');
  return whole === '' ? (email ?? sourceId) : whole;
}
