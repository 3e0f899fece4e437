import { catalog } from '../../proto/policies/catalog.ts';
import { foreignPolicies } from '../../proto/policies/foreign-policies.ts';
import type { PolicySchema } from '../../proto/policies/policy-schema.ts';
import { resourceCatalog } from '../../proto/resources/catalog.ts';
import type { ResourceSchema } from '../../proto/resources/resource-schema.ts';
import { exampleBackend } from '../../proto/policies/reference/example.ts';
import { policyPage } from '../../proto/policies/reference/page.ts';
import { resourceForm } from '../../proto/policies/reference/described-form.ts';
import { cell, describedTable, formRows } from '../../proto/policies/reference/fields.ts';

const introduction = `# Policies

Generated from the schemas in \`proto/policies\` by \`npm run generate\`; do not edit.

A policy stands as a step of a flow (\`request\`, \`response\`) or is the security of a plan. A field that is not listed on its page is refused,
with its path. Keys of refusals are what response templates and access records name. Each page has a definition with calls and their answers,
which a test sends through a gateway. \`isthmus policies\` prints this list, \`isthmus policies <id>\` a page.

\`${exampleBackend}\` stands in these definitions for a backend, which you put there: one of your own, the echo of \`isthmus up\`
(\`http://127.0.0.1:18085\`), or this one, as \`http://127.0.0.1:8080\`. What an example wants of its backend beyond that, its page says.

\`\`\`sh
node -e '
  require("http").createServer(({ method, url, headers }, answer) =>
    answer.end(JSON.stringify({ method, url, headers }) + "\\n")).listen(8080, "127.0.0.1")'
\`\`\`
`;

const policies = Object.values<PolicySchema>(catalog).toSorted((a, b) => (a.id < b.id ? -1 : 1));

/** The list of the policies, and what there is in place of others, as Markdown. */
export function policyReference(): string {
  const index = policies.map(
    ({ id, summary, category, phases }) =>
      `| [\`${id}\`](${id}.md) | ${cell(summary)} | ${category} | ${phases.join(', ')} |\n`,
  );
  const foreign = Object.entries(foreignPolicies).map(
    ([id, instead]) => `| \`${id}\` | ${cell(instead)} |\n`,
  );
  return [
    introduction,
    `| policy | for | kind | where |\n|---|---|---|---|\n${index.join('')}`,
    '## Policies of the reference product, and other names, that are not here\n\nA definition that names one is refused when it is deployed.\n',
    `| policy | instead |\n|---|---|\n${foreign.join('')}`,
  ].join('\n');
}

/** The page of each policy, by its path. */
export function policyPages(): readonly (readonly [path: string, text: string])[] {
  return policies.map((policy) => [
    `docs/policies/${policy.id}.md`,
    policyPage(policy, { expressions: '../expressions.md' }),
  ]);
}

const resourcesIntroduction = `# Resources

Generated from the schemas in \`proto/resources\` by \`npm run generate\`; do not edit.

A resource stands in \`resources\` of a definition, as \`{name, type, enabled, configuration}\`; plans and policies use it by its name.
`;

/** The index of the resources with their fields, as Markdown. */
export function resourceReference(): string {
  const resources = Object.values<ResourceSchema>(resourceCatalog).toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const index = resources.map(
    ({ id, title, serves }) => `| [\`${id}\`](#${id}) | ${title} | ${serves.join(', ')} |\n`,
  );
  return [
    resourcesIntroduction,
    `| resource | title | serves |\n|---|---|---|\n${index.join('')}`,
    ...resources.map(sectionOf),
  ].join('\n');
}

function sectionOf(resource: ResourceSchema): string {
  const { id, summary, docs } = resource;
  const table = describedTable(formRows(resourceForm(resource), { expressions: 'expressions.md' }));
  return [`## ${id}\n\n${summary} ${docs}\n`, ...(table === '' ? [] : [table])].join('\n');
}
