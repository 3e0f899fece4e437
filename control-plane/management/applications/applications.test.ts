import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { createAuthority, issuePair } from '../../../test/kit/servers/certificates.ts';
import { testDatabases } from '../../../test/kit/servers/databases.ts';
import { environment, openOffice, planBody, v1 } from '../../../test/kit/control-plane/office.ts';
import { tempDir } from '../../../test/kit/temp-dir.ts';

for (const database of testDatabases) {
  const options = { skip: database.skip };

  test(
    `an archived application leaves no live subscription, nor gets one (${database.name})`,
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const { id, planId } = await office.deployedApi('/pets');
      const application = await office.call('POST', `${v1}/applications`, {
        body: { name: 'shop', description: '' },
      });
      const applicationId = String(application.body['id']);
      const subscribe = () =>
        office.call('POST', `${environment}/apis/${id}/subscriptions`, { body: { planId, applicationId } });
      const [archived] = await Promise.all([
        office.call('DELETE', `${v1}/applications/${applicationId}`),
        subscribe(),
      ]);
      assert.equal(archived.status, 204);
      assert.deepEqual(await office.published('subscription'), []);
      assert.deepEqual(await office.published('api-key'), []);
      assert.equal((await subscribe()).body.technicalCode, 'application.archived');
    },
  );

  test(
    `certificates of an application travel with its subscriptions, and are nobody else's (${database.name})`,
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const dir = tempDir(t);
      const authority = createAuthority(dir);
      const [one, two] = [issuePair(authority, 'one').cert, issuePair(authority, 'two').cert];
      const hashOf = (pem: string): string =>
        new X509Certificate(pem).fingerprint256.replaceAll(':', '').toLowerCase();
      const { id, planId } = await office.deployedApi('/pets', 'MTLS');
      const create = (name: string, tls?: object) =>
        office.call('POST', `${v1}/applications`, {
          body: { name, description: '', ...(tls !== undefined && { settings: { tls } }) },
        });
      const subscribe = (applicationId: unknown, plan = planId) =>
        office.call('POST', `${environment}/apis/${id}/subscriptions`, {
          body: { planId: plan, applicationId },
        });
      const bare = await create('bare');
      const refused = await subscribe(bare.body['id']);
      assert.equal(refused.body.technicalCode, 'plan.notSubscribableWithoutClientCertificate');
      assert.match(String(refused.body['message']), /no client certificate/);

      const shop = await create('shop', { client_certificate: one });
      assert.equal(shop.status, 201, JSON.stringify(shop.body));
      const subscribed = await subscribe(shop.body['id']);
      assert.equal(subscribed.status, 201, JSON.stringify(subscribed.body));
      const published = async () =>
        (await office.published('subscription')).map(({ payload }) => payload['certificates']);
      assert.deepEqual(plainOf(await published()), [[{ sha256: hashOf(one) }]]);
      const second = await office.call('POST', `${environment}/apis/${id}/plans`, {
        body: planBody('MTLS', { status: 'PUBLISHED' }),
      });
      assert.match(
        String((await subscribe(shop.body['id'], String(second.body['id']))).body['message']),
        /another MTLS plan of this API/,
      );

      // Two beside each other, while one is renewed; one of them ends.
      const own = `${v1}/applications/${String(shop.body['id'])}`;
      const put = (settings: object) =>
        office.call('PUT', own, { body: { name: 'shop', description: '', settings } });
      const endsAt = '2030-01-01T00:00:00Z';
      const both = [
        { certificate: one, endsAt },
        { name: 'new', certificate: two },
      ];
      const renewed = await put({ tls: { client_certificates: both } });
      assert.deepEqual((renewed.body['settings'] as { tls: object }).tls, { client_certificates: both });
      assert.deepEqual(plainOf(await published()), [
        [{ sha256: hashOf(one), endingAtMs: Date.parse(endsAt) }, { sha256: hashOf(two) }],
      ]);

      const last = await put({});
      assert.equal(last.body.technicalCode, 'application.certificate_needed');
      const thief = await create('thief', { client_certificates: [{ certificate: two }] });
      assert.equal(thief.body.technicalCode, 'application.certificate_taken');
      assert.match(String(thief.body['message']), new RegExp(`CN=two.*${hashOf(two)}`));
      assert.doesNotMatch(JSON.stringify(thief.body), /shop/);
      const ca = readFileSync(authority.caFile, 'utf8');
      for (const [tls, why] of [
        [{ client_certificate: 'nonsense!' }, /holds no certificate.*settings\.tls\.client_certificate"/],
        [{ client_certificate: ca }, /certificate of an authority/],
        [
          { client_certificate: one, client_certificates: [{ certificate: one }] },
          /hold a certificate twice/,
        ],
        [
          { client_certificates: [{ certificate: two, startsAt: endsAt, endsAt }] },
          /after startsAt.*client_certificates\[0\]\.endsAt/,
        ],
        [{ certificate: two }, /certificate/],
      ] as const) {
        const answer = await create('bad', tls);
        assert.equal(answer.status, 400);
        assert.match(JSON.stringify(answer.body), why);
      }

      // What an archived application held is free again.
      assert.equal((await office.call('DELETE', own)).status, 204);
      assert.deepEqual(await published(), []);
      assert.equal((await create('heir', { client_certificate: two })).status, 201);
    },
  );
}

/** Hashes as hex. */
function plainOf(certificates: readonly unknown[]): unknown {
  return JSON.parse(
    JSON.stringify(certificates, (_key, value: unknown) =>
      typeof value === 'object' &&
      value !== null &&
      'type' in value &&
      value.type === 'Buffer' &&
      'data' in value
        ? Buffer.from(value.data as number[]).toString('hex')
        : value,
    ),
  );
}
