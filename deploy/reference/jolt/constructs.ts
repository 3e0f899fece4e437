import { changeConstructs } from './changes.ts';
import { functionConstructs } from './functions.ts';
import { shiftConstructs } from './shift.ts';

/** What an operation may hold: how it is written, and an example with what comes in and goes out. */
export type ConstructRow = readonly [
  construct: string,
  operation: string,
  spec: unknown,
  input: unknown,
  output: unknown,
];

/** Constructs of one kind. */
export interface ConstructGroup {
  readonly title: string;
  readonly about: string;
  readonly rows: readonly ConstructRow[];
}

/** Everything that a transformation may hold. */
export const constructs: readonly ConstructGroup[] = [
  shiftConstructs,
  ...changeConstructs,
  functionConstructs,
];

/** What is refused when an API is deployed: how it is written, an example, a part of what is said. */
export const refusedConstructs: readonly (readonly [
  construct: string,
  operation: string,
  spec: unknown,
  says: string,
])[] = [
  ['a class of Java', 'com.example.Custom', {}, 'classes are not loaded'],
  ['another operation', 'enrich', {}, '"enrich" is not supported'],
  ['no `spec`', 'shift', undefined, 'must be an object'],
  ['a number for a path', 'shift', { a: 1 }, 'must be a path'],
  ['an empty name', 'shift', { a: 'x..y' }, 'holds an empty name'],
  ['an index that is a word', 'shift', { a: 'x[y]' }, '[y] is no index'],
  ['`#` in a key', 'shift', { 'a#2': 'x' }, 'counts with #, which only a path may'],
  ['rules below `$`, `#text`, `@`', 'shift', { $: { a: 'x' } }, 'can have no rules below it'],
  ['a list for a name', 'default', { 'a[]': { x: 1 } }, 'is no index'],
  ['`a*` in defaults', 'default', { 'a*': 1 }, 'holds a star beside other characters'],
  ['defaults of a list that are none', 'default', { 'a[]': [1] }, 'its defaults are an object'],
  ['another word than ONE, MANY', 'cardinality', { a: 'SOME' }, 'must be ONE, MANY or rules'],
  ['`&` in a cardinality', 'cardinality', { '&1': 'ONE' }, 'refers to something'],
  ['`@` at the top', 'cardinality', { '@': 'ONE' }, 'has no effect'],
  ['a context', 'modify-overwrite-beta', { a: '^name' }, 'reads a context'],
  ['another function', 'modify-overwrite-beta', { a: '=uuid' }, 'calls no function that there is'],
  ['a reference for a key', 'modify-overwrite-beta', { '@(1,a)': 'x' }, 'refers to something'],
  ['half a reference', 'modify-overwrite-beta', { a: '@name' }, 'is no reference'],
  ['names beside indexes', 'modify-overwrite-beta', { a: { x: 1, '[0]': 2 } }, 'mixes names of an object'],
  ['`[x]`', 'modify-overwrite-beta', { a: { '[x]': 1 } }, '[x] is no index'],
];

const introduction = `# Transformations

Generated from \`proto/expression/jolt\` by \`npm run generate\`; do not edit.

The policy [\`json-to-json\`](policies/json-to-json.md), dictionaries and dynamic properties transform JSON by specifications of JOLT, as the reference product does: a list of
operations, which run one after the other, or one alone:

\`\`\`json
[
  { "operation": "shift", "spec": { "customer": { "name": "client.name", "*": "client.more.&" } } },
  { "operation": "default", "spec": { "client": { "country": "PL" } } },
  { "operation": "modify-overwrite-beta", "spec": { "client": { "name": "=toUpper" } } }
]
\`\`\`

Each row below runs in a test; what is not supported is refused when the API is deployed, by its operation and place.

- **Numbers** are those of JSON: there is no difference between 2 and 2.0, and whole numbers keep all of their digits.
- **Order**: names stay in their order, those that are whole numbers (\`"10"\`) come first.
- **Bounds**: 50 operations, two million steps together; what an operation makes has at most 200,000 values, 4 Mi characters, 64 levels, lists of 100,000 items, keys of 16,384 characters. Past them the
  transformation fails.
- **Otherwise than the reference**: \`min\` and \`max\` compare 1 and 1.5 as numbers, where the reference takes the whole one for as large.
`;

/** What transformations know, as Markdown. */
export function joltReference(): string {
  const groups = constructs.map(({ title, about, rows }) => {
    const isModify = rows.some(([, operation]) => operation.startsWith('modify'));
    const lines = rows.map(([construct, operation, spec, input, output]) => {
      const shown = isModify && !title.startsWith('Functions') ? `${modeOf(operation)} ` : '';
      return `| ${cell(construct)} | ${shown}${code(spec)} | ${code(input)} | ${code(output)} |\n`;
    });
    return `## ${title}\n\n${about}\n\n| | spec | in | out |\n|---|---|---|---|\n${lines.join('')}`;
  });
  const refused = refusedConstructs.map(
    ([construct, operation, spec]) => `| ${cell(construct)} | \`${operation}\` ${code(spec)} |\n`,
  );
  return [introduction, ...groups, `## Refused\n\n| | example |\n|---|---|\n${refused.join('')}`].join('\n');
}

const modeOf = (operation: string): string => operation.split('-')[1] ?? '';
const cell = (text: string): string => text.replaceAll('|', '\\|');
const code = (value: unknown): string => (value === undefined ? '' : `\`${cell(JSON.stringify(value))}\``);
