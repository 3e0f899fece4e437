import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeSharedPolicyGroup } from '../../../proto/wire/payloads.ts';
import { decodeRecord } from '../../../proto/wire/record.ts';
import {
  apiBody,
  environment,
  type Office,
  openOffice,
  planBody,
} from '../../../test/kit/control-plane/office.ts';
import { testDatabases } from '../../../test/kit/servers/databases.ts';

const groups = `${environment}/shared-policy-groups`;
const latency = (time: number): object => ({ policy: 'latency', configuration: { time } });
const use = (sharedPolicyGroupId: string, enabled = true): object => ({
  policy: 'shared-policy-group-policy',
  enabled,
  configuration: { sharedPolicyGroupId },
});

/** Makes a group; gives its id. */
async function made(office: Office, wish: object = {}): Promise<string> {
  const body = { name: 'Limits', apiType: 'PROXY', phase: 'REQUEST', steps: [latency(1)], ...wish };
  const answer = await office.call('POST', groups, { body });
  assert.equal(answer.status, 201, JSON.stringify(answer.body));
  return String(answer.body['id']);
}

/** What gateways have of groups: revision and definition by id. */
async function atGateways(office: Office): Promise<Readonly<Record<string, readonly [string, unknown]>>> {
  const { headers } = await office.repository.headersAfter(office.at, 0, 10_000);
  const wanted = headers.filter(({ kind, isDeleted }) => kind === 'shared-policy-group' && !isDeleted);
  const records = await office.repository.payloads(office.at, wanted);
  return Object.fromEntries(
    records.map(({ bytes }) => {
      const { payload, revision } = decodeRecord(bytes);
      const { id, definition } = decodeSharedPolicyGroup(payload);
      return [id, [revision, JSON.parse(definition)]];
    }),
  );
}

const detailsOf = (answer: { readonly body: Readonly<Record<string, unknown>> }): readonly string[] =>
  ((answer.body['details'] ?? []) as { location?: string; path?: string; message: string }[]).map(
    ({ path, location, message }) => `${path ?? location}: ${message}`,
  );

for (const database of testDatabases) {
  const named = (promise: string): string => `${promise} (${database.name})`;
  const options = { skip: database.skip };

  test(
    named('what each deployment sent is kept, and groups that can be used are listed as steps'),
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const id = await made(office, { crossId: 'limits', prerequisiteMessage: 'a cache' });
      const unused = await made(office, { name: 'Unused' });
      const one = `${groups}/${id}`;
      const history = async (of: string, query = ''): Promise<readonly Record<string, unknown>[]> => {
        const answer = await office.call('GET', `${groups}/${of}/histories${query}`);
        assert.equal(answer.status, 200, JSON.stringify(answer.body));
        return answer.body['data'] as Record<string, unknown>[];
      };
      const plugins = async (): Promise<unknown> =>
        (await office.call('GET', `${groups}/policy-plugins`)).body;
      assert.deepEqual([await history(id), await plugins()], [[], []]);

      await office.call('POST', `${one}/_deploy`);
      const wish = { name: 'Limits 2', steps: [latency(2)] };
      await office.call('PUT', one, { body: wish });
      await office.call('POST', `${one}/_deploy`);
      await office.call('PUT', one, {
        body: { name: 'Limits 3', prerequisiteMessage: 'a cache', steps: [] },
      });
      const [newest, oldest, ...others] = await history(id);
      assert.deepEqual(others, []);
      assert.deepEqual(
        [newest?.['version'], newest?.['name'], oldest?.['version'], oldest?.['name']],
        [2, 'Limits 2', 1, 'Limits'],
      );
      assert.deepEqual(oldest?.['steps'], [latency(1)]);
      assert.deepEqual(
        (await history(id, '?sortBy=version&perPage=1')).map(({ version }) => version),
        [1],
      );
      assert.deepEqual(await history(unused), []);
      assert.equal((await office.call('GET', `${groups}/none/histories`)).status, 404);

      const plugin = {
        id: 'limits',
        name: 'Limits 3',
        prerequisiteMessage: 'a cache',
        apiType: 'PROXY',
        phase: 'REQUEST',
        policyId: 'shared-policy-group-policy',
      };
      assert.deepEqual(await plugins(), [plugin]);
      await office.call('POST', `${one}/_undeploy`);
      assert.deepEqual(await plugins(), []);
      assert.equal((await history(id)).length, 2, 'withdrawn, it has been what it was');
      assert.equal((await office.call('DELETE', one)).status, 204);
    },
  );

  test(
    named('a group reaches gateways with its deployment, under its cross id, and again with the next'),
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const id = await made(office, {
        crossId: 'limits',
        description: 'of all',
        prerequisiteMessage: 'none',
      });
      const one = `${groups}/${id}`;
      const stateOf = async (): Promise<unknown> => {
        const { body } = await office.call('GET', one);
        return [body['lifecycleState'], body['version'], body['phase'], body['prerequisiteMessage']];
      };
      assert.deepEqual(await stateOf(), ['UNDEPLOYED', 0, 'REQUEST', 'none']);
      assert.deepEqual(await atGateways(office), {});
      assert.equal((await office.call('POST', `${one}/_deploy`)).status, 202);
      const [revision, definition] = (await atGateways(office))['limits'] ?? [];
      assert.equal(revision, '1');
      assert.partialDeepStrictEqual(definition, { phase: 'request', steps: [latency(1)] });
      const etag = (await office.call('GET', one)).headers.get('etag') ?? '';
      const body = { name: 'Limits', steps: [latency(2)] };
      assert.equal((await office.call('PUT', one, { body, headers: { 'if-match': etag } })).status, 200);
      assert.equal((await office.call('PUT', one, { body, headers: { 'if-match': etag } })).status, 412);
      assert.deepEqual(await stateOf(), ['PENDING', 1, 'REQUEST', undefined]);
      assert.equal((await atGateways(office))['limits']?.[0], '1', 'what was written is a draft');
      await office.call('POST', `${one}/_deploy`);
      assert.equal((await atGateways(office))['limits']?.[0], '2');
      assert.equal((await office.call('POST', `${one}/_undeploy`)).body['lifecycleState'], 'UNDEPLOYED');
      assert.deepEqual(await atGateways(office), {});
      assert.equal((await office.call('DELETE', one)).status, 204);
      assert.equal((await office.call('GET', one)).status, 404);
    },
  );

  test(named('what cannot run, and what cannot change, is refused by name'), options, async (t) => {
    const office = await openOffice(t, database);
    const nested = await made(office, { crossId: 'a', steps: [use('b'), { policy: 'nothing' }] });
    const refused = await office.call('POST', `${groups}/${nested}/_deploy`);
    assert.equal(refused.status, 400);
    assert.match(
      detailsOf(refused).join('\n'),
      /^steps\[1\]\.policy: "nothing" is not supported[^]*\nsteps\[0\]\.policy: .*holds no others/,
    );
    for (const [body, expected] of [
      [{ name: 'x', apiType: 'PROXY', phase: 'REQUEST', crossId: 'a' }, /^crossId: "a" is another group/],
      [{ name: 'x', apiType: 'MESSAGE', phase: 'PUBLISH' }, /^apiType: [^]*phase: /],
      [
        { name: '', apiType: 'PROXY', phase: 'REQUEST', crossId: '../x%' },
        /^crossId: must be an id[^]*name: /,
      ],
      [JSON.parse('{"name":"x","apiType":"PROXY","phase":"REQUEST","__proto__":{"a":1}}'), /__proto__/],
    ] as const) {
      const answer = await office.call('POST', groups, { text: JSON.stringify(body) });
      assert.equal(answer.status, 400, JSON.stringify(answer.body));
      assert.match(detailsOf(answer).join('\n'), expected);
    }
    const changed = await office.call('PUT', `${groups}/${nested}`, {
      body: { name: 'A', crossId: 'c', phase: 'RESPONSE' },
    });
    assert.deepEqual(detailsOf(changed), [
      'crossId: cannot change; it is a',
      'phase: cannot change; it is REQUEST',
    ]);
    await made(office, { name: 'Zebra_100%', crossId: 'z', phase: 'RESPONSE' });
    const list = await office.call('GET', `${groups}?q=${encodeURIComponent('_100%')}&sortBy=-phase`);
    assert.deepEqual(
      (list.body['data'] as { name: string }[]).map(({ name }) => name),
      ['Zebra_100%'],
    );
  });

  test(
    named('an API is deployed with groups that are deployed and of its phase, and holds them there'),
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const late = await made(office, { crossId: 'late_1' });
      await made(office, { crossId: 'lateX1', name: 'Other' });
      const wrong = await made(office, { crossId: 'wrong', phase: 'RESPONSE', steps: [] });
      await office.call('POST', `${groups}/${wrong}/_deploy`);
      const { id } = await office.deployedApi('/users');
      const api = `${environment}/apis/${id}`;
      const flows = [{ request: [use('late_1'), use('none'), use('wrong'), use('off', false)] }];
      const save = async (body: object): Promise<void> => {
        const saved = await office.call('PUT', api, { body: apiBody('/users', body) });
        assert.equal(saved.status, 200, JSON.stringify(saved.body));
      };
      await save({ flows });
      const refused = await office.call('POST', `${api}/deployments`);
      assert.equal(refused.status, 400);
      assert.deepEqual(detailsOf(refused), [
        'flows[0].request[0].configuration.sharedPolicyGroupId: "late_1" is not deployed; deploy it first',
        'flows[0].request[1].configuration.sharedPolicyGroupId: "none" is no group of this environment',
        'flows[0].request[2].configuration.sharedPolicyGroupId: "wrong" is a group for the response phase',
      ]);
      await office.call('POST', `${groups}/${late}/_deploy`);
      const plan = await office.call('POST', `${api}/plans`, {
        body: planBody('KEY_LESS', { flows: [{ request: [use('late_1')] }] }),
      });
      await office.call('POST', `${api}/plans/${String(plan.body['id'])}/_publish`);
      await save({ flows: [] });
      assert.equal((await office.call('POST', `${api}/deployments`)).status, 202);
      for (const [method, path] of [
        ['POST', `${groups}/${late}/_undeploy`],
        ['DELETE', `${groups}/${late}`],
      ] as const) {
        const held = await office.call(method, path);
        assert.deepEqual([held.status, held.body.technicalCode], [400, 'shared_policy_group.in_use']);
        assert.match(JSON.stringify(held.body), /Deployed APIs use the group: api \/users\./);
      }
      const users = await office.call('GET', `${groups}/${late}/apis`);
      assert.deepEqual(
        [users.body['data'], (users.body['pagination'] as { readonly totalCount: number }).totalCount],
        [[{ id, name: apiBody('/users').name }], 1],
      );
      const ofWrong = await office.call('GET', `${groups}/${wrong}/apis`);
      assert.deepEqual(ofWrong.body['data'], []);
      assert.ok('late_1' in (await atGateways(office)));
      await office.call('POST', `${api}/plans/${String(plan.body['id'])}/_close`);
      assert.equal((await office.call('POST', `${api}/deployments`)).status, 202);
      assert.equal((await office.call('DELETE', `${groups}/${late}`)).status, 204);
    },
  );

  test(
    named('an API that is deployed while its group is withdrawn never stands there without it'),
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const id = await made(office, { crossId: 'g' });
      const { id: apiId } = await office.deployedApi('/race');
      const api = `${environment}/apis/${apiId}`;
      await office.call('PUT', api, { body: apiBody('/race', { flows: [{ request: [use('g')] }] }) });
      for (let round = 0; round < 5; round += 1) {
        await office.call('POST', `${groups}/${id}/_deploy`);
        const [deployed, withdrawn] = await Promise.all([
          office.call('POST', `${api}/deployments`),
          office.call('POST', `${groups}/${id}/_undeploy`),
        ]);
        assert.deepEqual(
          [deployed.status, withdrawn.status].toSorted((a, b) => a - b),
          [202, 400],
          `round ${round}`,
        );
        if (deployed.status === 202) return;
      }
    },
  );
}
