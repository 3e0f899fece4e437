import assert from 'node:assert/strict';
import test from 'node:test';
import { z } from 'zod';

import { Fault } from '../../faults/fault.ts';
import { compileTemplate } from '../../expression/template.ts';
import { expressionMessageFor } from '../../expression/find.ts';
import { scrubError } from './scrub.ts';

/** What is said of a text once the secrets are out. */
function said(message: string, ...secrets: readonly string[]): string {
  const error = scrubError(
    new Fault('request.invalid', { details: [{ path: 'a.password', message }] }),
    secrets,
  );
  return error instanceof Fault ? (error.details[0]?.message ?? '') : '';
}

const odd = [
  '{#s3cret.foo}',
  'abc{#s3cret',
  "{#'s3cret'.foo()}",
  "{#'s3cret and more'.foo()}",
  '{T(java.s3cret)}',
  "{#secrets.get('/vault/s3cret')+'x'}",
  "{#secrets.gat('s3cret')}",
  "{#request.headers['s3cret'}",
  "{( 's3cret' + }",
  '{#properties.s3cret.yy(}',
  `{#s3cret${'x'.repeat(90)}}`,
];

for (const secret of odd)
  test(`nothing that is said of the secret ${secret.slice(0, 40)} repeats a word of it`, () => {
    const read = compileTemplate(secret, z.string());
    const messages = [
      expressionMessageFor(secret),
      // Names the word as the gateway does, where the secret is one.
      ...(/s3cret\b/.test(secret) ? ['cannot be worked out: [s3cret] of nothing'] : []),
      ...(read.kind === 'refused' ? read.messages : []),
    ];
    assert.ok(
      messages.some((message) => message.includes('s3cret')),
      'there is something to take out',
    );
    for (const message of messages) assert.doesNotMatch(said(message, secret), /s3cret/);
  });

test('what is said beside a secret stays as it is', () => {
  assert.equal(
    said('#reqest is unknown; did you mean #request?', '{#request.s3cret}'),
    '#reqest is unknown; did you mean #request?',
  );
  assert.equal(said('must be shorter', 'must'), '******** be shorter');
  assert.equal(said('must not hold a colon', 'plain: text'), 'must not hold a colon');
});
