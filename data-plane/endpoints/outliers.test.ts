import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';

import { createFakeClock } from '../../test/kit/fake-clock.ts';
import { apiDefinition, startLocalGateway } from '../../test/kit/gateway/gateway.ts';

interface Backend {
  readonly name: string;
  readonly url: string;
  /** What it answers; `cut` breaks the connection. */
  status: number | 'cut';
}

async function startBackends(t: TestContext, names: string): Promise<readonly Backend[]> {
  return Promise.all(
    names.split('').map(async (name) => {
      const backend = { name, url: '', status: 200 as Backend['status'] };
      const server = createServer((incoming, answer) => {
        if (backend.status === 'cut') incoming.socket.destroy();
        else answer.writeHead(backend.status).end(name);
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      t.after(() => server.close().closeAllConnections());
      backend.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      return backend;
    }),
  );
}

/** A gateway that takes endpoints out after three failures in a row, and what its requests find. */
async function startGateway(t: TestContext, backends: readonly Backend[], outlierDetection: object) {
  const clock = createFakeClock();
  const endpoints = backends.map(({ name, url }) => ({
    name,
    type: 'http-proxy',
    configuration: { target: url },
  }));
  const api = apiDefinition('api', '', { endpointGroups: [{ name: 'g', type: 'http-proxy', endpoints }] });
  const gateway = await startLocalGateway(t, {
    apis: { api },
    clock,
    config: { upstream: { outlierDetection } },
  });
  const found = async (count: number): Promise<string> => {
    const all: string[] = [];
    for (let at = 0; at < count; at += 1) {
      const { status, text } = await gateway.call('/api');
      all.push(status === 200 ? text : String(status));
    }
    return all.join(' ');
  };
  const count = async (): Promise<string | undefined> => {
    const metrics = await (await fetch(`${gateway.nodeApi}/metrics`)).text();
    return /^isthmus_endpoint_ejections_total (\d+)$/m.exec(metrics)?.[1];
  };
  const told = () => gateway.logged.filter((line) => line.includes('gets no requests'));
  return { clock, found, count, told };
}

const settings = { consecutive5xx: 3, baseEjectionMs: 1_000, maxEjectionMs: 2_500 };

test('an endpoint whose requests fail in a row gets none for a while, longer each time that it comes back no better, to a bound', async (t) => {
  const backends = await startBackends(t, 'ab');
  const [, b] = backends;
  assert.ok(b !== undefined);
  const { clock, found, count, told } = await startGateway(t, backends, settings);
  b.status = 503;
  assert.equal(await found(6), 'a 503 a 503 a 503');
  for (const [ms, way] of [
    [1_000, 'cut'],
    [2_000, 500],
    [2_500, 503],
  ] as const) {
    assert.equal(await found(3), 'a a a');
    await clock.advance(ms - 1);
    assert.equal(await found(2), 'a a', `${ms} ms`);
    await clock.advance(1);
    b.status = way;
    const failure = way === 'cut' ? 502 : way;
    assert.equal(await found(6), `a ${failure} a ${failure} a ${failure}`);
  }
  await clock.advance(2_500);
  b.status = 200;
  assert.equal(await found(4), 'a b a b');
  await clock.advance(2_500);
  b.status = 503;
  await found(6);
  await clock.advance(1_000);
  b.status = 200;
  assert.equal(await count(), '5');
  assert.deepEqual(
    told().map((line) => (JSON.parse(line) as { readonly forMs: number }).forMs),
    [1_000, 2_000, 2_500, 2_500, 1_000],
  );
  assert.match(await found(2), /b/, 'who did well for as long as he was out begins anew');
});

test('a success in between counts from the beginning, a refusal of the client is a success, and the last endpoint of a group stays', async (t) => {
  const backends = await startBackends(t, 'ab');
  const [a, b] = backends;
  assert.ok(a !== undefined && b !== undefined);
  const { found } = await startGateway(t, backends, settings);
  b.status = 500;
  await found(4);
  b.status = 404;
  await found(2);
  b.status = 500;
  await found(4);
  assert.equal(await found(2), 'a 500');
  assert.equal(await found(2), 'a a');
  a.status = 500;
  assert.equal(await found(5), '500 500 500 500 500');
  a.status = 200;
  assert.equal(await found(2), 'a a');
});

test('nothing is taken out unless the settings say so', async (t) => {
  const backends = await startBackends(t, 'ab');
  for (const backend of backends) backend.status = backend.name === 'b' ? 500 : 200;
  const { found } = await startGateway(t, backends, {});
  assert.equal(await found(12), 'a 500 '.repeat(6).trim());
});
