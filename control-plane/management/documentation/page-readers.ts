import { Fault, type FaultDetail } from '../../../proto/faults/fault.ts';
import { permissions, type Scope } from '../../access/permissions.ts';
import { permittingRoles } from '../../access/roles.store.ts';
import { roleIdOf } from '../../access/roles.ts';
import type { Change } from '../desk.ts';
import { groupsByWord } from '../groups/groups.store.ts';
import type { DocumentationView } from './documentation-shape.ts';
import type { PageHead } from './documentation.store.ts';

type Rules = Pick<DocumentationView, 'accessControls'>;
type Rule = NonNullable<Rules['accessControls']>[number];

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
  const added = accessControls.flatMap((rule, index) =>
    rule.referenceId === undefined || held.has(wordOf(rule))
      ? []
      : [{ index, isRole: rule.referenceType === 'ROLE', word: rule.referenceId }],
  );
  const wordsOf = (isRole: boolean) => added.flatMap((one) => (one.isRole === isRole ? [one.word] : []));
  const roles = await rolesNamed(now, wordsOf(true));
  const groups = new Set((await groupsByWord(now.trx, now.at, wordsOf(false))).map(({ id }) => id));
  const details: FaultDetail[] = [];
  for (const { index, isRole, word } of added) {
    if ((isRole ? roles : groups).has(word)) continue;
    const message = isRole
      ? `There is no role "${word}"; write its scope before it, e.g. ENVIRONMENT-USER.`
      : `There is no group "${word}" in the environment; write its id.`;
    details.push({ path: `accessControls[${index}].referenceId`, message });
  }
  if (details.length > 0) throw new Fault('request.invalid', { details });
}

const wordOf = ({ referenceId, referenceType }: Rule): string => `${referenceType}-${referenceId}`;

/** Ids of all roles of the scopes that these ids begin with. */
async function rolesNamed(
  { trx, organization }: Change,
  ids: readonly string[],
): Promise<ReadonlySet<string>> {
  const known = new Set<string>();
  for (const scope of Object.keys(permissions) as Scope[]) {
    if (!ids.some((id) => id.startsWith(roleIdOf(scope, '')))) continue;
    for (const { name } of await permittingRoles(trx, { organization, scope }))
      known.add(roleIdOf(scope, name));
  }
  return known;
}
