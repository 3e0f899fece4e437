import assert from 'node:assert/strict';
import { testOnce } from '../../../test/kit/long-run.ts';
import { testDatabases } from '../../../test/kit/servers/databases.ts';
import { eventually } from '../../../test/kit/eventually.ts';
import { land } from '../../../test/kit/control-plane/landing.ts';
import { basic, environment, openOffice, password, v1 } from '../../../test/kit/control-plane/office.ts';
import { createTestLake, recordLines } from '../../../test/kit/control-plane/test-lake.ts';

type Body = Record<string, unknown>;
const hourMs = 3_600_000;

for (const database of testDatabases)
  testOnce(database)(
    `figures of requests are right, of whoever may read them, and what is unknown is not 0 (${database.name})`,
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
      const where = { organization, environment: environmentId };
      // Midnight of a zone that is two hours ahead, three hours before that of UTC.
      const dayMs = Date.parse('2026-03-02T00:00:00+02:00');
      const of = { org_id: organization, env_id: environmentId, api_id: id, plan_id: planId };
      const at = (hours: number, us: number, over: object = {}) =>
        recordLines(1, { ...of, timestamp: dayMs + hours * hourMs, gateway_response_time_us: us, ...over });
      const lines = [
        ...at(0, 10_000, { application_id: application }),
        ...at(0, 30_000, { application_id: application, status: 500 }),
        ...at(1, 20_000, { status: 404, plan_id: undefined }),
        ...at(24, 40_000, { uri: '/pets/1?q' }),
        ...at(1, 99_000, { api_id: hidden, status: 503 }),
        ...at(1, 99_000, { org_id: 'p' }),
      ];
      await land(lake.blobs, lines, where);
      await eventually(async () => (await lake.keys('landing/')).length === 0, { timeoutMs: 20_000 });
      const span = `from=${dayMs}&to=${dayMs + 48 * hourMs}`;
      const get = async (path: string, wish: object = {}): Promise<Body> => {
        const { status, body } = await office.call('GET', path, wish);
        assert.equal(status, 200, `${path}: ${JSON.stringify(body)}`);
        return body;
      };

      // Of an API.
      const api = `${environment}/apis/${id}/analytics`;
      assert.deepEqual(await get(`${api}?${span}`), { analyticsType: 'COUNT', count: 4 });
      assert.deepEqual(
        await get(`${api}?type=COUNT&${span}&query=status:[400 TO 599]&terms=plan-id:${planId}`),
        {
          analyticsType: 'COUNT',
          count: 1,
        },
      );
      const stats = await get(`${api}?type=STATS&field=gateway-response-time-ms&${span}`);
      assert.deepEqual(
        [stats['count'], stats['min'], stats['avg'], stats['max'], stats['sum']],
        [4, 10, 25, 40, 100],
      );
      assert.equal(Number(stats['rph']).toFixed(4), (4 / 48).toFixed(4));
      const nothing = await get(`${api}?type=STATS&field=response-time&from=1&to=1001`);
      assert.deepEqual(nothing, { analyticsType: 'STATS', count: 0, rps: 0, rpm: 0, rph: 0 });
      const plans = await get(`${api}?type=GROUP_BY&field=plan-id&${span}`);
      assert.deepEqual(plans['values'], { [planId]: 3, '?': 1 });
      assert.deepEqual(plans['metadata'], {
        [planId]: { name: 'plan', order: '0' },
        '?': { name: 'Unknown', order: '1', unknown: 'true' },
      });
      const slow = await get(`${api}?type=GROUP_BY&field=status&order=-avg:response-time&size=2&${span}`);
      assert.deepEqual(slow['values'], { 500: 30, 200: 25 });
      const ranged = await get(`${api}?type=GROUP_BY&field=status&ranges=100:399;400:599&${span}`);
      assert.deepEqual(ranged['values'], { '100-399': 2, '400-599': 2 });
      const histogram = await get(
        `${api}?type=HISTOGRAM&aggregations=field:status;avg:response-time&interval=${24 * hourMs}&${span}`,
      );
      assert.deepEqual(histogram['timestamp'], {
        from: dayMs,
        to: dayMs + 48 * hourMs,
        interval: 24 * hourMs,
      });
      const [byStatus, average] = histogram['values'] as { buckets: { name: string; data: number[] }[] }[];
      const seriesOf = (value: typeof byStatus) => value?.buckets.map(({ name, data }) => [name, data]);
      assert.deepEqual(seriesOf(byStatus)?.[0], ['200', [1, 1]]);
      assert.deepEqual(seriesOf(average), [['avg_response-time', [20, 40]]]);
      for (const query of [
        'type=STATS',
        'type=STATS&field=plan-id',
        'type=GROUP_BY&field=zone',
        'type=HISTOGRAM&interval=1000',
        'type=GROUP_BY&field=api-id&ranges=1:2',
        'type=NONE',
      ])
        assert.equal((await office.call('GET', `${api}?${query}&${span}`)).status, 400, query);
      const overTime = await get(`${api}/response-time-over-time?${span}`);
      assert.deepEqual((overTime['data'] as number[]).filter(Boolean), [20, 20, 40]);
      const statuses = await get(`${api}/response-status-overtime?${span}`);
      assert.deepEqual(Object.keys(statuses['data'] as Body), ['200', '404', '500']);
      assert.deepEqual(await get(`${api}/average-connection-duration?${span}`), {
        average: 25,
        averagesByEntrypoint: { 'http-proxy': 25 },
      });
      assert.deepEqual(await get(`${api}/average-connection-duration?from=1&to=2`), {
        averagesByEntrypoint: {},
      });

      // Of an environment, for the administrator and for the owner of one API.
      const user = await office.call('POST', `/management/organizations/DEFAULT/users`, {
        body: { username: 'owner', password, role: 'USER' },
      });
      const member = { userId: user.body['id'], roleName: 'OWNER' };
      assert.equal(
        (await office.call('POST', `${environment}/apis/${id}/members`, { body: member })).status,
        201,
      );
      const as = basic('owner', password);
      const all = `${environment}/analytics`;
      assert.deepEqual((await get(`${all}/response-status-ranges?${span}`))['ranges'], {
        '100.0-200.0': 0,
        '200.0-300.0': 2,
        '300.0-400.0': 0,
        '400.0-500.0': 1,
        '500.0-600.0': 2,
      });
      const pets = { id, name: 'api /pets', definitionVersion: 'V4' };
      assert.deepEqual((await get(`${all}/top-hits?${span}`, { as }))['data'], [{ ...pets, count: 4 }]);
      const failed = await get(`${all}/top-failed-apis?${span}`);
      assert.deepEqual(
        (failed['data'] as Body[]).map((one) => [one['id'], one['failedCalls'], one['failedCallsRatio']]),
        [
          [hidden, 1, 1],
          [id, 1, 0.25],
        ],
      );
      assert.deepEqual((await get(`${all}/top-apps-by-request-count?${span}`))['data'], [
        { id: application, name: 'shop', count: 2 },
      ]);
      const times = await get(`${all}/request-response-time?${span}`, { as });
      assert.deepEqual(
        [times['requestsTotal'], times['responseMaxTime'], times['responseAvgTime']],
        [4, 40, 25],
      );
      assert.equal('responseMinTime' in (await get(`${all}/request-response-time?from=1&to=2`)), false);
      assert.deepEqual(
        Object.keys((await get(`${all}/response-status-overtime?${span}`, { as }))['data'] as Body),
        ['200', '404', '500'],
      );
      assert.equal(((await get(`${all}/response-time-over-time?${span}`))['data'] as []).length, 60);

      // In one place.
      const timeRange = { from: '2026-03-02T01:00:00+02:00', to: '2026-03-04T00:00:00+02:00' };
      const wide = { ...timeRange, from: '2026-03-02T00:00:00+02:00' };
      const ask = async (what: string, body: Body): Promise<Body[]> => {
        const answer = await office.call('POST', `${all}/${what}`, { body, as });
        assert.equal(answer.status, 200, JSON.stringify(answer.body));
        return answer.body['metrics'] as Body[];
      };
      assert.deepEqual(
        await ask('measures', {
          timeRange: wide,
          metrics: [
            { name: 'HTTP_REQUESTS' },
            { name: 'HTTP_ERROR_RATE' },
            { name: 'HTTP_GATEWAY_RESPONSE_TIME', measures: ['P50', 'MAX'] },
            { name: 'HTTP_ENDPOINT_RESPONSE_TIME' },
            { name: 'HTTP_REQUESTS', filters: [{ name: 'API', operator: 'EQ', value: hidden }] },
          ],
        }),
        [
          { name: 'HTTP_REQUESTS', unit: 'NUMBER', measures: [{ name: 'COUNT', value: 4 }] },
          { name: 'HTTP_ERROR_RATE', unit: 'PERCENT', measures: [{ name: 'PERCENTAGE', value: 50 }] },
          {
            name: 'HTTP_GATEWAY_RESPONSE_TIME',
            unit: 'MILLISECONDS',
            measures: [
              { name: 'P50', value: 25 },
              { name: 'MAX', value: 40 },
            ],
          },
          { name: 'HTTP_ENDPOINT_RESPONSE_TIME', unit: 'MILLISECONDS', measures: [] },
          { name: 'HTTP_REQUESTS', unit: 'NUMBER', measures: [{ name: 'COUNT', value: 0 }] },
        ],
      );
      const count = (value: number) => [{ name: 'COUNT', value }];
      const [faceted] = await ask('facets', {
        timeRange: wide,
        by: ['API', 'HTTP_STATUS'],
        ranges: [
          { from: 100, to: 399 },
          { from: 400, to: 499 },
        ],
        limit: 2,
        metrics: [{ name: 'HTTP_REQUESTS', sorts: [{ measure: 'COUNT', order: 'ASC' }] }],
      });
      assert.deepEqual(faceted?.['buckets'], [
        {
          key: id,
          name: 'api /pets',
          type: 'GROUP',
          buckets: [
            { key: '?', name: 'Unknown', type: 'LEAF', measures: count(1) },
            { key: '400-499', name: '400-499', type: 'LEAF', measures: count(1) },
          ].toSorted((a, b) => (a.key === '400-499' ? -1 : b.key === '400-499' ? 1 : 0)),
        },
      ]);
      const [series, latency] = await ask('time-series', {
        timeRange,
        interval: '1d',
        metrics: [{ name: 'HTTP_REQUESTS' }, { name: 'HTTP_GATEWAY_RESPONSE_TIME', measures: ['AVG'] }],
      });
      const day = (n: number, measures: unknown) => {
        const timestamp = dayMs + n * 24 * hourMs;
        return { key: new Date(timestamp).toISOString(), timestamp, type: 'LEAF', measures };
      };
      assert.deepEqual(series?.['buckets'], [day(0, count(1)), day(1, count(1)), day(2, count(0))]);
      assert.deepEqual((latency as { buckets: Body[] }).buckets[2], day(2, []));
      const [grouped] = await ask('time-series', {
        timeRange: wide,
        interval: 24 * hourMs,
        by: ['APPLICATION'],
        metrics: [{ name: 'HTTP_REQUESTS' }],
      });
      const inSteps = (grouped ?? {})['buckets'] as { buckets: Body[] }[];
      const names = inSteps.map(({ buckets }) =>
        buckets.map((bucket) => [bucket['name'], bucket['measures']]),
      );
      assert.deepEqual(names[1]?.toSorted(), [
        ['Unknown', count(1)],
        ['shop', count(0)],
      ]);
      for (const [what, more] of [
        ['measures', { metrics: [{ name: 'MESSAGES' }] }],
        ['measures', { metrics: [{ name: '__proto__' }] }],
        ['measures', { metrics: [{ name: 'HTTP_REQUESTS', measures: ['P95'] }] }],
        [
          'measures',
          { metrics: [{ name: 'HTTP_REQUESTS' }], filters: [{ name: 'ZONE', operator: 'EQ', value: 'x' }] },
        ],
        ['facets', { metrics: [{ name: 'HTTP_REQUESTS' }], by: ['ZONE'] }],
        ['facets', { metrics: [{ name: 'HTTP_REQUESTS' }], by: ['API'], ranges: [{ from: 1, to: 2 }] }],
        [
          'facets',
          { metrics: [{ name: 'HTTP_REQUESTS' }], by: ['HTTP_STATUS'], ranges: [{ from: 3, to: 2 }] },
        ],
        ['time-series', { metrics: [{ name: 'HTTP_REQUESTS' }], interval: '1s' }],
        ['time-series', { metrics: [{ name: 'HTTP_REQUESTS' }], interval: 0 }],
      ] as const) {
        const answer = await office.call('POST', `${all}/${what}`, { body: { timeRange, ...more } });
        assert.equal(answer.status, 400, `${what} ${JSON.stringify(more)}`);
      }

      // What can be asked.
      const offered = await get(`${all}/definition/apis/HTTP_PROXY/metrics`);
      const metrics = offered['data'] as {
        name: string;
        facets: string[];
        filters: string[];
        measures: string[];
      }[];
      for (const { name, facets, measures } of metrics)
        await ask('facets', { timeRange, by: facets.slice(0, 3), metrics: [{ name, measures }] });
      assert.deepEqual((await get(`${all}/definition/apis/MESSAGE/metrics`))['data'], []);
      assert.equal((await office.call('GET', `${all}/definition/apis/none/metrics`)).status, 400);
      assert.equal((await office.call('GET', `${all}/definition/metrics/none/filters`)).status, 400);
      const specs = await get(`${environment}/observability/filters/definition?signal=LOGS`);
      const filterNames = (specs['data'] as Body[]).map(({ name }) => name);
      assert.deepEqual(
        metrics[0]?.filters.filter((name) => !filterNames.includes(name)),
        [],
      );
      const resolved = await office.call('POST', `${environment}/observability/filters/resolve`, {
        body: { entries: [{ filterName: 'API', ids: [id, hidden, 'gone'] }] },
        as,
      });
      assert.deepEqual(resolved.body['entries'], [{ filterName: 'API', labels: { [id]: 'api /pets' } }]);
      const values = `${environment}/observability/filters`;
      const apis = await get(`${values}/API/values?query=PETS&${span}`, { as });
      assert.deepEqual(apis['data'], [{ value: 'api /pets', id }]);
      assert.deepEqual((await get(`${values}/HTTP_METHOD/values?query=pa`))['data'], [{ value: 'PATCH' }]);
      assert.equal((await office.call('GET', `${values}/HTTP_STATUS/values`)).status, 400);

      // Version 1.
      const ofApplication = `${v1}/applications/${application}/analytics`;
      assert.deepEqual(await get(`${ofApplication}?type=count&${span}`), { hits: 2 });
      const grouping = await get(`${ofApplication}?type=group_by&field=api&${span}`);
      assert.deepEqual(
        [grouping['values'], (grouping['metadata'] as Body)[id]],
        [{ [id]: 2 }, { name: 'api /pets', order: '0' }],
      );
      const platform = await get(
        `${v1}/platform/analytics?type=date_histo&interval=${24 * hourMs}&aggs=max:response-time&${span}`,
      );
      assert.deepEqual((platform['values'] as { buckets: Body[] }[])[0]?.buckets[0]?.['data'], [99, 40]);
    },
  );
