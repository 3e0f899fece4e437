import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  apiBody,
  basic,
  environment,
  openOffice,
  planBody,
  v1,
} from '../../../test/kit/control-plane/office.ts';
import { testDatabases } from '../../../test/kit/servers/databases.ts';

const organization = '/management/organizations/DEFAULT';
const password = 'a password of twelve';

for (const database of testDatabases)
  test(
    `what waits is told to whoever may decide it, and to nobody else, until it is decided (${database.name})`,
    { skip: database.skip },
    async (t) => {
      const office = await openOffice(t, database);
      const made = async (path: string, body: object): Promise<string> => {
        const answer = await office.call('POST', path, { body });
        assert.ok(answer.status < 300, JSON.stringify(answer.body));
        return String(answer.body['id']);
      };
      const api = await made(`${environment}/apis`, apiBody('/waited-for'));
      await made(`${environment}/apis`, apiBody('/other'));
      for (const [username, roleName] of [
        ['owner', 'OWNER'],
        ['reviewer', 'REVIEWER'],
        ['member', 'USER'],
        ['stranger', undefined],
      ] as const) {
        const userId = await made(`${organization}/users`, { username, password });
        if (roleName !== undefined) await made(`${environment}/apis/${api}/members`, { userId, roleName });
      }
      const tasksOf = async (username?: string): Promise<readonly string[]> => {
        const as = username === undefined ? {} : { as: basic(username, password) };
        const { body } = await office.call('GET', `${organization}/user/tasks`, as);
        const names = body['metadata'] as Record<string, { readonly name: string }>;
        const page = body['page'] as { readonly total_elements: number };
        const data = body['data'] as readonly { type: string; data: Record<string, string> }[];
        assert.equal(page.total_elements, data.length);
        const count = await office.call('GET', `${organization}/user/tasks/_count`, as);
        const environments = data.length === 0 ? {} : { [office.at.environment]: data.length };
        assert.deepEqual(count.body, { total: data.length, environments, organization: 0 });
        return data.map(({ type, data: { application = '', plan = '', request = '', comment = '' } }) =>
          [type, names[application]?.name, names[plan]?.name, request || comment].filter(Boolean).join(': '),
        );
      };
      const everybody = async () => ({
        admin: await tasksOf(),
        owner: await tasksOf('owner'),
        reviewer: await tasksOf('reviewer'),
        member: await tasksOf('member'),
        stranger: await tasksOf('stranger'),
      });
      const none = { admin: [], owner: [], reviewer: [], member: [], stranger: [] };
      assert.deepEqual(await everybody(), none);

      const planId = await made(
        `${environment}/apis/${api}/plans`,
        planBody('API_KEY', { status: 'PUBLISHED', name: 'Gold', validation: 'MANUAL' }),
      );
      const applicationId = await made(`${v1}/applications`, { name: 'Shop', description: 'sells' });
      const subscription = await office.call(
        'POST',
        `${v1}/applications/${applicationId}/subscriptions?plan=${planId}`,
        {
          body: { request: 'please' },
        },
      );
      assert.equal(subscription.status, 201, JSON.stringify(subscription.body));
      const asked = ['SUBSCRIPTION_APPROVAL: Shop: Gold: please'];
      assert.deepEqual(await everybody(), { ...none, admin: asked, owner: asked });
      const path = `${environment}/apis/${api}/subscriptions/${String(subscription.body['id'])}`;
      assert.equal((await office.call('POST', `${path}/_accept`, { body: {} })).status, 200);
      assert.deepEqual(await everybody(), none);

      const paged = async (query: string) => {
        const { status, body } = await office.call('GET', `${organization}/user/tasks?${query}`);
        const data = body['data'] as readonly { readonly data: { readonly request?: string } }[] | undefined;
        return { status, asked: data?.map((each) => each.data.request), page: body['page'] };
      };
      for (const request of ['first', 'second', 'third']) {
        const id = await made(`${v1}/applications`, { name: request, description: 'sells' });
        await office.clock.advance(1_000);
        await office.call('POST', `${v1}/applications/${id}/subscriptions?plan=${planId}`, {
          body: { request },
        });
      }
      const here = `environmentId=${office.at.environment}`;
      assert.deepEqual(await paged(`${here}&size=2`), {
        status: 200,
        asked: ['first', 'second'],
        page: { current: 1, size: 2, per_page: 2, total_pages: 2, total_elements: 3 },
      });
      assert.deepEqual((await paged(`${here}&size=2&page=2`)).asked, ['third']);
      assert.deepEqual((await paged('environmentId=elsewhere&size=2')).asked, []);
      assert.equal((await paged('size=1001')).status, 400);
      assert.equal((await paged('page=0')).status, 400);
      const { body: waiting } = await office.call(
        'GET',
        `${environment}/apis/${api}/subscriptions?statuses=PENDING`,
      );
      for (const { id } of waiting['data'] as readonly { readonly id: string }[])
        await office.call('POST', `${environment}/apis/${api}/subscriptions/${id}/_reject`, { body: {} });

      const review = async (step: string, message: string): Promise<void> => {
        const answer = await office.call('POST', `${environment}/apis/${api}/reviews/_${step}`, {
          body: { message },
        });
        assert.equal(answer.status, 204);
      };
      await review('ask', 'have a look');
      const toReview = ['IN_REVIEW: have a look'];
      assert.deepEqual(await everybody(), { ...none, admin: toReview, reviewer: toReview });
      await review('reject', 'no limit');
      const toChange = ['REQUEST_FOR_CHANGES: no limit'];
      assert.deepEqual(await everybody(), { ...none, admin: toChange, owner: toChange });
    },
  );
