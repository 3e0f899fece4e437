import assert from 'node:assert/strict';
import { test } from 'node:test';
import { apiBody, environment, openOffice, planBody } from '../../../test/kit/control-plane/office.ts';
import { testDatabases } from '../../../test/kit/servers/databases.ts';

for (const database of testDatabases) {
  test(
    `an API in review starts when it was accepted, and says where it stands (${database.name})`,
    { skip: database.skip },
    async (t) => {
      const office = await openOffice(t, database);
      const made = await office.call('POST', `${environment}/apis`, { body: apiBody('/reviewed') });
      const path = `${environment}/apis/${String(made.body['id'])}`;
      const plan = planBody('KEY_LESS', { status: 'PUBLISHED' });
      assert.equal((await office.call('POST', `${path}/plans`, { body: plan })).status, 201);
      const step = async (name: string, body: object = {}): Promise<unknown> => {
        const answer = await office.call('POST', `${path}/reviews/_${name}`, { body });
        return answer.status === 204
          ? (await office.call('GET', path)).body['workflowState']
          : answer.body.technicalCode;
      };
      const start = async (): Promise<unknown> => (await office.call('POST', `${path}/_start`)).status;
      assert.equal(made.body['workflowState'], undefined);
      assert.equal((await office.call('GET', `${path}/reviews`)).status, 404);
      assert.equal(await step('accept'), 'api.wrong_state');
      assert.equal(await step('ask', { message: 'please look' }), 'IN_REVIEW');
      assert.equal(await step('ask'), 'api.wrong_state');
      assert.equal(await start(), 400);
      assert.equal(await step('reject', { message: 'no limit' }), 'REQUEST_FOR_CHANGES');
      const { body: review } = await office.call('GET', `${path}/reviews`);
      assert.deepEqual([review['state'], review['message']], ['REQUEST_FOR_CHANGES', 'no limit']);
      assert.equal(await start(), 400);
      assert.equal(await step('ask'), 'IN_REVIEW');
      assert.equal(await step('accept'), 'REVIEW_OK');
      const { body: list } = await office.call('GET', `${environment}/apis`);
      assert.equal((list['data'] as { workflowState?: string }[])[0]?.workflowState, 'REVIEW_OK');
      assert.equal(await start(), 204);
    },
  );
}
