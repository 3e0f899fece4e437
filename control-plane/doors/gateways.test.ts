import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import type { GatewayReport, Nack } from '../../proto/wire/published.ts';
import { testDatabases } from '../../test/kit/databases.ts';
import { apiBody, environment, openOffice, type Office } from './office.test.ts';

const fleets = '/management/v2/organizations/DEFAULT/fleets';

async function enrol(office: Office, fleet: string): Promise<string> {
  const made = await office.call('POST', `${fleets}/${fleet}/enrolment-tokens`, {
    body: { bridge: 'http://127.0.0.1:18092', usesMax: 1 },
  });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  const gateway = await office.repository.enrol({
    token: String(made.body['token']),
    signingKey: randomBytes(32),
    sealingKey: randomBytes(32),
    hostname: 'edge-1',
    version: '0.1.0',
  });
  return gateway.id;
}

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
      const gateway = await enrol(office, office.boot.fleet);
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

  test(
    `a fleet is made, changed and removed; its gateways are listed and revoked (${database.name})`,
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const wish = { name: 'dmz', tags: ['external'], environments: ['DEFAULT'] };
      const made = await office.call('POST', fleets, { body: wish });
      assert.equal(made.status, 201, JSON.stringify(made.body));
      assert.deepEqual(made.body['environments'], [office.at.environment]);
      const path = `${fleets}/${String(made.body['id'])}`;
      const changed = await office.call('PUT', path, { body: { ...wish, tags: ['external', '!beta'] } });
      assert.deepEqual(changed.body['tags'], ['!beta', 'external']);
      const gateway = await enrol(office, String(made.body['id']));
      const listed = await office.call('GET', `${path}/gateways`);
      const data = listed.body['data'] as Record<string, unknown>[];
      assert.deepEqual(
        data.map((one) => [one['id'], one['state']]),
        [[gateway, 'never']],
      );
      for (const kind of ['identity.cloned', 'grant.tag_refused'])
        await office.repository.saveEvent({ gateway, kind, detail: 'x', atMs: office.clock.now() });
      const told = await office.call('GET', `${path}/events?gatewayId=${gateway}&perPage=1`);
      assert.equal((told.body['pagination'] as { totalCount: number }).totalCount, 2);
      assert.match(JSON.stringify(told.body['data']), /"kind":"(identity\.cloned|grant\.tag_refused)"/);
      const laptop = await office.call('GET', `${fleets}/${office.boot.fleet}/events`);
      assert.deepEqual(laptop.body['data'], [], 'events of another fleet');
      const elsewhere = `${fleets}/${office.boot.fleet}/gateways/${gateway}/_revoke`;
      assert.equal((await office.call('POST', elsewhere)).status, 404, 'a gateway of another fleet');
      assert.equal((await office.call('POST', `${path}/gateways/${gateway}/_revoke`)).status, 204);
      assert.equal((await office.repository.gateway(gateway))?.isRevoked, true);
      const tokens = await office.call('GET', `${path}/enrolment-tokens`);
      const [token] = tokens.body['data'] as Record<string, unknown>[];
      assert.deepEqual([token?.['uses'], token?.['token']], [1, undefined]);
      const revoke = `${path}/enrolment-tokens/${String(token?.['id'])}/_revoke`;
      assert.equal((await office.call('POST', revoke)).status, 204);
      assert.equal((await office.call('DELETE', path)).status, 204);
      assert.equal((await office.call('GET', path)).status, 404);
    },
  );

  test(
    `an archived application leaves no live subscription, nor gets one (${database.name})`,
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const v1 = '/management/organizations/DEFAULT/environments/DEFAULT/applications';
      const { id, planId } = await office.deployedApi('/pets');
      const application = await office.call('POST', v1, { body: { name: 'shop', description: '' } });
      const applicationId = String(application.body['id']);
      const subscribe = () =>
        office.call('POST', `${environment}/apis/${id}/subscriptions`, { body: { planId, applicationId } });
      const [archived] = await Promise.all([office.call('DELETE', `${v1}/${applicationId}`), subscribe()]);
      assert.equal(archived.status, 204);
      assert.deepEqual(await office.published('subscription'), []);
      assert.deepEqual(await office.published('api-key'), []);
      assert.equal((await subscribe()).body.technicalCode, 'application.archived');
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

  test(`of two who want the same path at once one gets it (${database.name})`, options, async (t) => {
    const office = await openOffice(t, database);
    const create = () => office.call('POST', `${environment}/apis`, { body: apiBody('/one') });
    const answers = await Promise.all(Array.from({ length: 6 }, create));
    assert.deepEqual(
      answers.map((answer) => answer.status).toSorted((a, b) => a - b),
      [201, 409, 409, 409, 409, 409],
    );
  });
}
