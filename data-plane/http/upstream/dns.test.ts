import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';

import { createDnsCache, type DnsAnswer, type DnsCacheOptions, type HostAddress } from './dns.ts';

const v4 = (...addresses: string[]): HostAddress[] => addresses.map((address) => ({ address, family: 4 }));

/** A resolver that answers when it is told to. */
function stage(more: Partial<DnsCacheOptions> = {}) {
  const asked: { name: string; answer: (addresses: HostAddress[]) => void; fail: (code: string) => void }[] =
    [];
  const clock = { nowMs: 1_000_000 };
  const dns = createDnsCache({
    ttlMs: 30_000,
    entriesMax: 4,
    now: () => clock.nowMs,
    lookup: (name, callback) =>
      void asked.push({
        name,
        answer: (addresses) => callback(null, addresses),
        fail: (code) => callback(Object.assign(new Error(code), { code }), []),
      }),
    ...more,
  });
  const got: string[] = [];
  const resolve = (host: string) => dns.resolve(host, (answer) => got.push(said(answer)));
  /** What was said since the last time. */
  const heard = (): string[] => got.splice(0);
  return { resolve, heard, asked, clock };
}

const said = (answer: DnsAnswer): string =>
  answer.kind === 'failure' ? answer.code : answer.addresses.map(({ address }) => address).join();

test('an address needs no resolver', () => {
  const { resolve, heard, asked } = stage();
  resolve('127.0.0.1');
  resolve('::1');
  assert.deepEqual(heard(), ['127.0.0.1', '::1']);
  assert.equal(asked.length, 0);
});

test('dials that wait for one name share one look-up, and its answer serves at once until it is old', () => {
  const { resolve, heard, asked, clock } = stage();
  resolve('a.example');
  resolve('A.Example');
  resolve('b.example');
  assert.deepEqual(
    asked.map(({ name }) => name),
    ['a.example', 'b.example'],
  );
  assert.deepEqual(heard(), []);
  asked[0]?.answer(v4('10.0.0.1', '10.0.0.2'));
  assert.deepEqual(heard(), ['10.0.0.1,10.0.0.2', '10.0.0.1,10.0.0.2']);
  clock.nowMs += 30_000;
  resolve('a.example');
  assert.deepEqual(heard(), ['10.0.0.1,10.0.0.2']);
  clock.nowMs += 1;
  resolve('a.example');
  assert.deepEqual(heard(), []);
  assert.equal(asked.length, 3);
  asked[2]?.answer(v4('10.0.0.9'));
  assert.deepEqual(heard(), ['10.0.0.9']);
});

test('who took his callback back hears nothing', () => {
  const { resolve, heard, asked } = stage();
  const forget = resolve('a.example');
  resolve('a.example');
  forget();
  asked[0]?.answer(v4('10.0.0.1'));
  forget();
  assert.deepEqual(heard(), ['10.0.0.1']);
});

test('a failed refresh leaves the older answer in use, for ten times its ttl and no longer', () => {
  const { resolve, heard, asked, clock } = stage();
  resolve('a.example');
  asked.pop()?.answer(v4('10.0.0.1'));
  clock.nowMs += 30_001;
  resolve('a.example');
  asked.pop()?.fail('EAI_AGAIN');
  resolve('a.example');
  assert.deepEqual(heard(), ['10.0.0.1', '10.0.0.1', '10.0.0.1']);
  assert.equal(asked.length, 0, 'a failure is not repeated at once');
  clock.nowMs += 1_000;
  resolve('a.example');
  assert.equal(asked.length, 1, 'but after a second');
  clock.nowMs += 300_000 - 31_001;
  asked.pop()?.fail('ENOTFOUND');
  assert.deepEqual(heard(), ['10.0.0.1']);
  clock.nowMs += 1;
  resolve('a.example');
  assert.deepEqual(heard(), ['ENOTFOUND']);
});

test('an unknown name is asked for again after one second', () => {
  const { resolve, heard, asked, clock } = stage();
  resolve('a.example');
  asked.pop()?.fail('ENOTFOUND');
  clock.nowMs += 999;
  resolve('a.example');
  assert.deepEqual(heard(), ['ENOTFOUND', 'ENOTFOUND']);
  clock.nowMs += 1;
  resolve('a.example');
  asked.pop()?.answer(v4('10.0.0.1'));
  assert.deepEqual(heard(), ['10.0.0.1']);
});

test('a name without addresses is not found', () => {
  const { resolve, heard, asked } = stage();
  resolve('a.example');
  asked.pop()?.answer([]);
  assert.deepEqual(heard(), ['ENOTFOUND']);
});

test('a resolver that hangs delays a dial only shortly while an older answer is at hand', async () => {
  const asked: ((addresses: HostAddress[]) => void)[] = [];
  const clock = { nowMs: 0 };
  const dns = createDnsCache({
    ttlMs: 1_000,
    entriesMax: 4,
    now: () => clock.nowMs,
    refreshMsMax: 10,
    lookup: (_name, callback) => void asked.push((addresses) => callback(null, addresses)),
  });
  dns.resolve('a.example', () => undefined);
  asked.pop()?.(v4('10.0.0.1'));
  clock.nowMs = 2_000;
  const heard = new EventTarget();
  const late = once(heard, 'answer');
  // The cache's own timer keeps no process alive; this one does, and fails the test if nothing comes.
  const patience = setTimeout(() => assert.fail('no answer'), 5_000);
  dns.resolve('a.example', (answer) => {
    assert.equal(said(answer), '10.0.0.1');
    heard.dispatchEvent(new Event('answer'));
  });
  await late;
  clearTimeout(patience);
  let next = '';
  dns.resolve('a.example', (answer) => (next = said(answer)));
  assert.equal(next, '10.0.0.1', 'the next one does not wait at all');
  assert.equal(asked.length, 1);
  asked.pop()?.(v4('10.0.0.2'));
  dns.resolve('a.example', (answer) => (next = said(answer)));
  assert.equal(next, '10.0.0.2');
});

test('names that are remembered and look-ups under way are bounded', () => {
  const { resolve, heard, asked } = stage();
  for (const name of ['a', 'b', 'c', 'd', 'e']) resolve(name);
  assert.equal(asked.length, 4);
  assert.deepEqual(heard(), ['EAI_AGAIN']);
  for (const one of asked.splice(0)) one.answer(v4('10.0.0.1'));
  resolve('e');
  asked.pop()?.answer(v4('10.0.0.5'));
  assert.equal(heard().length, 5);
  resolve('a');
  assert.deepEqual(heard(), [], 'the one that was used least recently is forgotten');
  resolve('e');
  assert.deepEqual(heard(), ['10.0.0.5']);
});

test('the system resolver gives all addresses of a name', async () => {
  const dns = createDnsCache({ ttlMs: 1_000, entriesMax: 4, now: () => performance.now() });
  const answer = await new Promise<DnsAnswer>((resolve) => dns.resolve('localhost', resolve));
  assert.match(said(answer), /127\.0\.0\.1|::1/);
  const none = await new Promise<DnsAnswer>((resolve) => dns.resolve('no-such-host.invalid', resolve));
  assert.match(said(none), /^(ENOTFOUND|EAI_)/);
});
