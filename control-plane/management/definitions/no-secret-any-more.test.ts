import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mask } from '../../../proto/trust/sealed-text.ts';
import { apiBody, environment, openOffice, planBody } from '../../../test/kit/control-plane/office.ts';
import { planted, tablesWithSecrets } from '../../../test/kit/control-plane/planted-secrets.ts';
import { testDatabases } from '../../../test/kit/servers/databases.ts';

const jwt = {
  signature: 'HMAC_HS256',
  publicKeyResolver: 'GIVEN_KEY',
  resolverParameter: `${planted}-of-a-plan-32-bytes-and-more-of-them`,
};

for (const database of testDatabases) {
  const on = (name: string) => `${name} (${database.name})`;
  const options = { skip: database.skip };

  test(
    on('what is no secret any more does not come out open: the mask of it is refused, in a dry run too'),
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const properties = [{ key: 'token', value: `${planted}-1`, encrypted: true }];
      const made = await office.call('POST', `${environment}/apis`, { body: apiBody('/a', { properties }) });
      assert.equal(made.status, 201, JSON.stringify(made.body));
      const path = `${environment}/apis/${String(made.body['id'])}`;
      const plan = await office.call('POST', `${path}/plans`, {
        body: planBody('JWT', { security: { type: 'JWT', configuration: jwt } }),
      });
      assert.equal(plan.status, 201, JSON.stringify(plan.body));
      const exported = JSON.stringify((await office.call('GET', `${path}/_export/definition`)).body);
      assert.ok(exported.includes(mask) && !exported.includes(planted));
      for (const [from, to, location] of [
        ['"encrypted":true', '"encrypted":false', /properties\[0\]\.value"/],
        ['"signature":"HMAC_HS256"', '"signature":"RSA_RS256"', /resolverParameter"/],
      ] as const) {
        assert.ok(exported.includes(from), from);
        const body = JSON.parse(exported.replace(from, to)) as object;
        for (const query of ['?dryRun=true', '']) {
          const answer = await office.call('PUT', `${path}/_import/definition${query}`, { body });
          assert.equal(answer.status, 400, JSON.stringify(answer.body));
          assert.match(JSON.stringify(answer.body['details']), location);
          assert.ok(!JSON.stringify(answer.body).includes(planted));
        }
      }
      assert.deepEqual(await tablesWithSecrets(office.storage), []);
    },
  );
}
