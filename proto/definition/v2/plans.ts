import type { OpenedPlan } from '../plans.ts';
import { type Engine, flowsOf } from './flows.ts';
import { Place, type Told, type Tree, wordsIn } from './place.ts';

/** What the console keeps of a plan. */
const consoleFields = wordsIn(`
  api apis apiId crossId cross_id description validation type characteristics hrid excluded_groups
  excludedGroups comment_required commentRequired comment_message commentMessage general_conditions
  generalConditions created_at createdAt updated_at updatedAt published_at publishedAt closed_at
  closedAt need_redeploy_at needRedeployAt referenceId referenceType environmentId definitionVersion
`);

/** Plans in their order; one that the reference cannot read is left out there as well, and named. */
export function plansOf(plans: readonly OpenedPlan[], told: Told, engine: Engine): readonly Tree[] {
  return plans.flatMap(({ plan, path }) => {
    const place = new Place(plan, path, told);
    if (typeof plan !== 'object' || plan === null) {
      place.note('doubt', 'is no object; version 2 leaves the plan out, and so it is here');
      return [];
    }
    if (place.field('security').isAbsent) {
      place.note('doubt', 'says no security; version 2 leaves the plan out, and so it is here');
      place.leave();
      return [];
    }
    return [planOf(place, engine)];
  });
}

function planOf(plan: Place, engine: Engine): Tree {
  const paths = plan.field('paths');
  if (paths.members().some(([, rules]) => rules.items().length > 0))
    paths.note('idle', 'is of version 1 and chooses nothing beside gravitee 2.0.0, as in the reference');
  plan.leave('order');
  plan.portal(consoleFields);
  return plan.made({
    id: plan.field('id'),
    name: plan.field('name'),
    security: securityOf(plan),
    mode: plan.field('mode'),
    status: plan.field('status'),
    selectionRule: plan.field('selectionRule', 'selection_rule'),
    tags: plan.field('tags'),
    flows: flowsOf(plan.field('flows'), engine),
  });
}

/** A word beside a definition in JSON text, or both in one as the management API has them. */
function securityOf(plan: Place): Tree {
  const security = plan.field('security');
  const isWord = typeof security.value === 'string';
  const definition = plan.field('securityDefinition', 'security_definition');
  const type = isWord ? security : security.field('type');
  const configuration = isWord ? definition : security.field('configuration');
  const word = type.text().toLowerCase().replaceAll('_', '-');
  return security.made({ type: type.as(word === 'apikey' ? 'api-key' : word), configuration });
}
