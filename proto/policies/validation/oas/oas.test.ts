import assert from 'node:assert/strict';
import { test } from 'node:test';

import { beginJudging } from '../json-schema/together.ts';
import { oasCharsMax, oasYamlCharsMax, readOas } from './oas.ts';
import { operationsMax, parametersMax } from './operations.ts';
import { oasSubschemasMax } from './schemas.ts';

const info = { title: 'x', version: '1' };
const withSchemas = (schemas: object, version = '3.0.3') => ({
  openapi: version,
  info,
  paths: {
    '/a': {
      post: {
        requestBody: { content: { 'application/json': { schema: { $ref: '#/components/schemas/A' } } } },
      },
    },
  },
  components: { schemas },
});

const faultsOf = (document: object | string): readonly string[] => {
  const read = readOas(typeof document === 'string' ? document : JSON.stringify(document));
  return read.kind === 'oas' ? [] : read.faults.map(({ path, message }) => `${path}: ${message}`);
};

/** What holding a body against the schema A comes to. */
function judged(document: object, value: unknown): string | undefined {
  const read = readOas(JSON.stringify(document));
  assert.ok(read.kind === 'oas', JSON.stringify(read));
  const name = read.oas.paths
    .find('/a', true)
    ?.item.get('POST')
    ?.body?.content.get('application/json')?.schema;
  beginJudging('request');
  const judge = read.oas.schemas.judgeOf(name ?? '');
  assert.ok(judge !== undefined);
  return judge(value);
}

test('references lead anywhere in the document, in circles too, and never out of it', () => {
  const circle = withSchemas({
    A: {
      type: 'object',
      properties: { next: { $ref: '#/components/schemas/B' }, size: { type: 'integer' } },
    },
    B: {
      anyOf: [
        { $ref: '#/components/schemas/A' },
        { $ref: '#/components/schemas/A/properties/size' },
        { type: 'string' },
      ],
    },
  });
  assert.equal(judged(circle, { next: { next: 'end' } }), undefined);
  assert.match(String(judged(circle, { next: { next: true } })), /must/);
  const escaped = withSchemas({
    A: { $ref: '#/paths/~1a/post/x-schemas/b%20c' },
  });
  Object.assign(escaped.paths['/a'].post, { 'x-schemas': { 'b c': { type: 'integer' } } });
  assert.equal(judged(escaped, 1), undefined);
  for (const ref of [
    'http://169.254.169.254/latest',
    'file:///etc/passwd',
    'other.yaml#/A',
    '#/components/schemas/None',
    '#/__proto__',
    '#/constructor/prototype',
    '#/components/schemas/%zz',
    'A',
  ])
    assert.match(
      faultsOf(withSchemas({ A: { items: { $ref: ref } } }))[0] ?? '',
      /^\/components\/schemas\/A\/items: refers to .*not in the document/,
      ref,
    );
  assert.match(
    faultsOf({ openapi: '3.0.0', info, paths: { '/a': { $ref: '#/paths/~1a' } } })[0] ?? '',
    /^\/paths\/~1a: must be an object/,
  );
});

test('a body is judged in bounded time, whatever the document and the body ask for together', () => {
  const schemas: Record<string, object> = { L40: { type: 'string' } };
  for (let level = 0; level < 40; level += 1) {
    const next = { $ref: `#/components/schemas/L${level + 1}` };
    schemas[`L${level}`] = { anyOf: [next, next] };
  }
  schemas['A'] = { $ref: '#/components/schemas/L0' };
  assert.match(String(judged(withSchemas(schemas), 7)), /more work than they may/);
  let deep: unknown = {};
  for (let level = 0; level < 100_000; level += 1) deep = { a: deep };
  const nested = withSchemas({ A: { properties: { a: { $ref: '#/components/schemas/A' } } } });
  assert.match(String(judged(nested, deep)), /nested too deep|more work/);
  const slow = withSchemas({ A: { type: 'string', pattern: '^(a+)+$' } });
  assert.match(String(judged(slow, `${'a'.repeat(50_000)}!`)), /must match pattern|more work/);
});

test('a document has at most so many characters, operations, parameters and schemas', () => {
  const filled = (chars: number) => {
    const text = JSON.stringify({ openapi: '3.0.0', info, paths: {}, 'x-': '' });
    return text.replace('"x-":""', `"x-":"${'y'.repeat(chars - text.length)}"`);
  };
  assert.deepEqual(faultsOf(filled(oasCharsMax)), []);
  assert.match(faultsOf(filled(oasCharsMax + 1))[0] ?? '', /longer than 1048576 characters/);
  const yaml = (chars: number) => 'openapi: 3.0.0\npaths: {}\n'.padEnd(chars, '#');
  assert.deepEqual(faultsOf(yaml(oasYamlCharsMax)), []);
  assert.match(faultsOf(yaml(oasYamlCharsMax + 1))[0] ?? '', /longer than 262144 characters; as JSON/);
  const operations = (count: number) => ({
    openapi: '3.0.0',
    paths: Object.fromEntries(Array.from({ length: count }, (_, n) => [`/a${n}`, { get: {} }])),
  });
  assert.deepEqual(faultsOf(operations(operationsMax)), []);
  assert.match(faultsOf(operations(operationsMax + 1))[0] ?? '', /^\/paths: has more than 2000 operations/);
  const parameters = (count: number) => ({
    openapi: '3.0.0',
    paths: {
      '/a': {
        get: { parameters: Array.from({ length: count }, (_, n) => ({ name: `p${n}`, in: 'query' })) },
      },
    },
  });
  assert.deepEqual(faultsOf(parameters(parametersMax)), []);
  assert.match(faultsOf(parameters(parametersMax + 1))[0] ?? '', /more than 200 parameters/);
  // What holds them is one, and so are A and what refers to it.
  const wide = (count: number) =>
    withSchemas({
      A: { properties: Object.fromEntries(Array.from({ length: count - 3 }, (_, n) => [`p${n}`, {}])) },
    });
  assert.deepEqual(faultsOf(wide(oasSubschemasMax)), []);
  assert.match(faultsOf(wide(oasSubschemasMax + 1))[0] ?? '', /one of more than 20000 schemas/);
});

test('YAML that holds itself, or multiplies what it holds, is refused', () => {
  const head = 'openapi: 3.0.0\npaths: {/a: {get: {parameters: [{name: n, in: query, schema: ';
  assert.match(
    faultsOf(`${head}&a {properties: {x: *a, y: *a}}}]}}}`)[0] ?? '',
    /nested deeper than 64 schemas/,
  );
  const bomb = [
    'a0: &a0 [x]',
    ...Array.from({ length: 9 }, (_, n) => `a${n + 1}: &a${n + 1} [${Array(9).fill(`*a${n}`).join()}]`),
  ];
  assert.match(faultsOf(bomb.join('\n'))[0] ?? '', /neither JSON nor YAML.*alias/i);
  for (const deep of [`a: ${'['.repeat(15_000)}`, `a: ${'{a: '.repeat(15_000)}`, `${'- '.repeat(15_000)}a`])
    assert.deepEqual(faultsOf(deep), [': is nested too deeply']);
});

test('what is no document, or says what is not known, is refused with its place', () => {
  const schema = (one: object, version?: string) =>
    faultsOf(withSchemas({ A: { properties: { b: one } } }, version))[0];
  assert.match(
    String(schema({ minimun: 1 })),
    /^\/components\/schemas\/A\/properties\/b\/minimun: is no keyword/,
  );
  assert.match(String(schema({ type: 'txt' })), /^\/components\/schemas\/A\/properties\/b\/type: must/);
  assert.match(String(schema({ pattern: '(?=a)b' })), /^\/components\/schemas\/A\/properties\/b\/pattern: /);
  assert.match(String(schema({ $dynamicRef: '#a' }, '3.1.0')), /\/\$dynamicRef: is not supported/);
  assert.equal(
    schema({ 'x-own': 1, format: 'paint', example: 1, discriminator: { propertyName: 'a' } }),
    undefined,
  );
  const parameter = (one: object) =>
    faultsOf({
      openapi: '3.0.0',
      paths: { '/a': { get: { parameters: [{ name: 'n', in: 'query', ...one }] } } },
    })[0];
  assert.match(
    String(parameter({ style: 'matrix' })),
    /^\/paths\/~1a\/get\/parameters\/0\/style: is not supported/,
  );
  assert.match(String(parameter({ in: 'body' })), /\/in: must be path, query, header or cookie/);
  assert.match(String(parameter({ content: { 'text/xml': {} } })), /\/content: must be JSON/);
  assert.match(
    String(faultsOf({ openapi: '3.0.0', paths: { '/a': { get: { security: [{ key: [] }] } } } })[0]),
    /^\/paths\/~1a\/get\/security\/0\/key: names no known scheme/,
  );
  for (const [document, told] of [
    ['7', /must be an OpenAPI document/],
    ['{"swagger":"2.0"}', /^\/swagger: is 2\.0; versions 3\.0 and 3\.1 are read/],
    ['{"openapi":"4.0.0"}', /^\/openapi: must be 3\.0 or 3\.1/],
    ['{"openapi":"3.1.0","jsonSchemaDialect":"x","paths":{}}', /^\/jsonSchemaDialect: /],
    ['{"openapi":"3.1.0"}', /^\/paths: is required/],
    ['{"openapi":"3.0.0","paths":{"a":{}}}', /^\/paths\/a: must begin with \//],
  ] as const)
    assert.match(faultsOf(document)[0] ?? '', told);
});
