import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabases } from '../../../test/kit/servers/databases.ts';
import {
  apiBody,
  basic,
  enrolIn,
  environment,
  fleetsPath,
  openOffice,
  planBody,
} from '../../../test/kit/control-plane/office.ts';

for (const database of testDatabases) {
  const options = { skip: database.skip };

  test(
    `what a deployment would be refused for is said before, and nothing is deployed (${database.name})`,
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const body = apiBody('/a', { flows: [{ name: 'all', request: [{ policy: 'no-such-policy' }] }] });
      const { body: api } = await office.call('POST', `${environment}/apis`, { body });
      const path = `${environment}/apis/${String(api['id'])}`;
      const verify = (as?: string) =>
        office.call('POST', `${path}/deployments/_verify`, { ...(as && { as }) });
      const first = await verify();
      assert.deepEqual([first.status, first.body['ok']], [200, false]);
      assert.match(String(first.body['reason']), /no published plan/);
      const { body: plan } = await office.call('POST', `${path}/plans`, { body: planBody('KEY_LESS') });
      await office.call('POST', `${path}/plans/${String(plan['id'])}/_publish`);
      const second = await verify();
      assert.equal(second.body['ok'], false);
      const [fault] = second.body['faults'] as readonly {
        readonly location: string;
        readonly message: string;
      }[];
      assert.equal(fault?.location, 'flows[0].request[0].policy');
      const deployed = await office.call('POST', `${path}/deployments`);
      assert.equal(deployed.status, 400);
      assert.deepEqual(deployed.body['details'], second.body['faults'], 'the deployment says the same');
      const read = await office.call('GET', path);
      await office.call('PUT', path, { body: { ...read.body, flows: [] } });
      assert.deepEqual((await verify()).body, { ok: true });
      assert.equal((await office.call('GET', `${path}/deployments/current`)).status, 404);
    },
  );

  test(
    `a gateway that lacks a policy of the API is named, and one whose tags keep the API away is not (${database.name})`,
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const { id } = await office.deployedApi('/a');
      const path = `${environment}/apis/${id}`;
      const other = { name: 'dmz', tags: ['external'], environments: ['DEFAULT'] };
      const { body: dmz } = await office.call('POST', fleetsPath, { body: other });
      const gateway = await enrolIn(office, office.boot.fleet);
      const away = await enrolIn(office, String(dmz['id']));
      const knows = (policies: readonly string[]) =>
        office.storage.transaction(async (trx) => {
          await trx.deleteFrom('gateway_report').execute();
          await trx
            .insertInto('gateway_report')
            .values(
              [gateway, away].map((one) => ({
                gateway: one,
                organization: office.at.organization,
                instance: 'x',
                started_at_ms: 1,
                policies: JSON.stringify(policies),
                counters: '{}',
                is_connected: 1,
                received_at_ms: office.clock.now(),
              })),
            )
            .execute();
        });
      const verify = () => office.call('POST', `${path}/deployments/_verify`);
      assert.deepEqual((await verify()).body, { ok: true }, 'who was never heard of says nothing');
      await knows(['key-less']);
      const { body } = await verify();
      assert.match(String(body['reason']), /1 of 1 gateways cannot run api-key/);
      const named = body['gateways'] as readonly { readonly id: string; readonly missingPolicies: unknown }[];
      assert.deepEqual(
        named.map((one) => [one.id, one.missingPolicies]),
        [[gateway, ['api-key']]],
      );
      await knows(['key-less', 'api-key']);
      assert.deepEqual((await verify()).body, { ok: true });
    },
  );

  test(`lists say how far gateways are with each API, when asked (${database.name})`, options, async (t) => {
    const office = await openOffice(t, database);
    const { id } = await office.deployedApi('/a');
    const { id: refused } = await office.deployedApi('/refused');
    await office.call('POST', `${environment}/apis`, { body: apiBody('/draft') });
    const [one, two] = [await enrolIn(office, office.boot.fleet), await enrolIn(office, office.boot.fleet)];
    const at = { organization: office.at.organization, environment: office.at.environment };
    const seqOf = async (record: string): Promise<number> =>
      (await office.desk.fleets.deploymentState(office.at, { kind: 'api', id: record })).published?.seq ?? 0;
    const [seqOfRefused, seqOfOne] = [await seqOf(refused), await seqOf(id)];
    await office.storage.transaction(async (trx) => {
      const applied = { ...at, epoch: 1, applied_at_ms: 1 };
      await trx
        .insertInto('gateway_applied')
        .values([
          { ...applied, gateway: one, seq: seqOfRefused },
          { ...applied, gateway: two, seq: seqOfOne },
        ])
        .execute();
      const nack = { ...at, kind: 'api', code: 'x', reason: 'y', at_ms: 1 };
      await trx
        .insertInto('gateway_nack')
        .values([{ ...nack, gateway: one, id: refused, seq: seqOfRefused }])
        .execute();
    });
    for (const method of ['GET', 'POST'] as const) {
      const list = method === 'GET' ? '/apis' : '/apis/_search';
      const { body } = await office.call(method, `${environment}${list}?expands=sync&sortBy=name`);
      const data = body['data'] as readonly { readonly name: string; readonly sync?: object }[];
      assert.deepEqual(
        data.map(({ name, sync }) => [name, sync]),
        [
          ['api /a', { gateways: 2, applied: 2, refused: 0, pending: 0 }],
          ['api /draft', undefined],
          ['api /refused', { gateways: 2, applied: 0, refused: 1, pending: 1 }],
        ],
      );
      const plain = await office.call(method, `${environment}${list}`);
      assert.ok((plain.body['data'] as readonly object[]).every((api) => !('sync' in api)));
    }
    const user = { username: 'ann', password: 'a password of twelve', role: 'USER' };
    await office.call('POST', '/management/organizations/DEFAULT/users', { body: user });
    const { body: read } = await office.call('GET', `${environment}/apis/${id}`);
    await office.call('PUT', `${environment}/apis/${id}`, { body: { ...read, visibility: 'PUBLIC' } });
    const seen = await office.call('GET', `${environment}/apis?expands=sync`, {
      as: basic('ann', user.password),
    });
    const [api] = seen.body['data'] as readonly object[];
    assert.ok(api !== undefined && !('sync' in api), 'gateways are for who may see what they run');
  });
}
