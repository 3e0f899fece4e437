import assert from 'node:assert/strict';
import { test } from 'node:test';

import { catalog } from '../../proto/policies/catalog.ts';
import { startPolicy } from '../../test/kit/gateway/policies.ts';

const mappings = (...all: readonly (readonly [number, number])[]) => ({
  statusMappings: all.map(([inputStatusCode, outputStatusCode]) => ({ inputStatusCode, outputStatusCode })),
});

test('a status that is mapped becomes the other one, by its last mapping; all others stay', () => {
  const { policy, call } = startPolicy('status-code', mappings([404, 200], [500, 502], [404, 410]), {
    place: { phase: 'response' },
  });
  assert.equal(policy.response?.needs, 'head');
  const answered = (status: number): number | undefined => {
    const one = call();
    assert.equal(one.answer({ status, body: 'stays' }), undefined);
    return one.response?.status;
  };
  assert.deepEqual([404, 500, 200, 410].map(answered), [410, 502, 200, 410]);
});

test('what is no status is refused, and so is one that would be no answer', () => {
  const { config } = catalog['status-code'];
  const isAccepted = (from: number, to: number): boolean => config.safeParse(mappings([from, to])).success;
  assert.ok(isAccepted(100, 200) && isAccepted(599, 599));
  assert.ok(!isAccepted(99, 200) && !isAccepted(600, 200) && !isAccepted(404, 199) && !isAccepted(404, 600));
  assert.ok(!config.safeParse({}).success);
});
