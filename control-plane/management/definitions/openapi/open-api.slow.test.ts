import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stringify } from 'yaml';
import { environment, openOffice, planBody } from '../../../../test/kit/control-plane/office.ts';
import { testDatabases } from '../../../../test/kit/servers/databases.ts';

const imports = `${environment}/apis/_import/swagger`;
const operation = (summary: string): object => ({
  get: { summary, responses: { 200: { description: 'ok' } } },
});
const boats = {
  openapi: '3.1.0',
  info: { title: 'Boat hire', version: '3.1' },
  servers: [{ url: 'https://boats.example.com/v3' }],
  paths: { '/boats': operation('All'), '/boats/{id}': operation('One') },
};
type Flow = { readonly selectors: readonly { readonly path: string }[]; readonly request: readonly object[] };
const pathsIn = (flows: unknown): readonly (string | undefined)[] =>
  (flows as readonly Flow[]).map(({ selectors }) => selectors[0]?.path);

for (const database of testDatabases) {
  const options = { skip: database.skip };

  test(`an OpenAPI document becomes an API with flows and a page (${database.name})`, options, async (t) => {
    const office = await openOffice(t, database);
    const body = {
      payload: stringify(boats),
      withPolicyPaths: true,
      withPolicies: ['mock'],
      withDocumentation: true,
    };
    const made = await office.call('POST', imports, { body });
    assert.equal(made.status, 201, JSON.stringify(made.body));
    assert.deepEqual(pathsIn(made.body['flows']), ['/boats', '/boats/:id']);
    const api = `${environment}/apis/${String(made.body['id'])}`;
    const pages = await office.call('GET', `${api}/pages`);
    const [page] = pages.body['pages'] as [Record<string, unknown>];
    assert.deepEqual(
      [page['name'], page['type'], page['published']],
      ['Boat hire (OpenAPI)', 'SWAGGER', true],
    );
    const content = await office.call('GET', `${api}/pages/${String(page['id'])}`);
    assert.equal(content.body['content'], body.payload);

    const plain = {
      ...boats,
      servers: [{ url: 'https://boats.example.com/v4' }],
      info: { title: 'x', version: '1' },
    };
    const held = { ...boats, servers: [{ url: 'https://boats.example.com/v5' }] };
    const validated = await office.call('POST', imports, {
      body: { payload: stringify(held), withOASValidationPolicy: true },
    });
    assert.equal(validated.status, 201, JSON.stringify(validated.body));
    assert.deepEqual(pathsIn(validated.body['flows']), ['/']);
    assert.match(JSON.stringify(validated.body['resources']), /content-provider-inline-resource.*Boat hire/);
    const heldApi = `${environment}/apis/${String(validated.body['id'])}`;
    const plan = await office.call('POST', `${heldApi}/plans`, { body: planBody('KEY_LESS') });
    await office.call('POST', `${heldApi}/plans/${String(plan.body['id'])}/_publish`);
    const deployed = await office.call('POST', `${heldApi}/deployments`);
    assert.equal(deployed.status, 202, JSON.stringify(deployed.body));

    const another = await office.call('POST', imports, { body: { payload: JSON.stringify(plain) } });
    assert.deepEqual([another.status, another.body['flows']], [201, []]);
  });

  test(
    `an OpenAPI document is imported again without losing a plan or what was changed here (${database.name})`,
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const body = { payload: JSON.stringify(boats), withPolicyPaths: true, withDocumentation: true };
      const made = await office.call('POST', imports, { body });
      const api = `${environment}/apis/${String(made.body['id'])}`;
      const step = { name: 'wait', enabled: true, policy: 'latency', configuration: { time: 1 } };
      const flows = [{ name: 'own', enabled: true, selectors: [], request: [step], response: [] }];
      const plan = await office.call('POST', `${api}/plans`, { body: planBody('KEY_LESS', { flows }) });
      assert.equal(plan.status, 201, JSON.stringify(plan.body));
      const [first, second] = made.body['flows'] as [Flow, Flow];
      const changed = { ...made.body, flows: [{ ...first, request: [step] }, second] };
      assert.equal((await office.call('PUT', api, { body: changed })).status, 200);

      const more = {
        ...boats,
        info: { title: 'Boat hire', version: '3.2' },
        paths: { ...boats.paths, '/sails': operation('Sails') },
      };
      const again = { ...body, payload: JSON.stringify(more) };
      const dry = await office.call('PUT', `${api}/_import/swagger?dryRun=true`, { body: again });
      assert.match(JSON.stringify(dry.body['differences']), /apiVersion.*3\.2/);
      assert.equal((await office.call('GET', api)).body['apiVersion'], '3.1');
      for (const wish of [again, again, body, again]) {
        const imported = await office.call('PUT', `${api}/_import/swagger`, { body: wish });
        assert.equal(imported.status, 200, JSON.stringify(imported.body));
      }
      const after = (await office.call('GET', api)).body;
      assert.equal(after['apiVersion'], '3.2');
      assert.deepEqual(pathsIn(after['flows']), ['/boats', '/boats/:id', '/sails']);
      assert.deepEqual((after['flows'] as [Flow])[0].request.length, 1, 'what was added here stays');
      const plans = await office.call('GET', `${api}/plans?statuses=STAGING,PUBLISHED`);
      const [kept] = plans.body['data'] as [Record<string, unknown>];
      assert.deepEqual([kept['id'], (kept['flows'] as [Flow])[0].request.length], [plan.body['id'], 1]);
      const pages = (await office.call('GET', `${api}/pages`)).body['pages'] as readonly { id: string }[];
      assert.equal(pages.length, 1);
      const page = await office.call('GET', `${api}/pages/${pages[0]?.id ?? ''}`);
      assert.equal(page.body['content'], again.payload);
    },
  );
}

test('a document that cannot be read is refused with its place, however it is written, and holds up nobody', async (t) => {
  const [database] = testDatabases;
  assert.ok(database !== undefined);
  const office = await openOffice(t, database);
  const bomb = ['a: &a [x,x,x,x,x,x,x,x,x]'];
  for (let n = 1; n < 9; n += 1)
    bomb.push(
      `${'abcdefghij'[n]}: &${'abcdefghij'[n]} [${Array(9)
        .fill(`*${'abcdefghij'[n - 1]}`)
        .join(',')}]`,
    );
  const circular = {
    ...boats,
    paths: {
      '/a': {
        get: {
          responses: {
            200: { content: { 'application/json': { schema: { $ref: '#/components/schemas/A' } } } },
          },
        },
      },
    },
    components: {
      schemas: { A: { type: 'object', properties: { next: { $ref: '#/components/schemas/A' } } } },
    },
  };
  const mocked = await office.call('POST', imports, {
    body: { payload: JSON.stringify(circular), withPolicies: ['mock'] },
  });
  assert.equal(mocked.status, 201, JSON.stringify(mocked.body));
  const refusals: readonly (readonly [body: object, told: RegExp])[] = [
    [{ payload: '{"openapi":' }, /is neither JSON nor YAML.*"payload"/],
    [{ payload: 'a: [b' }, /is neither JSON nor YAML.*"payload"/],
    [{ payload: `a: ${'['.repeat(15_000)}` }, /"is nested too deeply".*"payload"/],
    [{ payload: `${'- '.repeat(15_000)}a` }, /"is nested too deeply".*"payload"/],
    [{ payload: bomb.join('\n') }, /(alias|is needed).*"payload/i],
    [{ payload: '{"openapi":"3.0.0","paths":{}}', target: 'http://h' }, /"payload\.info\.title"/],
    [
      {
        payload: JSON.stringify({ ...boats, paths: { '/a': { $ref: 'other.yaml#/a' } } }),
        withPolicyPaths: true,
      },
      /not in the document.*"payload\.paths\.\/a"/,
    ],
    [
      { payload: JSON.stringify(boats), withPolicies: ['mock', 'moon'] },
      /cannot be made of an operation; mock.*withPolicies\[1\]/,
    ],
    [{ payload: JSON.stringify(boats), target: 'file:///etc/passwd' }, /"target"/],
  ];
  for (const [body, told] of refusals) {
    const answer = await office.call('POST', imports, { body });
    assert.equal(answer.status, 400, JSON.stringify(answer.body));
    assert.match(JSON.stringify(answer.body), told);
  }
});

test('an OpenAPI document of 10 MB, whose schemas refer to each other in circles, is imported; a larger one is refused', async (t) => {
  const [database] = testDatabases;
  assert.ok(database !== undefined);
  const office = await openOffice(t, database);
  const schemas = Object.fromEntries(
    Array.from({ length: 2_000 }, (_, n) => [
      `S${n}`,
      {
        type: 'object',
        description: 'x'.repeat(5_000),
        properties: {
          next: { $ref: `#/components/schemas/S${(n + 7) % 2_000}` },
          own: { $ref: `#/components/schemas/S${n}` },
        },
      },
    ]),
  );
  const content = { 'application/json': { schema: { $ref: '#/components/schemas/S0' } } };
  const paths = Object.fromEntries(
    Array.from({ length: 200 }, (_, n) => [
      `/boats/${n}`,
      { get: { responses: { 200: { description: 'ok', content } } } },
    ]),
  );
  for (const version of [
    { openapi: '3.0.3' },
    { openapi: '3.1.0' },
    { swagger: '2.0', host: 'boats.example.com' },
  ]) {
    const title = `Large ${JSON.stringify(version).length}${Object.values(version)[0] ?? ''}`;
    const large = {
      ...boats,
      openapi: undefined,
      ...version,
      info: { title, version: '1' },
      paths,
      components: { schemas },
    };
    const servers = [{ url: `https://boats.example.com/${title.replaceAll(/\W/g, '')}` }];
    const payload = JSON.stringify({ ...large, servers, ...('swagger' in version && { basePath: '/two' }) });
    assert.ok(payload.length > 10_000_000);
    const made = await office.call('POST', imports, { body: { payload, withPolicyPaths: true } });
    assert.equal(made.status, 201, JSON.stringify(made.body));
    assert.equal((made.body['flows'] as readonly object[]).length, 200);
  }
  const tooLarge = await office.call('POST', imports, { body: { payload: 'x'.repeat(12 * 1_048_576) } });
  assert.deepEqual([tooLarge.status, tooLarge.body.technicalCode], [413, 'request.too_large']);
  const broken = await office.call('POST', imports, {
    text: `{"payload":"${'x'.repeat(2_000_000)}"`,
    headers: { 'content-type': 'application/json' },
  });
  assert.equal(broken.status, 400);
  assert.match(JSON.stringify(broken.body), /not JSON in UTF-8/);
  const twice = await office.call('POST', imports, {
    text: `{"payload":"${'x'.repeat(2_000_000)}","payload":""}`,
    headers: { 'content-type': 'application/json' },
  });
  assert.match(JSON.stringify(twice.body), /is there twice in one object/);
});
