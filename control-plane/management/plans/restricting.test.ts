import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Answer,
  basic,
  environment,
  openOffice,
  planBody,
  v1,
} from '../../../test/kit/control-plane/office.ts';
import { testDatabases } from '../../../test/kit/servers/databases.ts';

const password = 'a password of twelve';
const code = (answer: Answer): unknown => [answer.status, answer.body.technicalCode];

for (const database of testDatabases) {
  test(
    `members of a group that a plan excludes see it not and subscribe to it not, however they ask (${database.name})`,
    { skip: database.skip },
    async (t) => {
      const office = await openOffice(t, database);
      const { id, planId: open } = await office.deployedApi('/pets');
      const people = new Map<string, string>();
      for (const username of ['inside', 'outside']) {
        const body = { username, password, displayName: username, role: 'USER' };
        const made = await office.call('POST', '/management/organizations/DEFAULT/users', { body });
        people.set(username, String(made.body['id']));
      }
      const groups = `${v1}/configuration/groups`;
      const group = String((await office.call('POST', groups, { body: { name: 'Rivals' } })).body['id']);
      const member = [{ id: people.get('inside'), roles: [{ scope: 'API', name: 'USER' }] }];
      assert.equal((await office.call('POST', `${groups}/${group}/members`, { body: member })).status, 200);

      const plans = `${environment}/apis/${id}/plans`;
      const unknown = await office.call('POST', plans, {
        body: planBody('API_KEY', { excludedGroups: [group, 'nobody'] }),
      });
      assert.deepEqual(code(unknown), [400, 'request.invalid']);
      assert.match(unknown.text, /no group \\"nobody\\".*excludedGroups\[1\]/);
      const made = await office.call('POST', plans, {
        body: planBody('API_KEY', { name: 'closed', status: 'PUBLISHED', excludedGroups: [group] }),
      });
      assert.equal(made.status, 201, made.text);
      const closed = String(made.body['id']);

      // A public API, since a private one is closed to both.
      const read = await office.call('GET', `${environment}/apis/${id}`);
      const body = { ...read.body, visibility: 'PUBLIC' };
      assert.equal((await office.call('PUT', `${environment}/apis/${id}`, { body })).status, 200);
      const seen = async (username: string, query = ''): Promise<readonly unknown[]> => {
        const answer = await office.call('GET', `${plans}${query}`, { as: basic(username, password) });
        assert.equal(answer.status, 200, answer.text);
        return (answer.body['data'] as readonly { readonly id: string }[]).map((plan) => plan.id);
      };
      const expected = { inside: [open], outside: [open, closed] };
      for (const [username, visible] of Object.entries(expected)) {
        const as = basic(username, password);
        assert.deepEqual(await seen(username), visible, username);
        const one = await office.call('GET', `${plans}/${closed}`, { as });
        assert.equal(one.status, username === 'inside' ? 404 : 200);
        const application = await office.call('POST', `${v1}/applications`, {
          body: { name: `of ${username}`, description: '' },
          as,
        });
        const own = `${v1}/applications/${String(application.body['id'])}`;
        assert.deepEqual(await seen(username, `?subscribableBy=${String(application.body['id'])}`), visible);
        const subscribed = await office.call('POST', `${own}/subscriptions?plan=${closed}`, { as });
        if (username === 'outside') {
          assert.equal(subscribed.status, 201, subscribed.text);
          continue;
        }
        assert.deepEqual(code(subscribed), [400, 'plan.restricted']);
        assert.equal((subscribed.body['parameters'] as { plan: string }).plan, closed);
        assert.equal((await office.call('POST', `${own}/subscriptions?plan=${open}`, { as })).status, 201);
        // The publisher is not meant.
        const given = await office.call('POST', `${environment}/apis/${id}/subscriptions`, {
          body: { planId: closed, applicationId: application.body['id'] },
        });
        assert.equal(given.status, 201, given.text);
      }

      // By name, as a definition that was written elsewhere says it; and what is gone may be put back.
      const put = (excludedGroups: readonly string[]) =>
        office.call('PUT', `${plans}/${closed}`, {
          body: { definitionVersion: 'V4', name: 'closed', excludedGroups },
        });
      assert.equal((await put(['Rivals'])).status, 200);
      assert.deepEqual(await seen('inside'), [open]);
      assert.equal((await office.call('DELETE', `${groups}/${group}`)).status, 204);
      assert.deepEqual(await seen('inside'), [open, closed]);
      assert.equal((await put(['Rivals'])).status, 200);
      assert.deepEqual(code(await put(['Rivals', 'others'])), [400, 'request.invalid']);
    },
  );
}
