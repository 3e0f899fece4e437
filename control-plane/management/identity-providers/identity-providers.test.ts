import assert from 'node:assert/strict';
import { test } from 'node:test';
import { basic, type Office, openOffice, v1 } from '../../../test/kit/control-plane/office.ts';
import { testDatabases } from '../../../test/kit/servers/databases.ts';
import { mask } from '../../../proto/trust/sealed-text.ts';
import { rollData } from '../data-keys/roll-data.ts';

const organization = '/management/organizations/DEFAULT';
const all = `${organization}/configuration/identities`;
const discoveryEndpoint = 'https://id.example.com/.well-known/openid-configuration';
const clientSecret = 'planted-client-secret-of-the-console';

const wish = (more: object = {}, configuration: object = {}): object => ({
  name: 'Corporate sign-in',
  type: 'OIDC',
  configuration: { clientId: 'isthmus', clientSecret, discoveryEndpoint, ...configuration },
  ...more,
});

async function openProvider(office: Office, more: object = {}): Promise<Record<string, unknown>> {
  const made = await office.call('POST', all, { body: wish(more) });
  assert.equal(made.status, 201, made.text);
  return made.body;
}

for (const database of testDatabases)
  test(
    `a provider is made, changed, activated and deleted; its secret comes out nowhere (${database.name})`,
    { skip: database.skip },
    async (t) => {
      const logged: string[] = [];
      const office = await openOffice(t, database, {
        publicUrl: 'https://cp.example/base/',
        onLogged: (line) => void logged.push(line),
      });
      const texts: string[] = [];
      const call = async (method: string, path: string, body?: unknown) => {
        const answer = await office.call(method, path, body === undefined ? {} : { body });
        texts.push(answer.text);
        return answer;
      };
      const made = await call(
        'POST',
        all,
        wish({ roleMappings: [{ condition: 'true', environments: { DEFAULT: ['USER'] } }] }),
      );
      assert.deepEqual(
        [made.status, made.body['id'], made.body['enabled'], made.body['syncMappings']],
        [201, 'corporate-sign-in', true, true],
      );
      assert.deepEqual(made.body['configuration'], {
        clientId: 'isthmus',
        clientSecret: mask,
        discoveryEndpoint,
      });
      assert.equal(
        made.body['redirectUri'],
        `https://cp.example/base/management/organizations/${office.at.organization}/auth/oauth2/corporate-sign-in/_callback`,
      );
      const [mapping] = made.body['roleMappings'] as { environments: object }[];
      assert.deepEqual(mapping?.environments, { [office.at.environment]: ['USER'] }, 'by id');
      const one = `${all}/corporate-sign-in`;
      const listed = await call('GET', all);
      assert.deepEqual(
        (listed.body as unknown as { id: string; sync: boolean }[]).map(({ id, sync }) => [id, sync]),
        [['corporate-sign-in', true]],
      );
      const put = await call('PUT', one, { ...made.body, name: 'Renamed', enabled: false });
      assert.deepEqual([put.status, put.body['id'], put.body['name']], [200, 'corporate-sign-in', 'Renamed']);

      for (const [at, type] of [
        [organization, 'ORGANIZATION'],
        [v1, 'ENVIRONMENT'],
      ] as const) {
        const path = `${at}/identities`;
        const missing = await call('PUT', path, [{ identityProvider: 'nobody' }]);
        assert.deepEqual([missing.status, missing.body.technicalCode], [404, 'identityProvider.notFound']);
        assert.equal((await call('PUT', path, [{ identityProvider: 'corporate-sign-in' }])).status, 204);
        const active = (await call('GET', path)).body as unknown as {
          referenceType: string;
          identityProvider: string;
        }[];
        assert.deepEqual(
          active.map((each) => [each.identityProvider, each.referenceType]),
          [['corporate-sign-in', type]],
        );
        assert.equal((await call('PUT', path, active)).status, 204, 'what was got is put back');
      }
      const audit = await call('GET', `${organization}/audit?size=100`);
      for (const event of ['CREATED', 'UPDATED', 'ACTIVATED'])
        assert.match(audit.text, new RegExp(`"IDENTITY_PROVIDER_${event}"`));
      const kept = await office.storage.db.selectFrom('identity_provider').selectAll().execute();
      for (const text of [...texts, ...logged, JSON.stringify(kept)])
        assert.ok(!text.includes(clientSecret), text.slice(0, 200));

      // A new key for secrets takes the old one's place here too.
      const at = { ...office.at, environment: '' };
      const keys = () => office.desk.publisher.dataKeys.open(office.storage.db, at);
      const [before] = await keys();
      await rollData(office.desk, office.boot.admin, { of: [at] });
      const rolled = await office.storage.db
        .selectFrom('identity_provider')
        .select('client_secret')
        .execute();
      const [now, ...older] = await keys();
      assert.deepEqual(older, []);
      assert.notEqual(now?.id, before?.id);
      assert.ok(rolled.every(({ client_secret: sealed }) => sealed.includes(`:${String(now?.id)}:`)));

      assert.equal((await call('DELETE', one)).status, 204);
      assert.deepEqual((await call('GET', `${v1}/identities`)).body, []);
      const gone = await call('GET', one);
      assert.deepEqual([gone.status, gone.body.technicalCode], [404, 'identityProvider.notFound']);
    },
  );

const [sqlite] = testDatabases;
assert.ok(sqlite !== undefined);

test('what a provider cannot be is refused by its field', async (t) => {
  const office = await openOffice(t, sqlite);
  await openProvider(office);
  const refusalOf = async (body: object, method = 'POST', path = all): Promise<readonly string[]> => {
    const answer = await office.call(method, path, { body });
    assert.equal(answer.status, 400, answer.text);
    const details = answer.body['details'] as readonly { location: string }[];
    return [String(answer.body.technicalCode), ...details.map(({ location }) => location)];
  };
  assert.deepEqual(await refusalOf(wish()), ['identityProvider.exists']);
  const named = { name: 'Other' };
  for (const missing of ['clientId', 'clientSecret'])
    assert.deepEqual(await refusalOf(wish(named, { [missing]: undefined })), [
      'identityProvider.clientId.required',
    ]);
  for (const [field, value] of [
    ['discoveryEndpoint', undefined],
    ['discoveryEndpoint', 'ftp://id.example.com/.well-known/openid-configuration'],
    ['discoveryEndpoint', 'http://id.example.com/.well-known/openid-configuration'],
    ['discoveryEndpoint', 'https://u:p@id.example.com/.well-known/openid-configuration'],
    ['discoveryEndpoint', 'https://id.example.com/other'],
    ['tokenEndpoint', 'http://id.example.com/token'],
    ['authorizeEndpoint', 'javascript:alert(1)'],
    ['tokenIntrospectionEndpoint', 'https://id.example.com/introspect'],
    ['serverURL', 'https://am.example.com'],
    ['color', 'red; background: url(x)'],
    ['clientSecret', mask],
  ])
    assert.deepEqual(
      await refusalOf(wish(named, { [String(field)]: value })),
      ['request.invalid', `configuration.${field}`],
      `${field} ${value}`,
    );
  for (const [more, location] of [
    [{ type: 'GITHUB' }, 'type'],
    [{ persistedClaimsWhitelist: ['a'] }, 'persistedClaimsWhitelist'],
    [{ userProfileMapping: { picture: 'picture' } }, 'userProfileMapping.picture'],
    [{ userProfileMapping: { id: '{#request.path}' } }, 'userProfileMapping.id'],
    [{ userProfileMapping: { id: "{#secrets.get('/env/HOME')}" } }, 'userProfileMapping.id'],
    [{ groupMappings: [{ condition: 'true', groups: ['none'] }] }, 'groupMappings[0].groups'],
    [{ groupMappings: [{ condition: '', groups: [] }] }, 'groupMappings[0].condition'],
    [{ groupMappings: [{ condition: '{#profile.', groups: [] }] }, 'groupMappings[0].condition'],
    [{ roleMappings: [{ condition: "{#node.id == 'a'}" }] }, 'roleMappings[0].condition'],
    [{ roleMappings: [{ condition: 'true', environments: { none: [] } }] }, 'roleMappings[0].environments'],
  ] as const)
    assert.deepEqual(await refusalOf(wish({ ...named, ...more })), ['request.invalid', location], location);
  const unknownRole = wish({ ...named, roleMappings: [{ condition: 'true', organizations: ['KING'] }] });
  assert.deepEqual(await refusalOf(unknownRole), ['role.invalid']);
  // The secret that is kept goes nowhere else by a mask.
  const one = `${all}/corporate-sign-in`;
  const moved = {
    discoveryEndpoint: 'https://evil.example/.well-known/openid-configuration',
    clientSecret: mask,
  };
  for (const configuration of [moved, { tokenEndpoint: 'https://evil.example/token', clientSecret: mask }]) {
    const { type: _type, ...body } = wish({}, configuration) as Record<string, unknown>;
    assert.deepEqual(await refusalOf(body, 'PUT', one), ['request.invalid', 'configuration.clientSecret']);
  }
});

test('who is no ADMIN, or came with a token that ends or is narrowed, writes no provider', async (t) => {
  const office = await openOffice(t, sqlite);
  const roles = `${organization}/configuration/rolescopes/ORGANIZATION/roles`;
  const role = await office.call('POST', roles, {
    body: { name: 'KEEPER', description: '', permissions: { IDENTITY_PROVIDER: ['C', 'R', 'U', 'D'] } },
  });
  assert.equal(role.status, 200, role.text);
  const secret = 'a long enough password';
  const user = await office.call('POST', `${organization}/users`, {
    body: { username: 'kim', password: secret },
  });
  const given = await office.call('PUT', `${organization}/users/${String(user.body['id'])}/roles`, {
    body: { referenceType: 'ORGANIZATION', referenceId: 'DEFAULT', roles: ['KEEPER'] },
  });
  assert.ok(given.status < 300, given.text);
  await openProvider(office);
  const kim = basic('kim', secret);
  assert.equal((await office.call('GET', all, { as: kim })).status, 200);
  const token = async (more: object): Promise<string> => {
    const made = await office.call('POST', `${organization}/user/tokens`, { body: { name: 'x', ...more } });
    assert.ok(made.status < 300, made.text);
    return `Bearer ${String(made.body['token'])}`;
  };
  const { type: _type, ...body } = wish() as Record<string, unknown>;
  for (const as of [kim, await token({ expiresAt: new Date(office.clock.now() + 3_600_000).toISOString() })])
    for (const [method, path, sent] of [
      ['POST', all, wish({ name: 'Mine' })],
      ['PUT', `${all}/corporate-sign-in`, body],
      ['DELETE', `${all}/corporate-sign-in`, undefined],
    ] as const) {
      const answer = await office.call(method, path, { as, ...(sent !== undefined && { body: sent }) });
      assert.deepEqual([answer.status, answer.body.technicalCode], [403, 'request.forbidden'], method);
    }
});

test('the last administrator does not go with the provider that makes him one', async (t) => {
  const office = await openOffice(t, sqlite);
  await openProvider(office);
  await office.storage.db
    .updateTable('membership' as never)
    .set({ source: 'corporate-sign-in' } as never)
    .execute();
  const answer = await office.call('DELETE', `${all}/corporate-sign-in`);
  assert.deepEqual([answer.status, answer.body.technicalCode], [400, 'user.lastAdministrator']);
});
