import assert from 'node:assert/strict';
import { testOnce } from '../../../test/kit/long-run.ts';
import { testDatabases } from '../../../test/kit/servers/databases.ts';
import { eventually } from '../../../test/kit/eventually.ts';
import { land } from '../../../test/kit/control-plane/landing.ts';
import { basic, environment, openOffice, password, v1 } from '../../../test/kit/control-plane/office.ts';
import { createTestLake, recordLines } from '../../../test/kit/control-plane/test-lake.ts';

type Body = Record<string, unknown>;
const idsIn = (body: Body, list = 'data', name = 'requestId'): unknown[] =>
  (body[list] as Body[]).map((call) => call[name]);

for (const database of testDatabases)
  testOnce(database)(
    `calls are found by what they were, by whoever may read their logs, and what was said is told with one (${database.name})`,
    { skip: database.skip },
    async (t) => {
      const lake = await createTestLake(t, database);
      const analytics = await lake.start();
      const office = await openOffice(t, database, { analytics });
      const { id, planId } = await office.deployedApi('/pets');
      const { id: hidden } = await office.deployedApi('/hidden');
      const made = await office.call('POST', `${v1}/applications`, {
        body: { name: 'shop', description: '' },
      });
      const application = String(made.body['id']);
      const { organization, environment: environmentId } = office.at;
      const atMs = office.clock.now();
      const of = { org_id: organization, env_id: environmentId, api_id: id };
      const where = { organization, environment: environmentId };
      const call = (request: string, over: object) =>
        recordLines(1, {
          ...of,
          request_id: request,
          transaction_id: 't',
          plan_id: planId,
          http_method: 'GET',
          uri: `/pets/${request}?q=1`,
          gateway_response_time_us: 2_400,
          warnings: JSON.stringify([{ key: 'K', message: 'm' }]),
          custom_metrics: JSON.stringify({ tenant: 'acme' }),
          ...over,
        });
      const backend = {
        endpoint: 'http://10.1.2.3:8080/in',
        local_address: '10.9.9.9',
        error_message: 'connect 10.1.2.3',
      };
      const failed = { error_key: 'KEY', status: 401, application_id: application, ...backend };
      const calls = [
        ...call('one', { timestamp: atMs - 3, ...failed, user_agent: '=1+1' }),
        ...call('two', { timestamp: atMs - 2, http_method: 'PROPFIND', request_bytes: 7 }),
        ...call('three', { timestamp: atMs - 1, gateway_response_time_us: 90_000, plan_id: 'gone' }),
        ...call('four', { timestamp: atMs - 1, api_id: hidden, error_key: 'HIDDEN' }),
        ...call('five', { timestamp: atMs - 1, org_id: 'p' }),
      ];
      const logOf = (over: object) =>
        recordLines(1, {
          type: 'v4-log',
          ...of,
          timestamp: atMs,
          request_id: 'two',
          transaction_id: 't',
          entrypoint_request_method: 'GET',
          entrypoint_request_uri: '/pets/two',
          entrypoint_request_headers: JSON.stringify([
            ['A', '1'],
            ['__proto__', 'x'],
            ['A', '2'],
          ]),
          entrypoint_request_body: 'They Asked',
          entrypoint_response_status: 200,
          endpoint_request_headers: 'no list',
          ...over,
        });
      const logs = [
        ...logOf({}),
        ...logOf({ api_id: hidden, request_id: 'four' }),
        ...logOf({ request_id: 'one', endpoint_request_body: 'behind', entrypoint_request_body: undefined }),
        ...logOf({ org_id: 'p', request_id: 'three' }),
      ];
      await land(lake.blobs, calls, where);
      await land(lake.blobs, logs, { ...where, stream: 'logs', spool: 'a'.repeat(32) });
      await eventually(async () => (await lake.keys('landing/')).length === 0, { timeoutMs: 20_000 });

      // The list of an API.
      const path = `${environment}/apis/${id}/logs`;
      const list = await office.call('GET', `${path}?perPage=2`);
      assert.equal(list.status, 200, JSON.stringify(list.body));
      assert.equal(list.headers.get('x-records-until'), new Date(atMs).toISOString());
      assert.deepEqual(idsIn(list.body), ['three', 'two']);
      const [first, second] = list.body['data'] as Body[];
      assert.deepEqual(first, {
        id: 'three',
        timestamp: new Date(atMs - 1).toISOString(),
        requestId: 'three',
        transactionId: 't',
        method: 'GET',
        plan: { id: 'gone' },
        status: 200,
        requestEnded: true,
        gatewayResponseTime: 90,
        uri: '/pets/three?q=1',
        warnings: [{ key: 'K', message: 'm' }],
        customMetrics: { tenant: 'acme' },
      });
      assert.deepEqual([second?.['method'], second?.['plan']], ['OTHER', { id: planId, name: 'plan' }]);
      assert.equal((list.body['pagination'] as Body)['totalCount'], 3);
      const beyond = await office.call('GET', `${path}?page=9`);
      assert.deepEqual([beyond.body['data'], (beyond.body['pagination'] as Body)['totalCount']], [[], 3]);
      for (const [query, expected] of [
        ['errorKeys=KEY,OTHER', ['one']],
        ['statuses=401,404', ['one']],
        ['statuses=200', ['three', 'two']],
        [`applicationIds=${application}`, ['one']],
        [`planIds=${planId}&methods=GET,POST`, ['one']],
        ['methods=OTHER', ['two']],
        ['errorKeys=KEY&statuses=200', []],
        ['apiProductIds=any', []],
        ['entrypointIds=http-proxy', ['three', 'two', 'one']],
        ['requestIds=two,four', ['two']],
        ['transactionIds=t&uri=PETS/T', ['three', 'two']],
        ['responseTimeMin=90', ['three']],
        ['responseTimeMax=2', []],
        ['responseTimeMin=2&responseTimeMax=3', ['two', 'one']],
        ['bodyText=asked', ['two']],
        ['bodyText=BEHIND', ['one']],
        [`from=${atMs - 2}&to=${atMs - 1}`, ['two']],
      ] as const)
        assert.deepEqual(idsIn((await office.call('GET', `${path}?${query}`)).body), expected, query);
      for (const query of ['errorKeys=a%0Ab', 'statuses=4xx', 'methods=GRAB', 'applicationIds=..', 'uri='])
        assert.equal((await office.call('GET', `${path}?${query}`)).status, 400, query);
      assert.deepEqual((await office.call('GET', `${path}/error-keys`)).body, ['KEY']);
      assert.deepEqual((await office.call('GET', `${path}/error-keys?from=0&to=1`)).body, []);

      // One call.
      const one = await office.call('GET', `${path}/two`);
      assert.equal(one.status, 200, JSON.stringify(one.body));
      assert.deepEqual(
        [one.body['entrypointResponse'], one.body['endpointRequest'], one.body['apiId']],
        [{ status: 200 }, undefined, id],
      );
      const said = one.body['entrypointRequest'] as { headers: object; body: string };
      assert.deepEqual(Object.entries(said.headers), [
        ['A', ['1', '2']],
        ['__proto__', ['x']],
      ]);
      for (const nothing of ['three', 'four', 'never'])
        assert.equal((await office.call('GET', `${path}/${nothing}`)).status, 404, nothing);
      assert.equal((await office.call('GET', `${environment}/apis/another/logs`)).status, 404);
      const metrics = await office.call('GET', `${environment}/apis/${id}/analytics/two`);
      assert.deepEqual(
        [
          metrics.body['requestContentLength'],
          metrics.body['responseContentLength'],
          metrics.body['gateway'],
        ],
        [7, undefined, 'g'],
      );
      assert.equal((await office.call('GET', `${environment}/apis/${id}/analytics/four`)).status, 404);

      // The environment, for the administrator and for an owner of one API.
      const body = await office.call('POST', `/management/organizations/DEFAULT/users`, {
        body: { username: 'owner', password, role: 'USER' },
      });
      const member = { userId: body.body['id'], roleName: 'OWNER' };
      const joined = await office.call('POST', `${environment}/apis/${id}/members`, { body: member });
      assert.equal(joined.status, 201, JSON.stringify(joined.body));
      const as = basic('owner', password);
      const timeRange = { from: new Date(atMs - 10).toISOString(), to: new Date(atMs + 1).toISOString() };
      const search = `${environment}/logs/search`;
      const asked = (...filters: Body[]) => ({ body: { timeRange, filters } });
      assert.deepEqual(idsIn((await office.call('POST', search, asked())).body), [
        'four',
        'three',
        'two',
        'one',
      ]);
      assert.deepEqual(idsIn((await office.call('POST', search, { ...asked(), as })).body), [
        'three',
        'two',
        'one',
      ]);
      for (const [name, operator, value, expected] of [
        ['API', 'EQ', hidden, []],
        ['HTTP_STATUS', 'IN', ['401'], ['one']],
        ['HTTP_STATUS_CODE_GROUP', 'EQ', '2xx', ['three', 'two']],
        ['RESPONSE_TIME', 'GTE', 90, ['three']],
        ['URI', 'CONTAINS', '/tw', ['two']],
        ['HTTP_PATH', 'EQ', '/pets/two', ['two']],
        ['PAYLOAD', 'CONTAINS', 'asked', ['two']],
        ['API_TYPE', 'EQ', 'HTTP_PROXY', ['three', 'two', 'one']],
        ['API_TYPE', 'EQ', 'MCP', []],
        ['ERROR_KEY', 'IN', ["' OR 1=1 --", '$c0'], []],
      ] as const) {
        const found = await office.call('POST', search, { ...asked({ name, operator, value }), as });
        assert.deepEqual(idsIn(found.body), expected, `${name} ${operator}`);
      }
      for (const [name, operator, value] of [
        ['TENANT', 'EQ', 'x'],
        ['__proto__', 'EQ', 'x'],
        ['HTTP_STATUS', 'GTE', 'many'],
        ['API', 'GTE', 5],
        ['PAYLOAD', 'EQ', 'x'],
        ['API', 'EQ', ['a', 'b']],
      ] as const) {
        const refused = await office.call('POST', search, asked({ name, operator, value }));
        const [detail] = refused.body['details'] as { location: string }[];
        assert.match(`${refused.status} ${detail?.location ?? ''}`, /^400 .*filters/, name);
      }
      assert.deepEqual((await office.call('GET', `${environment}/logs/error-keys`, { as })).body, ['KEY']);
      assert.deepEqual((await office.call('GET', `${environment}/logs/error-keys`)).body, ['HIDDEN', 'KEY']);

      // Files.
      const file = async (target: string, wish: RequestInit = {}) => {
        const headers = { authorization: basic('admin', password), 'content-type': 'application/json' };
        const answer = await office.app.request(`http://office${target}`, { headers, ...wish });
        return { type: answer.headers.get('content-type'), lines: (await answer.text()).split('\n') };
      };
      const csv = await file(`${path}/_export?statuses=401`);
      assert.equal(csv.type, 'text/csv; charset=utf-8');
      assert.equal(csv.lines.length, 3);
      assert.match(csv.lines[0] ?? '', /^requestId,transactionId,.*,timestamp\r$/);
      assert.match(csv.lines[1] ?? '', /^"one","t",.*,"'=1\+1",.*"KEY"/);
      const json = await file(`${environment}/logs/_export?format=ndjson`, {
        method: 'POST',
        body: JSON.stringify({ timeRange }),
      });
      const exported = json.lines.filter(Boolean).map((line) => JSON.parse(line) as Body);
      assert.deepEqual(
        exported.map(({ requestId }) => requestId),
        ['four', 'three', 'two', 'one'],
      );
      assert.deepEqual(
        [exported[3]?.['applicationName'], exported[3]?.['apiName'], exported[2]?.['responseBytes']],
        ['shop', 'api /pets', undefined],
      );

      // Version 1: of an application, and of the platform.
      const mine = await office.call('GET', `${v1}/applications/${application}/logs?query=status:401`);
      assert.deepEqual([mine.body['total'], idsIn(mine.body, 'logs', 'id')], [1, ['one']]);
      assert.deepEqual((mine.body['metadata'] as Body)[application], { name: 'shop' });
      assert.equal(
        (await office.call('GET', `${v1}/applications/${application}/logs?query=zone:x`)).status,
        400,
      );
      const own = await office.call('GET', `${v1}/applications/${application}/logs/one`);
      assert.deepEqual(
        [own.body['response'], own.body['proxyRequest'], JSON.stringify(own.body).includes('behind')],
        [{ status: 200 }, undefined, false],
      );
      // Whoever calls an API is told neither where its backend is nor by which gateway he went, nor finds it by asking.
      const inside = /10\.1\.2\.3|10\.9\.9\.9|"gateway"/;
      const ofApplication = `${v1}/applications/${application}`;
      for (const path of ['logs', 'logs/one', 'logs/export', 'logs/export?format=ndjson'])
        assert.doesNotMatch((await file(`${ofApplication}/${path}`)).lines.join(), inside, path);
      const table = await file(`${ofApplication}/logs/export`);
      assert.match(table.lines[0] ?? '', /^requestId,.*,errorKey,customMetrics,timestamp\r$/);
      assert.equal(table.lines[1]?.split(',').length, table.lines[0]?.split(',').length);
      assert.match((await file(`${v1}/platform/logs/export`)).lines.join(), inside);
      for (const [path, field] of [
        ['logs?query=endpoint:*10.1*', 'query'],
        ['logs?query=status:401 AND gateway:gw*', 'query'],
        ['logs/export?query=(endpoint:a)', 'query'],
        ['analytics?type=count&query=endpoint:*10*', 'query'],
        ['analytics?type=group_by&field=endpoint', 'field'],
        ['analytics?type=date_histo&interval=60000&aggs=field:status;field:gateway', 'aggs'],
      ] as const) {
        const asked = await office.call('GET', `${ofApplication}/${encodeURI(path)}`);
        const [detail] = (asked.body['details'] ?? []) as { location?: string }[];
        assert.deepEqual([asked.status, detail?.location], [400, field], path);
      }
      const foreign = await office.call('GET', `${v1}/applications/${application}/logs/two`);
      assert.equal(foreign.status, 404);
      const platform = await office.call('GET', `${v1}/platform/logs?field=response-time&order=true&size=2`);
      assert.deepEqual([platform.body['total'], idsIn(platform.body, 'logs', 'id').length], [4, 2]);
      const slowest = await office.call('GET', `${v1}/platform/logs?field=response-time&size=1`);
      assert.deepEqual(idsIn(slowest.body, 'logs', 'id'), ['three']);
      assert.equal((await file(`${v1}/platform/logs/export?query=uri:*tw*`)).lines.length, 3);
      const whole = await office.call('GET', `${v1}/platform/logs/one`);
      assert.equal((whole.body['proxyRequest'] as Body)['body'], 'behind');
    },
  );
