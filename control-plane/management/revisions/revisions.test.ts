import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Answer, environment, openOffice, v1 } from '../../../test/kit/control-plane/office.ts';
import { testDatabases } from '../../../test/kit/servers/databases.ts';

const tokens = (clientSecret: string) => ({
  name: 'tokens',
  type: 'oauth2',
  enabled: true,
  configuration: {
    introspectionEndpoint: 'https://id.example.com/introspect',
    clientId: 'gateway',
    clientSecret,
  },
});

for (const database of testDatabases) {
  test(
    `what was deployed is listed, compared, labelled and written again, and no secret is told (${database.name})`,
    { skip: database.skip },
    async (t) => {
      const office = await openOffice(t, database);
      const { id, planId } = await office.deployedApi('/pets');
      const path = `${environment}/apis/${id}`;
      const get = async (at: string): Promise<Answer['body']> => (await office.call('GET', path + at)).body;
      const change = async (extra: object, label: string): Promise<void> => {
        const body = { ...(await get('')), ...extra };
        const put = await office.call('PUT', path, { body });
        assert.equal(put.status, 200, JSON.stringify(put.body));
        const deployed = await office.call('POST', `${path}/deployments`, {
          body: { deploymentLabel: label },
        });
        assert.equal(deployed.status, 202, JSON.stringify(deployed.body));
        await office.clock.advance(1_000);
      };
      const flow = (name: string) => ({ name, enabled: true, request: [], response: [] });
      await change({ name: 'second', resources: [tokens('open sesame')], flows: [flow('one')] }, 'two');
      await office.call('PATCH', `${path}/plans/${planId}`, { body: { flows: [flow('planned')] } });
      await change({ name: 'third', resources: [], flows: [] }, 'three');

      const list = await get('/deployments?perPage=2');
      const revisions = list['data'] as {
        number: number;
        label?: string;
        isCurrent: boolean;
        deployedBy: object;
      }[];
      assert.deepEqual(
        revisions.map(({ number, label, isCurrent }) => [number, label, isCurrent]),
        [
          [3, 'three', true],
          [2, 'two', false],
        ],
      );
      assert.equal((list['pagination'] as { totalCount: number }).totalCount, 3);
      const events = (await get('/events?types=PUBLISH_API'))['data'] as {
        id: string;
        type: string;
        payload?: string;
      }[];
      assert.deepEqual(
        events.map((event) => [event.id, event.type, event.payload]),
        [3, 2, 1].map((number) => [`${id}_${number}`, 'PUBLISH_API', undefined]),
      );
      assert.deepEqual((await get('/events?types=STOP_API'))['data'], []);
      const second = await office.call('GET', `${path}/events/${id}_2`);
      const payload = JSON.parse(String(second.body['payload'])) as { name: string };
      assert.equal(payload.name, 'second');
      for (const told of [
        second.body,
        await get('/deployments/2'),
        await get('/deployments/2/_diff?against=3'),
      ])
        assert.doesNotMatch(JSON.stringify(told), /open sesame|sealed:/);

      const diff = async (query: string): Promise<readonly string[]> => {
        const body = await get(`/deployments/2/_diff${query}`);
        return (body['differences'] as { path: string }[]).map((one) => one.path);
      };
      assert.ok((await diff('?against=3')).includes('name'));
      assert.deepEqual(await diff('?against=2'), []);
      assert.deepEqual(await diff('?against=3'), await diff(''));
      assert.equal((await office.call('GET', `${path}/deployments/2/_diff?against=9`)).status, 404);

      const labelled = await office.call('PUT', `${path}/deployments/2`, { body: { label: 'the good one' } });
      assert.deepEqual([labelled.status, labelled.body['label']], [200, 'the good one']);
      const before = await get('');
      const back = await office.call('POST', `${path}/_rollback`, { body: { eventId: `${id}_2` } });
      assert.equal(back.status, 204, JSON.stringify(back.body));
      const after = await get('');
      assert.deepEqual(
        [after['name'], (after['flows'] as { name: string }[])[0]?.name, after['deploymentState']],
        ['second', 'one', 'NEED_REDEPLOY'],
      );
      assert.deepEqual(
        [after['visibility'], after['primaryOwner']],
        [before['visibility'], before['primaryOwner']],
      );
      assert.deepEqual((await get(`/plans/${planId}`))['flows'], []);
      assert.deepEqual(await diff(''), [], 'what would be deployed is what was, secrets and all');
      assert.equal((await office.call('POST', `${path}/deployments`)).status, 202);
      for (const eventId of [undefined, 'none', `${id}_9`, `other_2`, `${id}_2x`]) {
        const refused = await office.call('POST', `${path}/_rollback`, { body: { eventId } });
        assert.deepEqual([refused.status, refused.body.technicalCode], [404, 'event.notFound'], eventId);
      }
    },
  );
}

interface Told {
  readonly id: string;
  readonly type: string;
  readonly payload?: string;
  readonly createdAt: string;
  readonly properties: Readonly<Record<string, string>>;
  readonly initiator: { readonly id: string };
}

for (const database of testDatabases)
  test(
    `starts and stops are events of an API beside its deployments, each with what gateways were to have (${database.name})`,
    { skip: database.skip },
    async (t) => {
      const office = await openOffice(t, database);
      const other = await office.deployedApi('/other');
      const startedMs = office.clock.now();
      const { id } = await office.deployedApi('/pets');
      await office.clock.advance(1_000);
      const path = `${environment}/apis/${id}`;
      const does = async (deed: string): Promise<void> => {
        const { status, body } = await office.call('POST', `${path}/${deed}`);
        assert.ok(status < 300, JSON.stringify(body));
        await office.clock.advance(1_000);
      };
      const told = async (query: string): Promise<readonly Told[]> =>
        (await office.call('GET', `${path}/events${query}`)).body['data'] as readonly Told[];
      for (const deed of ['_stop', 'deployments', '_start']) await does(deed);

      const events = await told('');
      assert.deepEqual(
        events.map(({ type, properties }) => [type, properties['deployment_number'], properties['api_id']]),
        [
          ['START_API', '2', id],
          ['PUBLISH_API', '2', id],
          ['STOP_API', '1', id],
          ['START_API', '1', id],
          ['PUBLISH_API', '1', id],
        ],
        'a first start deploys, and the start comes behind that',
      );
      const typesOf = (found: readonly Told[]) => found.map(({ type }) => type);
      assert.deepEqual(typesOf(await told('?types=STOP_API,START_API')), [
        'START_API',
        'STOP_API',
        'START_API',
      ]);
      assert.deepEqual(typesOf(await told('?types=UNPUBLISH_API')), []);
      assert.deepEqual(typesOf(await told('?perPage=2&page=2')), ['STOP_API', 'START_API']);
      const between = `?from=${startedMs + 1}&to=${startedMs + 2_000}`;
      assert.deepEqual(typesOf(await told(between)), ['PUBLISH_API', 'STOP_API']);
      for (const event of events) {
        const one = (await office.call('GET', `${path}/events/${event.id}`)).body as unknown as Told;
        const { payload, ...rest } = one;
        assert.deepEqual(rest, event);
        assert.equal((JSON.parse(String(payload)) as { id: string }).id, id);
        const elsewhere = await office.call('GET', `${environment}/apis/${other.id}/events/${event.id}`);
        assert.deepEqual([elsewhere.status, elsewhere.body.technicalCode], [404, 'event.notFound']);
      }
      const audited = await office.call('GET', `${v1}/audit?event=API_STARTED,API_STOPPED&api=${id}`);
      assert.deepEqual(
        (audited.body['content'] as { event: string }[]).map(({ event }) => event),
        ['API_STARTED', 'API_STOPPED', 'API_STARTED'],
      );
    },
  );
