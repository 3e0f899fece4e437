import { groovyRefusals, groovyRows } from '../../proto/definition/groovy/table.ts';

/** What of Groovy is translated, as Markdown. */
export function groovyReference(): string {
  const rows = groovyRows.map(({ groovy, js, phase = 'request', content = false }) =>
    [
      `*${phase} phase${content ? ', with readContent and overrideContent' : ''}*`,
      '',
      '```groovy',
      groovy,
      '```',
      '',
      '```js',
      js,
      '```',
      '',
    ].join('\n'),
  );
  const refusals = groovyRefusals.map(
    ([groovy, told]) => `| \`${groovy.replaceAll('\n', ' ⏎ ').replaceAll('|', '\\|')}\` | ${told} |\n`,
  );
  return `# Scripts of Groovy

Generated from \`proto/definition/groovy\` by \`npm run generate\`; do not edit.

No gateway runs Groovy: the policy \`groovy\` is refused by name, and [\`js\`](policies/js.md) takes its place. \`isthmus check --convert\` shows each script of a
definition as JavaScript, \`isthmus convert\` writes it into the export. What is translated is made of the rows below: lines of them in any order, in
\`if\` and \`else\` with blocks or without, values joined by \`+\`, conditions by \`&&\`, \`||\` and \`!\`. Each row is sent through a gateway by a test. A script of which
anything is not in the table stays as it is, and the first such place is told with its line and column.

What is otherwise than in Groovy: without \`result.key\` an ended request has the key \`JS_RESULT_FAILURE\`, and a script that throws \`JS_EXECUTION_FAILURE\`; bounds are those of
\`policy.js\`. A header is read by \`getFirst\`, since \`headers.'X'\` is a list.

## What becomes what

${rows.join('\n')}
## What is refused

| Groovy | told |
|---|---|
${refusals.join('')}`;
}
