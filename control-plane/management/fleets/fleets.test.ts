import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabases } from '../../../test/kit/servers/databases.ts';
import { enrolIn, fleetsPath as fleets, openOffice } from '../../../test/kit/control-plane/office.ts';
import { makeWords } from '../../../test/kit/control-plane/words.ts';

for (const database of testDatabases) {
  const options = { skip: database.skip };

  test(
    `a fleet is made, changed and removed; its gateways are listed and revoked (${database.name})`,
    options,
    async (t) => {
      const office = await openOffice(t, database);
      await makeWords(office, { tags: ['external', 'beta'] });
      const wish = { name: 'dmz', tags: ['external'], environments: ['DEFAULT'] };
      const made = await office.call('POST', fleets, { body: wish });
      assert.equal(made.status, 201, JSON.stringify(made.body));
      assert.deepEqual(made.body['environments'], [office.at.environment]);
      const path = `${fleets}/${String(made.body['id'])}`;
      const changed = await office.call('PUT', path, { body: { ...wish, tags: ['external', '!beta'] } });
      assert.deepEqual(changed.body['tags'], ['!beta', 'external']);
      const gateway = await enrolIn(office, String(made.body['id']));
      const listed = await office.call('GET', `${path}/gateways`);
      const data = listed.body['data'] as Record<string, unknown>[];
      assert.deepEqual(
        data.map((one) => [one['id'], one['state']]),
        [[gateway, 'never']],
      );
      const other = await enrolIn(office, office.boot.fleet);
      const everywhere = await office.call('GET', fleets.replace(/fleets$/, 'gateways'));
      const found = everywhere.body['data'] as Record<string, unknown>[];
      assert.deepEqual(
        new Map(found.map((one) => [one['id'], one['fleet']])),
        new Map<unknown, unknown>([
          [gateway, made.body['id']],
          [other, office.boot.fleet],
        ]),
        'those of all fleets, each with its own',
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
}
