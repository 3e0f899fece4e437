import type { Command } from 'commander';
import { catalog, policySchema } from '../../proto/policies/catalog.ts';
import { insteadOf } from '../../proto/policies/foreign-policies.ts';
import type { PolicySchema } from '../../proto/policies/policy-schema.ts';
import { policyForm } from '../../proto/policies/reference/described-form.ts';
import { policyPage } from '../../proto/policies/reference/page.ts';
import { Fault } from '../../proto/faults/fault.ts';
import { nearest } from '../../proto/faults/nearest.ts';
import { createCommand } from '../command.ts';
import { print } from '../terminal.ts';
import { pageForPeople } from './page-for-people.ts';

/** `isthmus policies`: the policies of this version, or the page of one. */
export function policiesCommand(): Command {
  return createCommand({
    name: 'policies',
    summary: 'Lists the policies, or prints the page of one: fields, refusals, an example with its answers.',
    examples: ['isthmus policies', 'isthmus policies rate-limit', 'isthmus policies rate-limit --json'],
  })
    .argument('[id]', 'of a policy')
    .option('--json', 'as JSON, of one policy with the JSON Schema of its configuration')
    .action((id: string | undefined, { json }: { readonly json?: true }) => {
      if (id !== undefined) print(json === true ? JSON.stringify(wholeOf(found(id))) : pageOf(found(id)));
      else if (json === true) print(JSON.stringify(all().map(entryOf)));
      else print(listOf(all()));
    });
}

/** Whoever reads it in a terminal gets lines; whoever keeps it, Markdown. */
function pageOf(policy: PolicySchema): string {
  const { isTTY, columns } = process.stdout;
  return isTTY ? pageForPeople(policyPage(policy), columns > 0 ? columns : 80) : policyPage(policy);
}

const all = (): readonly PolicySchema[] =>
  Object.values<PolicySchema>(catalog).toSorted((a, b) => (a.id < b.id ? -1 : 1));

function found(id: string): PolicySchema {
  const schema = policySchema(id);
  if (schema !== undefined) return schema;
  const instead = insteadOf(id);
  const near = nearest(id, Object.keys(catalog));
  const advice = near === undefined ? 'isthmus policies lists them.' : `Did you mean ${near}?`;
  throw new Fault('request.not_found', {
    detail: `There is no policy "${id}" in this version.`,
    hint: instead === undefined ? advice : `In its place: ${instead}.`,
  });
}

const entryOf = ({ id, title, summary, category, phases }: PolicySchema) => ({
  id,
  title,
  summary,
  category,
  phases,
});

const wholeOf = (policy: PolicySchema) => ({
  ...entryOf(policy),
  docs: policy.docs,
  configuration: policyForm(policy),
  errors: policy.errors,
  example: policy.example?.(),
});

/** By kind, one a line. */
function listOf(policies: readonly PolicySchema[]): string {
  const width = Math.max(...policies.map(({ id }) => id.length));
  const kinds = [...new Set(policies.map(({ category }) => category))].toSorted();
  return kinds
    .map((kind) =>
      [
        kind,
        ...policies
          .filter(({ category }) => category === kind)
          .map(({ id, summary }) => `  ${id.padEnd(width)}  ${summary}`),
      ].join('\n'),
    )
    .join('\n\n');
}
