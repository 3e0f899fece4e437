import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ownUrlHosts } from '../../proto/process/outbound/own-doors.ts';
import {
  endpointsOf,
  everySecond,
  groupOf,
  startCheckedBackend,
  startCheckingGateway,
} from '../../test/kit/gateway/endpoints/checked.ts';
import { freePort } from '../../test/kit/processes/processes.ts';
import { eventually } from '../../test/kit/eventually.ts';
import { apiDefinition, flow, startLocalGateway } from '../../test/kit/gateway/gateway.ts';

/** Goes where its caller says. */
const routed = (target: string) =>
  apiDefinition('routed', target, {
    flows: [
      flow('/', {
        request: [['dynamic-routing', { rules: [{ pattern: '/.*', url: "{#request.headers['to'][0]}" }] }]],
      }),
    ],
  });

/** What a caller may choose is not what he may reach. */
const anybody = ['0.0.0.0/0', '::/0', 'localhost', ...ownUrlHosts()];
const hosts = ['127.0.0.1', '127.1', '2130706433', '[::1]', '[::ffff:127.0.0.1]', 'localhost', 'LOCALHOST'];

test('no definition and no caller of one leads to the node API of the gateway, however its address is spelled', async (t) => {
  const backend = await startCheckedBackend(t, 'a');
  // On all addresses, so that each spelling would reach it; the port is known only when it listens.
  const gateway = await startLocalGateway(t, {
    apis: { routed: routed(backend.url) },
    config: { admin: { host: '::', port: 0 }, upstream: { chosenByRequests: anybody } },
  });
  const port = gateway.adminPort;
  const go = async (to: string, method = 'GET') =>
    (await gateway.call('/routed/', { method, headers: { to } })).status;
  assert.equal(await go(`${backend.url}/elsewhere`), 200);
  const spellings = [...hosts, '0.0.0.0', '[::]', ...ownUrlHosts()];
  for (const host of spellings) {
    const url = `http://${host}:${port}`;
    assert.equal((await fetch(`${url}/metrics`)).status, 200, host);
    assert.equal(await go(`${url}/metrics`), 503, host);
    assert.equal(await go(`${url}/workers/_replace`, 'POST'), 503, host);
  }

  spellings.forEach((host, at) => gateway.write(`a${at}`, apiDefinition(`a${at}`, `http://${host}:${port}`)));
  const problems = await eventually(async () => {
    const answer = await fetch(`${gateway.nodeApi}/health/ready`);
    const told = (await answer.json()) as { readonly problems: readonly { readonly reason: string }[] };
    return told.problems.length === spellings.length && told.problems;
  });
  for (const { reason } of problems)
    assert.match(
      reason,
      /endpoints\[0\]\.configuration\.target leads to .*, which this gateway may not call/,
    );
});

test('a redirect and a health check lead to no node API either', async (t) => {
  const [backend, checked] = [await startCheckedBackend(t, 'a'), await startCheckedBackend(t, 'b')];
  const port = await freePort();
  const following = { sharedConfiguration: { http: { followRedirects: true } } };
  const services = everySecond({ target: "{#properties['own']}", failureThreshold: 1 });
  const gateway = await startCheckingGateway(
    t,
    {
      redirected: apiDefinition('redirected', '', groupOf(endpointsOf([backend]), following)),
      checked: apiDefinition('checked', '', {
        ...groupOf(endpointsOf([checked]), { services }),
        properties: [{ key: 'own', value: `http://localhost:${port}/health` }],
      }),
    },
    { admin: { port } },
  );
  assert.equal((await gateway.call('/redirected')).status, 200);
  backend.redirectTo = `${checked.url}/`;
  assert.equal((await gateway.call('/redirected')).text, 'b');
  for (const host of ['127.0.0.1', 'localhost']) {
    backend.redirectTo = `http://${host}:${port}/metrics`;
    // What cannot be followed is the client's, as it came.
    const { status, text } = await gateway.call('/redirected');
    assert.deepEqual([status, text], [302, 'a'], host);
  }
  await gateway.tick([], 'b DOWN');
});
