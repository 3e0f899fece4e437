import assert from 'node:assert/strict';
import { test } from 'node:test';

import { startPolicy } from '../../test/kit/gateway/policies.ts';

test('where its group is not there the step refuses, in either phase', async () => {
  for (const phase of ['request', 'response'] as const) {
    const configuration = { sharedPolicyGroupId: 'g' };
    const call = startPolicy('shared-policy-group-policy', configuration, { place: { phase } }).call();
    const verdict = await (phase === 'request' ? call.pass() : call.answer({}));
    assert.ok(verdict?.kind === 'reject', phase);
    assert.deepEqual([verdict.key, verdict.status], ['SHARED_POLICY_GROUP_MISSING', 503]);
  }
});
