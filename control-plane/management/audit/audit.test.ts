import assert from 'node:assert/strict';
import { shortTest as test } from '../../../test/kit/long-run.ts';
import { type TestDatabase, testDatabases } from '../../../test/kit/servers/databases.ts';
import {
  apiBody,
  basic,
  environment,
  openOffice,
  password,
  v1,
} from '../../../test/kit/control-plane/office.ts';
import { letAuditGo } from '../../../test/kit/control-plane/audit-triggers.ts';
import { hashOf, type AuditRow } from './audit.store.ts';
import { verifyAudit } from './verify.ts';

type Body = Record<string, unknown>;
const organizationPath = '/management/organizations/DEFAULT';

test('the audit tells what the command line did from what a script did, by its own word', async (t) => {
  const office = await openOffice(t, testDatabases[0] as TestDatabase);
  const { id } = await office.deployedApi('/pets');
  const path = `${environment}/apis/${id}`;
  for (const [agent, origin] of [
    ['curl/8', 'script'],
    ['isthmus-cli', 'cli'],
  ] as const) {
    const { body } = await office.call('GET', path);
    const headers = { 'user-agent': agent };
    const put = await office.call('PUT', path, { body: { ...body, name: agent }, headers });
    assert.equal(put.status, 200, put.text);
    const { body: list } = await office.call('GET', `${path}/audits?perPage=1`);
    assert.equal((list['data'] as Body[])[0]?.['origin'], origin);
  }
});

for (const database of testDatabases) {
  const options = { skip: database.skip };

  test(
    `the audit tells who changed what from where, of an API, an environment and an organization (${database.name})`,
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const { id, planId } = await office.deployedApi('/pets');
      const path = `${environment}/apis/${id}`;
      await office.clock.advance(10);
      const changedMs = office.clock.now();
      const { body: api } = await office.call('GET', path);
      const put = await office.call('PUT', path, { body: { ...api, name: 'renamed' } });
      assert.equal(put.status, 200, JSON.stringify(put.body));
      await office.call('POST', `${v1}/applications`, { body: { name: 'shop', description: '' } });

      const list = await office.call('GET', `${path}/audits?perPage=1`);
      assert.equal(list.status, 200, JSON.stringify(list.body));
      const [newest] = list.body['data'] as Body[];
      assert.deepEqual(
        [newest?.['event'], newest?.['reference'], newest?.['createdAt'], newest?.['origin']],
        ['API_UPDATED', { id, type: 'API', name: 'renamed' }, new Date(changedMs).toISOString(), 'script'],
      );
      assert.equal((newest as { user: Body }).user['displayName'], 'Administrator');
      assert.deepEqual(JSON.parse(String(newest?.['patch'])), [
        { op: 'replace', path: '/name', value: 'renamed' },
        { op: 'replace', path: '/is_out_of_sync', value: 1 },
      ]);
      const events = async (query: string): Promise<unknown[]> => {
        const { status, body } = await office.call('GET', `${path}/audits?${query}`);
        assert.equal(status, 200, JSON.stringify(body));
        return (body['data'] as Body[]).map(({ event }) => event);
      };
      assert.deepEqual(await events('events=API_CREATED,PLAN_CREATED'), ['PLAN_CREATED', 'API_CREATED']);
      assert.deepEqual(await events(`from=${changedMs}`), ['API_UPDATED']);
      assert.equal((await events(`to=${changedMs}`)).includes('API_UPDATED'), false);
      const plan = await office.call('GET', `${path}/audits?events=PLAN_PUBLISHED`);
      const [published] = plan.body['data'] as Body[];
      assert.deepEqual(published?.['properties'], [{ key: 'PLAN', value: planId, name: 'plan' }]);
      assert.equal((await office.call('GET', `${environment}/apis/none/audits`)).status, 404);
      const known = (await office.call('GET', `${path}/audits/events`)).body['data'] as string[];
      assert.deepEqual(known, known.toSorted());

      const ofApi = await office.call('GET', `${v1}/audit?api=${id}&event=API_UPDATED`);
      assert.deepEqual([ofApi.body['totalElements'], ofApi.body['pageNumber']], [1, 1]);
      assert.equal((ofApi.body['metadata'] as Body)[`API:${id}:name`], 'renamed');
      const ofType = await office.call('GET', `${v1}/audit?type=APPLICATION`);
      assert.deepEqual(
        (ofType.body['content'] as Body[]).map(({ event }) => event),
        ['APPLICATION_CREATED'],
      );
      const contradiction = await office.call('GET', `${v1}/audit?type=APPLICATION&api=${id}`);
      assert.equal(contradiction.body['totalElements'], 0);
      const whole = await office.call('GET', `${organizationPath}/audit?size=100`);
      const inEnvironment = await office.call('GET', `${v1}/audit?size=100`);
      assert.ok(Number(whole.body['totalElements']) >= Number(inEnvironment.body['totalElements']));
      const elsewhere = await office.call('GET', `${organizationPath}/audit?environment=other`);
      assert.equal(elsewhere.body['totalElements'], 0);
      const of = await office.call('GET', `${v1}/apis/${id}/audit`);
      assert.equal(
        of.body['totalElements'],
        list.body['pagination'] && (list.body['pagination'] as Body)['totalCount'],
      );

      // What was exported proves itself.
      const answer = await office.app.request(`http://office${organizationPath}/audit/_export`, {
        headers: { authorization: basic('admin', password) },
      });
      const rows = (await answer.text())
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as AuditRow);
      assert.equal(rows.length, whole.body['totalElements']);
      let hash = '';
      for (const row of rows) {
        hash = hashOf(row, hash);
        assert.equal(row.hash, hash);
      }
      const table = await office.call('GET', `${v1}/audit/_export?format=csv&event=API_UPDATED`);
      const [heads, line, end] = table.text.split('\r\n');
      assert.match(String(heads), /^"seq","id","createdAt"/);
      assert.match(
        String(line),
        /^\d+,.*"API_UPDATED","\{\}","\[\{""op"":""replace"",""path"":""\/name"".*"script","[0-9a-f]{64}"$/,
      );
      assert.equal(end, '');
    },
  );

  test(
    `the chain of an audit shows what was changed, deleted, put in and cut off, and survives changes at once (${database.name})`,
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const { db } = office.storage;
      const { organization } = office.at;
      const made = await Promise.all(
        ['/a', '/b', '/c', '/d'].map((path) =>
          office.call('POST', `${environment}/apis`, { body: apiBody(path) }),
        ),
      );
      assert.deepEqual(
        made.map(({ status }) => status),
        [201, 201, 201, 201],
      );
      const refused = await office.call('POST', `${environment}/apis`, { body: apiBody('/a') });
      assert.equal(refused.status, 400);
      const good = await verifyAudit(db, organization);
      assert.deepEqual([good.faults, good.rows === good.head.seq, good.rows >= 4], [[], true, true]);
      assert.deepEqual((await verifyAudit(db, organization, good.head)).faults, []);

      await letAuditGo(office.storage);
      const [, second, third] = await db.selectFrom('audit').selectAll().orderBy('seq').execute();
      assert.ok(second !== undefined && third !== undefined);
      const faults = async (kept?: typeof good.head) =>
        (await verifyAudit(db, organization, kept)).faults.map(({ seq, what }) => `${seq} ${what}`);
      const restored = async (change: () => Promise<unknown>, repair: () => Promise<unknown>) => {
        await change();
        const found = await faults();
        await repair();
        return found;
      };
      const setUser = (user: string) =>
        db
          .updateTable('audit')
          .set({ user_id: user } as never)
          .where('id', '=', second.id)
          .execute();
      assert.deepEqual(
        await restored(
          () => setUser('somebody else'),
          () => setUser(second.user_id),
        ),
        ['2 changed'],
      );
      const remove = (id: string) => db.deleteFrom('audit').where('id', '=', id).execute();
      const insert = (row: typeof second) => db.insertInto('audit').values(row).execute();
      assert.deepEqual(
        await restored(
          () => remove(second.id),
          () => insert(second),
        ),
        ['3 missing'],
      );
      assert.deepEqual(
        await restored(
          () => insert({ ...second, id: 'beside', seq: null, hash: null }),
          () => remove('beside'),
        ),
        ['0 beside'],
      );
      for (const seq of [0, -7])
        assert.deepEqual(
          await restored(
            () => insert({ ...second, id: 'before', seq }),
            () => remove('before'),
          ),
          ['0 beside'],
          `at ${seq}`,
        );
      const { head } = good;
      const next = { ...second, id: 'next', seq: head.seq + 1 };
      assert.deepEqual(
        await restored(
          () => insert({ ...next, hash: hashOf(next, head.hash) }),
          () => remove('next'),
        ),
        [`${head.seq + 1} behind`],
      );
      const [last] = await db.selectFrom('audit').selectAll().orderBy('seq', 'desc').limit(1).execute();
      assert.ok(last !== undefined);
      assert.deepEqual(
        await restored(
          () => remove(last.id),
          () => insert(last),
        ),
        [`${last.seq} cut`],
      );
      // Whoever cuts the head too is shown by one that was kept elsewhere.
      await remove(last.id);
      const [former] = await db.selectFrom('audit').selectAll().orderBy('seq', 'desc').limit(1).execute();
      await db
        .updateTable('audit_head')
        .set({ seq: Number(former?.seq), hash: String(former?.hash) })
        .where('organization', '=', organization)
        .execute();
      assert.deepEqual(await faults(), []);
      assert.deepEqual(await faults(good.head), [`${good.head.seq} cut`]);
    },
  );
}
