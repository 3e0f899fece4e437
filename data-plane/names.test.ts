import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createFakeClock } from '../test/kit/fake-clock.ts';
import { startDns } from '../test/kit/servers/dns.ts';
import { gatewayConfigSchema } from './config.ts';
import { createNames } from './names.ts';

test('a name is asked for once for all who ask, and again when its time is over', async (t) => {
  const dns = await startDns(t);
  dns.zone.set('office.test', [
    { type: 'A', address: '192.0.2.7', ttl: 20 },
    { type: 'AAAA', address: '2001:db8::7', ttl: 900 },
  ]);
  const clock = createFakeClock();
  const { dns: settings } = gatewayConfigSchema.parse({ policy: { dns: { servers: [dns.server] } } }).policy;
  const names = createNames(settings, clock);
  const both = await Promise.all([names.addressesOf('office.test', 4), names.addressesOf('Office.test', 4)]);
  assert.deepEqual(both, [['192.0.2.7'], ['192.0.2.7']]);
  assert.deepEqual(await names.addressesOf('office.test', 6), ['2001:db8::7']);
  assert.equal(dns.asked.length, 2);
  assert.deepEqual(names.addressesOf('office.test', 4), ['192.0.2.7'], 'known without waiting');
  await clock.advance(20_000);
  assert.deepEqual(await names.addressesOf('office.test', 4), ['192.0.2.7']);
  assert.equal(dns.asked.length, 3);
  await clock.advance(280_000);
  await names.addressesOf('office.test', 6);
  assert.equal(dns.asked.length, 4, 'ttlMsMax bounds what records say');
});

test('a name that does not exist has no addresses, and one whose server fails is unknown, for a second', async (t) => {
  const dns = await startDns(t);
  const clock = createFakeClock();
  const { dns: settings } = gatewayConfigSchema.parse({
    policy: { dns: { servers: [dns.server], answerMsMax: 50 } },
  }).policy;
  const names = createNames(settings, clock);
  assert.deepEqual(await names.addressesOf('nobody.test', 4), []);
  dns.fault = 'servfail';
  assert.equal(await names.addressesOf('office.test', 4), undefined);
  dns.fault = undefined;
  dns.zone.set('office.test', [{ type: 'A', address: '192.0.2.7', ttl: 0 }]);
  assert.equal(names.addressesOf('office.test', 4), undefined);
  await clock.advance(1_000);
  assert.deepEqual(await names.addressesOf('office.test', 4), ['192.0.2.7']);
});
