import assert from 'node:assert/strict';
import { test } from 'node:test';
import { enrolIn, environment, fleetsPath, openOffice, v1 } from '../../../test/kit/control-plane/office.ts';
import { testDatabases } from '../../../test/kit/servers/databases.ts';
import { makeWords } from '../../../test/kit/control-plane/words.ts';

for (const database of testDatabases)
  test(
    `gateways of the fleets of an environment are its instances, those of others are not (${database.name})`,
    { skip: database.skip },
    async (t) => {
      const office = await openOffice(t, database);
      await makeWords(office, { tags: ['external'], tenants: ['eu'] });
      const wish = { name: 'dmz', tags: ['external'], tenant: 'eu', environments: ['DEFAULT'] };
      const fleet = String((await office.call('POST', fleetsPath, { body: wish })).body['id']);
      const [first, second] = [await enrolIn(office, fleet), await enrolIn(office, fleet)];
      const list = async (query = '') => {
        const answer = await office.call('GET', `${v1}/instances${query}`);
        assert.equal(answer.status, 200, JSON.stringify(answer.body));
        return answer.body as unknown as { content: Record<string, unknown>[]; totalElements: number };
      };
      const { content, totalElements } = await list();
      assert.equal(totalElements, 2);
      assert.deepEqual(new Set(content.map(({ id }) => id)), new Set([first, second]));
      assert.deepEqual(
        [content[0]?.['tags'], content[0]?.['tenant'], content[0]?.['state'], content[0]?.['hostname']],
        [['external'], 'eu', 'UNKNOWN', 'edge-1'],
      );
      assert.deepEqual((await list('?page=1&size=1')).content, content.slice(1));
      assert.deepEqual((await list('?from=1')).content, [], 'nothing was heard of them');

      await office.call('POST', `${fleetsPath}/${fleet}/gateways/${first}/_revoke`);
      assert.deepEqual(
        (await list()).content.map(({ id }) => id),
        [second],
      );
      assert.equal((await list('?includeStopped=true')).totalElements, 2);

      const one = await office.call('GET', `${environment}/instances/${second}`);
      assert.deepEqual(one.body, { id: second, hostname: 'edge-1' });
      const { id: api } = await office.deployedApi('/pets');
      const { db } = office.storage;
      const { seq } = await db
        .selectFrom('published_latest')
        .select('seq')
        .where('id', '=', api)
        .executeTakeFirstOrThrow();
      const of = { gateway: second, ...office.at };
      const nowMs = office.clock.now();
      await db
        .insertInto('gateway_nack')
        .values({ ...of, kind: 'api', id: api, seq, code: 'api.bad', reason: 'no such policy', at_ms: nowMs })
        .execute();
      await db
        .insertInto('gateway_applied')
        .values({ ...of, epoch: 1, seq, applied_at_ms: nowMs })
        .execute();
      const report = { spoolBytes: 7, cpuSeconds: 1.5, heapUsedBytes: 9 };
      await db
        .insertInto('gateway_report')
        .values({
          gateway: second,
          organization: office.at.organization,
          instance: 'one',
          started_at_ms: nowMs - 5_000,
          policies: '["cache"]',
          counters: JSON.stringify(report),
          is_connected: 1,
          received_at_ms: nowMs,
        })
        .execute();
      const whole = await office.call('GET', `${v1}/instances/${second}`);
      assert.partialDeepStrictEqual(whole.body, {
        state: 'STARTED',
        fleet,
        plugins: [{ id: 'cache', type: 'policy' }],
        applied: { epoch: 1, seq, applied_at: nowMs },
        refusals: [
          { kind: 'api', id: api, seq, code: 'api.bad', reason: 'no such policy', refused_at: nowMs },
        ],
        counters: report,
      });
      const figures = await office.call('GET', `${v1}/instances/${second}/monitoring/${second}`);
      assert.deepEqual(figures.body, {
        process: { cpu_seconds: 1.5 },
        jvm: { timestamp: nowMs, uptime_in_millis: 5_000, heap_used_in_bytes: 9 },
      });
      const apis = await office.call('GET', `${environment}/instances/${second}/apis`);
      assert.partialDeepStrictEqual(apis.body, {
        // The fleet wants the tag "external", which the API has not.
        data: [{ id: api, published: { seq, revision: '1' }, deployment: 'notDeployed' }],
        pagination: { totalCount: 1 },
      });
      await office.call('PUT', `${fleetsPath}/${fleet}`, { body: { ...wish, tags: [] } });
      const refused = await office.call('GET', `${environment}/instances/${second}/apis`);
      assert.partialDeepStrictEqual(refused.body['data'], [
        { deployment: 'refused', reason: 'no such policy' },
      ]);
      await db.deleteFrom('gateway_nack').execute();
      const applied = await office.call('GET', `${environment}/instances/${second}/apis`);
      assert.partialDeepStrictEqual(applied.body['data'], [{ deployment: 'applied' }]);
      const other = await office.call('GET', `${v1}/instances/none`);
      assert.deepEqual([other.status, other.body.technicalCode], [404, 'instance.notFound']);
      const none = await office.call('GET', `${environment}/instances/none`);
      assert.deepEqual([none.status, none.body.technicalCode], [404, 'instance.notFound']);
    },
  );
