import assert from 'node:assert/strict';
import { shortTest as test } from '../../../test/kit/long-run.ts';
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
}
