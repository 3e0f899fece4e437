import { compileSelectionRule } from '../../proto/expression/condition.ts';
import { invariant } from '../../proto/faults/fault.ts';
import type { PlanDefinition } from '../../proto/model/api.ts';
import { catalog, type PolicyConfig } from '../../proto/policies/catalog.ts';
import { apiKey } from './api-key.ts';
import { jwt } from './jwt.ts';
import { oauth2 } from './oauth2.ts';
import { keyLess } from './key-less.ts';
import { mtls } from './mtls.ts';
import type { PlanSecurity, SecuredPlan, SecurityHost, SecurityId, SecurityKind } from './security.ts';

/** Every kind of plan security; a new one is its file and a line here. */
const securities: { readonly [Id in SecurityId]: SecurityKind<Id> } = {
  'api-key': apiKey,
  'key-less': keyLess,
  jwt,
  mtls,
  oauth2,
};

/** Makes the security of a plan. Errors: Faults that say what cannot work on this gateway. */
export function securePlan({ id, security, selectionRule }: PlanDefinition, host: SecurityHost): SecuredPlan {
  const { recordedAs, order, isOpen, challenge } = securities[security.type];
  const rule = compileSelectionRule(selectionRule);
  invariant(!('kind' in rule), 'rules are read when a definition is');
  return {
    id,
    securityType: recordedAs,
    order,
    isOpen,
    challenge,
    rule: rule.always === true ? undefined : rule,
    security: create(security.type, security, host),
  };
}

function create<Id extends SecurityId>(
  id: Id,
  { configuration }: PlanDefinition['security'],
  host: SecurityHost,
): PlanSecurity {
  // The table's type ties the kind to the schema of the same id, which the compiler cannot see through a variable.
  return securities[id].create(catalog[id].config.parse(configuration) as PolicyConfig<Id>, host);
}
