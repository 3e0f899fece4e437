import { randomUUID } from 'node:crypto';
import { z } from '@hono/zod-openapi';
import { readSharedPolicyGroup } from '../../../proto/definition/shared-flows.ts';
import { Fault, type FaultDetail } from '../../../proto/faults/fault.ts';
import type { ApiDefinition } from '../../../proto/model/api.ts';
import { sharedGroupsOf } from '../../../proto/model/api/shared-policy-group.ts';
import { maskSealed } from '../../../proto/model/secrets/sealed-values.ts';
import { withoutSecrets } from '../../../proto/model/secrets/scrub.ts';
import { encodeSharedPolicyGroup } from '../../../proto/wire/payloads.ts';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import type { SecretsOwner } from '../../publish/definition-secrets.ts';
import type { Actor } from '../../access/actor.ts';
import { stepsSchema } from '../apis/definition.ts';
import type { AuditEvent } from '../audit/events.ts';
import { change, type Change, type Desk, isAsBefore, laterThan, type Told, toldRow } from '../desk.ts';
import { choiceOf, demanding, idSchema, momentText, nameSchema, present, readOnlyFields } from '../fields.ts';
import { boundsOf, type PageWish } from '../pages.ts';
import { checkIfMatch } from '../route.ts';
import {
  deleteGroupRow,
  deployedNaming,
  findGroup,
  type GroupSort,
  insertGroup,
  insertVersion,
  listDeployed,
  listGroupRows,
  listVersions,
  lockGroup,
  type SharedPolicyGroupRow,
  updateGroupRow,
  type VersionSort,
} from './shared-policy-groups.store.ts';

const lineSchema = z.string().max(1_024);
const phaseSchema = z.enum(['REQUEST', 'RESPONSE']);
const typeSchema = z.literal('PROXY');
/** As requests may name them. */
const wishedPhaseSchema = choiceOf(
  ['REQUEST', 'RESPONSE'],
  ['ENTRYPOINT_CONNECT', 'INTERACT', 'PUBLISH', 'SUBSCRIBE'],
);
const wishedTypeSchema = choiceOf(
  ['PROXY'],
  ['A2A_PROXY', 'AUTHZ', 'EDGE', 'LLM_PROXY', 'MCP_PROXY', 'MESSAGE', 'NATIVE'],
);
/** Of the APIs that hold a group. */
const namedMax = 10;

const writableFields = {
  crossId: idSchema.optional(),
  name: nameSchema,
  description: lineSchema.optional(),
  prerequisiteMessage: lineSchema.optional(),
  steps: stepsSchema,
};

/** Body of a creation. */
export const createGroupSchema = z
  .strictObject({
    ...writableFields,
    apiType: wishedTypeSchema,
    phase: wishedPhaseSchema,
    ...readOnlyFields('originContext'),
  })
  .openapi('CreateSharedPolicyGroup');

/** Body of an update; what a group is for cannot change. */
export const updateGroupSchema = demanding(
  z.strictObject({
    ...readOnlyFields(
      'id',
      'version',
      'lifecycleState',
      'deployedAt',
      'createdAt',
      'updatedAt',
      'originContext',
    ),
    ...writableFields,
    apiType: wishedTypeSchema.optional(),
    phase: wishedPhaseSchema.optional(),
  }),
  'name',
).openapi('UpdateSharedPolicyGroup');

/** A group as it is answered. */
export const groupSchema = z
  .object({
    id: z.string(),
    crossId: z.string(),
    name: z.string(),
    description: z.string().optional(),
    prerequisiteMessage: z.string().optional(),
    version: z.int(),
    apiType: typeSchema,
    phase: phaseSchema,
    steps: stepsSchema,
    lifecycleState: z.enum(['DEPLOYED', 'UNDEPLOYED', 'PENDING']),
    createdAt: z.string(),
    updatedAt: z.string(),
    deployedAt: z.string().optional(),
  })
  .openapi('SharedPolicyGroup');

/** A group as it can be used: its id is what the step's `sharedPolicyGroupId` names. */
export const groupPluginSchema = groupSchema
  .pick({ id: true, name: true, description: true, prerequisiteMessage: true, apiType: true, phase: true })
  .extend({ policyId: z.literal('shared-policy-group-policy') })
  .openapi('SharedPolicyGroupPolicyPlugin');

/** A group as it is answered. */
export type GroupView = z.infer<typeof groupSchema>;

/** Which group is meant. */
export interface GroupRef {
  readonly at: EnvironmentRef;
  readonly id: string;
}

/** Makes a group, not deployed. */
export function createGroup(
  desk: Desk,
  actor: Actor,
  { at, wish }: { readonly at: EnvironmentRef; readonly wish: z.infer<typeof createGroupSchema> },
): Promise<GroupView> {
  return change(desk, { actor, at }, async (now) => {
    const id = randomUUID();
    const crossId = wish.crossId ?? id;
    const row: SharedPolicyGroupRow = {
      ...at,
      id,
      cross_id: crossId,
      ...(await written(now, wish, { cross_id: crossId })),
      phase: wish.phase,
      lifecycle_state: 'UNDEPLOYED',
      version: 0,
      created_at_ms: now.nowMs,
      updated_at_ms: now.nowMs,
      deployed_at_ms: null,
    };
    if (!(await insertGroup(now.trx, row)))
      throw new Fault('request.invalid', {
        details: [{ path: 'crossId', message: `"${crossId}" is another group of this environment` }],
      });
    await audit(now, 'SHARED_POLICY_GROUP_CREATED', { after: row });
    return groupView(row);
  });
}

/** One group. */
export async function getGroup(desk: Desk, { at, id }: GroupRef): Promise<GroupView> {
  return groupView(found(await findGroup(desk.storage.db, at, { column: 'id', value: id }), id));
}

/** A page of groups. */
export async function listGroups(
  desk: Desk,
  input: {
    readonly at: EnvironmentRef;
    readonly query?: string | undefined;
    readonly sort?: GroupSort | undefined;
    readonly page: PageWish;
  },
): Promise<{ readonly data: readonly GroupView[]; readonly total: number }> {
  const { query, sort = 'name', page } = input;
  const { rows, total } = await listGroupRows(desk.storage, input.at, {
    query,
    sort,
    bounds: boundsOf(page),
  });
  return { data: rows.map(groupView), total };
}

/** A page of what the deployments of a group sent to gateways, secrets masked. Errors: request.not_found. */
export async function listGroupVersions(
  desk: Desk,
  { at, id, sort, page }: GroupRef & { readonly sort?: VersionSort | undefined; readonly page: PageWish },
): Promise<{ readonly data: readonly GroupView[]; readonly total: number }> {
  const group = found(await findGroup(desk.storage.db, at, { column: 'id', value: id }), id);
  const { rows, total } = await listVersions(desk.storage, group, { sort, bounds: boundsOf(page) });
  const data = rows.map((row) => groupView({ ...group, ...row, lifecycle_state: 'DEPLOYED' }));
  return { data, total };
}

/** The groups that APIs can use, each as the step that stands for it. */
export async function listGroupPlugins(
  desk: Desk,
  at: EnvironmentRef,
): Promise<readonly z.infer<typeof groupPluginSchema>[]> {
  return (await listDeployed(desk.storage.db, at)).map((row) => {
    const { crossId: id, name, description, prerequisiteMessage, apiType, phase } = groupView(row);
    const policyId = 'shared-policy-group-policy' as const;
    return present({ id, name, description, prerequisiteMessage, apiType, phase, policyId });
  });
}

/** Replaces what can be written. Gateways learn of it with the next deployment. */
export function updateGroup(
  desk: Desk,
  actor: Actor,
  ref: GroupRef & {
    readonly wish: z.infer<typeof updateGroupSchema>;
    readonly ifMatch?: string | undefined;
  },
): Promise<GroupView> {
  return changeGroup({ desk, actor, ref }, async (now, row) => {
    checkIfMatch(ref.ifMatch, row.updated_at_ms);
    const { wish } = ref;
    const fixed = [
      ['crossId', wish.crossId, row.cross_id],
      ['phase', wish.phase, row.phase],
    ] as const;
    const details = fixed.flatMap(([path, asked, is]) =>
      asked === undefined || asked === is ? [] : [{ path, message: `cannot change; it is ${is}` }],
    );
    if (details.length > 0) throw new Fault('request.invalid', { details });
    const columns = await written(now, wish, row);
    if (isAsBefore(row, columns)) return row;
    return audit(now, 'SHARED_POLICY_GROUP_UPDATED', {
      before: row,
      after: await updateGroupRow(now.trx, row, {
        ...columns,
        lifecycle_state: row.lifecycle_state === 'UNDEPLOYED' ? 'UNDEPLOYED' : 'PENDING',
        updated_at_ms: laterThan(row.updated_at_ms, now.nowMs),
      }),
    });
  });
}

/** Sends the group as it is written now to gateways. Errors: request.invalid naming what they cannot run. */
export function deployGroup(desk: Desk, actor: Actor, ref: GroupRef): Promise<GroupView> {
  return changeGroup({ desk, actor, ref }, async (now, row) => {
    const kept = { steps: JSON.parse(row.steps) as unknown };
    const opened = await now.secrets.open(kept, groupOwner(row.cross_id));
    const read = withoutSecrets(opened.secrets, () =>
      readSharedPolicyGroup({ id: row.cross_id, name: row.name, phase: row.phase, ...opened.definition }),
    );
    const { id, name, ...definition } = await now.secrets.seal(read, groupOwner(row.cross_id));
    const version = row.version + 1;
    const payload = encodeSharedPolicyGroup({ id, name, definition: JSON.stringify(definition) });
    now.publish([{ kind: 'shared-policy-group', id, revision: String(version), tags: [], payload }]);
    const set = {
      version,
      deployed_at_ms: now.nowMs,
      updated_at_ms: laterThan(row.updated_at_ms, now.nowMs),
    };
    await insertVersion(now.trx, {
      ...now.at,
      group_id: row.id,
      name: row.name,
      description: row.description,
      prerequisite_message: row.prerequisite_message,
      steps: JSON.stringify(maskSealed(JSON.parse(row.steps))),
      ...set,
    });
    const after = await updateGroupRow(now.trx, row, { lifecycle_state: 'DEPLOYED', ...set });
    return audit(now, 'SHARED_POLICY_GROUP_DEPLOYED', { before: row, after });
  });
}

/** Withdraws the group from gateways. Errors: shared_policy_group.in_use, since the APIs that use it would refuse their callers. */
export function undeployGroup(desk: Desk, actor: Actor, ref: GroupRef): Promise<GroupView> {
  return changeGroup({ desk, actor, ref }, async (now, row) => {
    if (row.lifecycle_state === 'UNDEPLOYED') return row;
    await withdraw(now, row);
    const after = await updateGroupRow(now.trx, row, {
      lifecycle_state: 'UNDEPLOYED',
      updated_at_ms: laterThan(row.updated_at_ms, now.nowMs),
    });
    return audit(now, 'SHARED_POLICY_GROUP_UNDEPLOYED', { before: row, after });
  });
}

/** Removes a group, from gateways too. Errors: shared_policy_group.in_use. */
export async function deleteGroup(
  desk: Desk,
  actor: Actor,
  ref: GroupRef & { readonly ifMatch?: string | undefined },
): Promise<void> {
  await changeGroup({ desk, actor, ref }, async (now, row) => {
    checkIfMatch(ref.ifMatch, row.updated_at_ms);
    await withdraw(now, row);
    await deleteGroupRow(now.trx, row);
    await audit(now, 'SHARED_POLICY_GROUP_DELETED', { before: row });
    return row;
  });
}

/**
 * Checks that the groups of a definition are deployed, and locks them until the transaction ends.
 *
 * Errors: request.invalid with the place of each step whose group is not there.
 */
export async function demandGroups(now: Change, api: ApiDefinition): Promise<void> {
  const uses = sharedGroupsOf(api);
  const groups = new Map<string, SharedPolicyGroupRow | undefined>();
  for (const value of [...new Set(uses.map(({ group }) => group))].toSorted())
    groups.set(value, await lockGroup(now.trx, now.at, { column: 'cross_id', value }));
  const details = uses.flatMap(({ group, phase, path }): readonly FaultDetail[] => {
    const row = groups.get(group);
    const at = `${path}.configuration.sharedPolicyGroupId`;
    if (row === undefined || row.lifecycle_state === 'UNDEPLOYED') {
      const why = row === undefined ? 'is no group of this environment' : 'is not deployed; deploy it first';
      return [{ path: at, message: `"${group}" ${why}` }];
    }
    return row.phase.toLowerCase() === phase
      ? []
      : [{ path: at, message: `"${group}" is a group for the ${row.phase.toLowerCase()} phase` }];
  });
  if (details.length > 0) throw new Fault('request.invalid', { details });
}

/** Whose secrets those of a group are. */
export const groupOwner = (crossId: string): SecretsOwner => ({ kind: 'shared-policy-group', id: crossId });

/** Columns that an author writes; `before` is the row that they are written to. */
async function written(
  now: Change,
  wish: z.infer<typeof updateGroupSchema>,
  before: Pick<SharedPolicyGroupRow, 'cross_id'> & { readonly steps?: string },
) {
  const kept = { steps: JSON.parse(before.steps ?? '[]') as unknown };
  const { steps } = await now.secrets.seal({ steps: wish.steps ?? [] }, groupOwner(before.cross_id), kept);
  return {
    name: wish.name,
    name_key: wish.name.toLowerCase(),
    description: wish.description ?? '',
    prerequisite_message: wish.prerequisiteMessage ?? '',
    steps: JSON.stringify(steps),
  };
}

/** Takes it from gateways, unless somebody needs it there. */
async function withdraw(now: Change, row: SharedPolicyGroupRow): Promise<void> {
  const naming = (await deployedNaming(now.trx, now.at, row.cross_id)).map(
    (definition) => JSON.parse(definition) as ApiDefinition,
  );
  const users = naming.filter((api) => sharedGroupsOf(api).some(({ group }) => group === row.cross_id));
  if (users.length > 0) {
    const named = users.slice(0, namedMax).map(({ name }) => name);
    const more = users.length > named.length ? ` and ${users.length - named.length} more` : '';
    throw new Fault('shared_policy_group.in_use', {
      detail: `Deployed APIs use the group: ${named.join(', ')}${more}.`,
      hint: 'Deploy them without the steps that stand for it, then try again.',
    });
  }
  if (row.version > 0) now.publish([{ kind: 'shared-policy-group', id: row.cross_id, isDeleted: true }]);
}

function groupView(row: SharedPolicyGroupRow): GroupView {
  return present({
    id: row.id,
    crossId: row.cross_id,
    name: row.name,
    description: row.description === '' ? undefined : row.description,
    prerequisiteMessage: row.prerequisite_message === '' ? undefined : row.prerequisite_message,
    version: row.version,
    apiType: 'PROXY',
    phase: row.phase as GroupView['phase'],
    steps: JSON.parse(row.steps) as GroupView['steps'],
    lifecycleState: row.lifecycle_state as GroupView['lifecycleState'],
    createdAt: new Date(row.created_at_ms).toISOString(),
    updatedAt: new Date(row.updated_at_ms).toISOString(),
    deployedAt: momentText(row.deployed_at_ms),
  });
}

/** Errors: request.not_found. */
export function found(row: SharedPolicyGroupRow | undefined, id: string): SharedPolicyGroupRow {
  if (row === undefined)
    throw new Fault('request.not_found', { detail: `There is no shared policy group "${id}" here.` });
  return row;
}

function changeGroup(
  { desk, actor, ref }: { readonly desk: Desk; readonly actor: Actor; readonly ref: GroupRef },
  work: (now: Change, row: SharedPolicyGroupRow) => Promise<SharedPolicyGroupRow>,
): Promise<GroupView> {
  return change(desk, { actor, at: ref.at }, async (now) => {
    const row = found(await lockGroup(now.trx, ref.at, { column: 'id', value: ref.id }), ref.id);
    return groupView(await work(now, row));
  });
}

async function audit(
  now: Change,
  event: AuditEvent,
  told: Told<SharedPolicyGroupRow>,
): Promise<SharedPolicyGroupRow> {
  const row = toldRow(told);
  const object = { type: 'ENVIRONMENT', id: now.at.environment, ...told } as const;
  await now.audit(event, object, { SHARED_POLICY_GROUP: row.id });
  return row;
}
