import { Fault, type FaultDetail } from '../../../proto/faults/fault.ts';
import { permissions, type Scope } from '../../access/permissions.ts';
import { listRoles } from '../../access/roles.store.ts';
import { systemRoleNames } from '../../access/roles.ts';
import type { Change } from '../desk.ts';
import { groupsByWord } from '../groups/groups.store.ts';
import type { DocumentationView } from './documentation-shape.ts';
import type { PageHead } from './documentation.store.ts';

type Rules = Pick<DocumentationView, 'accessControls'>;

/**
 * Judges who may read a page: the groups and roles that it names are there, for one that is not keeps out nobody, or everybody. What it named
 * before may have gone since.
 *
 * Errors: request.invalid naming the rule.
 */
export async function demandReaders(
  now: Change,
  { accessControls = [] }: Rules,
  before?: Pick<PageHead, 'access'>,
): Promise<void> {
  const { accessControls: kept = [] } = before === undefined ? {} : (JSON.parse(before.access) as Rules);
  const held = new Set(kept.map(wordOf));
  const details: FaultDetail[] = [];
  for (const [index, rule] of accessControls.entries()) {
    const { referenceId, referenceType } = rule;
    if (referenceId === undefined || held.has(wordOf(rule))) continue;
    const isThere =
      referenceType === 'ROLE' ? await isRole(now, referenceId) : await isGroup(now, referenceId);
    if (isThere) continue;
    const message =
      referenceType === 'ROLE'
        ? `There is no role "${referenceId}"; write its scope before it, e.g. ENVIRONMENT-USER.`
        : `There is no group "${referenceId}" in the environment; write its id.`;
    details.push({ path: `accessControls[${index}].referenceId`, message });
  }
  if (details.length > 0) throw new Fault('request.invalid', { details });
}

const wordOf = ({ referenceId, referenceType }: NonNullable<Rules['accessControls']>[number]): string =>
  `${referenceType}-${referenceId}`;

async function isGroup({ trx, at }: Change, word: string): Promise<boolean> {
  return (await groupsByWord(trx, at, [word])).some(({ id }) => id === word);
}

async function isRole({ trx, organization }: Change, word: string): Promise<boolean> {
  const scope = (Object.keys(permissions) as Scope[]).find((one) => word.startsWith(`${one.toUpperCase()}-`));
  if (scope === undefined) return false;
  const name = word.slice(scope.length + 1);
  if (systemRoleNames(scope).includes(name)) return true;
  return (await listRoles(trx, { organization, scope })).some((role) => role.name === name);
}
