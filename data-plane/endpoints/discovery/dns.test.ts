import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';

import { eventually } from '../../../test/kit/eventually.ts';
import { startCheckedBackend } from '../../../test/kit/gateway/endpoints/checked.ts';
import { byDns, grouped, quickly, startFindingGateway } from '../../../test/kit/gateway/endpoints/found.ts';
import { createAuthority } from '../../../test/kit/servers/certificates.ts';
import { startDns } from '../../../test/kit/servers/dns.ts';
import { tempDir } from '../../../test/kit/temp-dir.ts';

/** Backends of these names at 127.0.0.2 and further, all on one port. */
async function startOnOnePort(t: Parameters<typeof startCheckedBackend>[0], names: string) {
  const [first = '', ...others] = names;
  const one = await startCheckedBackend(t, first, { host: '127.0.0.2' });
  const port = Number(new URL(one.url).port);
  const more = others.map((name, at) => startCheckedBackend(t, name, { host: `127.0.0.${at + 3}`, port }));
  return { port, all: [one, ...(await Promise.all(more))] };
}

const address = (last: number, ttl = 0) => ({ type: 'A', address: `127.0.0.${last}`, ttl }) as const;

test('each address behind a name is an endpoint, and changes are noticed when the answer is out of date', async (t) => {
  const { port } = await startOnOnePort(t, 'bcd');
  const dns = await startDns(t);
  dns.zone.set('orders.test', [address(2), address(3)]);
  const gateway = await startFindingGateway(
    t,
    { api: grouped('api', byDns({ host: 'orders.test', port, path: '/v1' })) },
    quickly({}, { servers: [dns.server] }),
  );
  await gateway.meets('b c');
  const [shown] = await gateway.shown();
  assert.deepEqual(
    shown?.endpoints?.map(({ name, target }) => [name, target]),
    [2, 3].map((last) => [`dns#127.0.0.${last}:${port}`, `http://orders.test:${port}/v1`]),
  );
  dns.zone.set('orders.test', [address(4)]);
  await gateway.meets('d');
  dns.zone.set('orders.test', []);
  await gateway.meets('503');
  assert.match(await gateway.problem(), /orders\.test has no A records \(ENODATA\)/);
  dns.zone.set('orders.test', [address(2)]);
  await gateway.meets('b');
  dns.zone.delete('orders.test');
  await gateway.meets('503');
  assert.match(await gateway.problem(), /ENOTFOUND/);
});

test('an answer is taken for as long as its records say, within the bounds of the gateway', async (t) => {
  const { port } = await startOnOnePort(t, 'b');
  const dns = await startDns(t);
  const asked = async (ttl: number, bounds: object): Promise<number> => {
    dns.zone.set('orders.test', [address(2, ttl), address(3, ttl + 100)]);
    const gateway = await startFindingGateway(
      t,
      { api: grouped('api', byDns({ host: 'orders.test', port })) },
      quickly({}, { servers: [dns.server], ...bounds }),
    );
    await eventually(async () => (await gateway.shown())[0]?.endpoints?.length === 2);
    const before = dns.asked.length;
    const startedMs = performance.now();
    await eventually(() => dns.asked.length > before || performance.now() - startedMs > 1_500);
    await gateway.close();
    return dns.asked.length - before;
  };
  assert.equal(await asked(3_600, {}), 0, 'an hour');
  assert.ok((await asked(1, {})) >= 1, 'a second, the shortest of all');
  assert.ok((await asked(3_600, { ttlMsMax: 50 })) >= 1, 'at most that');
  assert.equal(await asked(0, { ttlMsMin: 30_000 }), 0, 'at least that');
});

test('a DNS server that is silent, fails, refuses or answers garbage has said nothing, and one that has no room over UDP is asked over TCP', async (t) => {
  const { port } = await startOnOnePort(t, 'bc');
  const dns = await startDns(t);
  dns.zone.set('orders.test', [address(2)]);
  const gateway = await startFindingGateway(
    t,
    { api: grouped('api', byDns({ host: 'orders.test', port })) },
    quickly({}, { servers: [dns.server], answerMsMax: 50 }),
  );
  await gateway.meets('b');
  for (const [fault, words] of [
    ['servfail', /DNS: orders\.test: ESERVFAIL/],
    ['refused', /EREFUSED/],
    ['silence', /ETIMEOUT/],
    ['garbage', /DNS: orders\.test: E/],
  ] as const) {
    dns.fault = fault;
    await eventually(async () => words.test((await gateway.shown())[0]?.problem ?? ''));
    assert.equal((await gateway.call('/api')).text, 'b', fault);
    dns.fault = undefined;
    await eventually(async () => (await gateway.shown())[0]?.problem === undefined);
  }
  dns.fault = 'truncated';
  dns.zone.set('orders.test', [address(3)]);
  await gateway.meets('c');
  assert.ok(dns.asked.includes('A orders.test over tcp'));
});

test('SRV names are asked for their addresses; the lowest priority gets requests by weight, the others stand in', async (t) => {
  const [b, c, d] = [
    await startCheckedBackend(t, 'b', { host: '127.0.0.2' }),
    await startCheckedBackend(t, 'c', { host: '127.0.0.3' }),
    await startCheckedBackend(t, 'd', { host: '127.0.0.4' }),
  ];
  const dns = await startDns(t);
  const portOf = ({ url }: { readonly url: string }): number => Number(new URL(url).port);
  const service = (target: string, port: number, more: object = {}) =>
    ({ type: 'SRV', target, port, priority: 10, weight: 1, ...more }) as const;
  const both = [service('b.test', portOf(b), { weight: 3 }), service('c.test', portOf(c))];
  const spare = service('d.test', portOf(d), { priority: 20 });
  dns.zone.set('_http._tcp.orders.test', [...both, spare, service('nowhere.test', 80)]);
  for (const [at, name] of ['b', 'c', 'd'].entries()) dns.zone.set(`${name}.test`, [address(at + 2)]);
  const gateway = await startFindingGateway(
    t,
    {
      api: grouped('api', {
        loadBalancer: { type: 'WEIGHTED_ROUND_ROBIN' },
        ...byDns({ host: '_http._tcp.orders.test', record: 'SRV' }),
      }),
    },
    quickly({}, { servers: [dns.server] }),
  );
  const met = await gateway.meets('b c');
  assert.equal(met.filter((name) => name === 'b').length, 6);
  assert.equal(await gateway.problem(), 'nowhere.test has no address');
  dns.zone.set('_http._tcp.orders.test', [spare]);
  await gateway.meets('d');
  dns.zone.set('_http._tcp.orders.test', [service('', 80)]);
  await gateway.meets('503');
});

test('an IPv6 address is one as well, and what no endpoint may lead to is left out', async (t) => {
  const b = await startCheckedBackend(t, 'b', { host: '127.0.0.2' });
  const port = Number(new URL(b.url).port);
  const dns = await startDns(t);
  dns.zone.set('six.test', [{ type: 'AAAA', address: '::1' }]);
  dns.zone.set('inward.test', [address(2), { type: 'A', address: '169.254.169.254' }]);
  const gateway = await startFindingGateway(
    t,
    {
      six: grouped('six', byDns({ host: 'six.test', record: 'AAAA', port: 1 })),
      inward: grouped('inward', byDns({ host: 'inward.test', port })),
      denied: grouped('denied', byDns({ host: 'denied.test' })),
    },
    { ...quickly({}, { servers: [dns.server] }), upstream: { deny: ['denied.test'] } },
  );
  await gateway.meets('b', '/inward');
  assert.equal((await gateway.call('/six')).status, 502);
  const shown = await gateway.shown();
  assert.deepEqual(shown.flatMap(({ endpoints = [] }) => endpoints.map(({ name }) => name)).toSorted(), [
    `dns#127.0.0.2:${port}`,
    'dns#[::1]:1',
  ]);
  assert.match(
    shown.find(({ api }) => api === 'inward')?.problem ?? '',
    /169\.254\.169\.254:\d+ leads to where this gateway may not call/,
  );
  assert.ok(
    gateway.logged.some(
      (line) => line.includes('services.discovery.configuration.host') && line.includes('denied.test'),
    ),
  );
});

test('whoever is found by a name is called and recognised by it', async (t) => {
  const authority = createAuthority(join(tempDir(t), 'ca'));
  const { certFile, keyFile } = authority.issue('orders', { names: ['DNS:orders.test'] });
  const hosts: (string | undefined)[] = [];
  const server = createServer(
    { cert: readFileSync(certFile), key: readFileSync(keyFile) },
    (request, response) => {
      hosts.push(request.headers.host);
      response.end('secured');
    },
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.2', resolve));
  t.after(() => server.close().closeAllConnections());
  const { port } = server.address() as AddressInfo;
  const dns = await startDns(t);
  dns.zone.set('orders.test', [address(2)]);
  dns.zone.set('other.test', [address(2)]);
  const trusting = {
    sharedConfiguration: {
      ssl: { trustStore: { type: 'PEM', content: readFileSync(authority.caFile, 'utf8') } },
    },
  };
  const at = (host: string) => ({ ...byDns({ host, port, scheme: 'https' }), ...trusting });
  const gateway = await startFindingGateway(
    t,
    { api: grouped('api', at('orders.test')), other: grouped('other', at('other.test')) },
    quickly({}, { servers: [dns.server] }),
  );
  await gateway.meets('secured');
  await gateway.meets('502', '/other');
  assert.deepEqual(new Set(hosts), new Set([`orders.test:${port}`]));
});
