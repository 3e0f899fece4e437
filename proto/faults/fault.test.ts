import assert from 'node:assert/strict';
import test from 'node:test';

import { codes, type FaultCode } from './codes.ts';
import { Fault, invariant } from './fault.ts';

test('every code is <room>.<what> or a name of the reference, has an error status, and a text that is a sentence', () => {
  for (const [code, entry] of Object.entries(codes)) {
    assert.match(code, /^[a-z][A-Za-z_]*(?:\.[A-Za-z_0-9]+)+$/);
    assert.ok(entry.status >= 400 && entry.status <= 599, code);
    assert.match(entry.text, /^[A-Z].*\.$/, code);
  }
});

test('a fault without words takes those of the register', () => {
  for (const code of Object.keys(codes) as FaultCode[]) {
    const fault = new Fault(code);
    assert.equal(fault.detail, codes[code].text);
    assert.equal(fault.status, codes[code].status);
  }
});

test('what is internal stays out of what strangers see', () => {
  const fault = new Fault('request.invalid', {
    internal: 'row 7',
    details: [{ path: 'name', message: 'is missing' }],
  });
  assert.doesNotMatch(fault.detail, /row 7/);
  assert.match(fault.message, /row 7/);
  assert.deepEqual(fault.details, [{ path: 'name', message: 'is missing' }]);
});

test('a broken invariant is a bug and no fault', () => {
  assert.throws(
    () => invariant(false, 'two is two'),
    (error) => !(error instanceof Fault),
  );
});
