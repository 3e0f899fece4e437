import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabases } from '../../../test/kit/servers/databases.ts';
import { apiBody, basic, environment, openOffice, planBody } from '../../../test/kit/control-plane/office.ts';
import { makeWords } from '../../../test/kit/control-plane/words.ts';

for (const database of testDatabases)
  test(
    `a copy of an API has its definition, plans, members and secrets, in another place (${database.name})`,
    { skip: database.skip },
    async (t) => {
      const office = await openOffice(t, database);
      await makeWords(office, { tags: ['internal'] });
      const properties = [
        { key: 'open', value: 'one' },
        { key: 'secret', value: 'top secret', encrypted: true },
      ];
      const body = apiBody('/a', { tags: ['internal'], labels: ['shop'], properties });
      const { body: made } = await office.call('POST', `${environment}/apis`, { body });
      const path = `${environment}/apis/${String(made['id'])}`;
      const states = ['STAGING', 'PUBLISHED', 'DEPRECATED', 'CLOSED'];
      for (const status of states) {
        const plan = planBody('API_KEY', { name: status });
        const { body: one } = await office.call('POST', `${path}/plans`, { body: plan });
        const verbs = { STAGING: [], PUBLISHED: ['_publish'], DEPRECATED: ['_publish', '_deprecate'] };
        for (const verb of new Map(Object.entries(verbs)).get(status) ?? ['_publish', '_close'])
          await office.call('POST', `${path}/plans/${String(one['id'])}/${verb}`);
      }
      const organization = '/management/organizations/DEFAULT';
      const ann = { username: 'ann', password: 'a password of twelve', role: 'USER' };
      const { body: user } = await office.call('POST', `${organization}/users`, { body: ann });
      const member = { userId: user['id'], roleName: 'USER' };
      assert.equal((await office.call('POST', `${path}/members`, { body: member })).status, 201);
      // Who comes in by nothing keeps what he has, and gets nothing new.
      const { body: gone } = await office.call('POST', `${organization}/users`, {
        body: { ...ann, username: 'gone' },
      });
      const former = { userId: gone['id'], roleName: 'USER' };
      assert.equal((await office.call('POST', `${path}/members`, { body: former })).status, 201);
      const ended = await office.call('POST', `${organization}/users/${String(gone['id'])}/_disable`);
      assert.equal(ended.status, 200, ended.text);

      const duplicate = (wish: object, as?: string) =>
        office.call('POST', `${path}/_duplicate`, {
          body: { filteredFields: [], ...wish },
          ...(as && { as }),
        });
      const copied = await duplicate({ contextPath: '/b', version: '2.0' });
      assert.equal(copied.status, 200, JSON.stringify(copied.body));
      const copy = `${environment}/apis/${String(copied.body['id'])}`;
      const lasting = (api: Readonly<Record<string, unknown>>): object =>
        Object.fromEntries(
          [
            'name',
            'description',
            'endpointGroups',
            'flows',
            'properties',
            'tags',
            'labels',
            'visibility',
          ].map((name) => [name, api[name]]),
        );
      const [{ body: before }, { body: after }] = await Promise.all([
        office.call('GET', path),
        office.call('GET', copy),
      ]);
      assert.deepEqual(lasting(after), lasting(before));
      const listeners = after['listeners'] as readonly { readonly paths: readonly object[] }[];
      assert.deepEqual(listeners[0]?.paths, [{ path: '/b' }]);
      assert.deepEqual([after['apiVersion'], after['state']], ['2.0', 'STOPPED']);
      const plans = await office.call('GET', `${copy}/plans?statuses=${states.join(',')}`);
      const names = (plans.body['data'] as readonly { readonly name: string; readonly status: string }[]).map(
        ({ name, status }) => `${name} ${status}`,
      );
      assert.deepEqual(names.toSorted(), ['DEPRECATED DEPRECATED', 'PUBLISHED PUBLISHED', 'STAGING STAGING']);
      const members = await office.call('GET', `${copy}/members`);
      assert.equal((members.body['pagination'] as { totalCount: number }).totalCount, 2);
      // A secret opens for its own API alone, so a copied text would not.
      assert.equal((await office.call('POST', `${copy}/_start`)).status, 204);
      const owner = await office.call('GET', `${copy}/primaryowner`);
      const account = await office.call('GET', `${organization}/user`);
      assert.deepEqual(owner.body, { id: account.body['id'] });

      const bare = await duplicate({ contextPath: '/c', filteredFields: ['PLANS', 'MEMBERS'] });
      const bareCopy = `${environment}/apis/${String(bare.body['id'])}`;
      const none = await office.call('GET', `${bareCopy}/plans?statuses=${states.join(',')}`);
      assert.deepEqual(none.body['data'], []);
      const alone = await office.call('GET', `${bareCopy}/members`);
      assert.equal((alone.body['pagination'] as { totalCount: number }).totalCount, 1);

      const whole = await office.call('POST', `${path}/_duplicate`, { body: { contextPath: '/whole' } });
      assert.equal(whole.status, 200, 'nothing is left out of who says nothing');

      const lost = await duplicate({});
      assert.deepEqual([lost.status, lost.body.technicalCode], [400, 'invalid.duplicate.definition']);
      assert.equal((await duplicate({ contextPath: '/b' })).status >= 400, true, 'the place is taken');
      const role = { name: 'maker', default: true, permissions: { API: ['C', 'R'] } };
      await office.call('POST', `${organization}/configuration/rolescopes/ENVIRONMENT/roles`, { body: role });
      const foreign = await duplicate({ contextPath: '/d' }, basic('ann', ann.password));
      assert.equal(foreign.status, 403, 'who may not see what is inside does not get a copy of it');
    },
  );
