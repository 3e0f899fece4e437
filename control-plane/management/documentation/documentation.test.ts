import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Answer,
  apiBody,
  basic,
  environment,
  openOffice,
  password,
  planBody,
  v1,
} from '../../../test/kit/control-plane/office.ts';
import { openCaller, startProvider } from '../../../test/kit/control-plane/polling.ts';
import { testDatabases } from '../../../test/kit/servers/databases.ts';

for (const database of testDatabases) {
  test(
    `pages lie in folders in their order, one is the homepage, and conditions of a plan stay (${database.name})`,
    { skip: database.skip },
    async (t) => {
      const office = await openOffice(t, database);
      const made = await office.call('POST', `${environment}/apis`, { body: apiBody('/documented') });
      const api = `${environment}/apis/${String(made.body['id'])}`;
      const pages = `${api}/pages`;
      const create = (body: object) => office.call('POST', pages, { body: { type: 'MARKDOWN', ...body } });
      const refusal = ({ status, body }: Answer): unknown => {
        const [first] = (body['details'] ?? []) as { readonly location: string }[];
        return [status, body.technicalCode, first?.location];
      };

      const folder = String((await create({ name: 'Guides', type: 'FOLDER' })).body['id']);
      const first = await create({ name: 'One', content: '# One', homepage: true, parentId: folder });
      assert.deepEqual(
        [
          first.status,
          first.body['published'],
          first.body['homepage'],
          first.body['order'],
          first.body['parentPath'],
        ],
        [201, false, true, 0, '/Guides'],
        JSON.stringify(first.body),
      );
      const one = `${pages}/${String(first.body['id'])}`;
      const second = await create({ name: 'Two', content: 'two', homepage: true, parentId: folder });
      assert.equal((await office.call('GET', one)).body['homepage'], false);
      assert.equal((await office.call('GET', one)).body['content'], '# One');

      assert.deepEqual(refusal(await create({ name: 'Two', parentId: folder })), [
        400,
        'request.invalid',
        'name',
      ]);
      assert.deepEqual(refusal(await create({ name: 'x', parentId: second.body['id'] })), [
        400,
        'page.folder.invalid',
        'parentId',
      ]);
      assert.deepEqual(refusal(await create({ name: 'x', type: 'SWAGGER', content: 'swaggering' })), [
        400,
        'swagger.invalid',
        'content',
      ]);
      for (const [type, content] of [
        ['SWAGGER', '{"openapi": "3.1.0"}'],
        ['SWAGGER', '# a comment\nswagger: "2.0"'],
        ['ASYNCAPI', 'asyncapi: 2.6.0'],
        // What is written of a page is its writer's: the audit tells of it and reads nothing out of it.
        ['MARKDOWN', '['.repeat(20_000) + ']'.repeat(20_000)],
        ['SWAGGER', `{"openapi": "3.1.0", "paths": ${'['.repeat(20_000) + ']'.repeat(20_000)}}`],
      ] as const)
        assert.equal((await create({ name: content.slice(0, 40), type, content })).status, 201, content);
      let deep = folder;
      for (let n = 2; n <= 8; n += 1)
        deep = String((await create({ name: `f${n}`, type: 'FOLDER', parentId: deep })).body['id']);
      assert.deepEqual(refusal(await create({ name: 'too deep', parentId: deep })), [
        400,
        'page.folder.invalid',
        'parentId',
      ]);

      const list = async (query: string) => (await office.call('GET', `${pages}${query}`)).body;
      const names = (body: Answer['body']): unknown =>
        (body['pages'] as { name: string }[]).map(({ name }) => name);
      const inFolder = await list(`?parentId=${folder}`);
      assert.deepEqual(names(inFolder), ['One', 'Two', 'f2']);
      assert.deepEqual(inFolder['breadcrumb'], [{ position: 1, id: folder, name: 'Guides' }]);
      assert.doesNotMatch(JSON.stringify(inFolder), /# One/);
      const { body: read } = await office.call('GET', one);
      const moved = await office.call('PUT', one, { body: { ...read, name: 'First', order: 1 } });
      assert.deepEqual([moved.status, moved.body['content']], [200, '# One'], JSON.stringify(moved.body));
      assert.deepEqual(names(await list(`?parentId=${folder}`)), ['Two', 'First', 'f2']);
      assert.equal((names(await list('?parentId=ROOT')) as string[])[0], 'Guides');
      assert.deepEqual((await list('?parentId=ROOT'))['breadcrumb'], []);
      assert.deepEqual(refusal(await office.call('PUT', one, { body: { name: 'First', type: 'FOLDER' } })), [
        400,
        'request.invalid',
        'type',
      ]);

      assert.equal((await office.call('POST', `${one}/_publish`)).body['published'], true);
      const plan = planBody('API_KEY', { generalConditions: first.body['id'] });
      assert.equal((await office.call('POST', `${api}/plans`, { body: plan })).status, 201);
      assert.equal((await office.call('GET', one)).body['generalConditions'], true);
      for (const [method, path] of [
        ['POST', `${one}/_unpublish`],
        ['DELETE', one],
      ] as const)
        assert.deepEqual(refusal(await office.call(method, path)), [
          400,
          'page.used_as_general_condition',
          undefined,
        ]);
      assert.deepEqual(refusal(await office.call('DELETE', `${pages}/${folder}`)), [
        400,
        'page.folder.invalid',
        undefined,
      ]);
      assert.equal((await office.call('DELETE', `${pages}/${String(second.body['id'])}`)).status, 204);
      assert.deepEqual(refusal(await office.call('GET', `${pages}/none`)), [404, 'page.notFound', undefined]);

      const foreign = await office.call('POST', `${environment}/apis`, { body: apiBody('/other') });
      const elsewhere = `${environment}/apis/${String(foreign.body['id'])}/pages/${String(first.body['id'])}`;
      assert.equal((await office.call('GET', elsewhere)).body.technicalCode, 'page.notFound');
    },
  );
}

for (const database of testDatabases)
  test(
    `pages of an environment are read by who they are for, and written by who may (${database.name})`,
    { skip: database.skip },
    async (t) => {
      const office = await openOffice(t, database);
      const pages = `${v1}/portal/pages`;
      const create = (body: object) => office.call('POST', pages, { body: { type: 'MARKDOWN', ...body } });
      const guides = await create({ name: 'Guides', type: 'FOLDER', published: true });
      assert.equal(guides.status, 201, guides.text);
      const parentId = guides.body['id'];
      const open = await create({ name: 'Open', content: '# Open', published: true, parentId });
      assert.deepEqual([open.body['published'], open.body['parentPath']], [true, '/Guides']);
      assert.equal(open.body['lastModificationDate'], office.clock.now());
      await create({ name: 'Draft' });
      const user = { username: 'ada', password, email: 'ada@example.org', role: 'USER' };
      const people = '/management/organizations/DEFAULT/users';
      const ada = String((await office.call('POST', people, { body: user })).body['id']);
      const group = await office.call('POST', `${v1}/configuration/groups`, { body: { name: 'friends' } });
      const friends = String(group.body['id']);
      const rules = [{ referenceId: friends, referenceType: 'GROUP' }];
      const published = { published: true, accessControls: rules };
      const own = await create({ name: 'Own', ...published });
      await create({ name: 'Others', ...published, excludedAccessControls: true });
      const role = [{ referenceId: 'ENVIRONMENT-USER', referenceType: 'ROLE' }];
      await create({ name: 'Users', published: true, accessControls: role });
      const as = basic('ada', password);
      const names = async (query = '', who: string | undefined = as): Promise<unknown> => {
        const answer = await office.call('GET', `${pages}${query}`, who === undefined ? {} : { as: who });
        assert.equal(answer.status, 200, answer.text);
        return (answer.body as unknown as { name: string }[]).map(({ name }) => name);
      };
      assert.deepEqual(await names(), ['Guides', 'Open', 'Others', 'Users']);
      const ownPath = `${pages}/${String(own.body['id'])}`;
      const hidden = await office.call('GET', ownPath, { as });
      assert.deepEqual([hidden.status, hidden.body.technicalCode], [404, 'page.notFound']);
      assert.equal((await office.call('GET', `${ownPath}/content`, { as })).status, 404);
      const member = [{ id: ada, roles: [{ scope: 'API', name: 'USER' }] }];
      const added = await office.call('POST', `${v1}/configuration/groups/${friends}/members`, {
        body: member,
      });
      assert.equal(added.status, 200, added.text);
      assert.deepEqual(await names(), ['Guides', 'Open', 'Own', 'Users']);
      assert.deepEqual(await names(`?parent=${String(parentId)}`), ['Open']);
      assert.deepEqual(await names('?root=true&type=FOLDER'), ['Guides']);
      assert.deepEqual(await names('?published=false', basic('admin', password)), ['Draft']);
      const refused = await office.call('POST', pages, { body: { name: 'x', type: 'MARKDOWN' }, as });
      assert.equal(refused.status, 403);

      const one = `${pages}/${String(open.body['id'])}`;
      const content = await office.call('GET', `${one}/content`, { as });
      assert.deepEqual(
        [content.text, content.headers.get('content-type')],
        ['# Open', 'text/plain; charset=utf-8'],
      );
      const { body } = await office.call('GET', one);
      const changed = await office.call('PUT', one, {
        body: { ...body, published: false, content: '# Shut' },
      });
      assert.deepEqual(
        [changed.status, changed.body['published'], changed.body['content']],
        [200, false, '# Shut'],
      );
      assert.equal((await office.call('PUT', one, { body: { ...body, parentId: 'other' } })).status, 400);
      assert.equal((await office.call('GET', one, { as })).status, 404);
      assert.equal((await office.call('DELETE', one)).status, 204);
      const audit = await office.call('GET', `${v1}/audit?event=PAGE_DELETED`);
      assert.equal(audit.body['totalElements'], 1);

      for (const [link, told] of [
        [{ content: 'javascript:alert(1)' }, 'content'],
        [{ content: 'none', configuration: { resourceType: 'page' } }, 'content'],
        [{ content: 'none', configuration: { resourceType: 'category' } }, 'content'],
        [
          { content: 'https://x.example', configuration: { resourceType: 'planet' } },
          'configuration.resourceType',
        ],
      ] as const) {
        const wrong = await create({ name: 'Link', type: 'LINK', ...link });
        assert.deepEqual([wrong.status, wrong.body.technicalCode], [400, 'page.LINK.invalid'], wrong.text);
        assert.match(wrong.text, new RegExp(`"location":"${told}"`));
      }
      for (const link of [
        { content: 'https://x.example/a' },
        { content: own.body['id'], configuration: { resourceType: 'page' } },
      ])
        assert.equal((await create({ name: String(link.content), type: 'LINK', ...link })).status, 201);
    },
  );

test('a page that comes from a URL is fetched when it is made and when somebody asks for it', async (t) => {
  const [database] = testDatabases;
  assert.ok(database !== undefined);
  const outbound = openCaller();
  t.after(() => outbound.close());
  const office = await openOffice(t, database, { outbound });
  const provider = await startProvider(t);
  const made = await office.call('POST', `${environment}/apis`, { body: apiBody('/documented') });
  const pages = `${environment}/apis/${String(made.body['id'])}/pages`;
  const source = { type: 'http-fetcher', configuration: { url: `${provider.url}/readme.md` } };
  provider.answer('# One');
  const page = await office.call('POST', pages, { body: { name: 'Readme', type: 'MARKDOWN', source } });
  assert.equal(page.status, 201, JSON.stringify(page.body));
  assert.deepEqual([page.body['content'], page.body['source']], ['# One', source]);
  const one = `${pages}/${String(page.body['id'])}`;
  provider.answer('# Two');
  assert.equal((await office.call('GET', one)).body['content'], '# One');
  const fetched = await office.call('POST', `${one}/_fetch`);
  assert.deepEqual([fetched.status, fetched.body['content'], fetched.body['source']], [200, '# Two', source]);
  const back = await office.call('PUT', one, { body: fetched.body });
  assert.deepEqual([back.body['content'], back.body['source']], ['# Two', source]);

  for (const [answer, status, told] of [
    ['gone', 404, /answers with the status 404/],
    ['a\u0000b', 200, /cannot be kept/],
    ['x'.repeat(524_289), 200, /cannot be asked: .*too large/i],
  ] as const) {
    provider.answer(answer, status);
    const refused = await office.call('POST', `${one}/_fetch`);
    assert.equal(refused.status, 400, JSON.stringify(refused.body));
    assert.match(JSON.stringify(refused.body), told);
  }
  assert.equal(
    (await office.call('GET', one)).body['content'],
    '# Two',
    'what cannot be fetched changes nothing',
  );
  provider.answer('no document');
  const swagger = await office.call('POST', pages, { body: { name: 'Doc', type: 'SWAGGER', source } });
  assert.equal(swagger.body.technicalCode, 'swagger.invalid');
  const own = await office.call('POST', pages, { body: { name: 'Own', type: 'MARKDOWN', content: 'x' } });
  assert.equal((await office.call('POST', `${pages}/${String(own.body['id'])}/_fetch`)).status, 400);
  for (const [wish, told] of [
    [{ ...source, type: 'ftp-fetcher' }, /source\.type/],
    [
      { ...source, configuration: { url: 'http://u:p@h/' } },
      /without user and password.*source\.configuration\.url/,
    ],
  ] as const) {
    const refused = await office.call('POST', pages, {
      body: { name: 'No', type: 'MARKDOWN', source: wish },
    });
    assert.equal(refused.status, 400);
    assert.match(JSON.stringify(refused.body), told);
  }
});
