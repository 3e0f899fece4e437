import { z } from 'zod';

import { catalog } from '../../proto/policies/catalog.ts';
import type { PolicySchema } from '../../proto/policies/policy-schema.ts';
import { resourceCatalog } from '../../proto/resources/catalog.ts';
import type { ResourceSchema } from '../../proto/resources/resource-schema.ts';

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
    ...policies.map(sectionOf),
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
    ...resources.map(({ id, docs, config }) => sectionOf({ id, docs, config, errors: {} })),
  ].join('\n');
}

function sectionOf({
  id,
  docs,
  config,
  errors,
}: Pick<PolicySchema, 'id' | 'docs' | 'config' | 'errors'>): string {
  const fields = fieldsOf(z.toJSONSchema(config, { io: 'input', unrepresentable: 'any' }) as Field, '');
  const refusals = Object.entries(errors).map(
    ([key, { status, message }]) => `| \`${key}\` | ${status} | ${cell(message)} |\n`,
  );
  return [
    `## ${id}\n\n${docs}\n`,
    ...(fields.length === 0 ? [] : [`| field | takes | default |\n|---|---|---|\n${fields.join('')}`]),
    ...(refusals.length === 0 ? [] : [`| refusal | status | message |\n|---|---|---|\n${refusals.join('')}`]),
  ].join('\n');
}

/** What is read of a JSON Schema. */
interface Field {
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Field[];
  readonly properties?: Readonly<Record<string, Field>>;
  readonly items?: Field;
  readonly default?: unknown;
  /** See `template` in proto/expression. */
  readonly mayHoldExpressions?: boolean;
}

function fieldsOf({ properties = {} }: Field, at: string): readonly string[] {
  return Object.entries(properties).flatMap(([name, field]) => {
    const path = at === '' ? name : `${at}.${name}`;
    if (field.properties !== undefined) return fieldsOf(field, path);
    const byDefault = field.default === undefined ? '' : `\`${JSON.stringify(field.default)}\``;
    const row = `| \`${path}\` | ${cell(takes(field))} | ${byDefault} |\n`;
    return field.items?.properties === undefined ? [row] : [row, ...fieldsOf(field.items, `${path}[]`)];
  });
}

function takes(field: Field): string {
  if (field.mayHoldExpressions === true) return 'string, may hold [expressions](../expressions.md)';
  if (field.enum !== undefined) return field.enum.map((value) => `\`${String(value)}\``).join(', ');
  if (field.anyOf !== undefined) return field.anyOf.map(takes).join(' or ');
  if (field.items !== undefined) return `list of ${takes(field.items)}`;
  return typeof field.type === 'string' ? field.type : (field.type?.join(' or ') ?? 'any');
}

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');
