import { z } from '@hono/zod-openapi';
import { Fault } from '../../../proto/faults/fault.ts';
import type { Actor } from '../../access/actor.ts';
import type { EnrolmentToken } from '../../publish/enrolment.ts';
import type { Fleet } from '../../publish/fleets.ts';
import type { GatewayView } from '../../publish/gateway-views.ts';
import { lockOrganization } from '../../publish/tenant-locks.ts';
import type { Trx } from '../../storage/storage.ts';
import type { AuditEvent } from '../audit/events.ts';
import { type AuditedObject, changeOrganization, type Desk } from '../desk.ts';
import {
  momentMs,
  momentSchema,
  momentText,
  nameSchema,
  present,
  readOnlyFields,
  textSchema,
} from '../fields.ts';
import { boundsOf, type PageWish } from '../pages.ts';
import { unknownTenants } from '../gateway-tenants/gateway-tenants.ts';
import { checkIfMatch } from '../route.ts';
import { tagsOf } from '../tags/tags.store.ts';
import { unknownTags } from '../tags/tags.ts';
import { resolveEnvironment } from '../tenants/tenants.store.ts';

const tagSchema = z
  .string()
  .regex(/^!?[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/, 'must be a sharding tag such as internal, or !internal')
  .openapi({ example: 'internal' });

const writableFields = {
  name: nameSchema,
  description: textSchema.optional(),
  tags: z.array(tagSchema).max(64).optional(),
  tenant: z.string().min(1).max(64).optional(),
  environments: z.array(z.string().min(1).max(64)).min(1).max(256),
};

/** Body of a creation. */
export const fleetWishSchema = z.strictObject(writableFields).openapi('FleetWish');

/** Body of an update. */
export const updateFleetSchema = z
  .strictObject({ ...readOnlyFields('id', 'createdAt', 'updatedAt'), ...writableFields })
  .openapi('UpdateFleet');

/** A fleet as it is answered. */
export const fleetSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    description: z.string(),
    tags: z.array(z.string()),
    tenant: z.string().optional(),
    environments: z.array(z.string()),
    createdAt: z.string(),
    updatedAt: z.string(),
  })
  .openapi('Fleet');

/** Body of a new enrolment token. */
export const enrolmentTokenWishSchema = z
  .strictObject({
    bridge: z.url({ protocol: /^https?$/ }).max(1_024),
    expiresAt: momentSchema.optional(),
    usesMax: z.int().min(1).max(1_000_000).optional(),
  })
  .openapi('EnrolmentTokenWish');

/** An enrolment token as it is answered; `token` only when it was just made. */
export const enrolmentTokenSchema = z
  .object({
    id: z.string(),
    token: z.string().optional(),
    expiresAt: z.string(),
    usesMax: z.int().optional(),
    uses: z.int(),
    isRevoked: z.boolean(),
    createdAt: z.string(),
  })
  .openapi('EnrolmentToken');

/** A gateway as it is answered. */
export const gatewaySchema = z
  .object({
    id: z.string(),
    fleet: z.string(),
    hostname: z.string(),
    version: z.string(),
    state: z.enum(['connected', 'silent', 'never', 'revoked']),
    enrolledAt: z.string(),
    lastSeenAt: z.string().optional(),
    startedAt: z.string().optional(),
    revokedAt: z.string().optional(),
    policies: z.array(z.string()),
    counters: z.record(z.string(), z.number()),
    applied: z.array(
      z.object({ environment: z.string(), epoch: z.int(), seq: z.int(), appliedAt: z.string() }),
    ),
  })
  .openapi('Gateway');

/** Something that a gateway, or somebody with its identity, tried and should not have. */
export const gatewayEventSchema = z
  .object({ id: z.string(), gateway: z.string(), kind: z.string(), detail: z.string(), at: z.string() })
  .openapi('GatewayEvent');

type FleetWish = z.infer<typeof fleetWishSchema>;
/** A fleet as it is answered. */
export type FleetAnswer = z.infer<typeof fleetSchema>;

/** Rows of one list; a fleet page is cut from them. */
const listMax = 1_000;
/** How long an enrolment token lives when nobody says. */
const tokenLifeMs = 24 * 3_600_000;

/** Which fleet is meant. */
export interface FleetRef {
  readonly organization: string;
  readonly id: string;
}

/** The fleets of the organization. */
export async function listFleets(desk: Desk, organization: string): Promise<readonly FleetAnswer[]> {
  return (await desk.fleets.list(organization, { limit: listMax })).map(fleetView);
}

/** One fleet. */
export async function getFleet(desk: Desk, ref: FleetRef): Promise<FleetAnswer> {
  return fleetView(await requireFleet(desk, ref));
}

/** Makes a fleet. Errors: request.conflict for a taken name; request.invalid for a tag or tenant that is not there. */
export function createFleet(
  desk: Desk,
  actor: Actor,
  { organization, wish }: { readonly organization: string; readonly wish: FleetWish },
): Promise<FleetAnswer> {
  return write({ desk, actor, organization }, 'FLEET_CREATED', async (trx) => {
    await demandNamed(trx, organization, { wish });
    const resolved = await withEnvironmentIds(trx, organization, wish);
    const fleet = await desk.fleets.create(trx, { organization, actor: actor.id }, resolved);
    return { id: fleet.id, result: fleetView(fleet), after: fleet };
  });
}

/** Makes a fleet as the wish says; open streams follow at once. */
export async function updateFleet(
  desk: Desk,
  actor: Actor,
  { wish, ifMatch, ...ref }: FleetRef & { readonly wish: FleetWish; readonly ifMatch?: string | undefined },
): Promise<FleetAnswer> {
  const before = await requireFleet(desk, ref);
  return write({ desk, actor, ...ref }, 'FLEET_UPDATED', async (trx) => {
    await demandNamed(trx, ref.organization, { wish, before });
    const resolved = await withEnvironmentIds(trx, ref.organization, wish);
    const by = { organization: ref.organization, id: ref.id, actor: actor.id };
    const rows = await desk.fleets.update(trx, by, resolved);
    // What it was is known when its row is locked; what was written is taken back.
    checkIfMatch(ifMatch, rows.before.updatedAtMs);
    return { id: ref.id, result: fleetView(rows.after), ...rows };
  });
}

/** Removes a fleet and revokes its gateways. */
export async function deleteFleet(
  desk: Desk,
  actor: Actor,
  { ifMatch, ...ref }: FleetRef & { readonly ifMatch?: string | undefined },
): Promise<void> {
  await requireFleet(desk, ref);
  return write({ desk, actor, ...ref }, 'FLEET_DELETED', async (trx) => {
    const by = { organization: ref.organization, id: ref.id, actor: actor.id };
    const before = await desk.fleets.delete(trx, by);
    checkIfMatch(ifMatch, before.updatedAtMs);
    return { id: ref.id, result: undefined, before };
  });
}

/** A fleet's tokens, without their values. */
export async function listEnrolmentTokens(desk: Desk, ref: FleetRef) {
  await requireFleet(desk, ref);
  return (await desk.fleets.tokens(ref.organization, ref.id)).map(tokenView);
}

/** Makes an enrolment token, shown only in this answer. */
export function createEnrolmentToken(
  desk: Desk,
  actor: Actor,
  { wish, ...ref }: FleetRef & { readonly wish: z.infer<typeof enrolmentTokenWishSchema> },
) {
  return write({ desk, actor, ...ref }, 'ENROLMENT_TOKEN_CREATED', async (trx) => {
    const nowMs = desk.clock.now();
    const expiresAtMs = momentMs(wish.expiresAt) ?? nowMs + tokenLifeMs;
    const made = await desk.fleets.createToken(trx, ref.organization, {
      fleet: ref.id,
      bridge: wish.bridge,
      expiresAtMs,
      usesMax: wish.usesMax,
      actor: actor.id,
    });
    const after = {
      id: made.id,
      fleet: ref.id,
      expiresAtMs,
      usesMax: wish.usesMax,
      uses: 0,
      isRevoked: false,
      createdBy: actor.id,
      createdAtMs: nowMs,
    };
    return { id: made.id, result: { ...tokenView(after), token: made.token }, after };
  });
}

/** Revokes an enrolment token; gateways that it let in stay. */
export function revokeEnrolmentToken(
  desk: Desk,
  actor: Actor,
  ref: FleetRef & { readonly tokenId: string },
): Promise<void> {
  return write({ desk, actor, ...ref }, 'ENROLMENT_TOKEN_REVOKED', async (trx) => {
    await desk.fleets.revokeToken(trx, ref.organization, { fleet: ref.id, id: ref.tokenId });
    return { id: ref.tokenId, result: undefined, before: { isRevoked: false }, after: { isRevoked: true } };
  });
}

/** The gateways of all fleets of an organization: whoever looks at many fleets asks once. */
export async function listAllGateways(desk: Desk, organization: string) {
  return (await desk.fleets.gateways(organization, { limit: listMax })).map(gatewayView);
}

/** The gateways of a fleet. */
export async function listGateways(desk: Desk, ref: FleetRef) {
  await requireFleet(desk, ref);
  return (await desk.fleets.gateways(ref.organization, { fleet: ref.id, limit: listMax })).map(gatewayView);
}

/** What the fleet's gateways were refused for, newest first: clones, replays, grants they asked for and do not have. */
export async function listGatewayEvents(
  desk: Desk,
  { gatewayId, page, ...ref }: FleetRef & { readonly gatewayId: string | undefined; readonly page: PageWish },
) {
  await requireFleet(desk, ref);
  const { rows, total } = await desk.fleets.events(ref.organization, {
    fleet: ref.id,
    gateway: gatewayId,
    ...boundsOf(page),
  });
  return { data: rows.map(({ atMs, ...rest }) => ({ ...rest, at: new Date(atMs).toISOString() })), total };
}

/** Revokes a gateway for good; its open stream ends. */
export async function revokeGateway(
  desk: Desk,
  actor: Actor,
  ref: FleetRef & { readonly gatewayId: string },
): Promise<void> {
  await requireFleet(desk, ref);
  return write({ desk, actor, ...ref }, 'GATEWAY_REVOKED', async (trx) => {
    const { organization, id: fleet, gatewayId: id } = ref;
    await desk.fleets.revokeGateway(trx, { organization, fleet, id });
    return { id: ref.gatewayId, result: undefined, before: { isRevoked: false }, after: { isRevoked: true } };
  });
}

async function requireFleet(desk: Desk, { organization, id }: FleetRef): Promise<Fleet> {
  const fleet = await desk.fleets.get(organization, id);
  if (fleet === undefined)
    throw new Fault('request.not_found', { detail: `There is no fleet "${id}" here.` });
  return fleet;
}

/**
 * Its tags, with or without `!`, and its tenant are there, and stay so until the change commits; what it named before may have gone since.
 *
 * Errors: request.invalid with each by its place.
 */
async function demandNamed(
  trx: Trx,
  organization: string,
  { wish, before }: { readonly wish: FleetWish; readonly before?: Fleet },
): Promise<void> {
  await lockOrganization(trx, organization);
  const bare = (tag: string): string => tag.replace(/^!/, '');
  const { tenant } = wish;
  const isHeld = tenant === undefined || tenant === before?.tenant;
  const details = [
    ...unknownTags(await tagsOf(trx, organization), {
      before: (before?.tags ?? []).map(bare),
      after: (wish.tags ?? []).map(bare),
    }),
    ...(await unknownTenants(trx, organization, isHeld ? [] : [{ path: 'tenant', word: tenant }])),
  ];
  if (details.length > 0) throw new Fault('request.invalid', { details });
}

/** Environments may be named by their human-readable ids; fleets keep generated ones. */
async function withEnvironmentIds(trx: Trx, organization: string, wish: FleetWish) {
  const environments: string[] = [];
  for (const name of wish.environments)
    environments.push((await resolveEnvironment(trx, organization, name))?.id ?? name);
  const { name, description, tenant, tags = [] } = wish;
  return { name, description, tenant, tags, environments };
}

async function write<T>(
  { desk, ...who }: { readonly desk: Desk; readonly actor: Actor; readonly organization: string },
  event: AuditEvent,
  work: (
    trx: Trx,
  ) => Promise<{ readonly id: string; readonly result: T } & Pick<AuditedObject, 'before' | 'after'>>,
): Promise<T> {
  const made = await changeOrganization(desk, who, async (now) => {
    const { id, result, ...rows } = await work(now.trx);
    if (rows.before === undefined || rows.before !== rows.after)
      await now.audit(event, { type: 'ORGANIZATION', id: who.organization, ...rows }, { FLEET: id });
    return result;
  });
  // Grants of open streams follow at once.
  await desk.publisher.published();
  return made;
}

function fleetView(fleet: Fleet): FleetAnswer {
  return present({
    id: fleet.id,
    name: fleet.name,
    description: fleet.description,
    tags: [...fleet.tags],
    tenant: fleet.tenant,
    environments: [...fleet.environments],
    createdAt: new Date(fleet.createdAtMs).toISOString(),
    updatedAt: new Date(fleet.updatedAtMs).toISOString(),
  });
}

function tokenView(token: EnrolmentToken) {
  return present({
    id: token.id,
    expiresAt: new Date(token.expiresAtMs).toISOString(),
    usesMax: token.usesMax,
    uses: token.uses,
    isRevoked: token.isRevoked,
    createdAt: new Date(token.createdAtMs).toISOString(),
  });
}

function gatewayView(gateway: GatewayView) {
  return present({
    id: gateway.id,
    fleet: gateway.fleet,
    hostname: gateway.hostname,
    version: gateway.version,
    state: gateway.state,
    enrolledAt: new Date(gateway.enrolledAtMs).toISOString(),
    lastSeenAt: momentText(gateway.lastSeenMs ?? null),
    startedAt: momentText(gateway.startedAtMs ?? null),
    revokedAt: momentText(gateway.revokedAtMs ?? null),
    policies: gateway.policies,
    counters: gateway.counters,
    applied: gateway.applied.map(({ environment, epoch, seq, appliedAtMs }) => ({
      environment,
      epoch,
      seq,
      appliedAt: new Date(appliedAtMs).toISOString(),
    })),
  });
}
