import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  apiBody,
  basic,
  environment,
  openOffice,
  type Office,
  v1,
} from '../../../test/kit/control-plane/office.ts';
import { testDatabases } from '../../../test/kit/servers/databases.ts';

const password = 'a password of twelve';
const organization = '/management/organizations/DEFAULT';
const groups = `${v1}/configuration/groups`;
const as = (username: string): { readonly as: string } => ({ as: basic(username, password) });

async function user(office: Office, username: string): Promise<string> {
  const body = { username, password, displayName: username.toUpperCase(), role: 'USER' };
  const made = await office.call('POST', `${organization}/users`, { body });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  return String(made.body['id']);
}

async function group(office: Office, name: string, more: object = {}): Promise<string> {
  const made = await office.call('POST', groups, { body: { name, ...more } });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  return String(made.body['id']);
}

async function join(
  office: Office,
  id: string,
  [user, roles]: readonly [string, Readonly<Record<string, string>>],
) {
  const named = Object.entries(roles).map(([scope, name]) => ({ scope, name }));
  const answer = await office.call('POST', `${groups}/${id}/members`, { body: [{ id: user, roles: named }] });
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
}

async function api(office: Office, path: string, more: object = {}): Promise<string> {
  const made = await office.call('POST', `${environment}/apis`, { body: apiBody(path, more) });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  return String(made.body['id']);
}

const rolesIn = async (office: Office, id: string): Promise<Record<string, unknown>> => {
  const listed = await office.call('GET', `${groups}/${id}/members`);
  const members = Object.values(listed.body) as unknown as { displayName: string; roles: unknown }[];
  return Object.fromEntries(members.map(({ displayName, roles }) => [displayName, roles]));
};

const events = async (office: Office, type: string) =>
  (
    await office.storage.db
      .selectFrom('audit')
      .select(['event', 'properties'])
      .where('reference_type', '=', type)
      .where((where) => where.or([where('event', 'like', 'GROUP%'), where('event', 'like', 'MEMBERSHIP%')]))
      .orderBy('created_at_ms')
      .execute()
  ).map(({ event, properties }) => [event, JSON.parse(properties) as unknown]);

for (const database of testDatabases) {
  const options = { skip: database.skip };

  test(`a group is made once, changed by its version, and deleted (${database.name})`, options, async (t) => {
    const office = await openOffice(t, database);
    const id = await group(office, 'Friends', { max_invitation: 3 });
    const again = await office.call('POST', groups, { body: { name: 'Friends' } });
    assert.deepEqual([again.status, again.body.technicalCode], [400, 'group.exists']);
    const read = await office.call('GET', `${groups}/${id}`);
    assert.deepEqual(
      [read.body['name'], read.body['max_invitation'], read.body['manageable'], read.body['event_rules']],
      ['Friends', 3, true, []],
    );
    const other = await group(office, 'Others');
    const taken = await office.call('PUT', `${groups}/${other}`, { body: { name: 'Friends' } });
    assert.equal(taken.body.technicalCode, 'group.exists');
    const etag = read.headers.get('etag') ?? '';
    const put = { body: { name: 'Close friends', roles: { API: 'OWNER' } }, headers: { 'if-match': etag } };
    await office.clock.advance(1);
    assert.equal((await office.call('PUT', `${groups}/${id}`, put)).status, 200);
    assert.equal((await office.call('PUT', `${groups}/${id}`, put)).status, 412);
    const wrong = await office.call('PUT', `${groups}/${id}`, {
      body: { name: 'x', roles: { API: 'PRIMARY_OWNER' } },
    });
    assert.equal(wrong.body.technicalCode, 'role.invalid');
    const mail = await office.call('POST', groups, { body: { name: 'by mail', email_invitation: true } });
    assert.match(JSON.stringify(mail.body), /email_invitation/);

    const listed = await office.call('GET', `${environment}/groups?perPage=1`);
    const [first] = listed.body['data'] as { name: string; apiRole: string }[];
    assert.deepEqual([first?.name, first?.apiRole], ['Close friends', 'OWNER']);
    assert.equal((listed.body['pagination'] as { totalCount: number }).totalCount, 2);
    const paged = await office.call('GET', `${groups}/_paged?query=OTHER`);
    assert.equal((paged.body['page'] as { total_elements: number }).total_elements, 1);
    const searched = await office.call('POST', `${environment}/groups/_search`, { body: { ids: [other] } });
    assert.deepEqual(
      (searched.body['data'] as { id: string }[]).map((one) => one.id),
      [other],
    );
    const all = Object.values(
      (await office.call('GET', `${organization}/groups`)).body,
    ) as unknown as object[];
    assert.equal(all.length, 2);

    assert.equal((await office.call('DELETE', `${groups}/${id}`)).status, 204);
    const gone = await office.call('GET', `${groups}/${id}`);
    assert.deepEqual([gone.status, gone.body.technicalCode], [404, 'group.notFound']);
    assert.deepEqual(
      (await events(office, 'ENVIRONMENT')).map(([event]) => event),
      ['GROUP_CREATED', 'GROUP_CREATED', 'GROUP_UPDATED', 'GROUP_DELETED'],
    );
  });

  test(
    `a member holds his roles on what has the group, and on nothing else, until he or it leaves (${database.name})`,
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const ann = await user(office, 'ann');
      const id = await group(office, 'friends');
      await join(office, id, [ann, { API: 'USER', APPLICATION: 'OWNER' }]);
      const [ours, theirs] = [await api(office, '/ours', { groups: [id] }), await api(office, '/theirs')];
      const made = await office.call('POST', `${v1}/applications`, {
        body: { name: 'shop', description: '', groups: [id] },
      });
      const application = `${v1}/applications/${String(made.body['id'])}`;
      const shownApis = async (): Promise<unknown> =>
        ((await office.call('GET', `${environment}/apis`, as('ann'))).body['data'] as { id: string }[]).map(
          (one) => one.id,
        );
      const statuses = async () => {
        const own = `${environment}/apis/${ours}`;
        const calls = [
          ['GET', own],
          ['GET', `${own}/members`],
          ['POST', `${own}/plans`],
          ['GET', `${environment}/apis/${theirs}`],
          ['GET', application],
          ['GET', `${application}/members`],
        ] as const;
        const found: number[] = [];
        for (const [method, path] of calls)
          found.push(
            (await office.call(method, path, { body: method === 'POST' ? {} : undefined, ...as('ann') }))
              .status,
          );
        return found;
      };
      assert.deepEqual(await statuses(), [200, 200, 403, 403, 200, 200]);
      assert.deepEqual(await shownApis(), [ours]);
      const applications = await office.call('GET', `${v1}/applications/_paged`, as('ann'));
      assert.equal((applications.body['page'] as { total_elements: number }).total_elements, 1);
      const may = await office.call('GET', `${environment}/apis/${ours}/members/permissions`, as('ann'));
      assert.deepEqual(may.body['PLAN'], ['R']);
      const inApi = await office.call('GET', `${v1}/apis/${ours}/groups`, as('ann'));
      assert.deepEqual(
        (inApi.body[id] as { displayName: string; roles: object }[]).map((one) => [
          one.displayName,
          one.roles,
        ]),
        [['ANN', { API: 'USER', APPLICATION: 'OWNER' }]],
      );
      const references = await office.call('GET', `${groups}/${id}/memberships?type=api`);
      assert.deepEqual(
        (Object.values(references.body) as unknown as { id: string }[]).map((one) => one.id),
        [ours],
      );

      // Another role in the group counts at once; scopes that are not named are gone.
      await join(office, id, [ann, { API: 'OWNER' }]);
      assert.deepEqual(await statuses(), [200, 200, 400, 403, 403, 403]);
      const away = await office.call('DELETE', `${groups}/${id}/members/${ann}`);
      assert.equal(away.status, 200);
      assert.deepEqual([await statuses(), await shownApis()], [[403, 403, 403, 403, 403, 403], []]);
      await join(office, id, [ann, { API: 'OWNER' }]);
      assert.equal((await office.call('DELETE', `${groups}/${id}`)).status, 204);
      assert.deepEqual([await statuses(), await shownApis()], [[403, 403, 403, 403, 403, 403], []]);
      assert.equal((await office.call('GET', `${environment}/apis/${ours}`)).body['groups'], undefined);
      assert.deepEqual(await events(office, 'GROUP'), [
        ['MEMBERSHIP_CREATED', { USER: ann, ROLE: 'API-USER,APPLICATION-OWNER' }],
        ['MEMBERSHIP_UPDATED', { USER: ann, ROLE: 'API-OWNER' }],
        ['MEMBERSHIP_DELETED', { USER: ann }],
        ['MEMBERSHIP_CREATED', { USER: ann, ROLE: 'API-OWNER' }],
      ]);
    },
  );

  test(
    `groups of an API are those that are there, for who may write its members; unnamed they stay (${database.name})`,
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const ann = await user(office, 'ann');
      const [first, second] = [await group(office, 'first'), await group(office, 'second')];
      const id = await api(office, '/a', { groups: [first] });
      const path = `${environment}/apis/${id}`;
      const put = (body: object, who: object = {}) =>
        office.call('PUT', path, { body: apiBody('/a', body), ...who });
      const none = await put({ groups: [first, 'none'] });
      assert.deepEqual(
        [none.status, (none.body['details'] as { path: string }[] | undefined)?.length],
        [400, 1],
      );
      const shop = { name: 'shop', description: '', groups: ['none'] };
      const application = await office.call('POST', `${v1}/applications`, { body: shop });
      assert.deepEqual([application.status, application.body.technicalCode], [404, 'groups.notFound']);
      assert.deepEqual((await put({})).body['groups'], [first]);
      // Who may write the definition and not the members would else make himself what the members of a group are.
      await office.call('POST', `${organization}/configuration/rolescopes/API/roles`, {
        body: { name: 'WRITER', permissions: { DEFINITION: ['R', 'U'], GATEWAY_DEFINITION: ['R', 'U'] } },
      });
      await office.call('POST', `${path}/members`, { body: { userId: ann, roleName: 'WRITER' } });
      assert.equal((await put({ groups: [first] }, as('ann'))).status, 200);
      assert.equal((await put({ groups: [first, second] }, as('ann'))).status, 403);
      assert.equal((await put({ groups: [] }, as('ann'))).status, 403);
      const both = [first, second].toSorted();
      assert.deepEqual((await put({ groups: [second, first] })).body['groups'], both);
      assert.equal((await put({ groups: [] })).body['groups'], undefined);
    },
  );

  test(
    `a rule gives a group to what is created, and a call to what is there (${database.name})`,
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const before = await api(office, '/before');
      const ruled = await group(office, 'ruled', { event_rules: [{ event: 'API_CREATE' }] });
      const other = await group(office, 'other', { event_rules: [{ event: 'APPLICATION_CREATE' }] });
      const after = await api(office, '/after', { groups: [other] });
      const groupsOf = async (id: string) =>
        (await office.call('GET', `${environment}/apis/${id}`)).body['groups'];
      assert.deepEqual(
        [await groupsOf(before), await groupsOf(after)],
        [undefined, [ruled, other].toSorted()],
      );
      const made = await office.call('POST', `${v1}/applications`, {
        body: { name: 'shop', description: '' },
      });
      assert.deepEqual(made.body['groups'], [other]);
      // An import means groups by name; those of elsewhere stay behind.
      const imported = await office.call('POST', `${environment}/apis/_import/definition`, {
        body: { api: apiBody('/imported', { groups: ['other', 'of elsewhere'] }) },
      });
      assert.deepEqual([imported.status, imported.body['groups']], [201, [ruled, other].toSorted()]);

      const etag = (await office.call('GET', `${environment}/apis/${before}`)).headers.get('etag') ?? '';
      const given = await office.call('POST', `${groups}/${ruled}/memberships?type=api`);
      assert.deepEqual([given.status, given.body['id']], [200, ruled]);
      assert.deepEqual(await groupsOf(before), [ruled]);
      const stale = await office.call('PUT', `${environment}/apis/${before}`, {
        body: apiBody('/before', { groups: [] }),
        headers: { 'if-match': etag },
      });
      assert.equal(stale.status, 412);
    },
  );

  test(
    `who administers a group adds members as far as the group lets him, with the roles that it gives (${database.name})`,
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const [ann, bob, cid] = [
        await user(office, 'ann'),
        await user(office, 'bob'),
        await user(office, 'cid'),
      ];
      const locked = { lock_api_role: true, roles: { API: 'REVIEWER' } };
      const id = await group(office, 'friends', { ...locked, max_invitation: 2 });
      await join(office, id, [ann, { GROUP: 'ADMIN' }]);
      const add = (user: string, roles: object[]) =>
        office.call('POST', `${groups}/${id}/members`, { body: [{ reference: user, roles }], ...as('ann') });
      const owner = [{ scope: 'API', name: 'OWNER' }];
      const refused = await add(bob, owner);
      assert.deepEqual([refused.status, refused.body.technicalCode], [404, 'group.invitation.forbidden']);
      const open = { name: 'friends', ...locked, max_invitation: 2, system_invitation: true };
      assert.equal((await office.call('PUT', `${groups}/${id}`, { body: open })).status, 200);
      assert.equal((await add(bob, owner)).status, 200);
      const late = await add(cid, owner);
      assert.deepEqual([late.status, late.body.technicalCode], [400, 'group.invitation.limit']);
      assert.deepEqual(await rolesIn(office, id), { ANN: { GROUP: 'ADMIN' }, BOB: { API: 'REVIEWER' } });
      assert.equal((await add(bob, [])).status, 200);
      assert.deepEqual((await rolesIn(office, id))['BOB'], { API: 'REVIEWER' });
      for (const [name, code] of [
        ['PRIMARY_OWNER', 'role.invalid'],
        ['NONE', 'role.invalid'],
      ])
        assert.equal((await add(bob, [{ scope: 'API', name }])).body.technicalCode, code);

      // The name is his to change; what the group opens, and to whom, is not.
      const wider = {
        ...open,
        name: 'ours',
        max_invitation: 9,
        lock_api_role: false,
        roles: { API: 'OWNER' },
      };
      const put = await office.call('PUT', `${groups}/${id}`, {
        body: { ...wider, event_rules: [{ event: 'API_CREATE' }] },
        ...as('ann'),
      });
      const { name, max_invitation: limit, roles, event_rules: rules } = put.body;
      assert.deepEqual([put.status, name, limit, roles, rules], [200, 'ours', 2, { API: 'REVIEWER' }, []]);
      assert.equal((await office.call('DELETE', `${groups}/${id}`, as('ann'))).status, 403);
      const other = await group(office, 'others');
      assert.equal((await office.call('DELETE', `${groups}/${other}/members/${bob}`, as('ann'))).status, 403);
      const listed = await office.call('GET', groups, as('ann'));
      assert.deepEqual(
        (Object.values(listed.body) as unknown as { name: string; manageable: boolean }[]).map((one) => [
          one.name,
          one.manageable,
        ]),
        [
          ['others', false],
          ['ours', true],
        ],
      );
      assert.equal((await office.call('DELETE', `${groups}/${id}/members/${bob}`, as('ann'))).status, 200);
      const nobody = await office.call('DELETE', `${groups}/${id}/members/${bob}`, as('ann'));
      assert.equal(nobody.status, 404);
    },
  );

  test(
    `a role of people's own counts by a group; when it is deleted its holder has the default one (${database.name})`,
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const ann = await user(office, 'ann');
      const roles = `${organization}/configuration/rolescopes/API/roles`;
      await office.call('POST', roles, { body: { name: 'KEEPER', permissions: { PLAN: ['C', 'R'] } } });
      const id = await group(office, 'friends', { roles: { API: 'KEEPER' } });
      await join(office, id, [ann, { API: 'KEEPER' }]);
      const path = `${environment}/apis/${await api(office, '/a', { groups: [id] })}/members/permissions`;
      assert.deepEqual((await office.call('GET', path, as('ann'))).body, { PLAN: ['C', 'R'] });
      assert.equal((await office.call('DELETE', `${roles}/KEEPER`)).status, 204);
      assert.deepEqual(await rolesIn(office, id), { ANN: { API: 'USER' } });
      assert.deepEqual((await office.call('GET', `${groups}/${id}`)).body['roles'], {});
      assert.deepEqual((await office.call('GET', path, as('ann'))).body['PLAN'], ['R']);
    },
  );

  test(
    `a group that is deleted while APIs are given it is on none of them, and no call fails (${database.name})`,
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const ids = await Promise.all(['/a', '/b', '/c', '/d'].map((path) => api(office, path)));
      const id = await group(office, 'short');
      const answers = await Promise.all([
        ...ids.map((one, index) =>
          office.call('PUT', `${environment}/apis/${one}`, {
            body: apiBody(['/a', '/b', '/c', '/d'][index] ?? '', { groups: [id] }),
          }),
        ),
        office.call('DELETE', `${groups}/${id}`),
        office.call('POST', `${groups}/${id}/memberships?type=api`),
      ]);
      for (const answer of answers)
        assert.ok([200, 204, 400, 404].includes(answer.status), JSON.stringify(answer.body));
      for (const one of ids)
        assert.equal((await office.call('GET', `${environment}/apis/${one}`)).body['groups'], undefined);
    },
  );
}
