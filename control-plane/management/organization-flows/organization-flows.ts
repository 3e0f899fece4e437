import { z } from '@hono/zod-openapi';
import { Fault } from '../../../proto/faults/fault.ts';
import { apiLimits } from '../../../proto/model/api-limits.ts';
import type { Actor } from '../../access/actor.ts';
import { flowsOwner, hasFlows, openOrganizationFlows } from '../../publish/organization-flows.ts';
import { lockOrganization } from '../../publish/tenant-locks.ts';
import { changeOrganization, type Desk, isAsBefore, laterThan } from '../desk.ts';
import { nameSchema, readOnlyFields, textSchema } from '../fields.ts';
import { checkIfMatch } from '../route.ts';
import { organizationSchema } from '../tenants/tenants.ts';
import {
  environmentIds,
  type OrganizationRow,
  resolveOrganization,
  updateOrganizationRow,
} from '../tenants/tenants.store.ts';

const flowModeSchema = z.enum(['DEFAULT', 'BEST_MATCH']);
/** In words of version 2, as the reference has them there, or of version 4; read when they are written, since they are in force at once. */
const flowsSchema = z.array(z.record(z.string(), z.unknown())).max(apiLimits.flowsMax);

/** Body of an update. */
export const updateOrganizationSchema = z
  .strictObject({
    ...readOnlyFields('id', 'hrids', 'updatedAt'),
    name: nameSchema,
    description: textSchema.optional(),
    flowMode: flowModeSchema.optional(),
    matchRequired: z.boolean().optional(),
    flows: flowsSchema.optional(),
  })
  .openapi('UpdateOrganization');

/** An organization with its flows. */
export const organizationWithFlowsSchema = organizationSchema
  .extend({
    flowMode: flowModeSchema,
    matchRequired: z.boolean(),
    flows: flowsSchema,
    updatedAt: z.string(),
  })
  .openapi('OrganizationWithFlows');

/** An organization with its flows. */
export type OrganizationWithFlowsView = z.infer<typeof organizationWithFlowsSchema>;

/** The organization with its flows as they were written. */
export async function getOrganizationWithFlows(
  desk: Desk,
  organization: string,
): Promise<OrganizationWithFlowsView> {
  return view(found(await resolveOrganization(desk.storage.db, organization)));
}

/**
 * Replaces what can be written of the organization. Its flows are in force at once in all of its environments.
 *
 * Errors: request.invalid naming what gateways cannot run, request.too_large.
 */
export function updateOrganization(
  desk: Desk,
  actor: Actor,
  input: {
    readonly organization: string;
    readonly wish: z.infer<typeof updateOrganizationSchema>;
    readonly ifMatch?: string | undefined;
  },
): Promise<OrganizationWithFlowsView> {
  const { organization, wish, ifMatch } = input;
  return changeOrganization(desk, { actor, organization }, async (now) => {
    const before = found(await lockOrganization(now.trx, organization));
    checkIfMatch(ifMatch, before.updated_at_ms);
    const own = now.secretsIn('');
    const kept = { flows: JSON.parse(before.flows) as unknown };
    const { flows } = await own.seal({ flows: wish.flows ?? [] }, flowsOwner(organization), kept);
    const written = {
      flow_mode: wish.flowMode ?? 'DEFAULT',
      match_required: wish.matchRequired === true ? 1 : 0,
      flows: JSON.stringify(flows),
    };
    const isChanged = !isAsBefore(before, written);
    const named = { name: wish.name, description: wish.description ?? '' };
    if (!isChanged && isAsBefore(before, named)) return view(before);
    const after = await updateOrganizationRow(now.trx, before.id, {
      ...written,
      ...named,
      flows_version: before.flows_version + (isChanged ? 1 : 0),
      updated_at_ms: laterThan(before.updated_at_ms, now.nowMs),
    });
    const opened = await openOrganizationFlows(after, own);
    if (isChanged && (opened !== undefined || hasFlows(before)))
      for (const environment of await environmentIds(now.trx, organization)) {
        const record = await opened?.changeIn(now.secretsIn(environment));
        now.publishIn(environment, [
          record ?? { kind: 'organization-flows', id: before.id, isDeleted: true },
        ]);
      }
    await now.audit('ORGANIZATION_FLOWS_UPDATED', { type: 'ORGANIZATION', id: organization, before, after });
    return view(after);
  });
}

const writtenSteps = z.array(z.looseObject({ enabled: z.boolean().default(true) })).default([]);
const stepsOfFlow = z.looseObject({
  enabled: z.boolean().default(true),
  request: writtenSteps,
  response: writtenSteps,
  pre: writtenSteps,
  post: writtenSteps,
});

/** Says whether the flows of the organization hold a step that runs. */
export async function runsSteps(desk: Desk, organization: string): Promise<boolean> {
  const { flows } = found(await resolveOrganization(desk.storage.db, organization));
  // As they were written, in words of version 2 or 4, since their secrets are sealed.
  const written = z.array(stepsOfFlow).parse(JSON.parse(flows));
  return written.some(
    ({ enabled, request, response, pre, post }) =>
      enabled && [request, response, pre, post].some((steps) => steps.some((step) => step.enabled)),
  );
}

function found(row: OrganizationRow | undefined): OrganizationRow {
  if (row === undefined) throw new Fault('request.not_found');
  return row;
}

function view(row: OrganizationRow): OrganizationWithFlowsView {
  return {
    id: row.id,
    name: row.name,
    description: row.description,
    hrids: [row.hrid],
    flowMode: row.flow_mode as OrganizationWithFlowsView['flowMode'],
    matchRequired: row.match_required === 1,
    flows: JSON.parse(row.flows) as OrganizationWithFlowsView['flows'],
    updatedAt: new Date(row.updated_at_ms).toISOString(),
  };
}
