import { randomBytes, randomUUID } from 'node:crypto';
import { Fault, invariant } from '../proto/faults/fault.ts';
import type { EnvironmentRef } from '../proto/wire/published.ts';
import type { Actor } from './access/actor.ts';
import { actorOf } from './access/access.ts';
import type { UserRow } from './access/access.store.ts';
import { firstAdministrator } from './access/users.store.ts';
import { tenantRoles } from './access/memberships.store.ts';
import { insertDefaultHeaders } from './management/api-headers/api-headers.ts';
import type { Desk } from './management/desk.ts';
import {
  auditSamples,
  makeSamples,
  type SampleKeys,
  sampleName,
  samplePaths,
} from './management/samples/making.ts';
import {
  heldInEnvironment,
  listEnvironmentRows,
  resolveEnvironment,
  resolveOrganization,
} from './management/tenants/tenants.store.ts';
import type { Queries } from './storage/storage.ts';

/** What the first boot may be told. */
export interface BootOptions {
  /** Password of the first user; without it one is generated. */
  readonly adminPassword?: string | undefined;
  /** Backend of the demo APIs; without it there are none. */
  readonly demoTarget?: string | undefined;
  /** All of the samples that a first start has to look at, and not only the demo APIs. */
  readonly hasSamples?: boolean | undefined;
}

/** What a boot made or found. */
export interface BootResult {
  readonly at: EnvironmentRef;
  /** The first administrator, who acts for whoever started the process. */
  readonly admin: Actor;
  /** Present only when this boot generated one; it is nowhere else. */
  readonly adminPassword?: string;
  /** The fleet for gateways of this installation. */
  readonly fleet: string;
  /** Keys of the demo APIs, when this boot made them. */
  readonly demo?: SampleKeys;
  /** Paths of the demo APIs that are still there: one for everybody, one for callers with a key. A former version called them otherwise. */
  readonly demoPaths: { readonly echo?: string | undefined; readonly orders?: string | undefined };
}

const hrid = 'DEFAULT';
const laptop = 'laptop';

/** Makes what a fresh database lacks: organization, environment, keys, administrator, fleet, demo APIs. Safe to repeat and to run twice at once. */
export async function boot(desk: Desk, options: BootOptions): Promise<BootResult> {
  const tenant = await ensureTenant(desk, options.adminPassword);
  const { at, admin } = tenant;
  const fleet = await ensureFleet(desk, tenant);
  const demo = await ensureSamples(desk, tenant, options);
  return {
    at,
    admin,
    fleet,
    demoPaths: await demoPathsOf(desk, at),
    ...(tenant.adminPassword === undefined ? {} : { adminPassword: tenant.adminPassword }),
    ...(demo === undefined ? {} : { demo }),
  };
}

interface Tenant {
  readonly at: EnvironmentRef;
  readonly admin: Actor;
  readonly adminPassword?: string;
}

async function ensureTenant(desk: Desk, givenPassword: string | undefined): Promise<Tenant> {
  const known = await findTenant(desk);
  if (known !== undefined) return known;
  const adminPassword = givenPassword ?? randomBytes(18).toString('base64url');
  const passwordHash = await desk.access.hashPassword(adminPassword);
  return desk.storage.transaction(async (trx) => {
    // One row lock for all who boot at once: the second finds what the first has made.
    await trx
      .insertInto('lease')
      .values({ name: 'boot', holder: 'boot', expires_at_ms: 0, lease_ms: 0 })
      .onConflict((conflict) => conflict.column('name').doUpdateSet({ holder: 'boot' }))
      .execute();
    const organization = await resolveOrganization(trx, hrid);
    if (organization !== undefined) {
      const environment = await firstEnvironment(trx, organization.id);
      const user = await firstAdministrator(trx, organization.id);
      invariant(environment !== undefined && user !== undefined, 'a boot makes all or nothing');
      return {
        at: { organization: organization.id, environment: environment.id },
        admin: await firstAdmin(trx, user),
      };
    }
    const at = { organization: randomUUID(), environment: randomUUID() };
    await desk.publisher.ensureOrganization(trx, {
      id: at.organization,
      name: 'Default organization',
      hrid,
    });
    await desk.publisher.ensureEnvironment(trx, at.organization, {
      id: at.environment,
      name: 'Default environment',
      hrid,
    });
    await insertDefaultHeaders(trx, at, desk.clock.now());
    const admin = await desk.access.createUser(trx, {
      organization: at.organization,
      username: 'admin',
      passwordHash,
      displayName: 'Administrator',
      role: 'ADMIN',
    });
    return { at, admin, ...(givenPassword === undefined ? { adminPassword } : {}) };
  });
}

async function findTenant({ storage: { db } }: Desk): Promise<Tenant | undefined> {
  const organization = await resolveOrganization(db, hrid);
  if (organization === undefined) return undefined;
  const environment = await firstEnvironment(db, organization.id);
  const user = await firstAdministrator(db, organization.id);
  if (environment === undefined || user === undefined) return undefined;
  const at = { organization: organization.id, environment: environment.id };
  return { at, admin: await firstAdmin(db, user) };
}

/** The one that the first boot made, or another one where that is archived. */
async function firstEnvironment(db: Queries, organization: string) {
  return (
    (await resolveEnvironment(db, organization, hrid)) ?? (await listEnvironmentRows(db, organization))[0]
  );
}

async function firstAdmin(db: Queries, user: UserRow): Promise<Actor> {
  return actorOf(user, await tenantRoles(db, user.organization, user.id));
}

async function ensureFleet(desk: Desk, { at, admin }: Tenant): Promise<string> {
  const find = async (): Promise<string | undefined> => {
    const fleets = await desk.fleets.list(at.organization, { limit: 1_000 });
    return fleets.find((fleet) => fleet.name === laptop)?.id ?? fleets[0]?.id;
  };
  const known = await find();
  if (known !== undefined) return known;
  try {
    const fleet = await desk.storage.transaction((trx) =>
      desk.fleets.create(
        trx,
        { organization: at.organization, actor: admin.id },
        {
          name: laptop,
          description: 'Gateways of this installation.',
          tags: [],
          environments: [at.environment],
        },
      ),
    );
    return fleet.id;
  } catch (error) {
    // Another control plane that boots at the same time was faster.
    const made = error instanceof Fault && error.code === 'request.conflict' ? await find() : undefined;
    if (made === undefined) throw error;
    return made;
  }
}

async function ensureSamples(
  desk: Desk,
  { at, admin }: Tenant,
  { demoTarget: target, hasSamples: isWhole = false }: BootOptions,
): Promise<BootResult['demo'] | undefined> {
  if (target === undefined) return undefined;
  // Whoever has made an API, or deleted the samples, does not want them again.
  const earlier = await desk.storage.db
    .selectFrom('audit')
    .select('id')
    .where('organization', '=', at.organization)
    .where('event', '=', 'DEMO_CREATED')
    .limit(1)
    .executeTakeFirst();
  if (earlier !== undefined) return undefined;
  const { apis, applications } = await heldInEnvironment(desk.storage.db, at);
  if (apis + applications > 0) return undefined;
  const keys = await makeSamples(desk, admin, { at, target, isWhole });
  if (keys === undefined) return undefined;
  await auditSamples(desk, admin, at);
  return keys;
}

async function demoPathsOf({ storage }: Desk, at: EnvironmentRef): Promise<BootResult['demoPaths']> {
  const { echo, orders } = samplePaths;
  const rows = await storage.db
    .selectFrom('api')
    .select('name')
    .where('organization', '=', at.organization)
    .where('environment', '=', at.environment)
    .where('name', 'in', [echo, orders, '/echo', '/orders'].map(sampleName))
    .execute();
  const paths = rows.map(({ name }) => name.slice(sampleName('').length));
  const pathOf = (last: string): string | undefined => paths.find((path) => path.endsWith(last));
  return { echo: pathOf('/echo'), orders: pathOf('/orders') };
}

/** The first administrator of an organization, for whoever works at its machine; undefined where there is none. */
export async function administratorOf(
  { storage: { db } }: Desk,
  organization: string,
): Promise<Actor | undefined> {
  const user = await firstAdministrator(db, organization);
  return user === undefined ? undefined : firstAdmin(db, user);
}
