import assert from 'node:assert/strict';
import { test } from 'node:test';
import { environment, openOffice, v1 } from '../../../test/kit/control-plane/office.ts';
import { insertDeletion } from '../../analytics/retention/deletions.store.ts';
import { type TestDatabase, testDatabases } from '../../../test/kit/servers/databases.ts';

const retention = `${environment}/retention`;
const deletions = `${environment}/deletions`;
const address = '203.0.113.77';

const fields = (body: Record<string, unknown>): readonly string[] =>
  (body['details'] as readonly { readonly location?: string; readonly message: string }[]).map(
    ({ location, message }) => (location === undefined ? message : location),
  );

for (const database of testDatabases)
  test(
    `an environment chooses its days within those of the platform, and goes by it where it chooses nothing (${database.name})`,
    { skip: database.skip },
    async (t) => {
      const office = await openOffice(t, database);
      const before = await office.call('GET', retention);
      const platform = { daysMax: 3_650, lateDays: 30 };
      assert.deepEqual(before.body, { inForce: { recordsDays: 90, logsDays: 30 }, ...platform });
      const chosen = await office.call('PUT', retention, {
        body: { ...before.body, recordsDays: 3_650, logsDays: 1 },
        headers: { 'if-match': before.headers.get('etag') ?? '' },
      });
      assert.equal(chosen.status, 200, chosen.text);
      assert.deepEqual(chosen.body['inForce'], { recordsDays: 3_650, logsDays: 1 });
      for (const [wrong, named] of [
        [{ recordsDays: 3_651, logsDays: 36_500 }, ['recordsDays', 'logsDays']],
        [{ recordsDays: 0 }, ['recordsDays']],
        [{ logsDays: 1.5 }, ['logsDays']],
        [{ days: 5 }, ['days']],
      ] as const) {
        const refused = await office.call('PUT', retention, { body: wrong });
        assert.equal(refused.status, 400, JSON.stringify(wrong));
        for (const name of named) assert.ok(refused.text.includes(name), refused.text);
      }
      const stale = await office.call('PUT', retention, {
        body: {},
        headers: { 'if-match': before.headers.get('etag') ?? '' },
      });
      assert.equal(stale.status, 412);
      assert.equal((await office.call('PUT', retention, { body: {} })).status, 200);
      const after = await office.call('GET', retention);
      assert.deepEqual(after.body['inForce'], { recordsDays: 90, logsDays: 30 });
      const kept = await office.call('GET', `${retention}/kept`);
      const nothing = { files: 0, records: 0, bytes: 0 };
      assert.deepEqual(kept.body, { records: { days: 90, ...nothing }, logs: { days: 30, ...nothing } });
      const audit = await office.call('GET', `${v1}/audit`);
      assert.match(audit.text, /RETENTION_UPDATED/);
    },
  );

for (const database of testDatabases)
  test(
    `a deletion is asked for, listed and shown, and the audit says who asked and not of whom (${database.name})`,
    { skip: database.skip },
    async (t) => {
      const office = await openOffice(t, database);
      const first = await office.call('POST', deletions, {
        body: { subject: 'CONSUMER_IP', value: address },
      });
      assert.equal(first.status, 201, first.text);
      const { id, askedBy, askedAt, to, lateUntil, ...rest } = first.body;
      assert.equal((askedBy as { displayName: string }).displayName, 'Administrator');
      assert.equal(Date.parse(String(to)), Date.parse(String(askedAt)) + 1);
      assert.equal(Date.parse(String(lateUntil)), Date.parse(String(askedAt)) + 30 * 86_400_000);
      const counts = { recordsDeleted: 0, logsDeleted: 0, filesRewritten: 0, quarantineDeleted: 0 };
      assert.deepEqual(rest, {
        subject: 'CONSUMER_IP',
        value: address,
        state: 'PENDING',
        filesLeft: 0,
        filesUnread: 0,
        ...counts,
      });
      const span = { from: '2020-01-01T00:00:00Z', to: '2020-02-01T00:00:00Z' };
      const second = await office.call('POST', deletions, {
        body: { subject: 'custom.user', value: 'anne', ...span },
      });
      assert.equal(second.body['from'], '2020-01-01T00:00:00.000Z');
      const all = await office.call('GET', `${deletions}?perPage=1`);
      assert.deepEqual(
        (all.body['data'] as { id: string }[]).map((one) => one.id),
        [second.body['id']],
      );
      assert.equal((all.body['pagination'] as { totalCount: number }).totalCount, 2);
      assert.deepEqual((await office.call('GET', `${deletions}/${String(id)}`)).body, first.body);
      assert.equal((await office.call('GET', `${deletions}/none`)).status, 404);
      const audit = await office.call('GET', `${v1}/audit`);
      assert.match(audit.text, /DELETION_ASKED/);
      assert.doesNotMatch(audit.text, /203\.0\.113\.77|anne/);
      const count = { body: { subject: 'CONSUMER_IP', value: address } };
      assert.equal(
        (await office.call('POST', `${deletions}/_count`, count)).status,
        503,
        'no analytics here',
      );
    },
  );

test('what is wrong with a deletion is told by its field', async (t) => {
  const office = await openOffice(t, testDatabases[0] as TestDatabase);
  for (const [body, named] of [
    [{ subject: 'HOST', value: 'x' }, 'subject'],
    [{ subject: 'custom.', value: 'x' }, 'subject'],
    [{ subject: 'CONSUMER_IP', value: 'somewhere' }, 'value'],
    [{ subject: 'API_KEY', value: '0A1B2C3D' }, 'value'],
    [{ subject: 'APPLICATION', value: 'a b' }, 'value'],
    [{ subject: 'custom.user', value: '' }, 'value'],
    [{ subject: 'API_KEY', value: '0a1b2c3d', to: '2999-01-01T00:00:00Z' }, 'to'],
    [
      { subject: 'API_KEY', value: '0a1b2c3d', from: '2020-01-02T00:00:00Z', to: '2020-01-01T00:00:00Z' },
      'from',
    ],
  ] as const)
    for (const path of [deletions, `${deletions}/_count`]) {
      const refused = await office.call('POST', path, { body });
      assert.equal(refused.status, 400, JSON.stringify(body));
      assert.ok(
        fields(refused.body).some((text) => text.includes(named)),
        refused.text,
      );
    }
  assert.equal((await office.call('GET', deletions)).text.includes('"totalCount":0'), true);
});

test('so many deletions are going on at once, and one more is refused', async (t) => {
  const office = await openOffice(t, testDatabases[0] as TestDatabase);
  const body = { subject: 'APPLICATION', value: 'one' };
  assert.equal((await office.call('POST', deletions, { body })).status, 201);
  await office.storage.transaction(async (trx) => {
    const first = await trx.selectFrom('lake_deletion').selectAll().executeTakeFirstOrThrow();
    for (let n = 1; n < 199; n++) await insertDeletion(trx, { ...first, id: `n${n}` });
  });
  assert.equal((await office.call('POST', deletions, { body })).status, 201);
  const refused = await office.call('POST', deletions, { body });
  assert.equal(refused.status, 400);
  assert.match(refused.text, /200 deletions/);
  await office.storage.db
    .updateTable('lake_deletion')
    .set({ state: 'DONE' })
    .where('number', '=', 7)
    .execute();
  assert.equal((await office.call('POST', deletions, { body })).status, 201);
});
