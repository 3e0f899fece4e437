import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { type Answer, environment, openOffice, v1 } from '../../../test/kit/control-plane/office.ts';
import { createAuthority, issuePair } from '../../../test/kit/servers/certificates.ts';
import { testDatabases } from '../../../test/kit/servers/databases.ts';
import { tempDir } from '../../../test/kit/temp-dir.ts';

const said = ({ status, body }: Answer): string =>
  `${status} ${body.technicalCode} ${JSON.stringify(body['details'] ?? '')}`;

for (const database of testDatabases)
  test(
    `certificates of an application are added, named, dated and taken away one by one (${database.name})`,
    { skip: database.skip },
    async (t) => {
      const office = await openOffice(t, database);
      const authority = createAuthority(tempDir(t));
      const [one, two] = [issuePair(authority, 'one').cert, issuePair(authority, 'two').cert];
      const make = async (name: string, settings: object): Promise<string> =>
        `${v1}/applications/${String(
          (await office.call('POST', `${v1}/applications`, { body: { name, description: '', settings } }))
            .body['id'],
        )}`;
      const app = await make('shop', { app: { client_id: 'c' }, tls: { client_certificate: one } });
      const path = `${app}/certificates`;
      const { id, planId } = await office.deployedApi('/pets', 'MTLS');
      const subscribed = await office.call('POST', `${environment}/apis/${id}/subscriptions`, {
        body: { planId, applicationId: app.split('/').at(-1) },
      });
      assert.equal(subscribed.status, 201);
      const known = async (): Promise<unknown[]> =>
        (await office.published('subscription')).flatMap(({ payload }) => payload['certificates']);

      const expiry = new Date(new X509Certificate(two).validToDate).toISOString();
      const facts = await office.call('POST', `${path}/_validate`, { body: { certificate: two } });
      assert.equal(facts.status, 200);
      assert.partialDeepStrictEqual(facts.body, { certificateExpiration: expiry });
      assert.match(String(facts.body['subject']), /CN=two/);

      const added = await office.call('POST', path, {
        body: { name: 'second', certificate: two, endsAt: '2999-01-01T00:00:00Z' },
      });
      assert.equal(added.status, 201, JSON.stringify(added.body));
      const atText = new Date(office.clock.now()).toISOString();
      assert.partialDeepStrictEqual(added.body, {
        name: 'second',
        certificate: two,
        status: 'ACTIVE_WITH_END',
        certificateExpiration: expiry,
        fingerprint: new X509Certificate(two).fingerprint256.replaceAll(':', '').toLowerCase(),
        createdAt: atText,
        updatedAt: atText,
      });
      assert.equal((await known()).length, 2);
      const list = await office.call('GET', `${path}?size=1&page=2`);
      assert.partialDeepStrictEqual(list.body, { data: [{ name: 'second' }], page: { total_elements: 2 } });
      const [first] = (await office.call('GET', path)).body['data'] as { id: string; status: string }[];
      assert.equal(first?.status, 'ACTIVE');

      const second = `${path}/${String(added.body['id'])}`;
      await office.clock.advance(5);
      for (const [times, status] of [
        [{ startsAt: '2998-01-01T00:00:00Z' }, 'SCHEDULED'],
        [{ endsAt: '2020-01-01T00:00:00Z' }, 'REVOKED'],
        [{}, 'ACTIVE'],
      ] as const) {
        const changed = await office.call('PUT', second, { body: { name: 'renamed', ...times } });
        assert.partialDeepStrictEqual(changed.body, { name: 'renamed', status, createdAt: atText });
        assert.notEqual(changed.body['updatedAt'], atText);
      }

      const other = await make('other', {});
      const ca = readFileSync(authority.caFile, 'utf8');
      for (const [method, at, body, expected] of [
        [
          'POST',
          path,
          { name: 'again', certificate: two },
          /^400 request\.invalid .*hold a certificate twice/,
        ],
        [
          'POST',
          `${other}/certificates`,
          { name: 'thief', certificate: two },
          /^400 application\.certificate_taken/,
        ],
        ['POST', path, { name: 'ca', certificate: ca }, /certificate of an authority/],
        ['POST', path, { name: 'no', certificate: 'nonsense!' }, /holds no certificate/],
        ['POST', path, { certificate: two }, /name/],
        [
          'PUT',
          second,
          { name: 'x', startsAt: '2030-01-01T00:00:00Z', endsAt: '2030-01-01T00:00:00Z' },
          /after startsAt/,
        ],
        ['GET', `${path}/none`, undefined, /^404/],
        ['DELETE', `${other}/certificates/${String(added.body['id'])}`, undefined, /^404/],
      ] as const)
        assert.match(said(await office.call(method, at, body === undefined ? {} : { body })), expected);

      assert.equal((await office.call('DELETE', `${path}/${first?.id}`)).status, 204);
      assert.equal((await known()).length, 1);
      assert.match(said(await office.call('DELETE', second)), /^400 application\.certificate_needed/);
      const settings = (await office.call('GET', app)).body['settings'];
      assert.partialDeepStrictEqual(settings, {
        app: { client_id: 'c' },
        tls: { client_certificates: [{ name: 'renamed' }] },
      });
      assert.equal(
        (await office.call('POST', `${other}/certificates`, { body: { name: 'mine', certificate: one } }))
          .status,
        201,
      );
    },
  );
