import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { managementOpenApi } from '../control-plane/doors/openapi.ts';
import { definitionReference } from './reference/definitions.ts';
import { expressionReference } from './reference/expressions.ts';
import { policyReference, resourceReference } from './reference/policies.ts';
import { templateReference } from './reference/templates/constructs.ts';
import { recordReference } from './reference/records.ts';
import { refusalReference } from './reference/refusals.ts';
import { configurationReference } from './reference/configuration.ts';
import { eventReference, faultReference } from './reference/words.ts';

/** Files that are made from the sources, by path from the root; a test compares them with what is committed. */
export function generatedFiles(): ReadonlyMap<string, string> {
  return new Map([
    ['docs/configuration.md', configurationReference()],
    ['docs/definitions.md', definitionReference()],
    ['docs/records.md', recordReference()],
    ['docs/policies/README.md', policyReference()],
    ['docs/resources.md', resourceReference()],
    ['docs/expressions.md', expressionReference()],
    ['docs/templates.md', templateReference()],
    ['docs/faults.md', faultReference()],
    ['docs/events.md', eventReference()],
    ['data-plane/http/REFUSALS.md', refusalReference()],
    ['control-plane/doors/openapi/management.json', `${JSON.stringify(managementOpenApi(), undefined, 2)}\n`],
  ]);
}

if (import.meta.main) {
  for (const [path, text] of generatedFiles()) {
    const file = join(import.meta.dirname, '..', path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
}
