import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  apiBody,
  environment,
  type Office,
  openOffice,
  planBody,
  v1,
} from '../../../test/kit/control-plane/office.ts';
import { testDatabases } from '../../../test/kit/servers/databases.ts';

const quotas = { apis: 2, applications: 1, subscriptions: 1, pages: 1 };

for (const database of testDatabases)
  test(
    `what an environment may have no more of is refused by its name, and one place is given once (${database.name})`,
    { skip: database.skip },
    async (t) => {
      const office = await openOffice(t, database, { quotas });
      const { id, planId } = await office.deployedApi('/one');
      const application = await made(office, `${v1}/applications`, { name: 'Shop', description: 'x' });
      const subscriptions = `${environment}/apis/${id}/subscriptions`;
      const wish = { applicationId: application, planId };
      const subscription = await made(office, subscriptions, wish);
      const page = { name: 'One', type: 'MARKDOWN' };
      await made(office, `${environment}/apis/${id}/pages`, page);

      // Two at once find room for one.
      const paths = ['/two', '/three', '/four'];
      const both = await Promise.all(
        paths.map((path) => office.call('POST', `${environment}/apis`, { body: apiBody(path) })),
      );
      assert.equal(both.filter(({ status }) => status === 201).length, 1);
      const refused = both.find(({ status }) => status === 400);
      assert.equal(refused?.body.technicalCode, 'quota.exceeded');
      const { hint: _hint, ...told } = refused.body['parameters'] as Record<string, string>;
      assert.deepEqual(told, { quota: 'apis', limit: '2', used: '3' });
      const other = await made(
        office,
        `${environment}/apis/${id}/plans`,
        planBody('API_KEY', { name: 'b', status: 'PUBLISHED' }),
      );
      for (const [path, body, quota] of [
        [`${v1}/applications`, { name: 'Next', description: 'x' }, 'applications'],
        [subscriptions, { ...wish, planId: other }, 'subscriptions'],
        [`${environment}/apis/${id}/pages`, { ...page, name: 'Two' }, 'pages'],
        [`${v1}/portal/pages`, { ...page, name: 'Two' }, 'pages'],
      ] as const) {
        const answer = await office.call('POST', path, { body });
        assert.deepEqual([answer.status, answer.body.technicalCode], [400, 'quota.exceeded'], answer.text);
        assert.equal((answer.body['parameters'] as { quota: string }).quota, quota);
      }
      const all = await office.call('GET', `${environment}/quotas`);
      assert.deepEqual(all.body, [
        { name: 'apis', scope: 'ENVIRONMENT', limit: 2, used: 2 },
        { name: 'applications', scope: 'ENVIRONMENT', limit: 1, used: 1 },
        { name: 'subscriptions', scope: 'ENVIRONMENT', limit: 1, used: 1 },
        { name: 'pages', scope: 'ENVIRONMENT', limit: 1, used: 1 },
        { name: 'tokens', scope: 'USER', limit: 100, used: 0 },
      ]);
      // What has ended leaves its place.
      assert.equal((await office.call('POST', `${subscriptions}/${subscription}/_close`)).status, 200);
      await made(office, subscriptions, { ...wish, planId: other });
    },
  );

async function made(office: Office, path: string, body: object): Promise<string> {
  const answer = await office.call('POST', path, { body });
  assert.ok(answer.status < 300, answer.text);
  return String(answer.body['id']);
}
