import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';

import { eventually } from '../../../test/kit/eventually.ts';
import {
  endpointsOf,
  everySecond,
  startCheckedBackend,
  startCheckedBackends,
} from '../../../test/kit/gateway/endpoints/checked.ts';
import {
  byConsul,
  grouped,
  instanceOf,
  quickly,
  startFindingGateway,
} from '../../../test/kit/gateway/endpoints/found.ts';
import { flow } from '../../../test/kit/gateway/gateway.ts';
import { createAuthority } from '../../../test/kit/servers/certificates.ts';
import { startConsul } from '../../../test/kit/servers/consul.ts';
import { tempDir } from '../../../test/kit/temp-dir.ts';

test('instances of a service are endpoints beside those of the definition, as soon as Consul says so, and no longer', async (t) => {
  const [a, b, c] = await startCheckedBackends(t, 'abc');
  assert.ok(a !== undefined && b !== undefined && c !== undefined);
  const consul = await startConsul(t);
  consul.register('web', [instanceOf(b)]);
  const gateway = await startFindingGateway(t, {
    api: grouped('api', { endpoints: endpointsOf([a]), ...byConsul(consul) }),
  });
  await gateway.meets('a b');
  await eventually(() => consul.waiting() === 1);
  consul.register('web', [instanceOf(b), instanceOf(c)]);
  await gateway.meets('a b c');
  consul.register('web', [instanceOf(c)]);
  await gateway.meets('a c');
  consul.register('web', []);
  await gateway.meets('a');
  const [shown] = await gateway.shown();
  assert.partialDeepStrictEqual(shown, { group: 'default', asked: 'web', endpoints: [] });
  const [first, second] = consul.asked;
  assert.equal(first?.url, '/v1/health/service/web');
  assert.match(second?.url ?? '', /^\/v1\/health\/service\/web\?index=\d+&wait=60000ms$/);
});

test('who is found as before keeps its connections, who is not is asked nothing more and answers what it has', async (t) => {
  const [b, c] = await startCheckedBackends(t, 'bc');
  assert.ok(b !== undefined && c !== undefined);
  let sockets = 0;
  let end: (() => void) | undefined;
  const slow = createServer((socket) => {
    sockets += 1;
    socket.on('error', () => undefined);
    socket.on('data', () => {
      const answer = (): void => void socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nslow');
      if (end === undefined) end = answer;
      else answer();
    });
  });
  await new Promise<void>((resolve) => slow.listen(0, '127.0.0.1', resolve));
  t.after(() => slow.close());
  const slowly = { ...instanceOf(b), id: 'slow', port: (slow.address() as { port: number }).port };
  const consul = await startConsul(t);
  consul.register('web', [slowly]);
  const gateway = await startFindingGateway(t, { api: grouped('api', byConsul(consul)) });
  await eventually(async () => (await gateway.shown())[0]?.endpoints?.length === 1);
  const running = gateway.call('/api');
  await eventually(() => end !== undefined);
  consul.register('web', [slowly, instanceOf(c)]);
  await gateway.meets('c slow');
  const before = sockets;
  consul.register('web', [slowly, instanceOf(b), instanceOf(c)]);
  await gateway.meets('b c slow');
  assert.equal(sockets, before, 'its pool is as it was');
  consul.register('web', [instanceOf(c)]);
  await gateway.meets('c');
  end?.();
  assert.equal((await running).text, 'slow');
});

test('a Consul that is down, refuses, answers nonsense or too much has said nothing: what was found stays, an operator is told once, and news arrive when it is back', async (t) => {
  const [b, c] = await startCheckedBackends(t, 'bc');
  assert.ok(b !== undefined && c !== undefined);
  const consul = await startConsul(t);
  consul.register('web', [instanceOf(b)]);
  const gateway = await startFindingGateway(
    t,
    { api: grouped('api', byConsul(consul)) },
    {
      discovery: { ...quickly().discovery, consul: { answerBytesMax: 4_096 } },
    },
  );
  await gateway.meets('b');
  for (const [fault, words] of [
    [{ kind: 'status', status: 500 }, /^Consul: it answered 500$/],
    [{ kind: 'status', status: 403 }, /403: the token \(acl\) may not read the service/],
    [{ kind: 'status', status: 302 }, /302/],
    [{ kind: 'body', body: 'no json' }, /no list of instances/],
    [{ kind: 'body', body: '{}' }, /no list of instances/],
    [{ kind: 'body', body: '[{}]' }, /no list of instances/],
    [{ kind: 'body', body: '[{"Node":{"Address":"x"},"Service":{"ID":"b","Port":"80"}}]' }, /no list/],
    [{ kind: 'body', body: `[${' '.repeat(5_000)}]` }, /4096/],
    [{ kind: 'cut' }, /Consul: /],
  ] as const) {
    const logged = gateway.logged.length;
    consul.fault = fault;
    consul.cut();
    await eventually(async () => words.test((await gateway.shown())[0]?.problem ?? ''));
    const asked = consul.asked.length;
    await eventually(() => consul.asked.length > asked + 2);
    assert.equal((await gateway.call('/api')).text, 'b');
    const told = gateway.logged.slice(logged).filter((line) => words.test(JSON.parse(line).problem ?? ''));
    assert.equal(told.length, 1, 'said once');
    consul.fault = undefined;
    await eventually(async () => (await gateway.shown())[0]?.problem === undefined);
  }
  assert.match(
    await (await fetch(`${gateway.nodeApi}/metrics`)).text(),
    /^isthmus_discovery_problems_total [1-9]/m,
  );
  consul.register('web', [instanceOf(c)]);
  await gateway.meets('c');
  consul.restart();
  consul.register('web', [instanceOf(b)]);
  await gateway.meets('b');
});

test('an instance says its path, TLS, weight and tenant; one whose check is critical gets nothing', async (t) => {
  const backends = await startCheckedBackends(t, 'bcde');
  const [b, c, d, e] = backends;
  assert.ok(b !== undefined && c !== undefined && d !== undefined && e !== undefined);
  const consul = await startConsul(t);
  consul.register('web', [
    instanceOf(b, { meta: { gravitee_weight: '3' }, address: '' }),
    instanceOf(c, { weights: { Passing: 1, Warning: 1 }, checks: ['warning'] }),
    instanceOf(d, { checks: ['passing', 'critical'] }),
    instanceOf(e, { meta: { gravitee_tenant: 'other' } }),
  ]);
  const gateway = await startFindingGateway(
    t,
    { api: grouped('api', { loadBalancer: { type: 'WEIGHTED_ROUND_ROBIN' }, ...byConsul(consul) }) },
    { ...quickly(), tenant: 'ours' },
  );
  const met = await gateway.meets('b c');
  assert.equal(met.filter((name) => name === 'b').length, 6);
  const paths = [instanceOf(b, { id: 'p', meta: { gravitee_path: '/health/v1', gravitee_ssl: 'false' } })];
  consul.register('web', paths);
  await eventually(async () => {
    await gateway.call('/api/x?y=1');
    return b.checks.some(({ line }) => line === 'GET /health/v1/x?y=1');
  });
  consul.register('web', [{ id: 's', address: 'backend.test', port: 8443, meta: { gravitee_ssl: 'true' } }]);
  await eventually(
    async () => (await gateway.shown())[0]?.endpoints?.[0]?.target === 'https://backend.test:8443',
  );
});

test('what no endpoint may lead to, and what is no address, path or weight, is left out and said; an expression is none', async (t) => {
  const b = await startCheckedBackend(t, 'b');
  const consul = await startConsul(t);
  const gateway = await startFindingGateway(
    t,
    { api: grouped('api', byConsul(consul)) },
    { ...quickly(), upstream: { deny: ['10.0.0.0/8'] } },
  );
  for (const [odd, words] of [
    [{ address: '169.254.169.254' }, /consul#odd leads to where this gateway may not call/],
    [{ address: '10.1.2.3' }, /may not call \(upstream\.allow, upstream\.deny\)/],
    [{ address: 'metadata.google.internal' }, /may not call/],
    [{ address: '127.0.0.1', port: gateway.adminPort }, /may not call/],
    [{ address: 'a b' }, /"odd" has an address that is none/],
    [{ address: "x{#secrets.get('/env/A')}" }, /address that is none/],
    [{ meta: { gravitee_path: "/{#secrets.get('/env/A')}" } }, /gravitee_path must be empty, or a path/],
    [{ meta: { gravitee_path: 'no-slash' } }, /gravitee_path/],
    [{ meta: { gravitee_weight: '-1' } }, /gravitee_weight must be a whole number/],
    [{ id: 'o\u0000dd' }, /an id that cannot be shown/],
  ] as const) {
    consul.register('web', [instanceOf(b), { id: 'odd', address: '127.0.0.1', port: 1, ...odd }]);
    await eventually(async () => words.test((await gateway.shown())[0]?.problem ?? ''));
    const [shown] = await gateway.shown();
    assert.deepEqual(
      shown?.endpoints?.map(({ name }) => name),
      ['consul#b'],
    );
  }
  const many = Array.from({ length: 250 }, (_, at) =>
    instanceOf(b, { id: `b${String(at).padStart(3, '0')}` }),
  );
  consul.register('web', many);
  assert.match(
    await eventually(async () => /50 are left out.*/.exec((await gateway.shown())[0]?.problem ?? '')?.[0]),
    /at most 200/,
  );
  assert.equal((await gateway.shown())[0]?.endpoints?.length, 200);
});

test('Consul is shown the token and asked for the data centre, over TLS that knows it; no token stands in a log or the node API', async (t) => {
  const authority = createAuthority(join(tempDir(t), 'ca'));
  const [server, client] = [authority.issue('consul'), authority.issue('gateway')];
  const read = (file: string): string => readFileSync(file, 'utf8');
  const b = await startCheckedBackend(t, 'b');
  const consul = await startConsul(t, {
    token: 't0ken-of-consul',
    tls: {
      cert: read(server.certFile),
      key: read(server.keyFile),
      ca: read(authority.caFile),
      requestCert: true,
      rejectUnauthorized: true,
    },
  });
  consul.register('web', [instanceOf(b)], 'paris');
  const ssl = {
    trustStore: { type: 'PEM', content: read(authority.caFile) },
    keyStore: { type: 'PEM', certContent: read(client.certFile), keyContent: read(client.keyFile) },
  };
  const asked = { dc: 'paris', acl: 't0ken-of-consul' };
  const gateway = await startFindingGateway(t, {
    api: grouped('api', byConsul(consul, { ...asked, ssl })),
    untrusting: grouped('untrusting', byConsul(consul, asked)),
    wrong: grouped('wrong', byConsul(consul, { ...asked, acl: 'wr0ng-token', ssl })),
  });
  await gateway.meets('b');
  assert.equal((await gateway.call('/untrusting')).status, 503);
  await eventually(
    async () => (await gateway.shown()).filter(({ problem }) => problem !== undefined).length === 2,
  );
  assert.ok(consul.asked.every(({ url }) => url.includes('dc=paris')));
  const said = `${gateway.logged.join('\n')}${JSON.stringify(await gateway.shown())}`;
  assert.ok(!said.includes('t0ken-of-consul') && !said.includes('wr0ng-token'));
});

test('health checks, failover and routes by name hold for what is found', async (t) => {
  const [b, c] = await startCheckedBackends(t, 'bc');
  assert.ok(b !== undefined && c !== undefined);
  const consul = await startConsul(t);
  consul.register('web', [instanceOf(b), instanceOf(c)]);
  const services = {
    ...byConsul(consul).services,
    ...everySecond({ failureThreshold: 1, successThreshold: 1 }),
  };
  const routes = flow('/to', {
    request: [['dynamic-routing', { rules: [{ pattern: '/to/(.*)', url: 'consul#{#group[0]}:/' }] }]],
  });
  const gateway = await startFindingGateway(
    t,
    {
      api: grouped('api', { services }, { flows: [routes] }),
      again: grouped('again', byConsul(consul), {
        failover: { enabled: true, maxRetries: 1, forceNextEndpointOnFailure: true },
      }),
    },
    { ...quickly(), healthCheck: { jitterMsMax: 0 } },
  );
  await gateway.meets('b c');
  await gateway.meets('c', '/api/to/c');
  b.health = 500;
  await eventually(async () => gateway.meets('c').then(() => true), { timeoutMs: 5_000 });
  const { data } = (await (await fetch(`${gateway.nodeApi}/endpoints`)).json()) as {
    readonly data: readonly { readonly endpoint: string; readonly state: string }[];
  };
  assert.deepEqual(
    data.map(({ endpoint, state }) => `${endpoint} ${state}`),
    ['consul#b DOWN', 'consul#c UP'],
  );
  consul.register('web', [instanceOf(c), { id: 'gone', address: '127.0.0.1', port: 1 }]);
  await eventually(async () =>
    (await gateway.shown())[1]?.endpoints?.some(({ name }) => name === 'consul#gone'),
  );
  await gateway.meets('c', '/again');
});

test('a new revision goes on with what is known while it asks for the same, whatever else it says', async (t) => {
  const [b, c] = await startCheckedBackends(t, 'bc');
  assert.ok(b !== undefined && c !== undefined);
  const consul = await startConsul(t);
  consul.register('web', [instanceOf(b)]);
  consul.register('other', [instanceOf(c)]);
  const gateway = await startFindingGateway(t, { api: grouped('api', byConsul(consul)) });
  await gateway.meets('b');
  consul.fault = { kind: 'status', status: 500 };
  consul.cut();
  await gateway.problem();
  // Another token, another revision: nobody can be asked, and nobody has to be.
  gateway.write('api', grouped('api', { ...byConsul(consul, { acl: 'new' }) }, { apiVersion: '2' }));
  await eventually(() => consul.asked.at(-1)?.token === 'new');
  assert.equal((await gateway.call('/api')).text, 'b');
  consul.fault = undefined;
  gateway.write('api', grouped('api', byConsul(consul, { service: 'other' })));
  await gateway.meets('c');
  gateway.write('api', grouped('api', { endpoints: endpointsOf([b]) }));
  await eventually(() => consul.waiting() === 0);
  assert.deepEqual(await gateway.shown(), []);
});

test('where Consul itself may not be called the API is refused by name; past the bound of groups as well', async (t) => {
  const consul = await startConsul(t);
  const gateway = await startFindingGateway(
    t,
    {
      ok: grouped('ok', byConsul(consul)),
      denied: grouped('denied', byConsul({ url: 'http://169.254.169.254' })),
    },
    quickly({ groupsMax: 1 }),
  );
  const refused = (id: string): string =>
    gateway.logged.find((line) => line.includes('refused') && line.includes(`"id":"${id}"`)) ?? '';
  assert.match(
    refused('denied'),
    /services\.discovery\.configuration\.url.*169\.254\.169\.254:80, which this gateway may not call/,
  );
  gateway.write('more', grouped('more', byConsul(consul)));
  assert.match(await eventually(() => refused('more')), /discovery\.groupsMax/);
});
