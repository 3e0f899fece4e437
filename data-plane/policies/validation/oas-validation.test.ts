import assert from 'node:assert/strict';
import { test } from 'node:test';

import { catalog } from '../../../proto/policies/catalog.ts';
import { startBackend } from '../../../test/kit/engine/raw-peer.ts';
import { apiDefinition, call, flow, startLocalGateway } from '../../../test/kit/gateway/gateway.ts';
import { type CallWish, startPolicy } from '../../../test/kit/gateway/policies.ts';

const json = { 'Content-Type': 'application/json' };
const form = { 'Content-Type': 'application/x-www-form-urlencoded' };
const components = {
  schemas: {
    Boat: {
      type: 'object',
      required: ['id', 'name', 'key'],
      properties: {
        id: { type: 'integer', readOnly: true },
        name: { type: 'string', nullable: true, maxLength: 10 },
        key: { type: 'string', writeOnly: true },
        tows: { $ref: '#/components/schemas/Boat' },
        length: { type: 'number', minimum: 0, exclusiveMinimum: true },
        colour: { type: 'string', format: 'paint' },
      },
      additionalProperties: false,
    },
  },
  parameters: { Page: { name: 'page', in: 'query', schema: { type: 'integer', minimum: 1 } } },
  securitySchemes: {
    key: { type: 'apiKey', in: 'header', name: 'X-Key' },
    token: { type: 'http', scheme: 'bearer' },
    seat: { type: 'apiKey', in: 'cookie', name: 'seat' },
  },
};
const boat = { 'application/json': { schema: { $ref: '#/components/schemas/Boat' } } };
const query = (name: string, schema: object, more: object = {}) => ({ name, in: 'query', schema, ...more });
const paths = {
  '/boats': {
    get: {
      parameters: [
        { $ref: '#/components/parameters/Page' },
        query('colours', { type: 'array', items: { enum: ['red', 'blue'] } }),
        query('ids', { type: 'array', items: { type: 'integer' }, maxItems: 2 }, { explode: false }),
        query(
          'piped',
          { type: 'array', items: { type: 'boolean' } },
          { style: 'pipeDelimited', explode: false },
        ),
        query(
          'filter',
          { type: 'object', properties: { size: { type: 'integer' } }, additionalProperties: false },
          { style: 'deepObject' },
        ),
        { name: 'X-Depth', in: 'header', required: true, schema: { type: 'number' } },
        { name: 'crew', in: 'cookie', schema: { type: 'string', pattern: '^[a-z]+$' } },
        { name: 'Authorization', in: 'header', required: true, schema: { type: 'integer' } },
        { name: 'where', in: 'query', content: { 'application/json': { schema: { type: 'object' } } } },
      ],
      responses: {
        200: {
          content: {
            'application/json': { schema: { type: 'array', items: { $ref: '#/components/schemas/Boat' } } },
          },
        },
        '4XX': { content: { 'text/*': {} } },
      },
    },
    post: {
      requestBody: { required: true, content: { ...boat, 'image/*': {} } },
      responses: { default: { description: 'anything' } },
      security: [{ key: [], seat: [] }, { token: [] }],
    },
  },
  '/boats/{id}': {
    parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'integer' } }],
    get: { responses: { 200: { description: 'none' } } },
  },
  '/boats/mine': { get: { responses: {} } },
  '/boats/{id}.{kind}': {
    parameters: [
      { name: 'id', in: 'path', required: true, schema: { type: 'integer' } },
      { name: 'kind', in: 'path', required: true, schema: { enum: ['pdf'] } },
    ],
    get: { responses: {} },
  },
  '/crew': {
    post: {
      requestBody: {
        content: {
          'application/x-www-form-urlencoded': {
            schema: {
              type: 'object',
              required: ['age'],
              properties: { age: { type: 'integer' }, tags: { type: 'array', items: { type: 'string' } } },
            },
          },
        },
      },
      responses: {},
    },
  },
};
const document = { openapi: '3.0.3', info: { title: 'Boats', version: '1' }, paths, components };
const sourceJson = JSON.stringify(document);

interface Asked extends CallWish {
  readonly path?: string;
  readonly method?: string;
  readonly query?: string;
}

/** What a request comes to: `passes`, or the errors that are told. */
async function request(
  { path = '/boats', method = 'GET', query: asked, ...more }: Asked,
  options: object = {},
  config: object = { sourceJson },
) {
  const call = startPolicy('oas-validation', { ...config, validationOptions: options }).call({
    ...more,
    headers: { 'X-Depth': '1', ...more.headers },
    request: { method, path: `/a${path}`, query: asked, ...more.request },
  });
  const verdict = await call.pass();
  if (verdict?.kind !== 'reject') return { said: 'passes', call };
  assert.deepEqual([verdict.key, verdict.status], ['OAS_VALIDATION_ERROR', 400]);
  const { errors } = JSON.parse(verdict.content?.body ?? '{}') as { errors: readonly string[] };
  return { said: errors.join('; '), call };
}

async function answer(
  {
    path = '/boats',
    status = 200,
    headers = json,
    body = '[]',
  }: { path?: string; status?: number; headers?: Record<string, string>; body?: string },
  options: object = {},
): Promise<string> {
  const call = startPolicy(
    'oas-validation',
    { sourceJson, validationOptions: options },
    { place: { phase: 'response' } },
  ).call({ request: { path: `/a${path}` } });
  const verdict = await call.answer({ status, headers, body });
  if (verdict?.kind !== 'reject') return 'passes';
  assert.deepEqual(
    [verdict.key, verdict.status, verdict.content],
    ['OAS_VALIDATION_ERROR', 500, { type: 'text/plain', body: 'Internal Server Error' }],
  );
  return call.warnings.join();
}

test('a request is found by its method and path, texts before parameters, and refused where it is not described', async () => {
  const undescribed = 'path: this method of this path is not described';
  for (const [path, said] of [
    ['/boats/7', 'passes'],
    ['/boats/mine', 'passes'],
    ['/boats/7.pdf', 'passes'],
    ['/boats/7.doc', 'path kind: / must be equal to one of the allowed values'],
    ['/boats/gull', 'path id: / must be integer'],
    ['/boats/%37', 'passes'],
    ['/boats/%zz', undescribed],
    ['/boats/7/', undescribed],
    ['/boats/7%2Fsails', 'path id: / must be integer'],
    ['/sails', undescribed],
  ] as const)
    assert.equal((await request({ path })).said, said, path);
  assert.equal((await request({ path: '/boats/7', method: 'DELETE' })).said, undescribed);
  assert.equal((await request({ path: '/boats/7/' }, { strictOperationPathMatching: false })).said, 'passes');
  assert.equal((await request({ path: '/sails' }, { validateRequestPathAndMethod: false })).said, 'passes');
  const based = { sourceJson, basePath: '/a/v1' };
  assert.equal((await request({ path: '/v1/boats/7' }, {}, based)).said, 'passes');
  assert.equal((await request({ path: '/boats/7' }, {}, based)).said, undescribed);
  assert.equal(
    (await request({ path: '/v1boats/7' }, {}, { sourceJson, basePath: '/a/v1/' })).said,
    undescribed,
  );
});

test('parameters are read by their styles and held against their schemas, wherever they are', async () => {
  const cases: readonly (readonly [asked: Asked, said: string])[] = [
    [{ query: 'page=1&colours=red&colours=blue&ids=1,2&piped=true|false&filter[size]=3' }, 'passes'],
    [{ query: 'page=0' }, 'query page: / must be >= 1'],
    [{ query: 'page=x' }, 'query page: / must be integer'],
    [{ query: 'page=1&page=2' }, 'query page: is there 2 times'],
    [{ query: 'page=%zz' }, 'query page: cannot be decoded'],
    [{ query: 'colours=red,blue' }, 'query colours: /0 must be equal to one of the allowed values'],
    [{ query: 'ids=1,2,3' }, 'query ids: / must NOT have more than 2 items'],
    [{ query: 'piped=true%7Cno' }, 'query piped: /1 must be boolean'],
    [{ query: 'filter[size]=x' }, 'query filter: /size must be integer'],
    [{ query: 'filter[age]=1' }, 'query filter: / must NOT have additional properties ("age")'],
    [{ query: 'where=%7B%22a%22:1%7D' }, 'passes'],
    [{ query: 'where=%7B' }, 'query where: is no JSON'],
    [{ headers: { 'X-Depth': 'deep' } }, 'header X-Depth: / must be number'],
    [{ headers: { Cookie: 'a=1; crew=ann' } }, 'passes'],
    [{ headers: { Cookie: 'a=1; crew=Ann' } }, 'cookie crew: / must match pattern "^[a-z]+$"'],
    [{ query: Array(1_001).fill('a=1').join('&') }, 'query: cannot be read'],
  ];
  for (const [asked, said] of cases) assert.equal((await request(asked)).said, said, JSON.stringify(asked));
  const bare = startPolicy('oas-validation', { sourceJson }).call({ request: { path: '/a/boats' } });
  const verdict = await bare.pass();
  assert.match(
    verdict?.kind === 'reject' ? (verdict.content?.body ?? '') : '',
    /header X-Depth: is required/,
  );
  const wrong: Asked = { query: 'page=0', headers: { 'X-Depth': 'x', Cookie: 'crew=1' } };
  const places = async (validateRequestParametersOptions: readonly string[]) =>
    (await request(wrong, { validateRequestParametersOptions })).said.match(/query|header|cookie/g);
  assert.deepEqual(await places(['QUERY_PARAMS', 'COOKIES']), ['query', 'cookie']);
  assert.deepEqual(await places(['HEADERS']), ['header']);
  assert.equal((await request(wrong, { validateRequestParameters: false })).said, 'passes');
  const strict = { validateRequestQueryParamsUnexpected: true };
  assert.equal(
    (await request({ query: 'page=1&filter[size]=1&x=1' }, strict)).said,
    'query x: is not described',
  );
  assert.equal((await request({ query: 'x=1' })).said, 'passes');
});

test('bodies of JSON and forms are held against their schemas; read-only members need not be there, what is null or unknown is as 3.0 has it', async () => {
  const post = (body: unknown, headers: Record<string, string> = json, options: object = {}) =>
    request(
      { method: 'POST', headers, body: typeof body === 'string' ? body : JSON.stringify(body) },
      options,
    ).then(({ said }) => said);
  assert.equal(await post({ name: null, key: 'k', colour: 'any', tows: { name: 'x', key: 'k' } }), 'passes');
  assert.equal(await post({ name: 'x' }), "body: / must have required property 'key'");
  assert.match(
    await post({ name: 'x', key: 'k', tows: { name: 1, key: 'k' } }),
    /^body: \/tows\/name must be/,
  );
  assert.equal(await post({ name: 'x', key: 'k', length: 0 }), 'body: /length must be > 0');
  assert.match(await post({ name: 'x', key: 'k', __proto: 1 }), /additional properties/);
  assert.equal(await post('{"name":'), 'body: is no JSON');
  assert.equal(await post(''), 'body: is required');
  assert.equal(await post('', json, { validateRequestBody: false }), 'passes');
  assert.equal(await post('{}', json, { validateRequestBody: false }), 'passes');
  assert.equal(
    await post('x', { 'Content-Type': 'text/plain' }),
    'Content-Type: "text/plain" is not described',
  );
  assert.equal(
    await post('x', { 'Content-Type': 'text/plain' }, { validateRequestContentType: false }),
    'passes',
  );
  assert.equal(
    await post('{}', { ...json, 'Content-Encoding': 'gzip' }),
    'body: is of Content-Encoding gzip, and cannot be read',
  );
  const enter = (body: string) =>
    request({ path: '/crew', method: 'POST', headers: form, body }).then(({ said }) => said);
  assert.equal(await enter('age=7&tags=a&tags=b'), 'passes');
  assert.equal(await enter('age=x'), 'body: /age must be integer');
  assert.equal(await enter('tags=a'), "body: / must have required property 'age'");
  assert.equal(
    (await request({ path: '/boats/7', body: '{}', headers: json })).said,
    'body: is not described',
  );
});

test('a body that nobody judges goes on unread', async () => {
  const { said, call } = await request({
    method: 'POST',
    headers: { 'Content-Type': 'image/png' },
    body: ['a', 'b'],
  });
  assert.deepEqual([said, call.isRead], ['passes', false]);
});

test('what a request has to show for its security is asked for where that is wanted', async () => {
  const options = { validateRequestSecurity: true };
  const body = '{"name":"x","key":"k"}';
  const ask = (headers: Record<string, string>, wish: object = options) =>
    request({ method: 'POST', body, headers: { ...json, ...headers } }, wish).then(({ said }) => said);
  assert.equal(await ask({}), 'security: nothing is shown of what is asked for');
  assert.equal(await ask({ 'X-Key': 'a' }), 'security: nothing is shown of what is asked for');
  assert.equal(await ask({ 'X-Key': 'a', Cookie: 'seat=1' }), 'passes');
  assert.equal(await ask({ Authorization: 'Bearer x' }), 'passes');
  assert.equal(await ask({}, {}), 'passes');
});

test('answers are held against status, type and body; write-only members need not be there', async () => {
  assert.equal(await answer({ body: '[{"id":1,"name":"x"}]' }), 'passes');
  assert.equal(await answer({ body: '[{"name":"x"}]' }), 'OAS_VALIDATION_ERROR');
  assert.equal(await answer({ body: '[{"name":"x"}]' }, { validateResponseBody: false }), 'passes');
  assert.equal(await answer({ body: 'x' }), 'OAS_VALIDATION_ERROR');
  assert.equal(await answer({ headers: { 'Content-Type': 'text/html' } }), 'OAS_VALIDATION_ERROR');
  assert.equal(
    await answer({ headers: { 'Content-Type': 'text/html' } }, { validateResponseContentType: false }),
    'passes',
  );
  assert.equal(await answer({ status: 500 }), 'OAS_VALIDATION_ERROR');
  assert.equal(await answer({ status: 500 }, { validateResponseStatusCode: false }), 'passes');
  assert.equal(await answer({ status: 404, headers: { 'Content-Type': 'text/plain' } }), 'passes');
  assert.equal(await answer({ status: 404 }), 'OAS_VALIDATION_ERROR');
  assert.equal(await answer({ path: '/boats/7', body: 'anything' }), 'passes');
});

test('the caller is told what was wrong or not, and with logInsteadOfThrowError only the record is', async () => {
  const call = startPolicy('oas-validation', {
    sourceJson,
    validationOptions: { returnDetailedErrorReport: false },
  }).call({ request: { path: '/a/sails' } });
  const verdict = await call.pass();
  assert.deepEqual(verdict?.kind === 'reject' && verdict.content, {
    type: 'text/plain',
    body: 'Bad Request',
  });
  const { said, call: logged } = await request({ path: '/sails' }, { logInsteadOfThrowError: true });
  assert.deepEqual([said, logged.warnings], ['passes', ['OAS_VALIDATION_ERROR']]);
  assert.equal(await answer({ status: 500 }, { logInsteadOfThrowError: true }), 'passes');
});

test('the document may be YAML, and of version 3.1', async () => {
  const sourceYaml = [
    'openapi: 3.1.0',
    'info: {title: x, version: "1"}',
    'paths:',
    '  /boats:',
    '    get:',
    '      parameters:',
    '        - {name: n, in: query, schema: {type: [integer, "null"], exclusiveMinimum: 3}}',
  ].join('\n');
  const ask = (asked: string) => request({ query: asked }, {}, { sourceYaml }).then(({ said }) => said);
  assert.deepEqual(await Promise.all([ask('n=4'), ask('n=null'), ask('n=3')]), [
    'passes',
    'passes',
    'query n: / must be > 3',
  ]);
});

test('through a gateway the document of a resource judges both ways', async (t) => {
  const backend = await startBackend(t);
  const config = { resourceName: 'doc' };
  const gateway = await startLocalGateway(t, {
    apis: {
      a: apiDefinition('a', `http://127.0.0.1:${backend.port}`, {
        flows: [flow('/', { request: [['oas-validation', config]], response: [['oas-validation', config]] })],
        resources: [
          {
            name: 'doc',
            type: 'content-provider-inline-resource',
            enabled: true,
            configuration: { content: sourceJson },
          },
        ],
      }),
    },
  });
  assert.equal((await call(gateway.port, '/a/sails')).status, 400);
  for (const [body, status] of [
    ['[]', 200],
    ['{}', 500],
  ] as const) {
    const asked = call(gateway.port, '/a/boats', { headers: { 'X-Depth': '1' } });
    const peer = await backend.next();
    await peer.until('\r\n\r\n');
    peer.write(
      `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n${body}`,
    );
    assert.equal((await asked).status, status);
  }
});

test('a schema that cannot be compiled is told by its own key', async () => {
  const wide = { allOf: Array(4_000).fill({ minimum: 1 }) };
  const source = JSON.stringify({
    ...document,
    paths: { '/boats': { get: { parameters: [query('n', wide)] } } },
  });
  const call = startPolicy('oas-validation', { sourceJson: source }).call({
    request: { path: '/a/boats', query: 'n=1' },
  });
  const verdict = await call.pass();
  assert.deepEqual(verdict?.kind === 'reject' && [verdict.key, verdict.status], [
    'UNABLE_TO_LOAD_OAS_KEY',
    500,
  ]);
});

test('what cannot work is refused when it is deployed, by its field and place', () => {
  const { config, faultsIn } = catalog['oas-validation'];
  const whyNot = (configuration: object): string => {
    const [issue] = config.safeParse(configuration).error?.issues ?? [];
    return `${issue?.path.join('.')}: ${issue?.message}`;
  };
  const pathsOf = (configuration: object) =>
    faultsIn?.(config.parse(configuration), 'request').map(({ path }) => path);
  assert.deepEqual(pathsOf({ sourceJson }), []);
  assert.deepEqual(pathsOf({}), ['resourceName']);
  assert.deepEqual(pathsOf({ sourceJson, resourceName: 'r' }), ['resourceName']);
  assert.match(whyNot({ sourceUrl: 'http://h/x.yaml' }), /^sourceUrl: is not read by this version/);
  assert.match(whyNot({ sourceJson, basePath: 'x' }), /^basePath: must begin with \//);
  assert.match(whyNot({ sourceJson: '{' }), /^sourceJson: is neither JSON nor YAML/);
  assert.match(whyNot({ sourceJson, validationOptions: { validateRequest: true } }), /^validationOptions: /);
});
