import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mask } from '../../../proto/trust/sealed-text.ts';
import { change } from '../desk.ts';
import { testDatabases } from '../../../test/kit/servers/databases.ts';
import { basic, environment, openOffice, v1 } from '../../../test/kit/control-plane/office.ts';

const typed = [
  '',
  '{ "name": "half typed',
  'name: not even JSON\n\ttabs, ü and 1.0\r\n',
  '{"name":null,"a":1.0,"a":2}',
  '{"name":"\\u0000"}',
  '{ "properties": [ { "key": "k", "value": "hunter2", "encrypted": "yes" } ] }',
];

const untagged = ({ content }: Readonly<Record<string, unknown>>): string =>
  String(content).replaceAll(/(\*{8})\.[\w-]{12}/g, '$1');

for (const database of testDatabases) {
  const options = { skip: database.skip };

  test(
    `a draft comes back as it was typed, whatever it is, but for its secrets (${database.name})`,
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const { id } = await office.deployedApi('/a');
      const path = `${environment}/apis/${id}/draft`;
      assert.equal((await office.call('GET', path)).status, 404);
      const hasDraft = async () => (await office.call('GET', `${environment}/apis/${id}`)).body['hasDraft'];
      assert.equal(await hasDraft(), false);
      let etag = '"0"';
      for (const content of typed) {
        const put = await office.call('PUT', path, { body: { content }, headers: { 'if-match': etag } });
        assert.equal(put.status, 200, JSON.stringify(put.body));
        assert.equal(untagged((await office.call('GET', path)).body), content.replace('hunter2', mask));
        const stale = await office.call('PUT', path, {
          body: { content: 'x' },
          headers: { 'if-match': etag },
        });
        assert.equal(stale.status, 412);
        etag = put.headers.get('etag') ?? '';
        const verified = await office.call('POST', `${environment}/apis/${id}/deployments/_verify`);
        assert.deepEqual([verified.status, verified.body['ok']], [200, false], content);
        const deployed = await office.call('POST', `${environment}/apis/${id}/deployments`);
        assert.equal(deployed.status, 400, content);
        assert.deepEqual(deployed.body['details'], verified.body['faults']);
      }
      assert.equal(await hasDraft(), true);
      const rows = await office.storage.db.selectFrom('api_draft').selectAll().execute();
      assert.doesNotMatch(JSON.stringify(rows), /hunter2/, 'nothing of it lies open');
      const current = await office.call('GET', `${environment}/apis/${id}/deployments/current`);
      assert.equal(current.body['number'], 1, 'what gateways serve stays');
      assert.equal((await office.call('DELETE', path)).status, 204);
      assert.equal((await office.call('GET', path)).status, 404);
      assert.equal((await office.call('POST', `${environment}/apis/${id}/deployments`)).status, 202);
    },
  );

  test(`a deployment takes a valid draft over (${database.name})`, options, async (t) => {
    const office = await openOffice(t, database);
    const { id } = await office.deployedApi('/a');
    const api = `${environment}/apis/${id}`;
    const { body: before } = await office.call('GET', api);
    const property = { key: 'k', value: 'hunter2', encrypted: true };
    const content = JSON.stringify({ ...before, name: 'after', properties: [property] }, undefined, 2);
    await office.call('PUT', `${api}/draft`, { body: { content } });
    assert.deepEqual((await office.call('POST', `${api}/deployments/_verify`)).body, { ok: true });
    const { body: looked } = await office.call('GET', api);
    const changes = async (as?: string): Promise<readonly string[]> => {
      const { body, text } = await office.call('GET', `${api}/deployments/1/_diff`, as ? { as } : {});
      assert.doesNotMatch(text, /hunter2|sealed:/);
      return (body['differences'] as { path: string }[]).map((one) => one.path);
    };
    assert.deepEqual(await changes(), ['name', 'properties[0]'], 'what it would change is told before');
    const reader = { username: 'reader', password: 'reads and changes nothing' };
    const made = await office.call('POST', '/management/organizations/DEFAULT/users', {
      body: { ...reader, displayName: 'Reader', role: 'USER' },
    });
    await office.call('POST', `${v1}/apis/${id}/members`, {
      body: { id: made.body['id'], role: 'REVIEWER' },
    });
    assert.deepEqual(
      await changes(basic(reader.username, reader.password)),
      [],
      'those who may not write it',
    );
    assert.deepEqual(looked, { ...before, hasDraft: true }, 'to look changes nothing');
    const shown = await office.call('GET', `${api}/draft`);
    assert.equal(untagged(shown.body), content.replace('hunter2', mask));
    const back = { content: shown.body['content'] };
    assert.equal((await office.call('PUT', `${api}/draft`, { body: back })).status, 200);
    assert.equal((await office.call('POST', `${api}/deployments`)).status, 202);
    const { body: after } = await office.call('GET', api);
    assert.deepEqual([after['name'], after['deploymentState']], ['after', 'DEPLOYED']);
    assert.doesNotMatch(JSON.stringify(after), /hunter2/);
    assert.equal((await office.call('GET', `${api}/draft`)).status, 404);
    const [published] = await office.published('api');
    assert.equal(published?.payload['name'], 'after');
  });

  test(`a draft of what the API was before is not taken over (${database.name})`, options, async (t) => {
    const office = await openOffice(t, database);
    const { id } = await office.deployedApi('/a');
    const api = `${environment}/apis/${id}`;
    const { body: first } = await office.call('GET', api);
    const content = JSON.stringify({ ...first, name: 'drafted' });
    const put = () => office.call('PUT', `${api}/draft`, { body: { content } });
    await put();
    await office.call('POST', `${api}/_stop`);
    await office.call('POST', `${api}/_start`);
    assert.equal(
      (await office.call('GET', `${api}/draft`)).body['isOutdated'],
      false,
      'a start is no change',
    );
    await office.call('PUT', api, { body: { ...first, name: 'written' } });
    assert.equal((await office.call('GET', `${api}/draft`)).body['isOutdated'], true);
    const refused = await office.call('POST', `${api}/deployments`);
    assert.deepEqual([refused.status, refused.body.technicalCode], [409, 'request.conflict']);
    assert.equal((await office.call('POST', `${api}/deployments/_verify`)).body['ok'], false);
    await put();
    assert.equal((await office.call('POST', `${api}/deployments`)).status, 202);
    assert.equal((await office.call('GET', api)).body['name'], 'drafted');
  });

  test(
    `secrets of a draft go by their masks: steps that change places deploy with their own (${database.name})`,
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const { id } = await office.deployedApi('/a');
      const api = `${environment}/apis/${id}`;
      const { body: before } = await office.call('GET', api);
      const step = (token: string) => ({
        name: 'call',
        policy: 'not-here',
        enabled: false,
        configuration: { token },
      });
      const contentOf = (...request: readonly object[]): string =>
        JSON.stringify({ ...before, flows: [{ name: 'f', enabled: true, request, response: [] }] });
      const put = (content: string) => office.call('PUT', `${api}/draft`, { body: { content } });
      const drafted = (await put(contentOf(step('hunter2-one'), step('hunter2-two')))).body['content'];
      assert.ok(!String(drafted).includes('hunter2'));
      const { flows } = JSON.parse(String(drafted)) as {
        readonly flows: readonly { readonly request: object[] }[];
      };
      const [one, two] = flows[0]?.request ?? [];
      assert.ok(one !== undefined && two !== undefined);
      // By another one, who says nothing of the state that he saw.
      await put(contentOf(two));
      assert.equal((await put(contentOf(two, step('hunter2-new'), one))).status, 200);
      assert.equal((await office.call('POST', `${api}/deployments`)).status, 202);
      const { definition } = await office.storage.db
        .selectFrom('api')
        .select('definition')
        .where('id', '=', id)
        .executeTakeFirstOrThrow();
      const { secrets: tokens } = await change(
        office.desk,
        { actor: office.boot.admin, at: office.at },
        ({ secrets }) => secrets.open(JSON.parse(definition) as object, { kind: 'api', id }),
      );
      assert.deepEqual(tokens, ['hunter2-two', 'hunter2-new', 'hunter2-one']);

      // A mask of a draft that is no more stands for nothing, in whatever place.
      await put(contentOf(two, step('x')));
      const refused = await office.call('POST', `${api}/deployments`);
      assert.equal(refused.status, 400, JSON.stringify(refused.body));
      assert.match(JSON.stringify(refused.body['details']), /flows\[0\]\.request\[0\]\.configuration\.token/);
      const rows = await office.storage.db.selectFrom('api_draft').selectAll().execute();
      assert.doesNotMatch(JSON.stringify(rows), /hunter2/);
    },
  );
}
