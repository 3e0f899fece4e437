import assert from 'node:assert/strict';
import { test } from 'node:test';

import { headersOf } from '../../../test/kit/engine/headers.ts';
import type { ExchangeRequest, HeaderList } from '../../http/exchange.ts';
import { gatewayConfigSchema } from '../../config.ts';
import { createForwarding } from './forwarded.ts';

const forwarding = createForwarding(['10.0.0.0/8', '::1/128']);

function requestFrom(remoteAddress: string, lines: Readonly<Record<string, string>>): ExchangeRequest {
  return {
    headers: headersOf(lines),
    remoteAddress,
    scheme: 'http',
    authority: 'api.acme.com',
  } as unknown as ExchangeRequest;
}

const linesOf = (headers: HeaderList): Record<string, string> => {
  const lines: Record<string, string> = {};
  headers.forEach((name, value) => (lines[name] = value));
  return lines;
};

const clients: readonly (readonly [peer: string, forwardedFor: string | undefined, client: string])[] = [
  ['203.0.113.9', undefined, '203.0.113.9'],
  ['203.0.113.9', '198.51.100.1', '203.0.113.9'],
  ['10.1.2.3', undefined, '10.1.2.3'],
  ['10.1.2.3', '198.51.100.1', '198.51.100.1'],
  ['::ffff:10.1.2.3', '198.51.100.1', '198.51.100.1'],
  ['10.1.2.3', '1.1.1.1, 198.51.100.1, 10.9.9.9', '198.51.100.1'],
  ['10.1.2.3', '10.8.8.8, 10.9.9.9', '10.8.8.8'],
  ['10.1.2.3', '198.51.100.1:4711', '198.51.100.1'],
  ['::1', '[2001:db8::1]:80', '2001:db8::1'],
  ['10.1.2.3', '198.51.100.1, nonsense', '10.1.2.3'],
  ['10.1.2.3', '203.0.113.9,', '203.0.113.9'],
  ['10.1.2.3', ' , ,203.0.113.9, ,10.9.9.9,,', '203.0.113.9'],
  ['10.1.2.3', ',', '10.1.2.3'],
  ['10.1.2.3', '198.51.100.1, 1', '10.1.2.3'],
  ['10.1.2.3', '0x7f.1', '10.1.2.3'],
  ['10.1.2.3', '010.0.0.1', '10.1.2.3'],
];

for (const [peer, forwardedFor, client] of clients) {
  test(`the client behind ${peer} that says ${forwardedFor ?? 'nothing'} is ${client}`, () => {
    const lines = forwardedFor === undefined ? {} : { 'X-Forwarded-For': forwardedFor };
    assert.equal(forwarding.clientOf(requestFrom(peer, lines)), client);
  });
}

test('what a stranger says of itself goes; what we see of it stands in its place', () => {
  const request = requestFrom('203.0.113.9', {
    'X-Forwarded-For': '1.1.1.1',
    'x-forwarded-proto': 'https',
    'X-Forwarded-Host': 'evil.example',
    'X-Forwarded-Port': '1',
    'X-Forwarded-Prefix': '/admin',
    'x-forwarded-user': 'admin',
    X_Forwarded_Email: 'admin@acme.com',
    'X-Real-IP': '1.1.1.1',
    X_Real_IP: '1.1.1.1',
    'X.Real.IP': '1.1.1.1',
    Forwarded: 'for=1.1.1.1',
    'X-Forward': 'is another',
  });
  forwarding.extend(request);
  assert.deepEqual(linesOf(request.headers), {
    'X-Forwarded-For': '203.0.113.9',
    'X-Forwarded-Proto': 'http',
    'X-Forwarded-Host': 'api.acme.com',
    'X-Forward': 'is another',
  });
});

test('nobody is trusted by default, and an address alone is one address', () => {
  assert.deepEqual(gatewayConfigSchema.parse({}).listen.trustedProxies, []);
  const trusted = ['192.0.2.7', '2001:db8::7'];
  assert.deepEqual(
    gatewayConfigSchema.parse({ listen: { trustedProxies: trusted } }).listen.trustedProxies,
    trusted,
  );
  const alone = createForwarding(trusted);
  const lines = { 'X-Forwarded-For': '198.51.100.1' };
  for (const [peer, client] of [
    ['192.0.2.7', '198.51.100.1'],
    ['192.0.2.8', '192.0.2.8'],
    ['2001:db8::7', '198.51.100.1'],
    ['2001:db8::8', '2001:db8::8'],
  ] as const)
    assert.equal(alone.clientOf(requestFrom(peer, lines)), client);
});

test('a private peer that is not believed is told of once, a stranger of the world never', () => {
  const told: string[] = [];
  const { extend } = createForwarding([], { onDisbelieved: (peer) => void told.push(peer) });
  const lines = { 'X-Forwarded-For': '198.51.100.1' };
  extend(requestFrom('203.0.113.9', lines));
  extend(requestFrom('10.1.2.3', {}));
  assert.deepEqual(told, []);
  for (let n = 0; n < 3; n++) extend(requestFrom('::ffff:10.1.2.3', lines));
  extend(requestFrom('fd00::1', lines));
  assert.deepEqual(told, ['::ffff:10.1.2.3']);
});

test('what a trusted proxy says stays and is extended', () => {
  const request = requestFrom('::1', {
    'X-Forwarded-For': '198.51.100.1',
    'X-Forwarded-Proto': 'https',
    'X-Forwarded-Host': 'www.acme.com',
    Forwarded: 'for=198.51.100.1',
  });
  forwarding.extend(request);
  assert.equal(request.headers.get('x-forwarded-for'), '198.51.100.1, ::1');
  assert.equal(request.headers.get('x-forwarded-proto'), 'https');
  assert.equal(request.headers.get('x-forwarded-host'), 'www.acme.com');
  assert.deepEqual(request.headers.getAll('forwarded'), ['for=198.51.100.1', 'for="[::1]";proto=http']);
});

test('a network that is none is an error at once', () => {
  assert.throws(() => createForwarding(['10.0.0.0/99']));
});
