import { randomUUID } from 'node:crypto';
import { z } from '@hono/zod-openapi';
import { Fault } from '../../../proto/faults/fault.ts';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import type { Actor } from '../../access/actor.ts';
import { addMembership } from '../../access/memberships.store.ts';
import { defaultRole } from '../../access/roles.store.ts';
import { lockOrganization } from '../../publish/tenant-locks.ts';
import { insertDefaultHeaders } from '../api-headers/api-headers.ts';
import type { AuditEvent } from '../audit/events.ts';
import {
  changeOrganization,
  type Desk,
  isAsBefore,
  laterThan,
  type OrganizationChange,
  type Told,
  toldRow,
} from '../desk.ts';
import { nameSchema, readOnlyFields, textSchema } from '../fields.ts';
import { slugOf } from '../slug.ts';
import { checkIfMatch, contentVersionOf } from '../route.ts';
import { type EnvironmentView, environmentView } from './tenants.ts';
import {
  type EnvironmentRow,
  fleetsOfEnvironment,
  heldInEnvironment,
  listEnvironmentRows,
  updateEnvironmentRow,
  usersWithoutRole,
} from './tenants.store.ts';

/** Most environments of an organization. */
const environmentsMax = 100;

const hridSchema = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/, 'must be letters, digits, - and _, 64 at most')
  .openapi({ example: 'production' });

/** Body of a creation; without `hrids` the name makes one. */
export const newEnvironmentSchema = z
  .strictObject({
    name: nameSchema,
    description: textSchema.optional(),
    hrids: z.array(hridSchema).length(1).optional(),
  })
  .openapi('NewEnvironment');

/** Body of an update. What paths name it by stays. */
export const updateEnvironmentSchema = z
  .strictObject({
    ...readOnlyFields('id', 'hrids', 'organizationId'),
    name: nameSchema,
    description: textSchema.optional(),
  })
  .openapi('UpdateEnvironment');

/**
 * Makes an environment with keys of its own. Who makes it is its ADMIN, everybody else of the organization has the role that is given where none
 * is named; no gateway serves it until a fleet names it.
 *
 * Errors: env.exists for a name or readable id of another; request.invalid.
 */
export function createEnvironment(
  desk: Desk,
  actor: Actor,
  {
    organization,
    wish,
  }: { readonly organization: string; readonly wish: z.infer<typeof newEnvironmentSchema> },
): Promise<EnvironmentView> {
  return changeOrganization(desk, { actor, organization }, async (now) => {
    const others = await lockedEnvironments(now);
    if (others.length >= environmentsMax)
      throw new Fault('request.invalid', { detail: `There can be ${environmentsMax}; archive one first.` });
    const hrid = wish.hrids?.[0] ?? slugOf(wish.name);
    demandNew(others, { name: wish.name, hrid });
    const id = randomUUID();
    const { name, description = '' } = wish;
    await desk.publisher.ensureEnvironment(now.trx, organization, { id, name, description, hrid });
    await giveRoles(now, id);
    await insertDefaultHeaders(now.trx, { organization, environment: id }, now.nowMs);
    const row = await updateEnvironmentRow(now.trx, { organization, id }, { name });
    await audit(now, 'ENVIRONMENT_CREATED', { after: row });
    return environmentView(row);
  });
}

/** Replaces name and description. Errors: env.exists. */
export function editEnvironment(
  desk: Desk,
  actor: Actor,
  {
    at,
    wish,
    ifMatch,
  }: {
    readonly at: EnvironmentRef;
    readonly wish: z.infer<typeof updateEnvironmentSchema>;
    readonly ifMatch?: string | undefined;
  },
): Promise<EnvironmentView> {
  const { organization } = at;
  return changeOrganization(desk, { actor, organization }, async (now) => {
    const { before, others } = await among(now, at);
    checkIfMatch(ifMatch, contentVersionOf(environmentView(before)));
    demandNew(others, wish);
    const { name, description = '' } = wish;
    const updated_at_ms = laterThan(Number(before.updated_at_ms), now.nowMs);
    const set = { name, description, updated_at_ms };
    if (isAsBefore(before, set)) return environmentView(before);
    const after = await updateEnvironmentRow(now.trx, { organization, id: before.id }, set);
    await audit(now, 'ENVIRONMENT_UPDATED', { before, after });
    return environmentView(after);
  });
}

/**
 * Takes an environment out of use: it is named and listed no more, and nobody works in it again. Its audit stays readable for the organization,
 * its records until their time is over.
 *
 * Errors: environment.inUse while it has APIs, applications that are not archived, or fleets that serve it; environment.last.
 */
export function archiveEnvironment(
  desk: Desk,
  actor: Actor,
  { ifMatch, ...at }: EnvironmentRef & { readonly ifMatch?: string | undefined },
): Promise<void> {
  const { organization } = at;
  return changeOrganization(desk, { actor, organization }, async (now) => {
    const { before, others } = await among(now, at);
    checkIfMatch(ifMatch, contentVersionOf(environmentView(before)));
    if (others.length === 0) throw new Fault('environment.last');
    const set = {
      archived_at_ms: now.nowMs,
      updated_at_ms: laterThan(Number(before.updated_at_ms), now.nowMs),
    };
    // Its row stays locked: whoever makes something in it meanwhile finds it archived, or is found here.
    const after = await updateEnvironmentRow(now.trx, { organization, id: before.id }, set);
    const { apis, applications } = await heldInEnvironment(now.trx, at);
    const fleets = await fleetsOfEnvironment(now.trx, at);
    const held = [
      ...(apis > 0 ? [`APIs: ${apis}`] : []),
      ...(applications > 0 ? [`applications: ${applications}`] : []),
      ...(fleets.length > 0 ? [`fleets that serve it: ${fleets.join(', ')}`] : []),
    ];
    if (held.length > 0) throw new Fault('environment.inUse', { detail: `It has ${held.join('; ')}.` });
    await audit(now, 'ENVIRONMENT_ARCHIVED', { before, after });
  });
}

/** The environments, while nobody else makes, renames or archives one. */
async function lockedEnvironments(now: OrganizationChange): Promise<readonly EnvironmentRow[]> {
  await lockOrganization(now.trx, now.organization);
  return listEnvironmentRows(now.trx, now.organization);
}

async function among(now: OrganizationChange, { environment }: EnvironmentRef) {
  const all = await lockedEnvironments(now);
  const before = all.find(({ id }) => id === environment);
  if (before === undefined) throw new Fault('request.not_found');
  return { before, others: all.filter(({ id }) => id !== environment) };
}

function demandNew(
  others: readonly EnvironmentRow[],
  { name, hrid }: { readonly name: string; readonly hrid?: string },
): void {
  // An id always means itself, so nobody else may be called by it.
  const taken = others.find(
    (other) => other.name === name || (hrid !== undefined && (other.hrid === hrid || other.id === hrid)),
  );
  if (taken !== undefined) throw new Fault('env.exists', { parameters: { env: hrid ?? name } });
}

async function giveRoles(now: OrganizationChange, environment: string): Promise<void> {
  const { trx, organization, nowMs, actor } = now;
  const given = await defaultRole(trx, { organization, scope: 'environment' });
  const of = { organization, scope: 'environment', reference: environment, nowMs } as const;
  await addMembership(trx, { ...of, user: actor.id, name: 'ADMIN' });
  for (const user of await usersWithoutRole(trx, { organization, environment }))
    await addMembership(trx, { ...of, user, name: given });
}

function audit(now: OrganizationChange, event: AuditEvent, told: Told<EnvironmentRow>): Promise<void> {
  return now.audit(event, { type: 'ENVIRONMENT', id: toldRow(told).id, ...told });
}
