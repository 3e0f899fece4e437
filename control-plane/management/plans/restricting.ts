import { Fault } from '../../../proto/faults/fault.ts';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import { type Actor, can, visible } from '../../access/actor.ts';
import type { Queries } from '../../storage/storage.ts';
import { resourceOf } from '../apis/api-gate.ts';
import type { ApiRow } from '../apis/apis.store.ts';
import { groupsByWord, groupsOfMember } from '../groups/groups.store.ts';
import type { PlanRow } from './plans.store.ts';

/** The groups whose members a plan is closed to, each by its id or name. */
function excludedGroupsOf(plan: Pick<PlanRow, 'definition'>): readonly string[] {
  const { excludedGroups = [] } = JSON.parse(plan.definition) as {
    readonly excludedGroups?: readonly string[];
  };
  return excludedGroups;
}

/**
 * Says of plans of an API whether they are closed to the actor, who is in a group that they exclude: he sees them not, and subscribes to none.
 *
 * Whoever may change the plans of the API is not meant, nor is an ADMIN: he could take the exclusion away.
 */
export async function restrictionFor(
  db: Queries,
  actor: Actor,
  { api, plans }: { readonly api: ApiRow; readonly plans: readonly PlanRow[] },
): Promise<(plan: PlanRow) => boolean> {
  const excluded = new Map(plans.map((plan) => [plan.id, excludedGroupsOf(plan)]));
  const isMeant = [...excluded.values()].some((groups) => groups.length > 0);
  const resource = resourceOf(api);
  if (!isMeant || visible(actor, resource).kind === 'all' || can(actor, 'api-plan:update', resource))
    return () => false;
  const own = new Set<string>();
  for (const { id, name } of await groupsOfMember(db, api, actor.id)) own.add(id).add(name);
  return (plan) => excluded.get(plan.id)?.some((group) => own.has(group)) === true;
}

/** Errors: plan.restricted for who is in a group that the plan excludes. */
export async function refuseRestricted(
  db: Queries,
  actor: Actor,
  { api, plan }: { readonly api: ApiRow; readonly plan: PlanRow },
): Promise<void> {
  const isRestricted = await restrictionFor(db, actor, { api, plans: [plan] });
  if (isRestricted(plan)) throw new Fault('plan.restricted', { parameters: { plan: plan.id } });
}

/**
 * A group that is not there excludes nobody; one that a plan names already may have gone since.
 *
 * Errors: request.invalid naming the group.
 */
export async function demandGroupsOf(
  db: Queries,
  at: EnvironmentRef,
  { wished = [], kept }: { readonly wished: readonly string[] | undefined; readonly kept?: PlanRow },
): Promise<void> {
  const before = kept === undefined ? [] : excludedGroupsOf(kept);
  const added = wished.filter((word) => !before.includes(word));
  if (added.length === 0) return;
  const known = new Set<string>();
  for (const { id, name } of await groupsByWord(db, at, added)) known.add(id).add(name);
  const details = wished.flatMap((word, index) =>
    added.includes(word) && !known.has(word)
      ? [{ path: `excludedGroups[${index}]`, message: `There is no group "${word}" in the environment.` }]
      : [],
  );
  if (details.length > 0) throw new Fault('request.invalid', { details });
}
