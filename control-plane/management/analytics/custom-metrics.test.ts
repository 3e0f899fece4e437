import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabases, type TestDatabase } from '../../../test/kit/servers/databases.ts';
import { eventually } from '../../../test/kit/eventually.ts';
import { land } from '../../../test/kit/control-plane/landing.ts';
import { environment, openOffice, v1 } from '../../../test/kit/control-plane/office.ts';
import { createTestLake, recordLines } from '../../../test/kit/control-plane/test-lake.ts';

interface Bucket {
  readonly key: string;
  readonly measures: readonly { readonly name: string; readonly value: number }[];
}

/** A name out of signs that mean something in paths, pointers and SQL. */
const hostile = `a/b~1.$[*]'"; DROP TABLE records; --\u0001{#x}`;

test('metrics that steps set are grouped by, computed, narrowed by and offered like all others, whatever they are called', async (t) => {
  const database = testDatabases[0] as TestDatabase;
  const lake = await createTestLake(t, database);
  const office = await openOffice(t, database, { analytics: await lake.start() });
  const { id } = await office.deployedApi('/pets');
  const { organization, environment: environmentId } = office.at;
  const nowMs = office.clock.now();
  const line = (custom: unknown, over: object = {}) =>
    recordLines(1, {
      org_id: organization,
      env_id: environmentId,
      api_id: id,
      timestamp: nowMs - 3_600_000,
      ...(custom !== undefined && {
        custom_metrics: typeof custom === 'string' ? custom : JSON.stringify(custom),
      }),
      ...over,
    });
  const lines = [
    ...line({ tenant: 'acme', items: '10', [hostile]: 'x', __proto__x: '1' }),
    ...line({ tenant: 'acme', items: '30', [hostile]: 'x' }),
    ...line({ tenant: 'sea', items: 'many' }),
    ...line({ tenant: 'sea', items: 'nan' }),
    ...line({ tenant: 'sea', items: 'inf' }),
    ...line(undefined),
    ...line('{"tenant":'),
    ...line('["tenant"]'),
    ...line({ tenant: 'strange' }, { org_id: 'other' }),
    ...line(Object.fromEntries(Array.from({ length: 50 }, (_, n) => [`many-${n}`, '1']))),
    ...line(Object.fromEntries(Array.from({ length: 50 }, (_, n) => [`more-${n}`, '1']))),
    ...line(Object.fromEntries(Array.from({ length: 50 }, (_, n) => [`rest-${n}`, '1']))),
  ];
  await land(lake.blobs, lines, { organization, environment: environmentId });
  await eventually(async () => (await lake.keys('landing/')).length === 0, { timeoutMs: 20_000 });
  const timeRange = {
    from: new Date(nowMs - 7_200_000).toISOString(),
    to: new Date(nowMs).toISOString(),
  };
  const call = async (method: 'GET' | 'POST', path: string, body?: object) => {
    const answer = await office.call(method, path, body === undefined ? {} : { body });
    assert.equal(answer.status, 200, `${path}: ${JSON.stringify(answer.body)}`);
    return answer.body;
  };
  const ask = async (kind: string, body: object): Promise<readonly Record<string, unknown>[]> =>
    (await call('POST', `${environment}/analytics/${kind}`, { timeRange, ...body }))['metrics'] as never;
  const counts = (buckets: unknown) =>
    Object.fromEntries((buckets as readonly Bucket[]).map(({ key, measures }) => [key, measures[0]?.value]));

  await t.test('groups', async () => {
    const metrics = [{ name: 'HTTP_REQUESTS' }];
    const [byTenant] = await ask('facets', { by: ['custom.tenant'], metrics });
    assert.deepEqual(counts(byTenant?.['buckets']), { acme: 2, sea: 3, '?': 6 });
    const [byHostile] = await ask('facets', { by: [`custom.${hostile}`], metrics });
    assert.deepEqual(counts(byHostile?.['buckets']), { x: 2, '?': 9 });
    const [ranged] = await ask('facets', {
      by: ['custom.items'],
      ranges: [
        { from: 0, to: 10 },
        { from: 11, to: 99 },
      ],
      metrics,
    });
    assert.deepEqual(counts(ranged?.['buckets']), { '0-10': 1, '11-99': 1, '?': 9 });
  });

  await t.test('figures of what is a number, over time too', async () => {
    const measures = ['COUNT', 'AVG', 'MIN', 'MAX', 'SUM', 'P50'];
    const values = (all: unknown) => (all as Bucket['measures']).map(({ name, value }) => [name, value]);
    const expected = [
      ['COUNT', 5],
      ['AVG', 20],
      ['MIN', 10],
      ['MAX', 30],
      ['SUM', 40],
      ['P50', 20],
    ];
    const [items] = await ask('measures', { metrics: [{ name: 'custom.items', measures }] });
    assert.deepEqual(values(items?.['measures']), expected);
    const [nobody] = await ask('measures', { metrics: [{ name: 'custom.nobody', measures }] });
    assert.deepEqual(values(nobody?.['measures']), [['COUNT', 0]]);
    const [series] = await ask('time-series', {
      interval: '4h',
      metrics: [{ name: 'custom.items', measures: ['SUM'] }],
    });
    const sums = ((series?.['buckets'] ?? []) as readonly Bucket[]).flatMap((bucket) =>
      values(bucket.measures),
    );
    assert.deepEqual(sums, [['SUM', 40]]);
  });

  await t.test('conditions', async () => {
    const count = async (filter: object) => {
      const [found] = await ask('measures', { filters: [filter], metrics: [{ name: 'HTTP_REQUESTS' }] });
      return ((found?.['measures'] ?? []) as Bucket['measures'])[0]?.value;
    };
    assert.equal(await count({ name: 'custom.tenant', operator: 'EQ', value: 'acme' }), 2);
    assert.equal(await count({ name: 'custom.tenant', operator: 'IN', value: ['acme', 'sea'] }), 5);
    assert.equal(await count({ name: 'custom.tenant', operator: 'CONTAINS', value: 'EA' }), 3);
    assert.equal(await count({ name: 'custom.items', operator: 'GTE', value: 10 }), 2);
    assert.equal(await count({ name: 'custom.items', operator: 'LTE', value: 10 }), 1);
    assert.equal(await count({ name: `custom.${hostile}`, operator: 'EQ', value: 'x' }), 2);
    assert.equal(await count({ name: 'custom.tenant', operator: 'EQ', value: "' OR 1=1 --" }), 0);
    const logs = await call('POST', `${environment}/logs/search`, {
      timeRange,
      filters: [{ name: 'custom.tenant', operator: 'EQ', value: 'acme' }],
    });
    assert.equal((logs['data'] as readonly unknown[]).length, 2);
    for (const name of ['custom.', `custom.${'x'.repeat(129)}`, 'custom', 'Custom.tenant']) {
      const filters = [{ name, operator: 'EQ', value: 'x' }];
      const refused = await office.call('POST', `${environment}/analytics/measures`, {
        body: { timeRange, filters, metrics: [{ name: 'HTTP_REQUESTS' }] },
      });
      assert.equal(refused.status, 400, name);
    }
  });

  await t.test('in the words of the older questions', async () => {
    const span = `from=${nowMs - 7_200_000}&to=${nowMs}`;
    const api = `${environment}/apis/${id}/analytics`;
    assert.deepEqual((await call('GET', `${api}?type=GROUP_BY&field=custom.tenant&${span}`))['values'], {
      acme: 2,
      sea: 3,
      '?': 6,
    });
    const stats = await call('GET', `${api}?type=STATS&field=custom.items&${span}`);
    assert.deepEqual([stats['min'], stats['max'], stats['sum']], [10, 30, 40]);
    const narrowed = `${v1}/platform/analytics?type=count&query=custom.tenant:acme AND custom.items:[20 TO *]&${span}`;
    assert.equal((await call('GET', narrowed))['hits'], 1);
  });

  await t.test('offers', async () => {
    const definition = `${environment}/analytics/definition`;
    const { data } = await call('GET', `${definition}/apis/HTTP_PROXY/metrics`);
    const names = (data as readonly { readonly name: string; readonly facets: readonly string[] }[]).map(
      ({ name }) => name,
    );
    const own = names.filter((name) => name.startsWith('custom.'));
    assert.deepEqual(own.slice(0, 3), ['custom.items', 'custom.tenant', `custom.${hostile}`]);
    assert.equal(own.length, 100);
    for (const path of ['metrics/HTTP_REQUESTS/facets', 'metrics/custom.items/filters']) {
      const offered = (await call('GET', `${definition}/${path}`))['data'] as readonly { name: string }[];
      assert.deepEqual(
        offered.map(({ name }) => name).filter((name) => name.startsWith('custom.')),
        own,
        path,
      );
    }
    const { data: filters } = await call(
      'GET',
      `${environment}/observability/filters/definition?signal=ANALYTICS`,
    );
    assert.ok((filters as readonly { name: string }[]).some(({ name }) => name === 'custom.tenant'));
    const { data: values } = await call(
      'GET',
      `${environment}/observability/filters/custom.tenant/values?from=${nowMs - 7_200_000}&to=${nowMs}`,
    );
    assert.deepEqual(values, [{ value: 'sea' }, { value: 'acme' }]);
  });
});
