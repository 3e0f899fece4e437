import { catalog } from '../../proto/policies/catalog.ts';
import type { PolicySchema } from '../../proto/policies/policy-schema.ts';
import { resourceCatalog } from '../../proto/resources/catalog.ts';
import type { ResourceSchema } from '../../proto/resources/resource-schema.ts';
import { cell, fieldRows, tableOf } from './fields.ts';

const introduction = `# Policies

Generated from the schemas in \`proto/policies\` by \`npm run generate\`; do not edit.

A policy stands as a step of a flow (\`request\`, \`response\`) or is the security of a plan. A field that is not listed is refused, with
its path. Keys of refusals are what response templates and access records name.
`;

/** The index of the policies with their fields and refusals, as Markdown. */
export function policyReference(): string {
  const policies = Object.values<PolicySchema>(catalog).toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const index = policies.map(
    ({ id, title, phases }) => `| [\`${id}\`](#${id}) | ${title} | ${phases.join(', ')} |\n`,
  );
  return [
    introduction,
    `| policy | title | where |\n|---|---|---|\n${index.join('')}`,
    ...policies.map((policy) => sectionOf(policy, '../expressions.md')),
  ].join('\n');
}

const resourcesIntroduction = `# Resources

Generated from the schemas in \`proto/resources\` by \`npm run generate\`; do not edit.

A resource stands in \`resources\` of a definition, as \`{name, type, enabled, configuration}\`; plans and policies use it by its name.
`;

/** The index of the resources with their fields, as Markdown. */
export function resourceReference(): string {
  const resources = Object.values<ResourceSchema>(resourceCatalog).toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const index = resources.map(({ id, title, serves }) => `| [\`${id}\`](#${id}) | ${title} | ${serves} |\n`);
  return [
    resourcesIntroduction,
    `| resource | title | serves |\n|---|---|---|\n${index.join('')}`,
    ...resources.map((resource) => sectionOf({ ...resource, errors: {} }, 'expressions.md')),
  ].join('\n');
}

function sectionOf(
  { id, summary, docs, config, errors }: Pick<PolicySchema, 'id' | 'summary' | 'docs' | 'config' | 'errors'>,
  expressions: string,
): string {
  const table = tableOf(fieldRows(config, { expressions }));
  const refusals = Object.entries(errors).map(
    ([key, { status, message }]) => `| \`${key}\` | ${status} | ${cell(message)} |\n`,
  );
  return [
    `## ${id}\n\n${summary} ${docs}\n`,
    ...(table === '' ? [] : [table]),
    ...(refusals.length === 0 ? [] : [`| refusal | status | message |\n|---|---|---|\n${refusals.join('')}`]),
  ].join('\n');
}
