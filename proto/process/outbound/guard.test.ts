import assert from 'node:assert/strict';
import test from 'node:test';

import { Fault } from '../../faults/fault.ts';
import { OwnDoors } from './own-doors.ts';
import { createGuard } from './guard.ts';
import { createOutbound } from './outbound.ts';

const isRefused = (error: unknown): boolean =>
  error instanceof Fault && error.code === 'outbound.refused_address';

for (const url of [
  'http://127.0.0.1/',
  'http://2130706433/',
  'http://0177.0.0.1/',
  'http://0x7f.1/',
  'http://127.1/',
  'http://0/',
  'http://[::1]/',
  'http://[::]/',
  'http://[::ffff:127.0.0.1]/',
  'http://[::ffff:169.254.169.254]/',
  'http://[::ffff:a9fe:a9fe]/',
  'http://[::169.254.169.254]/',
  'http://[64:ff9b::a9fe:a9fe]/',
  'http://[2002:7f00:1::]/',
  'http://[2600:1::5efe:7f00:1]/',
  'http://[2600:1::200:5efe:a9fe:a9fe]/',
  'http://[::5efe:7f00:1]/',
  'http://[64:ff9b:1::7f00:1]/',
  'http://[::ffff:0:127.0.0.1]/',
  'http://[2001:0:7f00:1::]/',
  'http://[fec0::1]/',
  'http://[4000::1]/',
  'http://[::2]/',
  'http://[fe80::1]/',
  'http://[fd00:ec2::254]/',
  'http://169.254.169.254/latest/meta-data',
  'http://100.100.100.200/',
  'http://168.63.129.16/',
  'http://metadata.google.internal/',
  'http://localhost/',
  'http://LOCALHOST./',
  'http://a.localhost/',
  'http://224.0.0.1/',
  'http://255.255.255.255/',
  'https://127.0.0.1/',
  'ws://127.0.0.1/',
]) {
  test(`${url} is refused in both profiles, directly and through a proxy, by request and WebSocket`, async (t) => {
    for (const profile of ['public', 'private'] as const) {
      for (const proxy of [undefined, { url: 'http://127.0.0.1:9' }]) {
        const outbound = createOutbound({
          profile,
          allow: [],
          proxy,
          connectMsMax: 2_000,
          responseBytesMax: 1_000,
        });
        t.after(() => outbound.close());
        const [asHttp, asWs] = [url.replace(/^ws/, 'http'), url.replace(/^http/, 'ws')];
        await assert.rejects(outbound.request(asHttp, { timeoutMs: 2_000 }), isRefused);
        await assert.rejects(outbound.webSocket(asWs, { handshakeMs: 2_000, maxPayloadBytes: 1 }), isRefused);
      }
    }
  });
}

test('private networks are refused to the public profile and open to the private one', () => {
  const target = { host: 'any.example', port: 80 };
  for (const address of [
    '10.0.0.1',
    '172.16.0.1',
    '192.168.0.1',
    '100.64.0.1',
    'fd00::1',
    '::ffff:10.0.0.1',
  ]) {
    assert.equal(
      createGuard('public', { allow: [], setting: 'outbound' }).mayConnect(address, target),
      false,
      address,
    );
    assert.equal(
      createGuard('private', { allow: [], setting: 'outbound' }).mayConnect(address, target),
      true,
      address,
    );
  }
});

test('addresses of the internet are open to both, and what is no address to none', () => {
  const target = { host: 'any.example', port: 80 };
  for (const profile of ['public', 'private'] as const) {
    for (const address of ['1.1.1.1', '2606:4700::1111', '::ffff:1.1.1.1', '2600:1::5efe:101:101']) {
      assert.equal(
        createGuard(profile, { allow: [], setting: 'outbound' }).mayConnect(address, target),
        true,
        address,
      );
    }
    for (const address of ['', 'any.example', 'fe80::1%eth0', '192.0.2.1', '240.0.0.1']) {
      assert.equal(
        createGuard(profile, { allow: [], setting: 'outbound' }).mayConnect(address, target),
        false,
        address,
      );
    }
  }
});

test('a final dot, and an address inside another, change nothing about what is denied', () => {
  const deny = ['denied.example', '*.below.example', '10.0.0.0/8'];
  const guard = createGuard('local', { allow: [], deny, setting: 'upstream' });
  const check = (host: string) => () => guard.checkHost({ host, port: 80 });
  for (const host of ['denied.example', 'denied.example.', 'a.below.example.', '10.1.2.3', '10.1.2.3.'])
    assert.throws(check(host), isRefused, host);
  for (const host of [
    '::ffff:10.1.2.3',
    '64:ff9b::a01:203',
    '2002:a01:203::',
    '::10.1.2.3',
    '2600:1::5efe:a01:203',
  ])
    assert.throws(check(host), isRefused, host);
  for (const host of [
    'metadata.google.internal.',
    'metadata.',
    'fd00:ec2::23',
    'fd20:ce::254',
    'fd00:c1::a9fe:a9fe',
  ])
    assert.throws(check(host), isRefused, host);
  assert.doesNotThrow(check('allowed.example.'));
  assert.equal(guard.mayConnect('10.9.9.9', { host: 'allowed.example', port: 80 }), false);
});

test('a door of this process is refused by its port, until an entry with that very port allows it', () => {
  const doors = new OwnDoors([0, 18_082]);
  const check = (allow: readonly string[], host: string, port: number) => {
    const guard = createGuard('local', { allow, doors, setting: 'upstream' });
    return () => guard.checkHost({ host, port });
  };
  for (const host of [
    '127.0.0.1',
    '127.9.9.9',
    '::1',
    '::ffff:127.0.0.1',
    '64:ff9b::7f00:1',
    'localhost',
    'a.localhost.',
  ])
    for (const allow of [[], ['127.0.0.0/8', '::/0', 'localhost', '*.localhost'], ['127.0.0.1:1']]) {
      assert.throws(check(allow, host, 18_082), isRefused, host);
      assert.doesNotThrow(check(allow, host, 18_083), host);
    }
  assert.doesNotThrow(check([], '10.255.255.254', 18_082), 'another machine');
  for (const allow of ['127.0.0.1:18082', 'http://127.0.0.1:18082', '127.0.0.0/8:18082'])
    assert.doesNotThrow(check([allow], '127.0.0.1', 18_082), allow);
  const lists = { allow: ['127.0.0.1:18082'], deny: ['127.0.0.1'], doors, setting: 'upstream' };
  const denying = createGuard('local', lists);
  assert.throws(() => denying.checkHost({ host: '127.0.0.1', port: 18_082 }), isRefused);
  const guard = createGuard('local', { allow: ['localhost:18082'], doors, setting: 'upstream' });
  assert.equal(guard.mayConnect('127.0.0.1', { host: 'localhost', port: 18_082 }), true);
  assert.equal(guard.mayConnect('127.0.0.1', { host: 'elsewhere.example', port: 18_082 }), false);
});
