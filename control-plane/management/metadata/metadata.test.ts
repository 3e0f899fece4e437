import assert from 'node:assert/strict';
import { test } from 'node:test';
import { apiBody, environment, openOffice, v1 } from '../../../test/kit/control-plane/office.ts';
import { testDatabases } from '../../../test/kit/servers/databases.ts';

for (const database of testDatabases) {
  test(
    `what is noted of an environment counts for its APIs and applications until they say otherwise (${database.name})`,
    { skip: database.skip },
    async (t) => {
      const office = await openOffice(t, database);
      const all = `${v1}/configuration/metadata`;
      const call = async (method: string, path: string, body?: object) => {
        const answer = await office.call(method, path, body === undefined ? {} : { body });
        return answer.status < 400 ? answer.body : [answer.status, answer.body.technicalCode];
      };
      const support = { name: 'Email support', format: 'MAIL', value: 'help@example.com' };
      assert.deepEqual(await call('POST', all, support), { key: 'email-support', ...support });
      assert.deepEqual(await call('POST', all, support), [400, 'metadata.exists']);

      const api = await office.call('POST', `${environment}/apis`, { body: apiBody('/noted') });
      const application = await office.call('POST', `${v1}/applications`, {
        body: { name: 'a', description: '' },
      });
      const [apiId, applicationId] = [String(api.body['id']), String(application.body['id'])];
      for (const [path, own] of [
        [`${v1}/apis/${apiId}/metadata`, { apiId }],
        [`${v1}/applications/${applicationId}/metadata`, { applicationId }],
      ] as const) {
        const inherited = { key: 'email-support', name: 'Email support', format: 'MAIL', ...own };
        assert.deepEqual(await call('GET', path), [{ ...inherited, defaultValue: 'help@example.com' }]);
        const one = `${path}/email-support`;
        const mine = { name: 'Email support', format: 'MAIL', value: 'mine@example.com' };
        assert.deepEqual(await call('PUT', one, mine), {
          ...inherited,
          ...mine,
          defaultValue: 'help@example.com',
        });
        assert.deepEqual(await call('DELETE', one), {});
        assert.deepEqual(await call('GET', one), { ...inherited, defaultValue: 'help@example.com' });
        const code = 'apiId' in own ? 'api.metadata.notFound' : 'application.metadata.notFound';
        assert.deepEqual(await call('DELETE', one), [404, code]);
        assert.deepEqual(await call('GET', `${path}/other`), [404, code]);
        for (const [format, wrong, right] of [
          ['NUMERIC', '1e3', '-1.5'],
          ['BOOLEAN', 'yes', 'true'],
          ['DATE', '2026-02-30', '2026-02-28'],
          ['MAIL', 'nobody', 'a@example.com'],
          ['URL', 'javascript:alert(1)', 'https://example.com'],
        ] as const) {
          const field = { name: format, format };
          assert.deepEqual(
            await call('POST', path, { ...field, value: wrong }),
            [400, 'request.invalid'],
            format,
          );
          const made = { key: format.toLowerCase(), ...field, value: right, ...own };
          assert.deepEqual(await call('POST', path, { ...field, value: right }), made);
        }
      }

      const list = async (query: string): Promise<unknown> => {
        const { body } = await office.call('GET', `${environment}/apis/${apiId}/metadata?${query}`);
        return (body['data'] as { key: string }[]).map(({ key }) => key);
      };
      assert.deepEqual(await list('source=GLOBAL'), ['email-support']);
      assert.deepEqual(await list('source=API&perPage=2'), ['boolean', 'date']);
      assert.deepEqual(await list('sortBy=-key&perPage=2'), ['url', 'numeric']);

      const changed = { key: 'email-support', name: 'Support', format: 'STRING', value: 'call us' };
      assert.deepEqual(await call('PUT', all, changed), changed);
      assert.deepEqual(await call('DELETE', `${all}/email-support`), {});
      assert.deepEqual(await list('source=GLOBAL'), []);
      assert.deepEqual(await call('PUT', all, changed), [404, 'metadata.notFound']);
      assert.equal((await office.call('DELETE', `${environment}/apis/${apiId}`)).status, 204);
      const left = await office.storage.db.selectFrom('metadata').select('reference').execute();
      assert.ok(left.every(({ reference }) => reference === applicationId));
    },
  );
}
