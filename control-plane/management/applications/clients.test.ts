import assert from 'node:assert/strict';
import { test } from 'node:test';
import { environment, type Office, openOffice, v1 } from '../../../test/kit/control-plane/office.ts';
import { testDatabases } from '../../../test/kit/servers/databases.ts';
import { applicationClients } from '../../storage/migrations/0026-application-clients.ts';
import { columnTypes } from '../../storage/migrations/migration.ts';
import { tellRivals } from './clients.ts';

const path = `${v1}/applications`;
const body = (name: string, clientId?: string): object => ({
  name,
  description: '',
  settings: { app: clientId === undefined ? {} : { client_id: clientId } },
});

/** Makes an application, or says why not. */
async function make(office: Office, name: string, clientId?: string): Promise<string> {
  const answer = await office.call('POST', path, { body: body(name, clientId) });
  return answer.status === 201
    ? String(answer.body['id'])
    : `${answer.status} ${answer.body.technicalCode} ${String(answer.body['message'])}`;
}
const change = async (office: Office, id: string, clientId?: string): Promise<unknown> => {
  const answer = await office.call('PUT', `${path}/${id}`, { body: body('changed', clientId) });
  return answer.status === 200 ? 200 : answer.body.technicalCode;
};

for (const database of testDatabases) {
  const named = (promise: string): string => `${promise} (${database.name})`;
  const options = { skip: database.skip };

  test(
    named('a client id is of one application of an environment, until that gives it up'),
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const one = await make(office, 'one', 'c');
      assert.match(
        await make(office, 'two', 'c'),
        /^400 application\.clientId\.exists .*"c" is another application's/,
      );
      const short = await office.call('POST', path, { body: { name: 'x', description: '', clientId: 'c' } });
      assert.equal(short.body.technicalCode, 'application.clientId.exists');
      const two = await make(office, 'two', 'd');
      assert.equal(await change(office, two, 'c'), 'application.clientId.exists');
      assert.deepEqual([await change(office, one, 'c'), await change(office, one, 'e')], [200, 200]);
      assert.deepEqual([await change(office, two, 'c'), await change(office, one, 'd')], [200, 200]);
      assert.equal((await office.call('DELETE', `${path}/${two}`)).status, 204);
      assert.match(await make(office, 'three', 'c'), /^[0-9a-f-]{36}$/);
      const none = await Promise.all(['a', 'b'].map((name) => make(office, name)));
      assert.ok(
        none.every((id) => id.length === 36),
        'who has none is no rival',
      );
      const race = await Promise.all(['a', 'b', 'c', 'd'].map((name) => make(office, name, 'race')));
      assert.equal(race.filter((id) => id.length === 36).length, 1);
    },
  );

  test(named('the secret of a client is refused, and nothing of it is kept'), options, async (t) => {
    const office = await openOffice(t, database);
    for (const name of ['client_secret', 'clientSecret', 'registration_access_token', 'password']) {
      const body = { name: 'one', description: '', settings: { oauth: { [name]: 'planted' } } };
      const answer = await office.call('POST', `${v1}/applications`, { body });
      const [detail] = answer.body['details'] as { location: string }[];
      assert.deepEqual([answer.status, detail?.location], [400, `settings.oauth.${name}`]);
      assert.doesNotMatch(answer.text, /planted/);
    }
  });

  test(named('a client id is one thing, whether it stands under app or under oauth'), options, async (t) => {
    const office = await openOffice(t, database);
    const post = async (name: string, settings: object) => {
      const { status, body: said } = await office.call('POST', path, {
        body: { name, description: '', settings },
      });
      return { status, said, id: String(said['id']) };
    };
    const one = await post('one', { oauth: { client_id: 'c' } });
    assert.equal(one.status, 201);
    for (const settings of [{ app: { client_id: 'c' } }, { oauth: { client_id: 'c' } }]) {
      const { status, said } = await post('two', settings);
      assert.deepEqual(
        [status, said.technicalCode, said['parameters']],
        [
          400,
          'application.clientId.exists',
          { clientId: 'c', hint: (said['parameters'] as { readonly hint?: string }).hint },
        ],
      );
    }
    assert.equal((await post('same', { app: { client_id: 'd' }, oauth: { client_id: 'd' } })).status, 201);
    for (const settings of [
      { app: { client_id: 'e' }, oauth: { client_id: 'f' } },
      { oauth: { client_id: '' } },
      { oauth: { client_id: 7 } },
      { oauth: { client_id: 'x'.repeat(257) } },
    ]) {
      const { status, said } = await post('odd', settings);
      const [detail] = said['details'] as readonly { readonly location: string }[];
      assert.deepEqual([status, detail?.location], [400, 'settings.oauth.client_id']);
    }
    const { id, planId } = await office.deployedApi('/tokens');
    const subscribed = await office.call('POST', `${environment}/apis/${id}/subscriptions`, {
      body: { planId, applicationId: one.id },
    });
    assert.equal(subscribed.status, 201, JSON.stringify(subscribed.body));
    const [record] = await office.published('subscription');
    assert.equal(record?.payload['clientId'], 'c', 'gateways know it by that id');
  });

  test(named('applications that share one from before are told, and go on'), options, async (t) => {
    const office = await openOffice(t, database);
    const { db, dialect } = office.storage;
    const [one, two] = [await make(office, 'one', 'c'), await make(office, 'two', 'd')];
    const settings = JSON.stringify({ app: { client_id: 'c' }, groups: [] });
    await db
      .updateTable('application')
      .set({ settings, created_at_ms: 9e12 } as never)
      .where('id', '=', two)
      .execute();
    await db.schema.dropTable('application_client').execute();
    await applicationClients.up(db as never, columnTypes(dialect));
    const told = async (): Promise<readonly object[]> => {
      const lines: object[] = [];
      await tellRivals(db, { warn: (facts: object) => void lines.push(facts) } as never);
      return lines;
    };
    const { environment } = office.at;
    assert.deepEqual(await told(), [{ applications: [{ environment, application: two, other: one }] }]);
    assert.equal(await change(office, two, 'c'), 200, 'it may keep what it had');
    assert.match(await make(office, 'three', 'c'), /clientId\.exists/);
    assert.equal(await change(office, one, 'f'), 200);
    assert.equal(await change(office, two, 'c'), 200);
    assert.deepEqual(await told(), [], 'the last one has it alone');
  });
}
