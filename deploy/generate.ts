import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { managementOpenApi } from '../control-plane/doors/openapi.ts';
import { clientTypes, type OpenApi } from './reference/client-types.ts';
import { consoleForms } from './reference/console-forms.ts';
import { definitionReference } from './reference/definitions.ts';
import { expressionReference } from './reference/expressions.ts';
import { groovyReference } from './reference/groovy.ts';
import { joltReference } from './reference/jolt/constructs.ts';
import { policyCostReference } from './reference/policy-costs.ts';
import { policyPages, policyReference, resourceReference } from './reference/policies.ts';
import { templateReference } from './reference/templates/constructs.ts';
import { recordReference } from './reference/records.ts';
import { refusalReference } from './reference/refusals.ts';
import { configurationReference } from './reference/configuration.ts';
import { eventReference, faultReference } from './reference/words.ts';

/** Files that are made from the sources, by path from the root; a test compares them with what is committed. */
export function generatedFiles(): ReadonlyMap<string, string> {
  const management = managementOpenApi();
  return new Map([
    ['docs/configuration.md', configurationReference()],
    ['docs/definitions.md', definitionReference()],
    ['docs/records.md', recordReference()],
    ['docs/policies/README.md', policyReference()],
    ...policyPages(),
    ['docs/policy-costs.md', policyCostReference()],
    ['docs/resources.md', resourceReference()],
    ['docs/expressions.md', expressionReference()],
    ['docs/templates.md', templateReference()],
    ['docs/transformations.md', joltReference()],
    ['docs/groovy.md', groovyReference()],
    ['docs/faults.md', faultReference()],
    ['docs/events.md', eventReference()],
    ['data-plane/http/REFUSALS.md', refusalReference()],
    ['control-plane/doors/openapi/management.json', `${JSON.stringify(management, undefined, 2)}\n`],
    ['control-plane/ui/api/management.generated.ts', clientTypes(management as OpenApi)],
    ['control-plane/ui/api/forms.generated.ts', consoleForms()],
  ]);
}

if (import.meta.main) {
  for (const [path, text] of generatedFiles()) {
    const file = join(import.meta.dirname, '..', path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
}
