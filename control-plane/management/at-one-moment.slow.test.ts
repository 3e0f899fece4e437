import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makers, otherwise } from '../../test/kit/control-plane/makers.ts';
import {
  type Answer,
  environment,
  type Office,
  openOffice,
  v1,
} from '../../test/kit/control-plane/office.ts';
import { testDatabases } from '../../test/kit/servers/databases.ts';

/*
 * Changes of one thing that come at one moment, at two control planes: what each of them looks at first is not changed by another one before it
 * writes. `at-once.slow.test.ts` has the same of all that gateways learn, by dice.
 */

const organization = '/management/organizations/DEFAULT';
const together = 8;

/** The same wish as often as {@link together}, at both control planes in turns. */
async function atOnce(
  doors: readonly Office['call'][],
  wish: (n: number) => Parameters<Office['call']>,
): Promise<readonly Answer[]> {
  const answers = Array.from({ length: together }, async (_, n) =>
    (doors[n % doors.length] as Office['call'])(...wish(n)),
  );
  return Promise.all(answers);
}

const failures = (answers: readonly Answer[]): readonly string[] =>
  answers.filter(({ status }) => status >= 500).map(({ text }) => text);

/** The doors of one control plane, and of a second one where the database has more than one. */
const doorsOf = async (office: Office): Promise<readonly Office['call'][]> =>
  office.storage.dialect === 'sqlite' ? [office.call] : [office.call, await office.openSecond()];

/** Events of the audit that tell of one thing after it was deleted; a draft that is written anew is no change of the one before. */
function toldOfGone(rows: readonly { readonly event: string; readonly about: string }[]): readonly string[] {
  const gone = new Set<string>();
  return rows.flatMap(({ event, about }) => {
    const [thing = ''] = event.split(/_(?:CREATED|UPDATED|DELETED)$/);
    const name = `${thing} ${about}`;
    if (event.endsWith('_CREATED')) gone.delete(name);
    if (event.endsWith('_UPDATED') && thing !== 'API_DRAFT' && gone.has(name)) return [`${event} ${about}`];
    if (event.endsWith('_DELETED')) gone.add(name);
    return [];
  });
}

/** What there is one of by its name: the path, and the body that asks for it. */
const named: ReadonlyMap<string, object> = new Map<string, object>([
  [`${organization}/configuration/tags`, { key: 'internal', name: 'Internal' }],
  [`${organization}/configuration/tenants`, [{ key: 'north', name: 'North' }]],
  [
    `${organization}/configuration/entrypoints`,
    { target: 'HTTP', value: 'https://api.example', tags: ['internal'] },
  ],
  [
    `${organization}/configuration/identities`,
    {
      name: 'Corporate',
      type: 'OIDC',
      configuration: {
        clientId: 'c',
        clientSecret: 's',
        discoveryEndpoint: 'https://id.example.com/.well-known/openid-configuration',
        tokenEndpoint: 'https://id.example.com/t',
        userInfoEndpoint: 'https://id.example.com/u',
      },
    },
  ],
  [
    `${organization}/configuration/notification-templates`,
    {
      scope: 'API',
      hook: 'API_STARTED',
      type: 'EMAIL',
      title: 'x',
      content: '<p>y</p>',
      enabled: true,
    },
  ],
  [`${organization}/configuration/rolescopes/API/roles`, { name: 'KEEPER' }],
  [`${organization}/users`, { username: 'ann', password: 'a password of twelve' }],
  [`${v1}/configuration/categories`, { name: 'Pets' }],
  [`${v1}/configuration/groups`, { name: 'friends' }],
  [`${v1}/configuration/metadata`, { name: 'Team' }],
  [
    `${v1}/configuration/dictionaries`,
    { name: 'rates', key: 'rates', description: '', type: 'MANUAL', properties: {} },
  ],
  [`${environment}/views`, { name: 'slow', page: 'LOGS', query: 'group=5xx' }],
  [
    `${environment}/shared-policy-groups`,
    { name: 'limits', crossId: 'limits', apiType: 'PROXY', phase: 'REQUEST', steps: [] },
  ],
]);

for (const database of testDatabases) {
  const options = { skip: database.skip };
  const on = ` (${database.name})`;

  test(
    `of those who write over the same version one does, and who writes what another one deletes is told so${on}`,
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const doors = await doorsOf(office);
      for (const [name, make] of makers) {
        const path = await make(office, t);
        const read = await office.call('GET', path);
        const etag = read.headers.get('etag');
        const wish = etag === null ? read.body : otherwise(name, read.body);
        if (etag !== null) {
          const headers = { 'if-match': etag };
          const answers = await atOnce(doors, () => ['PUT', path, { body: wish, headers }]);
          const count = (isOf: (status: number) => boolean) =>
            answers.filter(({ status }) => isOf(status)).length;
          const found = [count((status) => status < 300), count((status) => status === 412)];
          assert.deepEqual(found, [1, together - 1], name);
        }
        const answers = await atOnce(doors, (n) =>
          n === 3 ? ['DELETE', path] : ['PUT', path, { body: n % 2 === 0 ? read.body : wish }],
        );
        assert.deepEqual(failures(answers), [], name);
      }
      const rows = await office.storage.db
        .selectFrom('audit')
        .select(['event', 'reference_id', 'properties'])
        .orderBy('seq')
        .execute();
      const told = rows.map((row) => ({ event: row.event, about: `${row.reference_id} ${row.properties}` }));
      assert.ok(told.filter(({ event }) => event.endsWith('_DELETED')).length > 10);
      assert.deepEqual(toldOfGone(told), []);
    },
  );

  test(`what there is one of is made once, whoever asks at the same moment${on}`, options, async (t) => {
    const office = await openOffice(t, database);
    const doors = await doorsOf(office);
    const { id } = await office.deployedApi('/here');
    for (const [path, body] of named) {
      const answers = await atOnce(doors, () => ['POST', path, { body }]);
      assert.deepEqual(failures(answers), [], path);
      const made = answers.filter(({ status }) => status < 300);
      assert.equal(made.length, 1, `${path}: ${answers.map(({ status }) => status).join(' ')}`);
    }
    const own = { config_type: 'PORTAL', referenceType: 'API', referenceId: id, hooks: [] };
    const settings = `${v1}/apis/${id}/notificationsettings`;
    const told = await atOnce(doors, () => ['POST', settings, { body: own }]);
    assert.deepEqual(failures(told), [], settings);
  });

  test(
    `what stands in an order has a place each, however many come at the same moment${on}`,
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const doors = await doorsOf(office);
      const orders = async (path: string): Promise<readonly number[]> => {
        const { body } = await office.call('GET', path);
        return (body as unknown as readonly { readonly order: number }[]).map(({ order }) => order);
      };
      for (const [path, field] of [
        [`${v1}/configuration/apiheaders`, { value: 'x' }],
        [`${v1}/configuration/categories`, {}],
      ] as const) {
        const before = await orders(path);
        await atOnce(doors, (n) => ['POST', path, { body: { name: `n${n}`, ...field } }]);
        const after = await orders(path);
        assert.equal(after.length, before.length + together, path);
        assert.equal(new Set(after).size, after.length, `${path}: ${after.join(' ')}`);
      }
    },
  );

  test(
    `what is deleted while somebody writes what belongs to it holds up nobody, and nobody holds it up${on}`,
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const doors = await doorsOf(office);
      const dictionaries = `${v1}/configuration/dictionaries`;
      const dictionary = { name: 'rates', key: 'rates', description: '', type: 'MANUAL', properties: {} };
      for (let round = 0; round < 10; round += 1) {
        const { id } = await office.deployedApi(`/short-lived-${round}`);
        const stopped = await office.call('POST', `${environment}/apis/${id}/_stop`);
        assert.equal(stopped.status, 204, stopped.text);
        const metadata = `${v1}/apis/${id}/metadata`;
        await office.call('POST', metadata, { body: { name: 'Team' } });
        const settings = `${v1}/apis/${id}/notificationsettings`;
        const told = { config_type: 'PORTAL', referenceType: 'API', referenceId: id, hooks: [] };
        await office.call('POST', settings, { body: told });
        const answers = await atOnce(doors, (n) => {
          if (n === 3) return ['DELETE', `${environment}/apis/${id}?closePlans=true`];
          return n % 2 === 0
            ? ['PUT', `${metadata}/team`, { body: { name: 'Team', value: String(n) } }]
            : ['POST', settings, { body: told }];
        });
        assert.deepEqual(failures(answers), [], `round ${round}`);
        assert.equal(answers[3]?.status, 204, answers[3]?.text);
        const { db } = office.storage;
        const left = [
          ...(await db.selectFrom('metadata').select('key').where('reference', '=', id).execute()),
          ...(await db
            .selectFrom('notification_setting')
            .select('id')
            .where('reference_id', '=', id)
            .execute()),
        ];
        assert.deepEqual(left, [], 'nothing is left of an API that is gone');
        const made = await office.call('POST', dictionaries, { body: dictionary });
        const path = `${dictionaries}/${String(made.body['id'])}`;
        assert.equal((await office.call('POST', `${path}/_deploy`)).status, 200);
        const again = await atOnce(doors, (n) =>
          n === 3 ? ['DELETE', path] : ['POST', dictionaries, { body: dictionary }],
        );
        assert.deepEqual(failures(again), [], `round ${round}`);
        for (const { body, status } of again)
          if (status === 201) await office.call('DELETE', `${dictionaries}/${String(body['id'])}`);
      }
    },
  );
}
