import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';

import { encodeApi } from '../../../proto/wire/payloads.ts';
import { apiDefinition, flow, startLocalGateway } from '../../../test/kit/gateway/gateway.ts';
import { startUpstream } from '../../../test/kit/servers/upstream.ts';
import type { ConfigChange, SetRecord } from './change.ts';
import { createFreedTaker } from './freed.ts';

const change = (seq: number, parts: Partial<ConfigChange>): ConfigChange => ({
  organization: 'DEFAULT',
  environment: 'ONE',
  seq,
  isFull: false,
  set: [],
  removed: [],
  ...parts,
});

async function start(t: TestContext) {
  const upstream = await startUpstream(t);
  const gateway = await startLocalGateway(t, { apis: {} });
  const { apply, onTakenLate } = createFreedTaker(gateway.deployments);
  const late: string[] = [];
  onTakenLate((environment, { id, seq }) => late.push(`${environment} ${id} ${seq}`));
  const at = (path: string, named: `${string}@${number}`, changes: object = {}): SetRecord => {
    const [id = '', revision = ''] = named.split('@');
    const seq = Number(revision);
    const listeners = [{ type: 'http', paths: [{ path }] }];
    const definition = { ...apiDefinition(id, `${upstream.url}/${id}`), listeners, ...changes };
    const payload = encodeApi({
      id,
      name: id,
      revision,
      definition: JSON.stringify(definition),
    });
    return { kind: 'api', id, seq, revision, payload };
  };
  const whoIs = async (path: string): Promise<string> => {
    const { status, text } = await gateway.call(path);
    return status === 200 ? (/"url":"\/(\w+)/.exec(text)?.[1] ?? text) : String(status);
  };
  const stateOf = (id: string) =>
    gateway.deployments
      .state()
      .flatMap(({ apis }) => apis)
      .find((api) => api.id === id);
  return { apply, late, at, whoIs, stateOf };
}

const codes = (nacks: readonly { readonly id: string; readonly code: string }[]): readonly string[] =>
  nacks.map(({ id, code }) => `${id} ${code}`);

test('an API that was refused for a taken path is served when the path is free: its owner was removed, or moved', async (t) => {
  const { apply, late, at, whoIs, stateOf } = await start(t);
  apply(change(1, { set: [at('/same', 'a@1')] }));
  assert.deepEqual(codes(apply(change(2, { set: [at('/same', 'b@2')] }))), ['b path.taken']);
  assert.deepEqual(codes(apply(change(3, { set: [at('/same', 'c@3')] }))), ['c path.taken']);
  assert.deepEqual(apply(change(4, { set: [at('/elsewhere', 'a@4')] })), []);
  assert.equal(await whoIs('/same'), 'b', 'who was refused first');
  assert.deepEqual([stateOf('b')?.state, stateOf('b')?.nack], ['started', undefined]);
  assert.match(stateOf('c')?.nack?.reason ?? '', /taken by API/);
  apply(change(5, { removed: [{ kind: 'api', id: 'b' }] }));
  assert.equal(await whoIs('/same'), 'c');
  assert.equal(await whoIs('/elsewhere'), 'a');
  assert.deepEqual(late, ['ONE b 2', 'ONE c 3']);
});

test('a path that an API of another environment leaves goes to who waits for it', async (t) => {
  const { apply, late, at, whoIs } = await start(t);
  apply(change(1, { set: [at('/same', 'a@1')] }));
  assert.equal(apply(change(1, { environment: 'TWO', set: [at('/same', 'b@1')] })).length, 1);
  assert.equal(await whoIs('/same'), 'a');
  apply(change(2, { removed: [{ kind: 'api', id: 'a' }] }));
  assert.equal(await whoIs('/same'), 'b');
  assert.deepEqual(late, ['TWO b 1']);
});

test('a newer revision that moves to a taken path comes into service with it, and leaves its old one to others', async (t) => {
  const { apply, at, whoIs, stateOf } = await start(t);
  apply(change(1, { set: [at('/a', 'a@1'), at('/b', 'b@1')] }));
  const moved = apply(change(2, { set: [at('/a', 'b@2'), at('/b', 'c@2')] }));
  assert.deepEqual(codes(moved), ['b path.taken', 'c path.taken']);
  assert.equal(stateOf('b')?.state, 'outdated');
  assert.equal(await whoIs('/a'), 'a');
  apply(change(3, { removed: [{ kind: 'api', id: 'a' }] }));
  assert.deepEqual([await whoIs('/a'), await whoIs('/b')], ['b', 'c']);
  assert.equal(stateOf('b')?.state, 'started');
});

test('what was removed, mended or refused for something else meanwhile waits no more', async (t) => {
  const { apply, late, at, whoIs } = await start(t);
  apply(change(1, { set: [at('/same', 'a@1')] }));
  apply(change(2, { set: [at('/same', 'gone@2'), at('/same', 'moved@2'), at('/same', 'broken@2')] }));
  const broken = at('/same', 'broken@3', { flows: [flow('/', { request: [['no-such-policy', {}]] })] });
  apply(change(3, { set: [at('/other', 'moved@3'), broken], removed: [{ kind: 'api', id: 'gone' }] }));
  apply(change(4, { removed: [{ kind: 'api', id: 'a' }] }));
  assert.deepEqual(late, []);
  assert.deepEqual([await whoIs('/other'), await whoIs('/same')], ['moved', '404']);
});
