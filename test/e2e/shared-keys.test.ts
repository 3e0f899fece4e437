import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../kit/eventually.ts';
import { startWhole } from '../kit/processes/whole.ts';
import { testDatabases } from '../kit/servers/databases.ts';
import { startUpstream } from '../kit/servers/upstream.ts';
import { tempDir } from '../kit/temp-dir.ts';

for (const database of testDatabases) {
  test(
    `a shared key works on two APIs, and on each for as long as its subscription does (${database.name})`,
    { skip: database.skip },
    async (t) => {
      const dir = tempDir(t);
      const databaseUrl = await database.createWithSchema(dir);
      const { client, startGateway } = await startWhole(t, { databaseUrl, dir });
      const { url: target } = await startUpstream(t);
      const pets = await client.createApi({ path: '/pets', target, security: 'API_KEY' });
      const toys = await client.createApi({ path: '/toys', target, security: 'API_KEY' });
      const applications = '/organizations/DEFAULT/environments/DEFAULT/applications';
      const application = await client.call<{ id: string }>('POST', applications, {
        body: { name: 'shop', description: '' },
      });
      const keys = `${applications}/${application.id}/apikeys`;
      const subscribe = (api: typeof pets, extra: object = {}) =>
        client.call<{ id: string; apiKey: { id: string; key?: string } }>(
          'POST',
          `/v2/environments/DEFAULT/apis/${api.id}/subscriptions`,
          { body: { planId: api.planId, applicationId: application.id, ...extra } },
        );
      const gateway = await startGateway();
      const ask = async (path: string, key: string): Promise<number> => {
        const headers = { 'x-gravitee-api-key': key };
        const answer = await fetch(`http://127.0.0.1:${gateway.port}${path}`, { headers });
        await answer.arrayBuffer();
        return answer.status;
      };
      const answers = (key: string, expected: Readonly<Record<string, number>>) =>
        eventually(async () => {
          for (const [path, status] of Object.entries(expected))
            if ((await ask(path, key)) !== status) return false;
          return true;
        });

      const first = await subscribe(pets);
      const key = first.apiKey.key ?? '';
      await answers(key, { '/pets': 200, '/toys': 401 });
      const second = await subscribe(toys, { apiKeyMode: 'SHARED' });
      assert.equal(second.apiKey.id, first.apiKey.id);
      await answers(key, { '/pets': 200, '/toys': 200 });

      const close = (api: typeof pets, id: string) =>
        client.call('POST', `/v2/environments/DEFAULT/apis/${api.id}/subscriptions/${id}/_close`);
      await close(pets, first.id);
      await answers(key, { '/pets': 401, '/toys': 200 });
      await subscribe(pets);
      await answers(key, { '/pets': 200, '/toys': 200 });

      const renewed = await client.call<{ key: string }>('POST', `${keys}/_renew`);
      await answers(renewed.key, { '/pets': 200, '/toys': 200 });
      assert.equal(await ask('/pets', key), 200, 'the former key has two hours left');
      await client.call('DELETE', `${keys}/${first.apiKey.id}`);
      await answers(key, { '/pets': 401, '/toys': 401 });
      await close(toys, second.id);
      await answers(renewed.key, { '/pets': 200, '/toys': 401 });
    },
  );
}
