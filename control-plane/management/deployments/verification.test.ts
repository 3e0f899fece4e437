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
import { makeWords } from '../../../test/kit/control-plane/words.ts';

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
    `who writes an API is warned of what a deployment would refuse, in the answer that keeps it (${database.name})`,
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const odd = { policy: 'mock', configuration: { 'no "such" fïeld\\': 1 } };
      const steps = Array.from({ length: 7 }, () => odd);
      const body = apiBody('/a', { flows: [{ name: 'all', request: steps }] });
      const made = await office.call('POST', `${environment}/apis?odd=1`, { body });
      assert.equal(made.status, 201, made.text);
      const warning = made.headers.get('warning') ?? '';
      assert.match(
        warning,
        /^299 - "ignored query parameters: odd", 299 - "a deployment would refuse 7 parts of it: /,
      );
      assert.match(
        warning,
        /: flows\[0\]\.request\[0\]\.configuration.* \| flows\[0\]\.request\[4\]\.configuration[^|]*\| and 2 more \| POST \.\.\.\/deployments\/_verify lists all"$/,
      );
      assert.match(warning, /^[ -~]*$/);
      assert.equal(warning.split('"').length, 5, 'quotes stand around what is said and nowhere else');
      const path = `${environment}/apis/${String(made.body['id'])}`;
      const put = await office.call('PUT', path, {
        body: { ...made.body, flows: [{ name: 'all', request: [odd] }] },
      });
      assert.match(
        put.headers.get('warning') ?? '',
        /^299 - "a deployment would refuse 1 part of it: flows\[0\]\.request\[0\]\.configuration/,
      );
      const merge = { 'content-type': 'application/merge-patch+json' };
      const patch = (text: object, query = '') =>
        office.call('PATCH', path + query, { text: JSON.stringify(text), headers: merge });
      assert.match((await patch({ name: 'b' })).headers.get('warning') ?? '', /1 part of it/);
      assert.equal((await patch({ flows: [] }, '?dryRun=true')).headers.get('warning'), null);
      const well = await patch({ flows: [] });
      assert.deepEqual([well.status, well.headers.get('warning')], [200, null], well.text);
      const secret = [
        { policy: 'mock', configuration: { headers: [{ name: 'Authorization', value: "{#'hunter2'" }] } },
      ];
      const held = await office.call('PUT', path, {
        body: { ...made.body, flows: [{ name: 'all', request: secret }] },
      });
      assert.match(held.headers.get('warning') ?? '', /headers\[0\]\.value/);
      assert.doesNotMatch(held.headers.get('warning') ?? '', /hunter2/);
    },
  );

  test(
    `a gateway that lacks a policy of the API is named, and one whose tags keep the API away is not (${database.name})`,
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const { id } = await office.deployedApi('/a');
      const path = `${environment}/apis/${id}`;
      await makeWords(office, { tags: ['external'] });
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
