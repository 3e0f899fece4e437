import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabases } from '../../../test/kit/servers/databases.ts';
import {
  type Answer,
  apiBody,
  environment,
  openOffice,
  planBody,
  v1,
} from '../../../test/kit/control-plane/office.ts';

for (const database of testDatabases) {
  const options = { skip: database.skip };

  test(
    `closing a plan closes its subscriptions, deleting the API leaves nothing (${database.name})`,
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const { id, planId } = await office.deployedApi('/pets');
      const application = await office.call('POST', `${v1}/applications`, {
        body: { name: 'shop', description: '' },
      });
      const created = await office.call('POST', `${environment}/apis/${id}/subscriptions`, {
        body: { planId, applicationId: application.body['id'] },
      });
      assert.equal((await office.call('DELETE', `${environment}/apis/${id}`)).status, 400);
      const closed = await office.call('POST', `${environment}/apis/${id}/plans/${planId}/_close`);
      assert.equal(closed.body['status'], 'CLOSED');
      const path = `${environment}/apis/${id}/subscriptions/${String(created.body['id'])}`;
      assert.equal((await office.call('GET', path)).body['status'], 'CLOSED');
      assert.deepEqual(await office.published('subscription'), []);
      assert.deepEqual(await office.published('api-key'), []);
      assert.equal((await office.call('POST', `${environment}/apis/${id}/_stop`)).status, 204);
      assert.deepEqual(await office.published('api'), []);
      assert.equal((await office.call('DELETE', `${environment}/apis/${id}`)).status, 204);
      assert.equal((await office.call('GET', `${environment}/apis/${id}`)).status, 404);
      assert.equal(
        (await office.call('POST', `${environment}/apis`, { body: apiBody('/pets') })).status,
        201,
      );
    },
  );

  test(
    `a plan that is saved as it was, or of which gateways are told nothing new, leaves its API in sync (${database.name})`,
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const { id, planId } = await office.deployedApi('/pets');
      const api = `${environment}/apis/${id}`;
      const plan = `${api}/plans/${planId}`;
      const state = async () => (await office.call('GET', api)).body['deploymentState'];
      const { body } = await office.call('GET', plan);
      assert.equal((await office.call('PUT', plan, { body })).status, 200);
      assert.equal(await state(), 'DEPLOYED');
      await office.call('PUT', plan, { body: { ...body, description: 'For everybody', validation: 'AUTO' } });
      assert.equal(await state(), 'DEPLOYED');
      assert.equal((await office.call('GET', plan)).body['description'], 'For everybody');
      await office.call('PUT', plan, {
        body: { ...body, tags: [], selectionRule: '{#request.method == "GET"}' },
      });
      assert.equal(await state(), 'NEED_REDEPLOY');
    },
  );

  test(
    `a plan that gateways could not run is refused by its field when it is published, not only at deployment (${database.name})`,
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const made = await office.call('POST', `${environment}/apis`, { body: apiBody('/drafts') });
      const plans = `${environment}/apis/${String(made.body['id'])}/plans`;
      const said = ({ status, body }: Answer): unknown => [
        status,
        body.technicalCode,
        (body['details'] as { readonly location: string }[] | undefined)?.map(({ location }) => location),
      ];
      const oauth2 = { security: { type: 'OAUTH2', configuration: { oauthResource: 'nowhere' } } };
      const flow = { request: [{ policy: 'no-such-policy', configuration: {} }] };
      const rows = [
        ['JWT', {}, 'security.configuration.resolverParameter'],
        [
          'JWT',
          { security: { type: 'JWT', configuration: { resolverParameter: 'no key' } } },
          'security.configuration.resolverParameter',
        ],
        ['OAUTH2', {}, 'security.configuration.oauthResource'],
        ['OAUTH2', oauth2, 'security.configuration.oauthResource'],
        ['API_KEY', { selectionRule: '{#request.content}' }, 'selectionRule'],
        ['API_KEY', { flows: [flow] }, 'flows[0].request[0].policy'],
      ] as const;
      for (const [type, extra, location] of rows) {
        const refused = [400, 'request.invalid', [location]];
        const body: Record<string, unknown> = planBody(type, extra);
        assert.deepEqual(
          said(await office.call('POST', plans, { body: { ...body, status: 'PUBLISHED' } })),
          refused,
        );
        const draft = await office.call('POST', plans, { body: { ...body, status: 'STAGING' } });
        assert.equal(draft.status, 201, 'a draft may be as it likes');
        assert.deepEqual(
          said(await office.call('POST', `${plans}/${String(draft.body['id'])}/_publish`)),
          refused,
        );
      }
      const good = await office.call('POST', plans, {
        body: { ...planBody('API_KEY'), status: 'PUBLISHED' },
      });
      const one = `${plans}/${String(good.body['id'])}`;
      const change = planBody('API_KEY', { selectionRule: '{#nothing.at.all(}' });
      assert.deepEqual(said(await office.call('PUT', one, { body: change })), [
        400,
        'request.invalid',
        ['selectionRule'],
      ]);
      assert.equal((await office.call('GET', one)).body['selectionRule'], undefined);
    },
  );
}
