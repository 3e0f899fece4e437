import { Fault } from '../../../proto/faults/fault.ts';
import { can } from '../../access/actor.ts';
import { groupsOf, setGroupsOf } from '../../access/groups.store.ts';
import type { Change } from '../desk.ts';
import type { GroupEvent } from './group-shape.ts';
import { groupsByRule, groupsByWord, lockGroup } from './groups.store.ts';

/** What can have groups. */
interface Grouped {
  readonly scope: 'api' | 'application';
  readonly id: string;
}

const ruleOf = { api: 'API_CREATE', application: 'APPLICATION_CREATE' } as const satisfies Readonly<
  Record<Grouped['scope'], GroupEvent>
>;

/**
 * Gives something new the groups that were wished for, and those whose rule says so; they stay until the change commits.
 *
 * Errors: for a group that is not there request.invalid of an API, groups.notFound of an application, as in the reference.
 */
export async function firstGroups(now: Change, object: Grouped, wished: readonly string[]): Promise<void> {
  const ruled = await groupsByRule(now.trx, now.at, ruleOf[object.scope]);
  await setGroups(now, object, [...new Set([...wished, ...ruled])]);
}

/**
 * Gives something these groups and no other, and says whether it had others; unnamed (undefined) they stay as they are. They give rights, so they are for who may write members.
 *
 * Errors: request.forbidden; as {@link firstGroups}.
 */
export async function changeGroups(
  now: Change,
  object: Grouped,
  wished: readonly string[] | undefined,
): Promise<boolean> {
  if (wished === undefined) return false;
  const { scope, id } = object;
  const held = (await groupsOf(now.trx, now.at, { scope, references: [id] })).get(id) ?? [];
  if (wished.length === held.length && wished.every((group) => held.includes(group))) return false;
  if (!can(now.actor, `${scope}-member:update`, { ...now.at, [scope]: id }))
    throw new Fault('request.forbidden', {
      detail: `Groups of an ${scope === 'api' ? 'API' : scope} are for who may write its members.`,
    });
  await setGroups(now, object, wished);
  return true;
}

async function setGroups(now: Change, { scope, id }: Grouped, groups: readonly string[]): Promise<void> {
  // In one order, so that two changes cannot wait for each other.
  for (const group of groups.toSorted())
    if ((await lockGroup(now.trx, { at: now.at, id: group })) === undefined) throw noGroup(scope, group);
  await setGroupsOf(now.trx, { at: now.at, scope, reference: id }, groups);
}

/** Ids of the groups that an import means, by id or name; of what is not here nothing is kept, for it would open the API to nobody. */
export async function groupsHere(now: Change, words: readonly string[]): Promise<readonly string[]> {
  return (await groupsByWord(now.trx, now.at, words)).map(({ id }) => id).toSorted();
}

function noGroup(scope: Grouped['scope'], group: string): Fault {
  const words = `There is no group "${group}" in the environment.`;
  return scope === 'api'
    ? new Fault('request.invalid', { details: [{ path: 'groups', message: words }] })
    : new Fault('groups.notFound', { detail: words });
}
