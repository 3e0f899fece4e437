import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { tempDir } from '../test/kit/temp-dir.ts';

/** What `isthmus el` says, and its exit status. */
const el = (...args: readonly string[]): Promise<readonly [said: string, code: number]> =>
  new Promise((resolve) => {
    execFile(process.execPath, [join(import.meta.dirname, 'cli.ts'), 'el', ...args], (error, stdout) =>
      resolve([stdout.trim(), error === null ? 0 : Number(error.code)]),
    );
  });

test('an expression is evaluated on the request of a file, with its type as JSON; what fails or cannot be read says why', async (t) => {
  const file = join(tempDir(t), 'request.yaml');
  writeFileSync(
    file,
    `request:
  method: POST
  path: /shop/orders/7
  contextPath: /shop/
  query: page=3
  headers: { X-Tag: [red, blue] }
  body: '{"lines":[{"sku":"a1","qty":2}]}'
attributes: { plan: gold }
properties: { env: prod }
dictionaries: { countries: { fr: France } }
`,
  );
  const on = ['--request', file];
  const rows = await Promise.all([
    el('{(7 / 2)}'),
    el("{#request.headers['X-Tag']} {#request.pathInfo} {#properties.env}", ...on),
    el("#dictionaries['countries']['fr']", ...on, '--json'),
    el('{#request.jsonContent.lines}', ...on, '--json'),
    el("{#request.headers['Nope']}", ...on),
    el("{#request.headers['Nope'][0]}", ...on),
    el('#request.metod', '--json'),
    el('plain text'),
    el('{()}'),
    el('()'),
    el('7 / '),
  ]);
  assert.deepEqual(rows.slice(0, 6), [
    ['3', 0],
    ['red,blue /orders/7 prod', 0],
    ['{"kind":"value","value":"France"}', 0],
    ['{"kind":"value","value":[{"sku":"a1","qty":2}]}', 0],
    ['nothing', 0],
    ['failed: [0] of nothing', 1],
  ]);
  assert.match(rows[6]?.[0] ?? '', /^\{"kind":"refused","why":".*did you mean method\?/);
  assert.equal(rows[6]?.[1], 1);
  const nothing = 'there is nothing between "(" and ")"; write an expression there';
  assert.deepEqual(rows.slice(7), [
    ['refused: unexpected "text" (at its character 7)', 1],
    [`refused: holds {()}: ${nothing} (at its character 2)`, 1],
    [`refused: ${nothing} (at its character 2)`, 1],
    ['refused: ends too early (at its end)', 1],
  ]);
});

test('a request is read from standard input; an unknown key of it is named', async () => {
  const given = (text: string, from: string) => {
    const args = [join(import.meta.dirname, 'cli.ts'), 'el', '#request.method', '--request', from];
    return spawnSync(process.execPath, args, { encoding: 'utf8', input: text });
  };
  assert.equal(given('request: { method: PUT }', '-').stdout, 'PUT\n');
  assert.equal(given('{\n\t"request": { "method": "PUT" }\n}', '/dev/stdin').stdout, 'PUT\n');
  assert.match(
    given('requets: {}', '-').stderr,
    /-: requets is unknown; allowed: request, response, attributes, properties, dictionaries, pathParams, subscription\./,
  );
  assert.match(
    given('request: { mehtod: PUT }', '-').stderr,
    /request\.mehtod is unknown; allowed: method, path, /,
  );
  assert.match(given('{"request": ', '-').stderr, /- .*\./);
});

test('a property that names another is what the gateway makes of it; without an expression it is said that there is none', async (t) => {
  const file = join(tempDir(t), 'request.yaml');
  writeFileSync(file, 'properties: { a: "1", b: "{{nope}}", c: "{{a}}{{b}}" }');
  assert.deepEqual(await el("{#properties['c']} {#api.properties.c}", '--request', file), [
    '1{{nope}} 1{{nope}}',
    0,
  ]);
  for (const none of ['', '  '])
    assert.deepEqual(await el(none), [
      'refused: there is no expression; write one, such as {#request.method}',
      1,
    ]);
});

test('the request file that the help shows is one', async (t) => {
  const [help] = await el('--help');
  const file = join(tempDir(t), 'request.yaml');
  writeFileSync(file, help.slice(help.indexOf('A request file:\n') + 'A request file:\n'.length));
  const said = await el(
    "{#request.method} {#request.pathInfo} {#dictionaries['countries']['fr']}",
    '--request',
    file,
  );
  assert.deepEqual(said, ['POST /orders/7 France', 0]);
});
