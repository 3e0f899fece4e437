import assert from 'node:assert/strict';
import { test } from 'node:test';

import { withoutGroovy } from './steps.ts';
import { groovyRefusals, groovyRows } from './table.ts';
import { type GroovyScript, translateGroovy } from './translate.ts';

const script = (text: string, given: Partial<GroovyScript> = {}): GroovyScript => ({
  text,
  phase: 'request',
  readsContent: false,
  overrides: false,
  ...given,
});
function told(given: GroovyScript): string {
  const made = translateGroovy(given);
  return made.kind === 'js' ? made.script : `${made.fault.line}:${made.fault.column} ${made.fault.message}`;
}

test('each row becomes the JavaScript that stands beside it', () => {
  for (const { groovy, js, phase = 'request', content = false } of groovyRows)
    assert.equal(told(script(groovy, { phase, readsContent: content, overrides: content })), js, groovy);
});

test('what is not in the table is refused with its line and column', () => {
  for (const [groovy, wanted] of groovyRefusals) {
    const said = told(script(groovy));
    assert.ok(said.startsWith(wanted), `${groovy}\n${said}`);
  }
  const body = { readsContent: true, overrides: true } as const;
  assert.match(told(script("request.headers.'X-A' = 'a'", body)), /^1:28 the script ends without a value/);
  assert.match(
    told(script("if (1 < 2) { 'a' }\n'b'", body)),
    /^1:14 the value of the script stands at its end/,
  );
  assert.match(told(script("'a'\n'b'", body)), /^1:1 is not in the table/);
  assert.match(told(script('if (1 < 2) {'.repeat(30))), /blocks are nested deeper than 20/);
});

test('whether something is there is asked as a whole, whatever stands before it or beside it', () => {
  const conditionOf = (groovy: string): string =>
    told(script(`if (${groovy}) context.attributes.a = 'b'`)).split('\n')[0] ?? '';
  const [header, parameter] = ['(request.header("X") != null)', '(request.parameter("q") != null)'];
  for (const [groovy, js] of [
    ["!request.headers.containsKey('X')", `!${header}`],
    ["!!request.parameters.containsKey('q')", `!!${parameter}`],
    ["!request.headers.containsKey('X') == true", `!${header} === true`],
    ["request.headers.containsKey('X') != request.parameters.containsKey('q')", `${header} !== ${parameter}`],
    ["'a' + request.headers.containsKey('X') == 'atrue'", `"a" + ${header} === "atrue"`],
  ] as const)
    assert.equal(conditionOf(groovy), `if (${js}) {`, groovy);
});

test('a number that Groovy reads by eights, and a name that no variable can have, are refused', () => {
  for (const number of ['010', '-07', '00'])
    assert.match(told(script(`context.attributes.a = ${number}`)), /^1:24 is not in the table/, number);
  assert.equal(told(script('context.attributes.a = 0')), 'context.set("a", 0);');
  for (const name of ['NaN', 'Infinity', 'undefined', 'await'])
    assert.match(told(script(`def ${name} = 'a'`)), /cannot be the name of a variable/, name);
});

test('a long script, and one that is made to be slow, take time that grows with their length', () => {
  const long = "request.headers.'X-A' = 'a'\n".repeat(2_000);
  assert.match(told(script(long)), /^request\.headers/);
  const chain = "if (request.method == 'GET') {} else ".repeat(20_000);
  assert.match(told(script(`${chain}{}`)), /^if /);
  assert.match(told(script('if (1 < 2) '.repeat(20_000))), /blocks are nested deeper than 20/);
  for (const hostile of [
    '('.repeat(5_000),
    `'${'\\\\'.repeat(30_000)}`,
    '!'.repeat(5_000),
    '/*'.repeat(30_000),
  ])
    assert.match(told(script(`if (${hostile}`)), /^1:\d+ /);
});

test('steps of both versions are translated where they stand, and what is not stays with its place', () => {
  const flow = {
    pre: [
      { policy: 'groovy', name: 'a', configuration: '{"onRequestScript":"request.headers.remove \'X\'"}' },
    ],
    response: [
      {
        policy: 'groovy',
        configuration: { script: "response.content + '!'", readContent: true, overrideContent: true },
      },
      { policy: 'groovy', configuration: { onRequestScript: 'x', onResponseScript: 'y' } },
      { policy: 'groovy', configuration: { onRequestScript: "request.headers.remove 'X'" } },
      { policy: 'groovy', configuration: { script: 'a.b()' } },
      { policy: 'mock' },
    ],
  };
  const { document, steps } = withoutGroovy({ api: { flows: [flow] } });
  assert.deepEqual(document, {
    api: {
      flows: [
        {
          pre: [
            {
              policy: 'js',
              name: 'a',
              configuration: {
                script: 'request.headers().remove("X");',
                readContent: false,
                overrideContent: false,
              },
            },
          ],
          response: [
            {
              policy: 'js',
              configuration: {
                script: 'response.content(response.content() + "!");',
                readContent: true,
                overrideContent: true,
              },
            },
            ...flow.response.slice(1),
          ],
        },
      ],
    },
  });
  assert.deepEqual(
    steps.map(({ path, message }) => [path.replace('api.flows[0].', ''), message.split(';')[0]]),
    [
      ['pre[0]', 'was written as JavaScript, for the policy js'],
      ['response[0]', 'was written as JavaScript, for the policy js'],
      ['response[1]', 'must hold one script, of its phase'],
      ['response[2]', 'must hold one script, of its phase'],
      ['response[3]', 'script, line 1, column 1: is not in the table: "a.b()"'],
    ],
  );
});
