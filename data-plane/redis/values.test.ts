import assert from 'node:assert/strict';
import { rootCertificates } from 'node:tls';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { test, type TestContext } from 'node:test';

import { systemClock } from '../../proto/process/clock.ts';
import { createGuard } from '../../proto/process/outbound/guard.ts';
import { eventually } from '../../test/kit/eventually.ts';
import { createFakeClock } from '../../test/kit/fake-clock.ts';
import { isWithin } from '../../test/kit/pace.ts';
import { createAuthority } from '../../test/kit/servers/certificates.ts';
import { redisFaults, startFaultyRedis } from '../../test/kit/servers/redis-faults.ts';
import { startSentinelGroup } from '../../test/kit/servers/redis-groups.ts';
import { startRedis, withoutRedis } from '../../test/kit/servers/redis.ts';
import { tempDir } from '../../test/kit/temp-dir.ts';
import { openRedisValues } from './values.ts';

type Place = Parameters<typeof openRedisValues>[0]['place'];

function open(
  t: TestContext,
  place: Pick<Place, 'url' | 'sentinel' | 'password' | 'guard'>,
  more: object = {},
) {
  const told: string[] = [];
  const values = openRedisValues({
    place: { tls: undefined, connectMsMax: 5_000, ...place },
    bytesMax: 1_000,
    settingBytesMax: 10_000,
    waitMsMax: 2_000,
    clock: systemClock,
    onAway: (why) => told.push(`away: ${String(why)}`),
    onBack: () => told.push('back'),
    onUnkept: () => told.push('unkept'),
    ...more,
  });
  t.after(() => values.close());
  const isThere = (): Promise<boolean> => values.get('none').then((value) => value === 'nothing');
  return { values, told, isThere };
}

const bytes = (text: string): Uint8Array => Buffer.from(text);
const textOf = (value: Uint8Array | string): string => Buffer.from(value as Uint8Array).toString();

test('a value is kept under its key for its time', { skip: withoutRedis }, async (t) => {
  const redis = await startRedis(t);
  const { values, isThere } = open(t, { url: redis.url });
  await eventually(isThere);
  values.set('a', bytes('one'), 60_000);
  values.set('b', bytes('two'), 100);
  await eventually(async () => (await redis.keys()).length === 2);
  assert.equal(textOf(await values.get('a')), 'one');
  assert.match(await redis.say('PTTL a'), /:[56]\d{4}\r/);
  await eventually(async () => (await values.get('b')) === 'nothing');
});

test(
  'of a value that is too large no more comes over than is allowed, and it is none',
  { skip: withoutRedis },
  async (t) => {
    const redis = await startRedis(t);
    const { values, isThere, told } = open(t, { url: redis.url });
    await eventually(isThere);
    values.set('fits', Buffer.alloc(1_000, 'x'), 60_000);
    await redis.say(`SET large ${'x'.repeat(1_001)}`);
    await redis.say('LPUSH list x');
    await eventually(async () => (await redis.keys()).includes('fits'));
    assert.equal((await values.get('fits')).length, 1_000);
    await redis.say('CONFIG RESETSTAT');
    assert.equal(await values.get('large'), 'nothing');
    // More than is allowed to be on its way is not kept, and nobody waits.
    for (let sent = 0; sent < 12; sent += 1) values.set(`k${sent}`, Buffer.alloc(1_000), 60_000);
    assert.deepEqual(
      told.filter((word) => word === 'unkept'),
      ['unkept', 'unkept'],
    );
  },
);

test('a Redis that is away from the start is known for it before anybody asks, and who asks before waits for the rest of that time', async (t) => {
  const clock = createFakeClock();
  const deaf = createServer(() => undefined);
  t.after(() => deaf.close());
  await once(deaf.listen(0, '127.0.0.1'), 'listening');
  const { port } = deaf.address() as AddressInfo;
  const { values, told } = open(t, { url: `redis://127.0.0.1:${port}` }, { clock, waitMsMax: 2_000 });
  await clock.advance(1_500);
  const early = values.get('a');
  await clock.advance(500);
  assert.equal(await early, 'unavailable', 'after 0.5 s');
  await eventually(() => told.length > 0);
  assert.match(told.join(), /^away: /);
  assert.equal(await values.get('a'), 'unavailable', 'at once');
});

test(
  'whatever befalls Redis, who asks waits at most the budget, then nobody waits until it answers again',
  { skip: withoutRedis },
  async (t) => {
    const redis = await startFaultyRedis(t);
    const { values, isThere, told } = open(t, { url: redis.url }, { waitMsMax: 300 });
    for (const fault of redisFaults) {
      await eventually(isThere, { timeoutMs: 10_000 });
      const before = told.length;
      // Who cannot be written to can be read from.
      const isForWrites = ['is slow', 'is full', 'may only be read'].includes(fault.name);
      await fault.begin(redis);
      const startedMs = performance.now();
      const first = await values.get('none');
      if (!isForWrites) assert.equal(first, 'unavailable', fault.name);
      isWithin(performance.now() - startedMs, { msMax: 2_000, what: fault.name });
      if (isForWrites) {
        assert.equal(first, 'nothing', fault.name);
        values.set('k', bytes('x'), 60_000);
        await eventually(() => told.slice(before).includes('unkept'));
      } else if (fault.isShort !== true) {
        const againMs = performance.now();
        for (let asked = 0; asked < 50; asked += 1) assert.equal(await values.get('none'), 'unavailable');
        values.set('k', bytes('x'), 60_000);
        isWithin(performance.now() - againMs, { msMax: 200, what: fault.name });
        assert.equal(told.at(-1), 'unkept');
      }
      await fault.end(redis);
      await eventually(isThere, { timeoutMs: 10_000 });
      assert.equal(
        told.slice(before).filter((word) => word.startsWith('away')).length <= 1,
        true,
        fault.name,
      );
      assert.doesNotMatch(told.join(), /of-limits/);
    }
  },
);

test(
  'behind sentinels the master is asked, also after another one took its place',
  { skip: withoutRedis },
  async (t) => {
    const { master, replica, sentinel } = await startSentinelGroup(t);
    const guard = createGuard('local', { allow: [], setting: 'upstream' });
    const { values, isThere } = open(
      t,
      {
        sentinel: { nodes: [sentinel.replace('127.0.0.1', 'localhost')], name: 'mymaster' },
        password: 'of-redis',
        guard,
      },
      { waitMsMax: 300 },
    );
    await eventually(isThere, { timeoutMs: 10_000 });
    values.set('a', bytes('one'), 60_000);
    await eventually(async () => (await replica.keys()).includes('a'));
    await master.stop();
    assert.equal(await values.get('a'), 'unavailable');
    await eventually(async () => textOf(await values.get('a')) === 'one', { timeoutMs: 60_000 });
  },
);

test(
  'TLS is spoken with whom an authority vouches for, and with nobody else',
  { skip: withoutRedis },
  async (t) => {
    const dir = tempDir(t);
    const authority = createAuthority(dir);
    const { certFile, keyFile } = authority.issue('localhost');
    const redis = await startRedis(t, 'of-redis', { tls: { certFile, keyFile, caFile: authority.caFile } });
    const url = redis.url.replace('rediss:', 'redis:').replace('127.0.0.1', 'localhost');
    const guard = createGuard('local', { allow: [], setting: 'upstream' });
    const tls = { ca: [...rootCertificates, readFileSync(authority.caFile, 'utf8')] };
    const { isThere } = open(t, { url, guard }, { place: { url, guard, tls, connectMsMax: 5_000 } });
    await eventually(isThere);
    const strangers = open(t, { url, guard }, { place: { url, guard, tls: {}, connectMsMax: 5_000 } });
    assert.equal(await strangers.values.get('none'), 'unavailable');
    assert.match(strangers.told.join(), /away: .*certificate/);
  },
);

test(
  'an address that definitions may not lead to is not dialled, whoever names it',
  { skip: withoutRedis },
  async (t) => {
    const redis = await startRedis(t);
    const denied = createGuard('local', {
      allow: [],
      deny: [`127.0.0.1:${redis.port}`],
      setting: 'upstream',
    });
    const named = open(t, { url: redis.url.replace('127.0.0.1', 'localhost'), guard: denied });
    const direct = open(t, { url: redis.url, guard: denied });
    for (const { values, told } of [named, direct]) {
      assert.equal(await values.get('none'), 'unavailable');
      await eventually(() => told.some((word) => word.startsWith('away')));
      assert.equal(await values.get('none'), 'unavailable');
    }
    assert.doesNotMatch(await redis.say('INFO clients'), /total_connections_received:[^01]/);

    const { sentinel, master } = await startSentinelGroup(t);
    const guard = createGuard('local', {
      allow: [],
      deny: [`127.0.0.1:${master.port}`],
      setting: 'upstream',
    });
    const led = open(t, { sentinel: { nodes: [sentinel], name: 'mymaster' }, password: 'of-redis', guard });
    const closed = createGuard('local', { allow: [], deny: [sentinel], setting: 'upstream' });
    const kept = open(t, {
      sentinel: { nodes: [sentinel], name: 'mymaster' },
      password: 'of-redis',
      guard: closed,
    });
    const before = await master.say('CLIENT LIST');
    for (const { values, told } of [led, kept]) {
      assert.equal(await values.get('none'), 'unavailable');
      await eventually(() => told.some((word) => word.startsWith('away')));
    }
    assert.ok(before.length > 0);
  },
);
