import { z } from '@hono/zod-openapi';
import { isJson, type Json } from '../../../proto/definition/opened.ts';
import { Fault } from '../../../proto/faults/fault.ts';
import { apiLimits } from '../../../proto/model/api-limits.ts';
import { type Actor, authorize } from '../../access/actor.ts';
import { addMembership, listMembers } from '../../access/memberships.store.ts';
import { apiGroups, apiOwner, type ApiRef, foundApi, lockedApi, resourceOf } from '../apis/api-gate.ts';
import type { ApiView } from '../apis/api-shape.ts';
import type { ApiRow } from '../apis/apis.store.ts';
import { addApi, ownView } from '../apis/apis.ts';
import { pathSchema } from '../apis/definition.ts';
import { type Change, change, type Desk } from '../desk.ts';
import { planView } from '../plans/plan-shape.ts';
import { listPlansOf } from '../plans/plans.store.ts';
import { addImported } from './definitions.ts';
import { apiNames, apiWishOf, only, planNames, planWishOf } from './wanted.ts';

/** What of an API a copy may be without. */
const parts = ['GROUPS', 'PLANS', 'MEMBERS', 'PAGES'] as const;
/** Members that a copy takes over. */
const membersMax = 10_000;

/** Body of a duplication. */
export const duplicateSchema = z
  .strictObject({
    contextPath: pathSchema.shape.path.removeDefault().optional(),
    host: z.string().min(1).max(apiLimits.hostCharsMax).optional(),
    version: z.string().trim().min(1).max(apiLimits.versionCharsMax).optional(),
    filteredFields: z.array(z.enum(parts)).max(parts.length).default([]),
  })
  .openapi('DuplicateApiOptions');

/**
 * Makes another API like this one, in another place; it is stopped and not deployed, and its plans have no subscriptions.
 *
 * Secrets go with it, sealed for the copy. Errors: invalid.duplicate.definition without the place that its listeners need; request.forbidden
 * for somebody who may not see what is copied; api.listener.paths.path.exists.
 */
export function duplicateApi(
  desk: Desk,
  actor: Actor,
  { at, id, wish }: ApiRef & { readonly wish: z.infer<typeof duplicateSchema> },
): Promise<ApiView> {
  return change(desk, { actor, at }, async (now) => {
    const source = await foundApi(now.trx, { at, id });
    const isKept = (part: (typeof parts)[number]): boolean => !wish.filteredFields.includes(part);
    authorize(actor, ['api-gateway-definition:read'], resourceOf(source));
    if (isKept('MEMBERS')) authorize(actor, ['api-member:read'], resourceOf(source));
    const { api: all, plans } = await opened(now, source);
    const api = isKept('GROUPS')
      ? all
      : only(
          apiNames.filter((name) => name !== 'groups'),
          all,
        );
    const listeners = placed(api['listeners'], wish);
    const row = await addApi(
      now,
      apiWishOf({ ...api, listeners, ...(wish.version !== undefined && { apiVersion: wish.version }) }),
    );
    if (isKept('PLANS'))
      for (const [index, plan] of plans.entries())
        await addImported(now, row, {
          wish: planWishOf(plan, (path) => `plans[${index}].${path}`),
          status: plan['status'],
        });
    if (isKept('MEMBERS')) await copyMembers(now, source, row);
    // Published plans have touched it.
    return ownView(now, await lockedApi(now, row.id));
  });
}

/** What is kept of an API and of its plans that are not closed, with secrets in the clear, as a creation would send it. */
async function opened(
  now: Change,
  source: ApiRow,
): Promise<{ readonly api: Json; readonly plans: readonly Json[] }> {
  const rows = (await listPlansOf(now.trx, now.at, source.id)).filter(({ status }) => status !== 'CLOSED');
  const kept = {
    ...(JSON.parse(source.definition) as Json),
    plans: rows.map((row) => ({ ...planView(row, true) })),
  };
  const { definition } = await now.secrets.open(kept, apiOwner(source.id));
  const columns = {
    name: source.name,
    apiVersion: source.api_version,
    definitionVersion: 'V4',
    description: source.description,
    visibility: source.visibility,
    tags: JSON.parse(source.tags) as unknown,
    groups: (await apiGroups(now.trx, [source])).get(source.id) ?? [],
  };
  return {
    api: only(apiNames, { ...definition, ...columns }),
    plans: definition.plans.map((plan) => only(planNames, plan)),
  };
}

/** The listeners of an API, where the copy shall be. */
function placed(
  listeners: unknown,
  { contextPath, host }: Pick<z.infer<typeof duplicateSchema>, 'contextPath' | 'host'>,
): readonly unknown[] {
  return (Array.isArray(listeners) ? (listeners as readonly unknown[]) : []).map((listener) => {
    if (!isJson(listener)) return listener;
    switch (listener['type']) {
      case 'HTTP':
        return { ...listener, paths: [{ path: needed('contextPath', contextPath) }] };
      case 'TCP':
        return { ...listener, hosts: [needed('host', host)] };
      case 'KAFKA':
        return { ...listener, host: needed('host', host) };
      default:
        return listener;
    }
  });
}

function needed(field: 'contextPath' | 'host', value: string | undefined): string {
  if (value !== undefined) return value;
  throw new Fault('invalid.duplicate.definition', {
    details: [{ path: field, message: 'is required: two APIs cannot be in one place' }],
  });
}

/** Gives everybody who comes in the role on the copy that he has on the API; its primary owner is whoever made it. */
async function copyMembers(now: Change, source: ApiRow, copy: ApiRow): Promise<void> {
  const { organization } = now.at;
  const { rows } = await listMembers(
    now.trx,
    { organization, scope: 'api', reference: source.id },
    { limit: membersMax, offset: 0 },
  );
  for (const { id: user, role: name, status } of rows)
    if (user !== now.actor.id && name !== 'PRIMARY_OWNER' && status === 'ACTIVE') {
      const membership = {
        organization,
        scope: 'api',
        reference: copy.id,
        user,
        name,
        nowMs: now.nowMs,
      } as const;
      await addMembership(now.trx, membership);
      await now.audit('MEMBERSHIP_CREATED', { type: 'API', id: copy.id }, { USER: user, ROLE: name });
    }
}
