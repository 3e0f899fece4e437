import assert from 'node:assert/strict';
import { test } from 'node:test';
import { environment, openOffice } from '../../../test/kit/control-plane/office.ts';
import { sqlite } from '../../../test/kit/servers/databases.ts';

test('an API has no messages, which is an empty page and no unknown path', async (t) => {
  const office = await openOffice(t, sqlite);
  const { id } = await office.deployedApi('/pets');
  const logs = `${environment}/apis/${id}/logs`;
  for (const path of ['/messages?connectorType=entrypoint&operation=publish&from=1&to=2', '/one/messages']) {
    const answer = await office.call('GET', `${logs}${path}`);
    assert.equal(answer.status, 200, answer.text);
    const { data, pagination } = answer.body as { data: unknown; pagination: { totalCount: number } };
    assert.deepEqual([data, pagination.totalCount], [[], 0]);
  }
  const wrong = await office.call('GET', `${logs}/messages?operation=eat`);
  assert.deepEqual([wrong.status, wrong.body.technicalCode], [400, 'request.invalid']);
  for (const path of ['/messages', '/one/messages'])
    assert.equal((await office.call('GET', `${environment}/apis/none/logs${path}`)).status, 404);
});
