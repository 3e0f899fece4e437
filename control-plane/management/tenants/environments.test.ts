import assert from 'node:assert/strict';
import { test } from 'node:test';
import { apiBody, basic, fleetsPath, openOffice, planBody } from '../../../test/kit/control-plane/office.ts';
import { startPolling, startProvider } from '../../../test/kit/control-plane/polling.ts';
import { startTelling } from '../../../test/kit/control-plane/telling.ts';
import { testDatabases } from '../../../test/kit/servers/databases.ts';
import { boot } from '../../boot.ts';

const environments = '/management/v2/organizations/DEFAULT/environments';
const pathOf = (env: string) => `/management/v2/environments/${env}`;
const password = 'a password of twelve';

for (const database of testDatabases) {
  const options = { skip: database.skip };

  test(
    `an environment that is made is worked in at once, by who makes it as ADMIN and by everybody else by the default role (${database.name})`,
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const user = await office.call('POST', '/management/organizations/DEFAULT/users', {
        body: { username: 'ada', password },
      });
      assert.equal(user.status, 201, user.text);
      const made = await office.call('POST', environments, { body: { name: 'Test System' } });
      assert.equal(made.status, 201, made.text);
      assert.deepEqual([made.body['name'], made.body['hrids']], ['Test System', ['test-system']]);
      const test = pathOf('test-system');
      for (const path of [test, pathOf(String(made.body['id'])), `${environments}/test-system`])
        assert.equal((await office.call('GET', path)).text, made.text);
      const api = await office.call('POST', `${test}/apis`, { body: apiBody('/there') });
      assert.equal(api.status, 201, api.text);
      assert.equal(
        (await office.call('GET', `${pathOf('DEFAULT')}/apis/${String(api.body['id'])}`)).status,
        404,
      );
      const as = basic('ada', password);
      assert.equal((await office.call('GET', `${environments}/test-system/apis`, { as })).status, 200);
      const forbidden = await office.call('POST', `${environments}/test-system/apis`, {
        as,
        body: apiBody('/x'),
      });
      assert.equal(forbidden.status, 403);
      // Gateways get what is deployed there as soon as a fleet serves it.
      const fleet = await office.call('POST', fleetsPath, {
        body: { name: 'there', environments: ['test-system'] },
      });
      assert.equal(fleet.status, 201, fleet.text);
      assert.deepEqual(fleet.body['environments'], [made.body['id']]);
      const plan = planBody('KEY_LESS', { status: 'PUBLISHED' });
      await office.call('POST', `${test}/apis/${String(api.body['id'])}/plans`, { body: plan });
      const deployed = await office.call('POST', `${test}/apis/${String(api.body['id'])}/deployments`, {
        body: {},
      });
      assert.equal(deployed.status, 202, deployed.text);

      for (const body of [
        { name: 'Test System' },
        { name: 'x', hrids: ['test-system'] },
        { name: 'x', hrids: ['DEFAULT'] },
      ]) {
        const taken = await office.call('POST', environments, { body });
        assert.deepEqual([taken.status, taken.body.technicalCode], [400, 'env.exists']);
      }
      const renamed = await office.call('PUT', test, {
        body: { ...made.body, name: 'Test', description: 'for tests' },
      });
      assert.deepEqual([renamed.body['name'], renamed.body['description']], ['Test', 'for tests']);
      const clash = await office.call('PUT', test, { body: { name: 'Default environment' } });
      assert.equal(clash.body.technicalCode, 'env.exists');
    },
  );

  test(
    `for an environment that is archived nothing is fetched any more, and nobody is told of it (${database.name})`,
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const provider = await startProvider(t);
      await office.call('POST', environments, { body: { name: 'Old', hrids: ['old'] } });
      const paths = ['old', 'DEFAULT'].map((env) => `/management/organizations/DEFAULT/environments/${env}`);
      for (const [index, path] of paths.entries()) {
        const body = {
          name: 'words',
          key: 'words',
          type: 'DYNAMIC',
          provider: { type: 'HTTP', configuration: { url: `${provider.url}/${index}` } },
          trigger: { rate: 1, unit: 'SECONDS' },
        };
        const made = await office.call('POST', `${path}/configuration/dictionaries`, { body });
        assert.equal(made.status, 201, made.text);
        const start = `${path}/configuration/dictionaries/${String(made.body['id'])}?action=START`;
        assert.equal((await office.call('POST', start)).status, 200);
        const wish = {
          config_type: 'GENERIC',
          name: 'us',
          notifier: 'default-webhook',
          hooks: ['USER_CREATED'],
        };
        const told = await office.call('POST', `${path}/configuration/notificationsettings`, {
          body: { ...wish, config: `${provider.url}/told/${index}` },
        });
        assert.equal(told.status, 201, told.text);
      }
      assert.equal((await office.call('DELETE', pathOf('old'))).status, 204);
      startPolling(t, office);
      const telling = startTelling(t, office, undefined);
      await office.call('POST', '/management/organizations/DEFAULT/users', {
        body: { username: 'ada', password },
      });
      const askedOf = (path: string) => provider.asked.filter(({ url }) => url === path).length;
      await telling.until(() => askedOf('/1') >= 3 && askedOf('/told/1') === 1);
      assert.deepEqual([askedOf('/0'), askedOf('/told/0')], [0, 0]);
    },
  );

  test(
    `an environment in use is not archived, and says what uses it; one that was is nowhere, and its audit is (${database.name})`,
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const last = await office.call('DELETE', pathOf('DEFAULT'));
      assert.equal(last.body.technicalCode, 'environment.last');
      await office.call('POST', environments, { body: { name: 'Old', hrids: ['old'] } });
      const old = pathOf('old');
      const api = await office.call('POST', `${old}/apis`, { body: apiBody('/there') });
      const v1 = '/management/organizations/DEFAULT/environments/old';
      const application = await office.call('POST', `${v1}/applications`, {
        body: { name: 'Shop', description: 'x' },
      });
      const fleet = await office.call('POST', fleetsPath, { body: { name: 'edge', environments: ['old'] } });
      const refused = await office.call('DELETE', old);
      assert.deepEqual([refused.status, refused.body.technicalCode], [400, 'environment.inUse']);
      assert.match(refused.text, /APIs: 1; applications: 1; fleets that serve it: edge/);
      await office.call('DELETE', `${old}/apis/${String(api.body['id'])}`);
      await office.call('DELETE', `${v1}/applications/${String(application.body['id'])}`);
      await office.call('DELETE', `${fleetsPath}/${String(fleet.body['id'])}`);
      const archived = await office.call('DELETE', old);
      assert.equal(archived.status, 204, archived.text);
      assert.equal((await office.call('GET', old)).status, 404);
      assert.equal((await office.call('GET', `${old}/apis`)).status, 404);
      const listed = (await office.call('GET', environments)).body['data'] as object[];
      assert.equal(listed.length, 1);
      const served = await office.call('POST', fleetsPath, { body: { name: 'edge', environments: ['old'] } });
      assert.equal(served.status, 400);
      const events = await office.call('GET', '/management/organizations/DEFAULT/audit?size=100');
      assert.match(events.text, /ENVIRONMENT_ARCHIVED/);
      // Its names are free again, and a restart finds its way without the first one.
      await office.call('POST', environments, { body: { name: 'Old', hrids: ['old'] } });
      const orders = await office.call('DELETE', pathOf('DEFAULT'));
      assert.equal(orders.body.technicalCode, 'environment.inUse', orders.text);
      await office.call('DELETE', `${fleetsPath}/${office.boot.fleet}`);
      assert.equal((await office.call('DELETE', pathOf('DEFAULT'))).status, 204);
      const again = await boot(office.desk, {});
      assert.notEqual(again.at.environment, office.at.environment);
    },
  );
}
