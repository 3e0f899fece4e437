import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GatewayReport, Nack } from '../../../proto/wire/published.ts';
import { testDatabases } from '../../../test/kit/servers/databases.ts';
import {
  type Office,
  apiBody,
  environment,
  openOffice,
  v1,
  enrolIn,
} from '../../../test/kit/control-plane/office.ts';
import { deploymentsMax, findDeployment, insertDeployment } from './deployments.store.ts';
import { makeWords } from '../../../test/kit/control-plane/words.ts';

function report(office: Office, seq: number, nacks: readonly Nack[]): GatewayReport {
  return {
    instance: 'one',
    version: '0.1.0',
    hostname: 'edge-1',
    startedAtMs: office.clock.now(),
    policies: ['mock'],
    environments: [{ environment: office.at.environment, epoch: 1, seq, nacks }],
    counters: {},
  };
}

for (const database of testDatabases) {
  const options = { skip: database.skip };

  test(
    `the current deployment says which gateway applied it and which refused, and why (${database.name})`,
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const gateway = await enrolIn(office, office.boot.fleet);
      const { id } = await office.deployedApi('/pets', 'KEY_LESS');
      const current = () => office.call('GET', `${environment}/apis/${id}/deployments/current`);
      const first = await current();
      const seq = Number(first.body['seq']);
      const nack = { kind: 'api', id, seq, code: 'policy.unknown', reason: 'no policy "x"' } as const;
      await office.repository.saveReport(gateway, report(office, seq, [nack]));
      const refused = (await current()).body['gateways'] as Record<string, unknown>[];
      assert.equal(refused.length, 1);
      assert.deepEqual(
        [refused[0]?.['id'], refused[0]?.['deployment'], refused[0]?.['appliedSeq']],
        [gateway, 'refused', seq],
      );
      assert.match(JSON.stringify(refused[0]?.['nack']), /no policy/);

      await office.call('POST', `${environment}/apis/${id}/deployments`);
      const next = Number((await current()).body['seq']);
      assert.ok(next > seq);
      await office.repository.saveReport(gateway, report(office, next, []));
      const applied = (await current()).body['gateways'] as Record<string, unknown>[];
      assert.deepEqual([applied[0]?.['deployment'], applied[0]?.['nack']], ['applied', undefined]);
    },
  );

  test(`the newest 100 deployments of an API stay (${database.name})`, options, async (t) => {
    const office = await openOffice(t, database);
    const { id } = await office.deployedApi('/pets', 'KEY_LESS');
    const other = await office.deployedApi('/cats', 'KEY_LESS');
    const row = await findDeployment(office.storage.db, office.at, { api: id, number: 1 });
    assert.ok(row !== undefined);
    await office.storage.transaction(async (trx) => {
      for (let number = 2; number <= deploymentsMax + 1; number += 1)
        await insertDeployment(trx, { ...row, number });
    });
    const listed = async (api: string) =>
      (await office.call('GET', `${environment}/apis/${api}/deployments?perPage=1`)).body['pagination'];
    assert.equal(Object(await listed(id)).totalCount, deploymentsMax);
    assert.equal(Object(await listed(other.id)).totalCount, 1);
    assert.equal(await findDeployment(office.storage.db, office.at, { api: id, number: 1 }), undefined);
    assert.ok(await findDeployment(office.storage.db, office.at, { api: id, number: 2 }));
  });

  test(
    `what gateways cannot run is refused at deploy with its path (${database.name})`,
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const { id } = await office.deployedApi('/pets', 'KEY_LESS');
      const body = apiBody('/pets', {
        flows: [{ name: 'f', request: [{ policy: 'no-such-policy', configuration: {} }] }],
      });
      assert.equal((await office.call('PUT', `${environment}/apis/${id}`, { body })).status, 200);
      const refused = await office.call('POST', `${environment}/apis/${id}/deployments`);
      assert.equal(refused.status, 400);
      const [detail] = refused.body['details'] as { location: string }[];
      assert.equal(detail?.location, 'flows[0].request[0].policy');
      const unusable = apiBody('/pets', {
        endpointGroups: [
          {
            name: 'g',
            type: 'http-proxy',
            sharedConfiguration: { ssl: { keyStore: { type: 'PKCS12', content: 'AAAA', password: 'x' } } },
            endpoints: [
              { name: 'e', type: 'http-proxy', configuration: { target: 'https://backend.example' } },
            ],
          },
        ],
      });
      assert.equal((await office.call('PUT', `${environment}/apis/${id}`, { body: unusable })).status, 200);
      const second = await office.call('POST', `${environment}/apis/${id}/deployments`);
      assert.equal(second.status, 400);
      const [store] = second.body['details'] as { location: string; message: string }[];
      assert.equal(store?.location, 'endpointGroups[0].sharedConfiguration.ssl.keyStore');
      assert.match(store?.message ?? '', /cannot be used/);
      const current = await office.call('GET', `${environment}/apis/${id}/deployments/current`);
      assert.equal(current.body['number'], 1);
    },
  );

  test(
    `a deployment with new tags takes subscriptions and keys along (${database.name})`,
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const { id, planId } = await office.deployedApi('/pets');
      const application = await office.call('POST', `${v1}/applications`, {
        body: { name: 'shop', description: '' },
      });
      await office.call('POST', `${environment}/apis/${id}/subscriptions`, {
        body: { planId, applicationId: application.body['id'] },
      });
      await makeWords(office, { tags: ['internal'] });
      const body = apiBody('/pets', { tags: ['internal'] });
      await office.call('PUT', `${environment}/apis/${id}`, { body });
      const deployed = await office.call('POST', `${environment}/apis/${id}/deployments`, {
        body: { deploymentLabel: 'two' },
      });
      assert.deepEqual([deployed.status, deployed.body['number']], [202, 2]);
      for (const kind of ['api', 'subscription', 'api-key'] as const)
        assert.deepEqual(
          (await office.published(kind)).map((record) => record.tags),
          [['internal']],
        );
    },
  );

  test(`two deploys at once both happen, one after the other (${database.name})`, options, async (t) => {
    const office = await openOffice(t, database);
    const { id } = await office.deployedApi('/pets', 'KEY_LESS');
    const deploy = () => office.call('POST', `${environment}/apis/${id}/deployments`);
    const answers = await Promise.all(Array.from({ length: 8 }, deploy));
    assert.deepEqual(
      answers.map((answer) => Number(answer.body['number'])).toSorted((a, b) => a - b),
      [2, 3, 4, 5, 6, 7, 8, 9],
    );
    const [api] = await office.published('api');
    assert.equal(api?.revision, '9');
  });
}
