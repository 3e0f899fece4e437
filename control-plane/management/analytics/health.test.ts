import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../../../test/kit/eventually.ts';
import { land } from '../../../test/kit/control-plane/landing.ts';
import { environment, openOffice } from '../../../test/kit/control-plane/office.ts';
import { createTestLake, recordLines } from '../../../test/kit/control-plane/test-lake.ts';
import { testDatabases } from '../../../test/kit/servers/databases.ts';

for (const database of testDatabases)
  test(
    `health of an API is that of the checks of its own endpoints in the last 30 days (${database.name})`,
    { skip: database.skip },
    async (t) => {
      const lake = await createTestLake(t, database);
      const analytics = await lake.start();
      const office = await openOffice(t, database, { analytics });
      const { id } = await office.deployedApi('/pets');
      const { organization, environment: environmentId } = office.at;
      const atMs = office.clock.now();
      const check = (over: object): string =>
        String(
          recordLines(1, {
            type: 'health-check',
            org_id: organization,
            env_id: environmentId,
            api_id: id,
            api_name: 'pets',
            timestamp: atMs - 1_000,
            endpoint_group: 'default',
            endpoint_name: 'one',
            endpoint: 'http://one/health',
            success: 1,
            available: 1,
            state: 3,
            transition: 0,
            response_time_ms: 10,
            check_method: 'GET',
            check_status: 200,
            ...over,
          }),
        );
      const failed = { success: 0, available: 0, state: 0, check_status: 503, message: 'Assertion failed' };
      const lines = [
        check({}),
        check({ response_time_ms: 15 }),
        check({
          endpoint_name: '__proto__',
          response_time_ms: 40,
          transition: 1,
          ...failed,
          timestamp: atMs,
        }),
        check({ api_id: 'another', ...failed }),
        check({ ...failed, timestamp: atMs - 31 * 86_400_000 }),
      ];
      await land(lake.blobs, lines, { organization, environment: environmentId });
      await eventually(async () => (await lake.keys('landing/')).length === 0, { timeoutMs: 20_000 });

      const path = `${environment}/apis/${id}/health`;
      const figures = async (question: string): Promise<readonly unknown[]> => {
        const { status, body } = await office.call('GET', `${path}/${question}`);
        return [status, body['global'], ...Object.entries(body['group'] as object)];
      };
      assert.deepEqual(await figures('availability'), [200, 0.6667, ['__proto__', 0], ['one', 1]]);
      assert.deepEqual((await figures('availability?field=gateway')).slice(0, 2), [200, 0.6667]);
      assert.deepEqual(await figures('average-response-time'), [200, 22, ['__proto__', 40], ['one', 13]]);
      assert.equal((await office.call('GET', `${path}/availability?field=api`)).status, 400);

      const spans = `from=${atMs - 60_000}&to=${atMs + 1}`;
      const overTime = (await office.call('GET', `${path}/average-response-time-overtime?${spans}`)).body;
      const { from, to, interval } = overTime['timeRange'] as { from: number; to: number; interval: number };
      assert.deepEqual([from, to, interval], [atMs - 60_000, atMs + 1, 1_001]);
      const data = overTime['data'] as number[];
      assert.deepEqual([data.length, data.filter((figure) => figure > 0)], [60, [13, 40]]);
      const wrong = await office.call('GET', `${path}/average-response-time-overtime?from=5&to=5`);
      assert.equal(wrong.status, 400);

      const logs = await office.call('GET', `${path}/logs?perPage=1`);
      assert.partialDeepStrictEqual(logs.body, {
        data: [
          {
            timestamp: new Date(atMs).toISOString(),
            endpointName: '__proto__',
            responseTime: 40,
            success: false,
            steps: [
              {
                name: 'default-step',
                success: false,
                message: 'Assertion failed',
                request: { uri: 'http://one/health', method: 'GET' },
                response: { status: 503 },
              },
            ],
          },
        ],
        pagination: { totalCount: 3 },
      });
      const good = await office.call('GET', `${path}/logs?success=true`);
      assert.deepEqual((good.body['pagination'] as { totalCount: number }).totalCount, 2);
      const states = await office.call('GET', `${path}/endpoints`);
      assert.equal(states.status, 200, states.text);
      assert.partialDeepStrictEqual(states.body, {
        data: [
          { endpoint: '__proto__', state: 'DOWN', since: new Date(atMs).toISOString(), transitions: 1 },
          { endpoint: 'one', state: 'UP', target: 'http://one/health', checks: 2, availability: 1 },
        ],
        pagination: { totalCount: 2 },
      });
      const [, up] = states.body['data'] as Record<string, unknown>[];
      assert.deepEqual(
        [up?.['since'], up?.['message'], up?.['checkedAt']],
        [undefined, undefined, new Date(atMs - 1_000).toISOString()],
      );
      const turns = await office.call('GET', `${path}/logs?transition=true`);
      assert.deepEqual((turns.body['pagination'] as { totalCount: number }).totalCount, 1);
      await office.clock.advance(900_001);
      const later = (await office.call('GET', `${path}/endpoints?perPage=1`)).body['data'] as object[];
      assert.partialDeepStrictEqual(later, [{ state: 'UNKNOWN', lastState: 'DOWN' }]);
      const { id: unchecked } = await office.deployedApi('/unchecked');
      const none = await office.call('GET', `${environment}/apis/${unchecked}/health/availability`);
      assert.deepEqual(none.body, { group: {} });
    },
  );
