import { refusedBuiltIns } from '../../../proto/freemarker/built-ins/index.ts';
import { refusedDirectives } from '../../../proto/freemarker/directives.ts';
import { modelMembers } from '../../../proto/freemarker/model.ts';
import { specialNames } from '../../../proto/freemarker/specials.ts';
import { builtInConstructs } from './built-ins.ts';
import { tagConstructs } from './tags.ts';

/** What a template may hold: how it is written, an example, and what that gives. */
export type ConstructRow = readonly [construct: string, template: string, gives: string];

/** Constructs of a kind. */
export interface ConstructGroup {
  readonly title: string;
  readonly rows: readonly ConstructRow[];
}

/** Everything that templates of this version may hold. */
export const constructs: readonly ConstructGroup[] = [...tagConstructs, ...builtInConstructs];

/** What of FreeMarker is refused when an API is deployed, by how it is written, with what to do instead. */
export const refusedConstructs: readonly (readonly [construct: string, instead: string])[] = [
  ...[...refusedDirectives].map(([name, instead]) => [`<#${name}>`, instead] as const),
  ...[...refusedBuiltIns].map(([name, instead]) => [`?${name}`, instead] as const),
  ...[...specialNames]
    .filter(([, instead]) => instead !== 'known')
    .map(([name, instead]) => [`.${name}`, instead] as const),
];

/** What the reference shows first. */
export const firstExample = `<#assign order = request.content?eval_json>
{
  "id": "\${order.id?c}",
  "plan": "\${context.attributes['plan']}",
  "tenant": "\${(request.headers['X-Tenant'][0])!'none'}",
  "lines": [<#list order.lines as line>{"sku": "\${line.sku?json_string}"}<#sep>, </#list>]
}`;

const introduction = `# Templates

Generated from \`proto/freemarker\` by \`npm run generate\`; do not edit.

The body of [\`policy-assign-content\`](policies/policy-assign-content.md) is a template of FreeMarker, as the reference product's is. What stands below is
supported, each row by a test; everything else of FreeMarker is refused when the API is deployed, with its line, its character and the nearest name.

\`\`\`
${firstExample}
\`\`\`

- **Nothing is escaped unasked.** A value inside JSON wants \`?json_string\`, inside XML \`?xml\`; \`<#escape x as x?json_string>\` does it for all of them.
- **Numbers are written for people**: \`\${1234.5}\` is \`1,234.5\`. For computers there is \`?c\`, or \`<#setting number_format="computer">\` at the beginning. A boolean has
  no text of its own: \`?c\` or \`?then("yes", "no")\`.
- **What is missing fails**, and the request ends with 500 \`ASSIGN_CONTENT_ERROR\`; the access record says why. \`x!"other"\` stands in for the last name alone,
  \`(x.y.z)!"other"\` for any of them.
- **What can never be there is refused** when the API is deployed, with its line, its character and the nearest name: a variable that is not given and nowhere assigned in the
  template, a member that the request, the answer or the context does not have (\`request.hedaers\`), \`response\` in the request phase. As in FreeMarker it may stand where
  it is forgiven: before \`!\`, in parentheses before \`!\`, inside \`<#attempt>\`; and anywhere in a template that asks for it by \`??\` or \`?has_content\`. What the names of headers, attributes and
  dictionaries stand for, and members whose names are worked out, only a request shows.
- Headers and parameters are lists: \`request.headers['X-Tenant'][0]\`. Names of headers are found whatever their case.
- Numbers are exact decimals; a division has twelve digits behind the point. The locale is en_US, the time zone UTC.
- \`?eval\` reads literals alone, such as JSON: FreeMarker would work out whatever a caller sends. \`?url\` is UTF-8 where nothing is said. Patterns are matched in linear time: no looking
  around, no references back.
- Only a template that names a body (\`content\`, \`jsonContent\`, \`xmlContent\`), or asks for a member by a name that it works out, has the body of its phase read whole first.

A template has at most 256 Ki characters and is nested at most 100 deep. It makes at most 8 Mi characters, and a list of at most 100,000 items, of texts up to a
million characters, with macros and blocks nested at most 500 deep. All expressions and templates of a request share a budget of work, some 40 ms; past it the template fails.
`;

/** What templates know, as Markdown. */
export function templateReference(): string {
  const model = [...modelMembers].map(
    ([name, members]) =>
      `| \`${name}\` | ${members()
        .map((member) => `\`${member}\``)
        .join(', ')} |\n`,
  );
  const groups = constructs.map(
    ({ title, rows }) =>
      `## ${title}\n\n| | example | gives |\n|---|---|---|\n${rows.map(([construct, template, gives]) => `| ${code(construct)} | ${code(template)} | ${code(gives)} |\n`).join('')}`,
  );
  const refused = refusedConstructs.map(
    ([construct, instead]) => `| ${code(construct)} | ${instead.replaceAll('|', '\\|')} |\n`,
  );
  return [
    introduction,
    `## What a template is given\n\n| | members |\n|---|---|\n${model.join('')}\n\`response\` is there in the response phase alone. A member may be written as Java's getter: \`request.getContent()\`. [Expressions](expressions.md) say what each member is.\n`,
    ...groups,
    `## Refused\n\n| | instead |\n|---|---|\n${refused.join('')}`,
  ].join('\n');
}

/** In a cell of a table; a text with back quotes in it stands between two of them. */
function code(text: string): string {
  if (text === '') return '';
  const shown = text.replaceAll('|', '\\|').replaceAll('\n', '⏎');
  return /^[ `]|[ `]$/.test(shown) ? `\`\` ${shown} \`\`` : `\`${shown}\``;
}
