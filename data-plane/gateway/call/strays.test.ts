import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { AccessFacts, RecordPrefix } from '../../report/facts.ts';
import { createStrays } from './strays.ts';

const refusal = { status: 400, reason: 'host-missing', remoteAddress: '198.51.100.1', startedAtMs: 1_000 };
const dev = { organization: 'acme', environment: 'dev' };

function straysOf(environments: readonly { organization: string; environment: string }[]) {
  const written: { prefix: RecordPrefix; facts: AccessFacts }[] = [];
  const strays = createStrays({
    target: {
      prepare: () => undefined,
      recorder: (prefix) => ({
        write(facts) {
          written.push({ prefix, facts });
          return undefined;
        },
        log: () => undefined,
      }),
    },
    environments: () => environments,
    nextRequestId: () => 'r-1',
    clientOf: () => '198.51.100.1',
  });
  return { strays, written };
}

test('what the engine refuses is recorded with its reason, for API 1 of the only environment', () => {
  const { strays, written } = straysOf([dev]);
  void strays.onRefusal(refusal);
  assert.equal(written.length, 1);
  const [record] = written;
  assert.deepEqual({ ...record?.prefix }, { ...dev, api: '1', apiName: 'Unknown', application: '1' });
  assert.equal(record?.facts.status, 400);
  assert.equal(record?.facts.errorKey, 'GATEWAY_INVALID_REQUEST');
  assert.equal(record?.facts.errorMessage, 'host-missing');
  assert.equal(record?.facts.remoteAddress, '198.51.100.1');
  assert.equal(record?.facts.outcome, 'refused');
});

test('a gateway of several environments, or of none yet, writes strays to nobody', () => {
  for (const environments of [[], [dev, { organization: 'acme', environment: 'prod' }]]) {
    const { strays, written } = straysOf(environments);
    void strays.onRefusal(refusal);
    assert.deepEqual(written, []);
  }
});

test('a connection that was refused before it asked for anything, or in what cannot be read, is no request and has no record', () => {
  const { strays, written } = straysOf([dev]);
  void strays.onRefusal({ ...refusal, status: 0, reason: 'tls-handshake' });
  void strays.onRefusal({ ...refusal, reason: 'plain-http' });
  void strays.onRefusal({ ...refusal, status: 0, reason: 'too-many-connections' });
  assert.deepEqual(written, []);
});
