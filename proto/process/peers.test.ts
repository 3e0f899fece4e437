import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPeers, sourceOfAddress } from './peers.ts';

test('a source is an IPv4 address, also one that IPv6 carries, or the /64 of an IPv6 address', () => {
  for (const [address, source] of [
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['::ffff:c000:207', '192.0.2.7'],
    ['2001:db8:1:2::1', '2001:db8:1:2::/64'],
    ['2001:db8:1:2:ffff:ffff:ffff:ffff', '2001:db8:1:2::/64'],
    ['2001:db8:1:3::1', '2001:db8:1:3::/64'],
    ['::1', '::/64'],
    ['fe80::1%eth0', 'fe80::/64'],
    ['', ''],
    ['unknown', 'unknown'],
  ])
    assert.equal(sourceOfAddress(address ?? ''), source, address);
});

test('only trusted proxies say who called, and the nearest one that is none of them is believed', () => {
  const { clientOf } = createPeers(['10.0.0.0/8']);
  for (const [remote, said, client] of [
    ['10.0.0.1', '192.0.2.7', '192.0.2.7'],
    ['10.0.0.1', '198.51.100.1, 192.0.2.7, 10.0.0.2', '192.0.2.7'],
    ['10.0.0.1', undefined, '10.0.0.1'],
    ['10.0.0.1', 'nobody', '10.0.0.1'],
    ['192.0.2.9', '192.0.2.7', '192.0.2.9'],
    ['::ffff:10.0.0.1', '[2001:db8::1]:4711', '2001:db8::1'],
    ['10.0.0.1', '::ffff:192.0.2.7', '192.0.2.7'],
    ['10.0.0.1', '[::FFFF:c000:207]:4711', '192.0.2.7'],
    ['10.0.0.1', '192.0.2.7, ::ffff:10.0.0.2', '192.0.2.7'],
    ['10.0.0.1', '2001:db8:ffff::1', '2001:db8:ffff::1'],
  ])
    assert.equal(clientOf(remote ?? '', said), client);
});
