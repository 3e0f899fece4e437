import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';

import { openOutbound } from '../../../test/kit/gateway/security.ts';
import { createFakeClock } from '../../../test/kit/fake-clock.ts';
import { createIssuer, type SaidServer, startSaidServer } from '../../../test/kit/gateway/issuer.ts';
import { isWithin } from '../../../test/kit/pace.ts';
import { createLog } from '../../../proto/process/log.ts';
import { KeySets } from './key-sets.ts';

const one = createIssuer('RS256', 'one');
const two = createIssuer('RS256', 'two');
const setOf = (...keys: readonly unknown[]): string => JSON.stringify({ keys });

/** A key set at a server that says what the test wants, and a clock that stands still. */
async function open(
  t: TestContext,
  says: SaidServer['says'],
  changes: { readonly followRedirects?: boolean } = {},
) {
  const server = await startSaidServer(t, says);
  const callouts = openOutbound(t);
  const clock = createFakeClock();
  const logged: string[] = [];
  const log = createLog({
    name: 'g',
    level: 'warn',
    destination: { write: (line) => void logged.push(line) },
  });
  const url = `${server.url}/keys`;
  const wish = {
    algorithm: 'RS256',
    url,
    connectTimeout: 1_000,
    requestTimeout: 1_000,
    followRedirects: changes.followRedirects ?? false,
  } as const;
  const sets = new KeySets();
  const { set, release } = sets.acquire(wish, { clock, outbound: callouts, log });
  t.after(release);
  const find = async (kid: string | undefined) => {
    const found = await set.find({ kid, issuer: undefined });
    return found === 'unavailable' ? found : found.map((key) => key.kid);
  };
  return { server, clock, set, sets, find, logged, wish, callouts, log };
}

test('a set is fetched with the first token, once for all that wait, and again after five minutes, behind its back', async (t) => {
  const { server, clock, find } = await open(t, setOf(one.jwk, two.jwk));
  assert.deepEqual(await Promise.all(['one', 'two', undefined].map(find)), [
    ['one'],
    ['two'],
    ['one', 'two'],
  ]);
  assert.equal(server.asked.length, 1);
  await clock.advance(299_999);
  assert.deepEqual(await find('one'), ['one']);
  assert.equal(server.asked.length, 1);
  server.says = setOf(two.jwk);
  await clock.advance(1);
  assert.deepEqual(await find('one'), ['one']);
  while (server.asked.length < 2 || (await find('one'))[0] === 'one') await new Promise(setImmediate);
  assert.deepEqual(await find('two'), ['two']);
});

test('a rotated key is found at once, a kid that nobody has asks at most every ten seconds', async (t) => {
  const { server, clock, find, set } = await open(t, setOf(one.jwk));
  const [first] = (await set.find({ kid: 'one', issuer: undefined })) as readonly [never];
  server.says = setOf(two.jwk, one.jwk);
  assert.deepEqual(await find('two'), []);
  assert.equal(server.asked.length, 1);
  await clock.advance(10_000);
  assert.deepEqual(await find('two'), ['two']);
  assert.equal(set.holds(first), true);
  for (let kid = 0; kid < 50; kid += 1) assert.deepEqual(await find(`none-${kid}`), []);
  assert.equal(server.asked.length, 2);
  server.says = setOf(two.jwk);
  await clock.advance(10_000);
  assert.deepEqual(await find('none'), []);
  assert.equal(set.holds(first), false);
});

test('a set that is away is asked less and less; known keys go on for a day, unknown ones are unavailable', async (t) => {
  const { server, clock, find, logged } = await open(t, 503);
  assert.equal(await find('one'), 'unavailable');
  assert.equal(await find('one'), 'unavailable');
  assert.equal(server.asked.length, 1);
  for (const wait of [1_000, 2_000, 4_000]) {
    await clock.advance(wait - 1);
    assert.equal(await find('one'), 'unavailable');
    await clock.advance(1);
    assert.equal(await find('one'), 'unavailable');
  }
  assert.equal(server.asked.length, 4);
  assert.equal(logged.length, 1);
  server.says = setOf(one.jwk);
  await clock.advance(60_000);
  assert.deepEqual(await find('one'), ['one']);
  server.says = 'nonsense';
  await clock.advance(60_000);
  assert.equal(await find('two'), 'unavailable');
  assert.deepEqual(await find('one'), ['one']);
  await clock.advance(86_400_000 - 60_000);
  assert.equal(await find('one'), 'unavailable');
});

test('of a set only what verifies is a key: no secret, no weak or foreign one, no certificate, none for encryption', async (t) => {
  const { jwk } = one;
  const weak = createIssuer('RS256', 'weak', 1_024).jwk;
  const { find } = await open(
    t,
    setOf(
      { kty: 'oct', kid: 'secret', k: Buffer.alloc(64).toString('base64url') },
      weak,
      createIssuer('ES256', 'ec').jwk,
      { ...jwk, kid: 'enc', use: 'enc' },
      { ...jwk, kid: 'other-alg', alg: 'RS512' },
      { ...jwk, kid: 'signs', key_ops: ['sign'] },
      { ...jwk, kid: 'exponent', e: 'AQ' },
      { ...jwk, kid: 'no-modulus', n: undefined },
      { kty: 'RSA', kid: 'certificate', x5c: ['AAAA'], x5u: 'http://127.0.0.1/' },
      null,
      'text',
      { ...jwk, kid: 'good', alg: 'RS256', key_ops: ['verify'], use: undefined },
    ),
  );
  assert.deepEqual(await find(undefined), ['good']);
});

test('bombs, hanging servers and addresses that nobody may call are unavailable, in bounded time', async (t) => {
  const bomb = await open(t, `{"keys":[${'{},'.repeat(200_000)}{}]}`);
  assert.equal(await bomb.find('one'), 'unavailable');
  const many = await open(
    t,
    setOf(...Array.from({ length: 101 }, (_, at) => ({ ...one.jwk, kid: `k${at}` }))),
  );
  assert.deepEqual(await many.find('k99'), ['k99']);
  assert.deepEqual(await many.find('k100'), []);
  const startedMs = performance.now();
  assert.equal(await (await open(t, undefined)).find('one'), 'unavailable');
  isWithin(performance.now() - startedMs, { msMax: 8_000 });
  const { callouts, log } = await open(t, setOf(one.jwk));
  for (const url of [
    'http://169.254.169.254/latest',
    'http://[fd00:ec2::254]/',
    'http://metadata.google.internal/',
  ]) {
    const wish = {
      algorithm: 'RS256',
      url,
      connectTimeout: 100,
      requestTimeout: 100,
      followRedirects: true,
    } as const;
    const { set } = new KeySets().acquire(wish, { clock: createFakeClock(), outbound: callouts, log });
    assert.equal(await set.find({ kid: 'one', issuer: undefined }), 'unavailable', url);
  }
});

test('redirects are followed where the plan says so, a few of them, and never to where no call may lead', async (t) => {
  const answers = (path: string) => (path === '/keys' ? 302 : setOf(one.jwk));
  assert.equal(await (await open(t, answers)).find('one'), 'unavailable');
  const follows = await open(t, answers, { followRedirects: true });
  assert.deepEqual(await follows.find('one'), ['one']);
  const loop = await open(t, 302, { followRedirects: true });
  assert.equal(await loop.find('one'), 'unavailable');
  assert.equal(loop.server.asked.length, 6);
});

test('plans that name the same set share it, until the last of them goes', async (t) => {
  const { server, find, sets, wish, clock, callouts, log } = await open(t, setOf(one.jwk));
  await find('one');
  const again = sets.acquire(wish, { clock, outbound: callouts, log });
  assert.deepEqual((await again.set.find({ kid: 'one', issuer: undefined })).length, 1);
  again.release();
  assert.deepEqual(await find('one'), ['one']);
  assert.equal(server.asked.length, 1);
});

test('an answer that is no key set is told by its server, without a word of it and without a stack', async (t) => {
  for (const says of ['<html>hunter2</html>', '["hunter2"]', `{"keys":"hunter2"}`, '['.repeat(100_000)]) {
    const { find, logged } = await open(t, says);
    assert.equal(await find('one'), 'unavailable');
    assert.match(logged.join(), /outbound\.bad_answer.*is no JSON Web Key Set/);
    assert.doesNotMatch(logged.join(), /hunter2|"stack"/);
  }
});
