import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeApi } from '../../../proto/wire/payloads.ts';
import { openDeployments } from '../../../test/kit/gateway/deployments.ts';
import { apiDefinition } from '../../../test/kit/gateway/gateway.ts';
import type { SetRecord } from './change.ts';
import { readAhead, readOf } from './read-ahead.ts';

const definitionOf = (id: string): string => JSON.stringify(apiDefinition(id, 'http://127.0.0.1:1'));

function api(id: string, definition = definitionOf(id)): SetRecord {
  const payload = encodeApi({ id, name: id, revision: '1', definition });
  return { kind: 'api', id, seq: 1, revision: '1', payload };
}

const unread = 'no JSON';

test('definitions of a change are read before it is taken in, with room for requests between each two', async () => {
  let turns = 0;
  const count = (): void => {
    turns += 1;
    turning = setImmediate(count);
  };
  let turning = setImmediate(count);
  const records = ['a', 'b', 'c', 'd', 'e'].map((id) => api(id));
  await readAhead(records);
  clearImmediate(turning);
  assert.ok(turns >= records.length, `${turns} turns`);
  for (const record of records) {
    assert.equal(
      readOf(record, unread).api.name,
      record.id,
      'what was read is taken, and read no second time',
    );
    assert.throws(() => readOf(record, unread), /not JSON/, 'and is kept no longer than that');
  }
});

test('no more are read ahead than may wait in memory, and none that need not be read', async () => {
  const many = Array.from({ length: 300 }, (_, n) => api(`api-${n}`));
  await readAhead(many);
  const isKept = (record: SetRecord): boolean => {
    try {
      return readOf(record, unread) !== undefined;
    } catch {
      return false;
    }
  };
  assert.equal(many.filter(isKept).length, 256);
  const refused = { ...api('refused'), refusal: { code: 'x', reason: 'y' } };
  await readAhead([refused]);
  assert.equal(isKept(refused), false);
});

test('what cannot be read ahead is refused when the change is taken in, by the same words, and the others serve', async (t) => {
  const deployments = openDeployments(t, {});
  const set = [api('bad', '{"gravitee": "4.0.0", "nonsense": 1}'), api('good')];
  const broken = { ...api('broken'), payload: Uint8Array.of(255, 255, 255) };
  await readAhead([...set, broken]);
  const change = { organization: 'O', environment: 'E', seq: 1, isFull: false, removed: [] };
  const nacks = deployments.apply({ ...change, set: [...set, broken] });
  const same = deployments.apply({
    ...change,
    seq: 2,
    set: [api('bad', '{"gravitee": "4.0.0", "nonsense": 1}')],
  });
  assert.deepEqual(
    nacks.map(({ id }) => id),
    ['bad', 'broken'],
  );
  assert.equal(nacks[0]?.reason, same[0]?.reason);
  assert.equal(deployments.matchOn('http')('h', '/good')?.target.id, 'good');
});
