import assert from 'node:assert/strict';
import { test } from 'node:test';

import { catalog } from '../../../proto/policies/catalog.ts';
import { type KitCall, startPolicy } from '../../../test/kit/gateway/policies.ts';

const id = 'concurrency-limit';

/** Calls of one step; each says once whether it got in. */
function start(configuration: object) {
  const { call, clock } = startPolicy(id, configuration);
  const enter = (attributes: Record<string, string> = {}, remoteAddress = '192.0.2.7') => {
    const asked = call({ attributes, request: { remoteAddress } });
    const verdict = Promise.resolve(asked.pass());
    return { asked, verdict, said: verdict.then(wordOf) };
  };
  return { enter, clock };
}

const wordOf = (result: Awaited<ReturnType<KitCall['pass']>>): string =>
  result === undefined ? 'in' : 'key' in result ? result.key : 'other';
const reached = 'CONCURRENCY_LIMIT_REACHED';

test('so many are in at once, and a place is given back when a request is over, however it ended', async () => {
  const { enter } = start({ limit: 2 });
  const [first, second] = [enter(), enter()];
  assert.deepEqual([await first.said, await second.said], ['in', 'in']);
  const third = await enter().verdict;
  assert.ok(third !== undefined && 'key' in third && third.kind === 'reject');
  assert.deepEqual(
    [third.key, third.status, third.message],
    [reached, 503, 'Too many requests at once: 2 are on their way'],
  );
  first.asked.end();
  assert.equal(await enter().said, 'in');
  assert.equal(await enter().said, reached);
  second.asked.end({ kind: 'clientAborted' });
  assert.equal(await enter().said, 'in');
  assert.equal(await enter().said, reached, 'what was refused has given back nothing');
});

test('who waits gets in in order; who is one too many is refused at once, and who waits too long after his time', async () => {
  const { enter, clock } = start({ limit: 1, queue: { max: 2, waitMs: 100 } });
  const first = enter();
  await first.said;
  const [second, third] = [enter(), enter()];
  assert.equal(await enter().said, reached);
  first.asked.end();
  assert.equal(await second.said, 'in');
  await clock.advance(99);
  const fourth = enter();
  await clock.advance(1);
  const late = await third.verdict;
  assert.ok(late !== undefined && 'key' in late && late.kind === 'reject');
  assert.deepEqual(
    [late.key, late.status, late.parameters],
    ['CONCURRENCY_LIMIT_QUEUE_TIMEOUT', 503, { limit: 1, wait_ms: 100 }],
  );
  second.asked.end();
  assert.equal(await fourth.said, 'in');
  assert.equal(clock.pending, 0, 'nobody waits any more');
});

test('a request that its client leaves while it waits gives its place on', async () => {
  const { enter } = start({ limit: 1, queue: { max: 2 } });
  const first = enter();
  await first.said;
  const [left, next] = [enter(), enter()];
  left.asked.end({ kind: 'clientAborted' });
  first.asked.end();
  await left.verdict;
  assert.equal(await next.said, 'in');
});

test('places are of all, of a plan, or of a subscription or address', async () => {
  const callers = [
    [{ plan: 'p', 'subscription-id': 's1' }],
    [{ plan: 'p', 'subscription-id': 's1' }],
    [{ plan: 'p', 'subscription-id': 's2' }],
    [{ plan: 'q', 'subscription-id': 's2' }],
    [{ plan: 'k' }, '2001:db8::1'],
    [{ plan: 'k' }, '2001:db8::2'],
    [{ plan: 'k' }, '2001:db8:1::1'],
  ] as const;
  for (const [per, expected] of [
    ['API', 'in - - - - - -'],
    ['PLAN', 'in - - in in - -'],
    ['SUBSCRIPTION', 'in - in in in - in'],
  ] as const) {
    const { enter } = start({ limit: 1, per });
    const said = [];
    for (const [attributes, address] of callers)
      said.push((await enter(attributes, address).said) === 'in' ? 'in' : '-');
    assert.equal(said.join(' '), expected, per);
  }
});

test('bounds are refused by their paths', () => {
  const refused = (configuration: object): string =>
    catalog[id].config
      .safeParse(configuration)
      .error?.issues.map(({ path }) => path.join('.'))
      .join() ?? '';
  for (const [limit, max, waitMs] of [
    [1, 0, 1],
    [100_000, 10_000, 60_000],
  ])
    assert.equal(refused({ limit, queue: { max, waitMs } }), '');
  assert.equal(refused({}), 'limit');
  assert.equal(refused({ limit: 0 }), 'limit');
  assert.equal(refused({ limit: 100_001 }), 'limit');
  assert.equal(refused({ limit: 1, queue: { max: 10_001, waitMs: 0 } }), 'queue.max,queue.waitMs');
  assert.equal(refused({ limit: 1, queue: { waitMs: 60_001 } }), 'queue.waitMs');
  assert.equal(refused({ limit: 1, per: 'CLIENT' }), 'per');
});
