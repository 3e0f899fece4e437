import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabases } from '../../../test/kit/servers/databases.ts';
import {
  type Answer,
  basic,
  environment,
  openOffice,
  password,
  planBody,
  v1,
} from '../../../test/kit/control-plane/office.ts';

for (const database of testDatabases) {
  test(
    `a subscription is paused, resumed, extended, transferred, stopped by its consumer, and gateways know each time (${database.name})`,
    { skip: database.skip },
    async (t) => {
      const office = await openOffice(t, database);
      const { id, planId } = await office.deployedApi('/pets');
      const application = await office.call('POST', `${v1}/applications`, {
        body: { name: '=shop', description: 'buys', domain: 'shop.example' },
      });
      const applicationId = String(application.body['id']);
      const subscriptions = `${environment}/apis/${id}/subscriptions`;
      const post = (path: string, body?: object) => office.call('POST', path, { body });
      const code = (answer: Answer): unknown => [answer.status, answer.body.technicalCode];
      const status = async (): Promise<unknown> =>
        (await office.published('subscription'))[0]?.payload['status'];
      const made = await post(subscriptions, { planId, applicationId, metadata: { tier: 'gold' } });
      const path = `${subscriptions}/${String(made.body['id'])}`;
      const first = made.body['apiKey'] as { readonly id: string; readonly key: string };

      assert.equal((await post(`${path}/_pause`)).body['status'], 'PAUSED');
      assert.equal(await status(), 'PAUSED');
      const paused = await post(`${path}/_pause`);
      assert.deepEqual(code(paused), [400, 'subscription.notPausable']);
      assert.equal((paused.body['parameters'] as { status: string }).status, 'PAUSED');
      assert.equal((await post(`${path}/_resume`)).body['status'], 'ACCEPTED');
      assert.deepEqual(code(await post(`${path}/_resume`)), [400, 'subscription.notPaused']);
      assert.equal(await status(), 'ACCEPTED');

      const consumer = `${v1}/applications/${applicationId}/subscriptions/${String(made.body['id'])}`;
      const stopped = await post(`${consumer}/_changeConsumerStatus?status=STOPPED`);
      assert.deepEqual([stopped.status, stopped.body['consumerStatus']], [200, 'STOPPED']);
      assert.equal(await status(), 'PAUSED');
      const again = await post(`${consumer}/_changeConsumerStatus?status=STOPPED`);
      assert.deepEqual(code(again), [400, 'subscription.consumerStatusNotUpdatable']);
      await post(`${consumer}/_changeConsumerStatus?status=STARTED`);
      assert.equal(await status(), 'ACCEPTED');

      // What was read is put back with another end, which its keys follow.
      const read = await office.call('GET', path);
      const put = (body: object) => office.call('PUT', path, { body });
      const ended = await put({ ...read.body, endingAt: '2030-01-01T00:00:00Z' });
      assert.deepEqual(
        [ended.status, ended.body['metadata']],
        [200, { tier: 'gold' }],
        JSON.stringify(ended.body),
      );
      const ends = async (): Promise<unknown> =>
        (await office.published('api-key'))[0]?.payload['expireAtMs'];
      assert.equal(await ends(), Date.UTC(2030, 0, 1));
      assert.equal((await put({ endingAt: '2031-01-01T00:00:00Z', metadata: {} })).status, 200);
      assert.equal(await ends(), Date.UTC(2031, 0, 1));
      assert.deepEqual(
        code(await put({ startingAt: '2031-01-02T00:00:00Z', endingAt: '2031-01-01T00:00:00Z' })),
        [400, 'request.invalid'],
      );
      const soon = new Date(office.clock.now() + 1_000).toISOString();
      assert.equal((await put({ endingAt: soon })).status, 200);
      await office.clock.advance(2_000);
      const blocked = await post(subscriptions, { planId, applicationId });
      assert.deepEqual(code(blocked), [400, 'plan.subscribed']);
      assert.match(JSON.stringify(blocked.body), /has ended and is not closed.*Close it/);
      assert.equal((await put({})).body['endingAt'], undefined);
      assert.equal(await ends(), undefined);
      const running = await post(subscriptions, { planId, applicationId });
      assert.deepEqual(code(running), [400, 'plan.subscribed']);
      assert.doesNotMatch(JSON.stringify(running.body), /has ended/);

      const plan = async (security: string, extra: object = {}): Promise<string> => {
        const body = planBody(security, { status: 'PUBLISHED', ...extra });
        return String((await post(`${environment}/apis/${id}/plans`, body)).body['id']);
      };
      const other = await plan('API_KEY');
      for (const refused of [planId, await plan('MTLS'), await plan('API_KEY', { status: 'STAGING' })])
        assert.deepEqual(code(await post(`${path}/_transfer`, { planId: refused })), [
          400,
          'plan.transferNotAllowed',
        ]);
      const without = await post(`${path}/_transfer`, {});
      assert.deepEqual(code(without), [400, 'request.invalid']);
      const plans = async (query: string): Promise<unknown> => {
        const { body } = await office.call('GET', `${environment}/apis/${id}/plans?${query}`);
        return (body['data'] as { id: string; flows?: unknown }[]).map((one) => [one.id, one.flows]);
      };
      assert.deepEqual(await plans(`subscribableBy=${applicationId}`), [[other, []]]);
      assert.deepEqual(await plans(`subscribableBy=${applicationId}&fields=-flow`), [[other, undefined]]);
      assert.deepEqual(await plans(`subscribableBy=${applicationId}&mode=PUSH`), []);
      const moved = await post(`${path}/_transfer`, { planId: other });
      assert.deepEqual([moved.status, (moved.body['plan'] as { id: string }).id], [200, other]);
      assert.equal((await office.published('subscription'))[0]?.payload['plan'], other);
      assert.equal((await post(subscriptions, { planId, applicationId })).status, 201);
      assert.deepEqual(code(await post(`${path}/_transfer`, { planId })), [400, 'plan.subscribed']);

      const key = `${path}/api-keys/${first.id}`;
      assert.deepEqual(code(await post(`${key}/_reactivate`)), [400, 'apiKey.activated']);
      assert.equal((await post(`${key}/_revoke`)).status, 200);
      assert.equal((await office.published('api-key')).length, 1);
      const keyPut = (expireAt: string) => office.call('PUT', key, { body: { expireAt } });
      assert.deepEqual(code(await keyPut('2030-01-01T00:00:00Z')), [400, 'apiKey.expired']);
      const back = await post(`${key}/_reactivate`);
      assert.deepEqual([back.status, back.body['revoked']], [200, false]);
      assert.equal((await office.published('api-key')).length, 2);
      assert.equal((await keyPut('2001-01-01T00:00:00Z')).body['expired'], true);
      assert.equal((await post(`${key}/_reactivate`)).body['expired'], false);

      const list = (query: string) => office.call('GET', `${subscriptions}?${query}`);
      const found = await list(`apiKey=${first.key}&expands=application,subscribedBy`);
      const [one] = found.body['data'] as {
        readonly application: { readonly primaryOwner?: { readonly id: string }; readonly domain?: string };
        readonly subscribedBy: { readonly displayName?: string };
      }[];
      assert.deepEqual(
        [one?.application.domain, typeof one?.application.primaryOwner?.id],
        ['shop.example', 'string'],
      );
      assert.equal(typeof one?.subscribedBy.displayName, 'string');
      assert.deepEqual((await list('apiKey=another-key')).body['data'], []);
      assert.deepEqual((await list('statuses=PAUSED')).body['data'], []);
      const empty = await list('applicationIds=&planIds=&statuses=&expands=');
      assert.deepEqual([empty.status, (empty.body['data'] as unknown[]).length], [200, 2]);
      assert.equal((await list('expands=secrets')).status, 400);
      const subscribers = await office.call('GET', `${environment}/apis/${id}/subscribers?name=SHO`);
      assert.deepEqual(
        (subscribers.body['data'] as { id: string }[]).map((subscriber) => subscriber.id),
        [applicationId],
      );
      assert.deepEqual(
        (await office.call('GET', `${environment}/apis/${id}/subscribers?name=x`)).body['data'],
        [],
      );

      const exported = await office.app.request(`http://office${subscriptions}/_export?statuses=ACCEPTED`, {
        headers: { authorization: basic('admin', password) },
      });
      assert.match(
        exported.headers.get('content-disposition') ?? '',
        /^attachment;filename="subscriptions-.*\.csv"$/,
      );
      const [head, ...lines] = (await exported.text()).trimEnd().split('\n');
      assert.equal(head, 'Plan;Application;Creation date;Process date;Start date;End date;Status');
      assert.equal(lines.length, 2);
      // A name that a spreadsheet would run is text.
      assert.match(lines[0] ?? '', /^plan;'=shop;.*;ACCEPTED$/);

      const verify = async (body: object): Promise<unknown> =>
        (await post(`${subscriptions}/_verify`, body)).body['ok'];
      assert.equal(await verify({ applicationId, apiKey: 'a-new-key-1' }), true);
      assert.equal(await verify({ applicationId, apiKey: first.key }), false);
      assert.equal(await verify({ applicationId, apiKey: 'short' }), false);

      const across = await office.call('GET', `${v1}/subscriptions?application=${applicationId}`);
      assert.equal((across.body as unknown as unknown[]).length, 2);
      assert.equal((await post(`${path}/_close`)).body['status'], 'CLOSED');
      assert.deepEqual(code(await post(`${path}/_close`)), [400, 'subscription.closed']);
      assert.deepEqual(code(await put({})), [400, 'subscription.notUpdatable']);
      assert.deepEqual(code(await post(`${key}/_reactivate`)), [400, 'subscription.closed']);
    },
  );
}
