import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Fault } from '../../faults/fault.ts';
import { readApi } from '../read.ts';
import type { Json } from '../opened.ts';
import { type OpenApiWish, readOpenApi } from './open-api.ts';

const plain: OpenApiWish = { isFlowPerOperation: false, policies: [] };
const flows: OpenApiWish = { isFlowPerOperation: true, policies: [] };
const mocks: OpenApiWish = { isFlowPerOperation: false, policies: ['mock'] };

const info = { title: 'Boat hire', version: '3.1.4' };
const servers = [{ url: 'https://boats.example.com/v3/' }];
const paths = {};
const three = { openapi: '3.0.3', info, servers, paths };

/** The API as the reader of definitions takes it. */
const read = (document: object, wish = plain) =>
  readApi({ api: { ...exported(document, wish), id: 'boats' }, plans: [] }).api;
const exported = (document: object, wish = plain): Json => readOpenApi(document, wish)['api'] as Json;

/** Flows as method, path and steps. */
function flowsOf(document: object, wish = flows): readonly unknown[] {
  return (exported(document, wish)['flows'] as readonly Json[]).map(({ selectors, request }) => {
    const [{ methods, path }] = selectors as [{ methods: readonly string[]; path: string }];
    const steps = request as readonly Json[];
    return steps.length === 0
      ? `${methods.join()} ${path}`
      : [`${methods.join()} ${path}`, ...steps.map(({ configuration }) => configuration)];
  });
}

function detailsOf(document: unknown, wish = flows): readonly string[] {
  try {
    readOpenApi(document, wish);
  } catch (error) {
    assert.ok(error instanceof Fault, String(error));
    return error.details.map(({ path, message }) => `${path}: ${message}`);
  }
  return [];
}

describe('an OpenAPI document as an API', () => {
  test('has the name, version and description of its info, the path of its first server, and an endpoint for each', () => {
    const api = exported({
      ...three,
      info: { ...info, description: 'By the hour' },
      servers: [
        ...servers,
        { url: 'https://{region}.example.com/{none}', variables: { region: { default: 'eu' } } },
        { url: 'https://boats.example.com/v3/' },
        { url: '/relative' },
      ],
    });
    assert.deepEqual(
      [api['name'], api['apiVersion'], api['description']],
      ['Boat hire', '3.1.4', 'By the hour'],
    );
    const { listeners, endpointGroups } = read({ ...three });
    assert.deepEqual(
      listeners.flatMap((one) => ('paths' in one ? one.paths.map(({ path }) => path) : [])),
      ['/v3'],
    );
    assert.equal(endpointGroups.length, 1);
    const [{ endpoints }] = api['endpointGroups'] as [{ endpoints: readonly Json[] }];
    assert.deepEqual(
      endpoints.map(({ name, configuration }) => [name, (configuration as Json)['target']]),
      [
        ['default', 'https://boats.example.com/v3/'],
        ['default-2', 'https://eu.example.com/{none}'],
      ],
    );
  });

  test('version 2.0 has its backend in schemes, host and basePath', () => {
    const two = { swagger: '2.0', info, host: 'boats.example.com', basePath: '/api', paths };
    const targets = [
      [{ schemes: ['http', 'https'] }, 'https://boats.example.com/api'],
      [{ schemes: ['http'] }, 'http://boats.example.com/api'],
      [{}, 'https://boats.example.com/api'],
    ] as const;
    for (const [more, target] of targets) {
      const [{ endpoints }] = exported({ ...two, ...more })['endpointGroups'] as [{ endpoints: Json[] }];
      assert.deepEqual(endpoints[0]?.['configuration'], { target });
    }
    assert.match(JSON.stringify(exported(two)['listeners']), /"path":"\/api"/);
  });

  test('without a path of its server it stands under its name; without a server it needs a target', () => {
    const root = { ...three, servers: [{ url: 'https://boats.example.com' }] };
    assert.match(JSON.stringify(exported(root)['listeners']), /"path":"\/boathire"/);
    const nowhere = { ...three, servers: [{ url: '/api/v3' }] };
    assert.deepEqual(detailsOf(nowhere), [
      'servers: name no absolute http or https URL; add one, or say in `target` where the backend is',
    ]);
    const told = exported(nowhere, { ...plain, target: 'http://127.0.0.1:9' });
    assert.match(JSON.stringify(told), /"path":"\/api\/v3".*"target":"http:\/\/127\.0\.0\.1:9"/);
  });

  test('has a flow for each operation where they are wanted, with whole segments as parameters', () => {
    const get = { summary: 'One boat' };
    const document = {
      ...three,
      paths: {
        '/boats': { get: {}, post: {}, parameters: [], summary: 'x' },
        '/boats/{boat-id}.json/sails/{sail}': { get },
        '/shared': { $ref: '#/components/pathItems/shared' },
        'x-internal': {},
      },
      components: { pathItems: { shared: { delete: {} } } },
    };
    assert.deepEqual(flowsOf(document), [
      'GET /boats',
      'POST /boats',
      'GET /boats/:boat_id/sails/:sail',
      'DELETE /shared',
    ]);
    assert.deepEqual(exported(document)['flows'], []);
    read(document, flows);
  });

  test('a mock answers with the example of the first good answer, or with one that its schema makes', () => {
    const example = { application: 'x' };
    const boat = {
      type: 'object',
      properties: { name: { type: 'string', example: 'Gull' }, next: { $ref: '#/components/schemas/Boat' } },
    };
    const answers = (responses: object): object => ({
      ...three,
      paths: { '/a': { get: { responses } } },
      components: {
        schemas: { Boat: boat },
        responses: { Whole: { content: { 'application/json': { example } } } },
      },
    });
    const mockOf = (responses: object): unknown =>
      (flowsOf(answers(responses), mocks) as [[string, unknown]])[0][1];
    const json = [{ name: 'Content-Type', value: 'application/json' }];
    assert.deepEqual(mockOf({ 404: {}, 201: { $ref: '#/components/responses/Whole' } }), {
      status: '201',
      headers: json,
      content: JSON.stringify(example, undefined, 2),
    });
    assert.deepEqual(mockOf({ 204: { description: 'gone' } }), { status: '204', headers: [], content: '' });
    assert.deepEqual(
      mockOf({ default: { content: { 'text/plain': { examples: { one: { value: 'hi' } } } } } }),
      { status: '200', headers: [{ name: 'Content-Type', value: 'text/plain' }], content: 'hi' },
    );
    const made = mockOf({
      200: {
        content: {
          'application/xml': {},
          'application/json': { schema: { $ref: '#/components/schemas/Boat' } },
        },
      },
    }) as { content: string };
    assert.equal((JSON.parse(made.content) as Json)['name'], 'Gull');
    const expression = mockOf({ 200: { content: { 'text/plain': { example: '{#request.headers}' } } } }) as {
      content: string;
    };
    assert.equal(expression.content, '', 'an example is no expression');
    read(answers({ 200: { $ref: '#/components/responses/Whole' } }), mocks);

    const two = {
      swagger: '2.0',
      info,
      host: 'h',
      produces: ['application/xml'],
      paths: { '/a': { get: { responses: { 200: { examples: { 'application/json': { a: 1 } } } } } } },
    };
    assert.deepEqual(
      (flowsOf(two, mocks) as [[string, { content: string }]])[0][1].content,
      '{\n  "a": 1\n}',
    );
  });

  test('what OpenAPI has no word for stands in its extension, and what of it is not taken is refused by name', () => {
    const extension = {
      virtualHosts: [{ host: 'boats.example.com', path: '/a', overrideEntrypoint: true }],
      categories: ['sea'],
      labels: ['wet'],
      tags: ['external'],
      visibility: 'public',
      properties: [{ key: 'a', value: 'b' }],
    };
    const api = exported({ ...three, 'x-graviteeio-definition': extension });
    assert.deepEqual(
      ['categories', 'labels', 'tags', 'visibility'].map((key) => api[key]),
      [['sea'], ['wet'], ['external'], 'PUBLIC'],
    );
    assert.deepEqual((api['listeners'] as [Json])[0]['paths'], [
      { host: 'boats.example.com', path: '/a', overrideAccess: true },
    ]);
    const refused = detailsOf({
      ...three,
      'x-graviteeio-definition': { picture: 'data:', metadata: [], virtualHosts: 'x', colour: 'red' },
    });
    assert.deepEqual(
      refused.map((detail) => detail.split(':', 1)[0]),
      ['colour', 'picture', 'metadata', 'virtualHosts'].map((key) => `x-graviteeio-definition.${key}`),
    );
  });

  test('is kept as a resource where messages are to be held against it, by a step in front of each flow and one for the rest', () => {
    const document = {
      ...three,
      paths: { '/boats': { get: {} } },
      'x-graviteeio-definition': { properties: [{ key: 'a', value: 'hidden' }] },
    };
    const api = exported(document, { ...mocks, isValidated: true });
    const [resource] = api['resources'] as [
      { name: string; type: string; configuration: { content: string } },
    ];
    assert.deepEqual(
      [resource.name, resource.type],
      ['OpenAPI Specification', 'content-provider-inline-resource'],
    );
    assert.deepEqual(JSON.parse(resource.configuration.content), {
      openapi: '3.0.3',
      info,
      servers,
      paths: document.paths,
    });
    const stepsOf = (phase: string) =>
      (api['flows'] as readonly Json[]).map((flow) =>
        (flow[phase] as readonly Json[]).map(({ policy }) => policy),
      );
    assert.deepEqual(stepsOf('request'), [['oas-validation'], ['oas-validation', 'mock']]);
    assert.deepEqual(stepsOf('response'), [['oas-validation'], ['oas-validation']]);
    const [first] = api['flows'] as [Json];
    assert.deepEqual(first['selectors'], [
      { type: 'HTTP', path: '/', pathOperator: 'STARTS_WITH', methods: [] },
    ]);
    read(document, { ...plain, isValidated: true });
    const told = (wrong: object) => detailsOf({ ...three, ...wrong }, { ...plain, isValidated: true }).join();
    assert.match(
      told({ openapi: undefined, swagger: '2.0', host: 'h' }),
      /^swagger: is 2\.0; versions 3\.0 and 3\.1/,
    );
    const schema = { minimun: 1 };
    const faulty = { '/a': { get: { parameters: [{ name: 'n', in: 'query', schema }] } } };
    assert.match(told({ paths: faulty }), /^paths\.\/a\.get\.parameters\.0\.schema\.minimun: is no keyword/);
    assert.match(told({ 'x-long': 'y'.repeat(1_048_576) }), /^: is longer than 1048576 characters as JSON/);
  });

  test('whatever is no OpenAPI document is refused by name', () => {
    const refusals: readonly (readonly [unknown, RegExp])[] = [
      ['x', /^: must be an OpenAPI document/],
      [{}, /^openapi: is needed/],
      [{ openapi: '4.0.0' }, /^openapi: is "4\.0\.0"; versions 2\.0, 3\.0 and 3\.1 are read/],
      [{ swagger: '1.2' }, /^swagger: is "1\.2"/],
      [{ ...three, info: {} }, /^info\.title: is needed/],
      [{ ...three, info: { title: 'x' } }, /^info\.version: is needed/],
      [{ openapi: '3.0.0', info, servers }, /^paths: is needed/],
      [{ ...three, paths: { boats: {} } }, /^paths\.boats: must begin with \//],
      [{ ...three, paths: { '/a': 7 } }, /^paths\.\/a: must be an object/],
      [
        { ...three, paths: { '/a': { $ref: 'file:///etc/passwd' } } },
        /^paths\.\/a: refers to "file:\/\/\/etc\/passwd", which is not in the document/,
      ],
      [{ ...three, paths: { '/a': { $ref: 'http://169.254.169.254/' } } }, /^paths\.\/a: refers to/],
      [{ ...three, paths: { '/a': { $ref: '#/paths/~1a' } } }, /^paths\.\/a: refers to/],
      [{ ...three, paths: { '/a': { $ref: '#/__proto__' } } }, /^paths\.\/a: refers to/],
    ];
    for (const [document, told] of refusals) assert.match(detailsOf(document).join('\n'), told);
    const many = Object.fromEntries(Array.from({ length: 2_001 }, (_, n) => [`/a${n}`, { get: {} }]));
    assert.deepEqual(detailsOf({ ...three, paths: many }), ['paths: has more than 2000 operations']);
  });
});
