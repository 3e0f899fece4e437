import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabases } from '../../../test/kit/servers/databases.ts';
import { eventually } from '../../../test/kit/eventually.ts';
import { land } from '../../../test/kit/control-plane/landing.ts';
import { environment, openOffice } from '../../../test/kit/control-plane/office.ts';
import { createTestLake, recordLines } from '../../../test/kit/control-plane/test-lake.ts';

for (const database of testDatabases) {
  const options = { skip: database.skip };

  test(
    `the figures of an API are those of its own records in the span that was asked for (${database.name})`,
    options,
    async (t) => {
      const lake = await createTestLake(t, database);
      const analytics = await lake.start();
      const office = await openOffice(t, database, { analytics });
      const { id } = await office.deployedApi('/pets');
      const { organization, environment: environmentId } = office.at;
      const atMs = office.clock.now();
      const of = { org_id: organization, env_id: environmentId, api_id: id };
      const where = { organization, environment: environmentId };
      const lines = [
        ...recordLines(3, { ...of, timestamp: atMs }),
        ...recordLines(2, { ...of, timestamp: atMs, status: 503 }),
        ...recordLines(7, { ...of, timestamp: atMs - 25 * 3_600_000 }),
        ...recordLines(9, { ...of, api_id: 'another', timestamp: atMs }),
      ];
      await land(lake.blobs, lines, where);
      await eventually(async () => (await lake.keys('landing/')).length === 0, { timeoutMs: 20_000 });

      const path = `${environment}/apis/${id}/analytics`;
      const day = await office.call('GET', `${path}/requests-count`);
      assert.deepEqual(day.body, { total: 5, countsByEntrypoint: { 'http-proxy': 5 } });
      const all = await office.call('GET', `${path}/requests-count?from=0&to=${atMs + 1}`);
      assert.equal(all.body['total'], 12);
      const none = await office.call('GET', `${path}/requests-count?from=${atMs + 1}&to=${atMs + 2}`);
      assert.deepEqual(none.body, { total: 0, countsByEntrypoint: {} });
      const { body } = await office.call('GET', `${path}/response-status-ranges`);
      const ranges = body['ranges'] as Record<string, number>;
      assert.deepEqual([ranges['200.0-300.0'], ranges['500.0-600.0'], ranges['400.0-500.0']], [3, 2, 0]);
      assert.equal(
        (await office.call('GET', `${environment}/apis/another/analytics/requests-count`)).status,
        404,
      );
    },
  );

  test(
    `calls are listed newest first, and what was logged of one is told with it (${database.name})`,
    options,
    async (t) => {
      const lake = await createTestLake(t, database);
      const analytics = await lake.start();
      const office = await openOffice(t, database, { analytics });
      const { id } = await office.deployedApi('/pets');
      const { organization, environment: environmentId } = office.at;
      const atMs = office.clock.now();
      const of = { org_id: organization, env_id: environmentId, api_id: id };
      const where = { organization, environment: environmentId };
      const ids = ['one', 'two', 'three'];
      const calls = ids.flatMap((request, n) =>
        recordLines(1, {
          ...(n === 0 ? { error_key: 'KEY', status: 401, application_id: 'app' } : {}),
          ...of,
          timestamp: atMs - 3 + n,
          request_id: request,
          transaction_id: 't',
          plan_id: 'p',
          http_method: 'GET',
          uri: `/pets/${request}`,
          gateway_response_time_us: 2_400,
          warnings: JSON.stringify([{ key: 'K', message: 'm' }]),
        }),
      );
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
          entrypoint_request_body: 'asked',
          entrypoint_response_status: 200,
          endpoint_request_headers: 'no list',
          ...over,
        });
      const others = [
        ...logOf({ api_id: 'another', request_id: 'four' }),
        ...logOf({ org_id: 'p', request_id: 'one' }),
      ];
      await land(lake.blobs, calls, where);
      await land(lake.blobs, [...logOf({}), ...others], { ...where, stream: 'logs', spool: 'a'.repeat(32) });
      await eventually(async () => (await lake.keys('landing/')).length === 0, { timeoutMs: 20_000 });
      const files = await lake.keys('lake/v1/');
      assert.deepEqual([files.length, files.filter((key) => key.includes('/stream=logs/')).length], [2, 1]);

      const path = `${environment}/apis/${id}/logs`;
      const list = await office.call('GET', `${path}?perPage=2`);
      assert.equal(list.status, 200, JSON.stringify(list.body));
      const data = list.body['data'] as Record<string, unknown>[];
      assert.deepEqual(
        data.map(({ requestId }) => requestId),
        ['three', 'two'],
      );
      assert.deepEqual(data[0], {
        id: 'three',
        timestamp: new Date(atMs - 1).toISOString(),
        requestId: 'three',
        transactionId: 't',
        method: 'GET',
        plan: { id: 'p' },
        status: 200,
        requestEnded: true,
        gatewayResponseTime: 2,
        uri: '/pets/three',
        warnings: [{ key: 'K', message: 'm' }],
      });
      assert.equal((list.body['pagination'] as { totalCount: number }).totalCount, 3);
      const beyond = await office.call('GET', `${path}?page=9`);
      assert.deepEqual(beyond.body['data'], []);
      assert.equal((beyond.body['pagination'] as { totalCount: number }).totalCount, 3);

      for (const [query, expected] of [
        ['errorKeys=KEY,OTHER', ['one']],
        ['statuses=401,404', ['one']],
        ['statuses=200', ['three', 'two']],
        ['applicationIds=app', ['one']],
        ['planIds=p&methods=GET,POST', ['three', 'two', 'one']],
        ['planIds=p&methods=POST', []],
        ['errorKeys=KEY&statuses=200', []],
      ] as const) {
        const found = await office.call('GET', `${path}?${query}`);
        const some = found.body['data'] as Record<string, unknown>[];
        assert.deepEqual(
          some.map(({ requestId }) => requestId),
          expected,
          query,
        );
      }
      for (const query of ['errorKeys=a%0Ab', 'statuses=4xx', 'methods=GRAB', 'applicationIds=..'])
        assert.equal((await office.call('GET', `${path}?${query}`)).status, 400, query);
      assert.deepEqual((await office.call('GET', `${path}/error-keys`)).body, ['KEY']);
      const early = await office.call('GET', `${path}/error-keys?from=0&to=1`);
      assert.deepEqual(early.body, []);

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
      assert.equal(said.body, 'asked');
      for (const nothing of ['one', 'four', 'never'])
        assert.equal((await office.call('GET', `${path}/${nothing}`)).status, 404, nothing);
      assert.equal((await office.call('GET', `${environment}/apis/another/logs`)).status, 404);
    },
  );
}
