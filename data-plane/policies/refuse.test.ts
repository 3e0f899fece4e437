import assert from 'node:assert/strict';
import { test } from 'node:test';

import { definePolicy } from '../../proto/policies/policy-schema.ts';
import { createRefuse } from './refuse.ts';
import { z } from 'zod';

const { errors } = definePolicy({
  id: 'test',
  title: 'Test',
  summary: 'Refuses in a test.',
  category: 'others',
  phases: ['request'],
  config: () => z.strictObject({}),
  errors: {
    TEST_FULL: { status: 429, message: 'At most {limit} per {unit}, says {who}; {toString}' },
    TEST_BROKEN: { status: 400, answerStatus: 500, message: 'Broken' },
    TEST_UNKNOWN: { status: 401, message: 'Unauthorized', parent: 'TEST_PARENT' },
  },
  docs: '',
});
const refuse = createRefuse(errors);

test('status, text and parent key of a refusal are those of the schema, its parameters fill the text', () => {
  assert.deepEqual(refuse('TEST_FULL', { parameters: { limit: 5, unit: 'day', who: '{limit} $&' } }), {
    kind: 'reject',
    key: 'TEST_FULL',
    status: 429,
    message: 'At most 5 per day, says {limit} $&; {toString}',
    parent: undefined,
    parameters: { limit: 5, unit: 'day', who: '{limit} $&' },
    headers: [],
  });
  const challenge = refuse('TEST_UNKNOWN', { headers: [['WWW-Authenticate', 'Bearer']] });
  assert.deepEqual(
    [challenge.status, challenge.message, challenge.parent, challenge.headers],
    [401, 'Unauthorized', 'TEST_PARENT', [['WWW-Authenticate', 'Bearer']]],
  );
});

test('an error may have another status in the response phase', () => {
  assert.equal(refuse('TEST_BROKEN').status, 400);
  const ofAnswers = createRefuse(errors, 'response');
  assert.deepEqual([ofAnswers('TEST_BROKEN').status, ofAnswers('TEST_UNKNOWN').status], [500, 401]);
});

test('a key that the schema does not declare does not compile', () => {
  // @ts-expect-error -- this is the promise
  assert.throws(() => refuse('TEST_OTHER'));
});
