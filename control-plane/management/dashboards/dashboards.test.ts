import assert from 'node:assert/strict';
import { test } from 'node:test';
import { environment, openOffice } from '../../../test/kit/control-plane/office.ts';
import { createTestLake } from '../../../test/kit/control-plane/test-lake.ts';
import { testDatabases } from '../../../test/kit/servers/databases.ts';

const all = `${environment}/analytics/dashboards`;
const timeRange = { from: '2026-11-01T00:00:00Z', to: '2026-11-02T00:00:00Z' };
const counted = [{ name: 'HTTP_REQUESTS', measures: ['COUNT'] }];
const layout = { x: 0, y: 0, cols: 1, rows: 1 };
const stats = {
  id: '1',
  title: 'Requests',
  description: 'of a day',
  type: 'stats',
  layout,
  request: { type: 'measures', timeRange, metrics: counted },
};
const pie = {
  id: '2',
  title: 'Statuses',
  type: 'doughnut',
  layout: { ...layout, y: 1, rows: 2 },
  request: { type: 'facets', timeRange, by: ['HTTP_STATUS_CODE_GROUP'], limit: 5, metrics: counted },
};
const line = {
  id: '3',
  title: 'Traffic',
  type: 'time-series-line',
  layout: { ...layout, y: 3, cols: 3 },
  request: { type: 'time-series', timeRange, interval: '1h', by: ['API'], metrics: counted },
};

for (const database of testDatabases)
  test(
    `a dashboard is kept as it was put together, and what its widgets ask for can be asked (${database.name})`,
    { skip: database.skip },
    async (t) => {
      const analytics = await (await createTestLake(t, database)).start();
      const office = await openOffice(t, database, { analytics });
      const wish = { name: 'Orders', labels: { 'shop/team': 'a' }, widgets: [stats, pie, line] };
      const made = await office.call('POST', all, { body: wish });
      assert.equal(made.status, 201, JSON.stringify(made.body));
      const one = `${all}/${String(made.body['id'])}`;
      const { id: _, createdBy, createdAt, lastModified, ...kept } = made.body;
      assert.deepEqual(kept, wish);
      assert.match(String(createdBy), /./);
      assert.equal(createdAt, lastModified);
      for (const { request } of [stats, pie, line]) {
        const { type, ...body } = request;
        const { status } = await office.call('POST', `${environment}/analytics/${type}`, { body });
        assert.equal(status, 200, type);
      }

      await office.call('POST', all, { body: { name: 'a first one' } });
      const listed = await office.call('GET', `${all}?perPage=1&page=2`);
      assert.deepEqual(
        (listed.body['data'] as { name: string }[]).map(({ name }) => name),
        ['Orders'],
      );
      assert.equal((listed.body['pagination'] as { totalCount: number }).totalCount, 2);

      const renamed = await office.call('PUT', one, { body: { name: 'Orders 2' } });
      assert.deepEqual(
        [renamed.body['name'], renamed.body['labels'], renamed.body['widgets']],
        ['Orders 2', wish.labels, wish.widgets],
        'what is left out stays',
      );
      const stale = await office.call('PUT', one, {
        body: { name: 'Orders 3' },
        headers: { 'If-Match': `"${Date.parse(String(lastModified))}"` },
      });
      assert.equal(stale.status, 412);
      const emptied = await office.call('PUT', one, { body: { name: 'Orders 2', labels: {}, widgets: [] } });
      assert.deepEqual([emptied.body['labels'], emptied.body['widgets']], [{}, []]);

      assert.equal((await office.call('DELETE', one)).status, 204);
      for (const method of ['GET', 'DELETE']) assert.equal((await office.call(method, one)).status, 404);
      assert.equal((await office.call('PUT', one, { body: { name: 'Orders' } })).status, 404);
    },
  );

test('a widget whose figures cannot be computed is refused with its place', async (t) => {
  const [database] = testDatabases;
  assert.ok(database !== undefined);
  const office = await openOffice(t, database);
  const refusals: readonly (readonly [path: string, widget: object])[] = [
    [
      'widgets[0].request.metrics[0].name',
      { ...stats, request: { ...stats.request, metrics: [{ name: 'MESSAGES' }] } },
    ],
    [
      'widgets[0].request.metrics[0].measures',
      { ...stats, request: { ...stats.request, metrics: [{ name: 'HTTP_REQUESTS', measures: ['P99'] }] } },
    ],
    ['widgets[0].request.by[0]', { ...pie, request: { ...pie.request, by: ['LLM_PROXY_MODEL'] } }],
    ['widgets[0].request.by', { ...pie, request: { ...pie.request, by: [] } }],
    ['widgets[0].request.interval', { ...line, request: { ...line.request, interval: '1s' } }],
    [
      'widgets[0].request.filters[0].name',
      { ...stats, request: { ...stats.request, filters: [{ name: 'MOON', operator: 'EQ', value: 'x' }] } },
    ],
    ['widgets[0].layout.cols', { ...stats, layout: { ...layout, cols: 0 } }],
    ['widgets[0].type', { ...stats, type: 'sculpture' }],
  ];
  for (const [path, widget] of refusals) {
    const answer = await office.call('POST', all, { body: { name: 'Orders', widgets: [widget] } });
    assert.equal(answer.status, 400, path);
    const named = JSON.stringify(answer.body);
    assert.ok(named.includes(`"${path}"`), `${path}: ${named}`);
  }
  const twice = await office.call('POST', all, {
    body: { name: 'Orders', widgets: [stats, { ...pie, id: '1' }] },
  });
  assert.ok(JSON.stringify(twice.body).includes('widgets[1].id'), JSON.stringify(twice.body));
});
