import assert from 'node:assert/strict';
import { test } from 'node:test';
import { apiKeyHash } from '../../proto/trust/keys.ts';
import { testDatabases } from '../../test/kit/servers/databases.ts';
import { environment, openOffice, v1 } from '../../test/kit/control-plane/office.ts';

for (const database of testDatabases) {
  const name = (promise: string): string => `${promise} (${database.name})`;
  const options = { skip: database.skip };

  test(name('an API goes from draft to gateways, with its subscription and key'), options, async (t) => {
    const office = await openOffice(t, database);
    const { id, planId } = await office.deployedApi('/pets');
    const application = await office.call('POST', `${v1}/applications`, {
      body: { name: 'shop', description: 'buys pets' },
    });
    assert.equal(application.status, 201, JSON.stringify(application.body));
    const subscription = await office.call('POST', `${environment}/apis/${id}/subscriptions`, {
      body: { planId, applicationId: application.body['id'] },
    });
    assert.equal(subscription.status, 201, JSON.stringify(subscription.body));
    assert.equal(subscription.body['status'], 'ACCEPTED');
    const { key, id: keyId } = subscription.body['apiKey'] as { key: string; id: string };

    const [api] = await office.published('api');
    assert.equal(api?.id, id);
    const definition = JSON.parse(String(api?.payload['definition'])) as { plans: { id: string }[] };
    assert.deepEqual(
      definition.plans.map((plan) => plan.id),
      [planId],
    );
    const [published] = await office.published('subscription');
    assert.equal(published?.payload['applicationName'], 'shop');
    const [publishedKey] = await office.published('api-key');
    assert.deepEqual(
      Buffer.from(publishedKey?.payload['hash'] as Uint8Array),
      Buffer.from(apiKeyHash(office.at.environment, key)),
    );

    const keys = `${environment}/apis/${id}/subscriptions/${String(subscription.body['id'])}/api-keys`;
    const listed = await office.call('GET', keys);
    assert.equal((listed.body['data'] as { key?: string }[])[0]?.key, undefined);
    const revoked = await office.call('POST', `${keys}/${keyId}/_revoke`);
    assert.equal(revoked.status, 200, JSON.stringify(revoked.body));
    assert.deepEqual(await office.published('api-key'), []);
    assert.equal((await office.call('POST', `${keys}/${keyId}/_revoke`)).status, 400);
  });

  test(
    name('a parameter that an operation does not know is ignored and named in a warning, in an error too'),
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const warned = async (query: string): Promise<unknown> => {
        const answer = await office.call('GET', `${environment}/apis${query}`);
        return [answer.status, answer.headers.get('warning')];
      };
      assert.deepEqual(await warned('?page=1'), [200, null]);
      assert.deepEqual(await warned('?pgae=1&page=1'), [200, '299 - "ignored query parameters: pgae"']);
      assert.deepEqual(await warned('?__proto__=1&toString=2'), [
        200,
        '299 - "ignored query parameters: __proto__, toString"',
      ]);
      assert.deepEqual(await warned('?a%22%0d%0ab=1'), [
        200,
        '299 - "ignored query parameters: a%22%0D%0Ab"',
      ]);
      assert.deepEqual(await warned('?twice=1&twice=2&page=0'), [
        400,
        '299 - "ignored query parameters: twice"',
      ]);
      const many = Array.from({ length: 12 }, (_, n) => `x${n}=1`).join('&');
      assert.match(JSON.stringify(await warned(`?${many}`)), /x9 and 2 more/);
      assert.match(JSON.stringify(await warned(`?${'y'.repeat(65)}=1`)), new RegExp(`: y{64}\\W`));
    },
  );

  test(
    name('whoever asks for more than 100 items of a list gets 100, with links to the rest'),
    options,
    async (t) => {
      const office = await openOffice(t, database);
      for (let n = 0; n < 101; n += 1)
        assert.equal(
          (await office.call('POST', `${v1}/configuration/groups`, { body: { name: `g${n}` } })).status,
          201,
        );
      const { body } = await office.call('GET', `${environment}/groups?perPage=9999`);
      const { pagination, links } = body as { pagination: object; links: Record<string, string> };
      assert.deepEqual(pagination, {
        page: 1,
        perPage: 100,
        pageCount: 2,
        pageItemsCount: 100,
        totalCount: 101,
      });
      const next = new URL(links['next'] ?? '');
      assert.equal(next.searchParams.get('perPage'), '100');
      const rest = await office.call('GET', next.pathname + next.search);
      assert.equal((rest.body['data'] as unknown[]).length, 1);
    },
  );

  test(
    name(
      'what does not run in this process is said once in the log, without a stack, however often it is asked for',
    ),
    options,
    async (t) => {
      const logged: { level?: unknown; code?: string; err?: object; msg?: string }[] = [];
      const office = await openOffice(t, database, {
        onLogged: (line) => void logged.push(JSON.parse(line) as object),
      });
      const { id } = await office.deployedApi('/pets');
      const signIn = { secondFactor: 'OPTIONAL', userCreation: { enabled: true } };
      const asks = [
        ['analytics.unavailable', 'GET', `${environment}/apis/${id}/analytics/requests-count`, undefined],
        ['debug.unavailable', 'POST', `${environment}/apis/${id}/debug`, { method: 'GET', path: '/' }],
        ['email.disabled', 'PUT', '/management/organizations/DEFAULT/configuration/signIn', signIn],
      ] as const;
      for (const [code, method, path, body] of [...asks, ...asks]) {
        const answer = await office.call(method, path, { body });
        assert.deepEqual([answer.status, answer.body.technicalCode], [503, code], answer.text);
      }
      const told = logged.filter(({ msg }) => msg?.includes('request') === true);
      assert.deepEqual(
        told.map(({ code, err }) => [code, err]),
        asks.map(([code]) => [code, undefined]),
      );
      assert.ok(!JSON.stringify(logged).includes('a management request failed'));
    },
  );
}
