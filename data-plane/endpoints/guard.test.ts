import assert from 'node:assert/strict';
import { test } from 'node:test';

import { apiDefinition, startLocalGateway } from '../../test/kit/gateway/gateway.ts';
import {
  endpointsOf,
  everySecond,
  groupOf,
  startCheckedBackend,
  startCheckingGateway,
} from '../../test/kit/gateway/endpoints/checked.ts';
import { startUpstream } from '../../test/kit/servers/upstream.ts';

const metadata = [
  'http://169.254.169.254/latest/meta-data/',
  'http://[::ffff:169.254.169.254]/',
  'http://[fe80::1]/',
  'http://[fd00:ec2::254]/',
  'http://2852039166/',
  'http://metadata.google.internal/',
  'http://0.0.0.0/',
  'http://224.0.0.1/',
];

test('an endpoint that leads to link-local, metadata, unspecified or multicast addresses is refused with its path', async (t) => {
  const gateway = await startLocalGateway(t, {
    apis: Object.fromEntries(metadata.map((url, at) => [`a${at}`, apiDefinition(`a${at}`, url)])),
  });
  const answer = await fetch(`${gateway.nodeApi}/health/ready`);
  const { problems } = (await answer.json()) as { readonly problems: readonly { readonly reason: string }[] };
  assert.equal(problems.length, metadata.length);
  for (const { reason } of problems)
    assert.match(
      reason,
      /endpointGroups\[0\]\.endpoints\[0\]\.configuration\.target leads to .*, which this gateway may not call/,
    );
});

test('what upstream.allow lists may be called, what upstream.deny lists may not, allowed or not', async (t) => {
  const { url } = await startUpstream(t);
  const { port } = new URL(url);
  const start = async (upstream: object) => {
    const gateway = await startLocalGateway(t, {
      apis: {
        byAddress: apiDefinition('byAddress', `http://127.0.0.1:${port}`),
        byName: apiDefinition('byName', `http://localhost:${port}`),
        linkLocal: apiDefinition('linkLocal', 'http://169.254.1.1/'),
      },
      config: { upstream },
    });
    const { problems } = (await (await fetch(`${gateway.nodeApi}/health/ready`)).json()) as {
      readonly problems: readonly { readonly file: string }[];
    };
    return { gateway, refused: problems.map(({ file }) => file) };
  };

  const open = await start({ allow: ['169.254.0.0/16'] });
  assert.deepEqual(open.refused, []);
  assert.equal((await open.gateway.call('/byAddress')).status, 200);
  assert.equal((await open.gateway.call('/byName')).status, 200);

  const local = [`127.0.0.0/8:${port}`, `[::1]:${port}`];
  const closed = await start({ allow: ['127.0.0.1', 'localhost'], deny: local });
  assert.deepEqual(closed.refused, ['byAddress.json', 'linkLocal.json']);
  const answer = await closed.gateway.call('/byName', { headers: { Accept: 'application/json' } });
  assert.equal(answer.status, 502);

  const elsewhere = await start({ deny: ['127.0.0.0/8:1'] });
  assert.equal((await elsewhere.gateway.call('/byName')).status, 200);
});

test('a health check leads nowhere where endpoints may not: what is written is refused with its path, what only turns out fails', async (t) => {
  const [backend, denied] = [await startCheckedBackend(t, 'a'), await startCheckedBackend(t, 'b')];
  const { port } = new URL(denied.url);
  const api = (id: string, target: string) => {
    const services = everySecond({ target, failureThreshold: 1 });
    return apiDefinition(id, '', {
      ...groupOf(endpointsOf([backend], { a: { name: id } }), { services }),
      properties: [{ key: 'metadata', value: 'http://169.254.169.254' }],
    });
  };
  const gateway = await startCheckingGateway(
    t,
    {
      written: api('written', 'http://169.254.169.254/latest/meta-data/'),
      named: api('named', `http://localhost:${port}/health`),
      rendered: api('rendered', "{#properties['metadata']}/latest"),
    },
    { upstream: { deny: [`127.0.0.1:${port}`, `[::1]:${port}`] } },
  );
  const ready = await fetch(`${gateway.nodeApi}/health/ready`);
  const { problems } = (await ready.json()) as { readonly problems: readonly { readonly reason: string }[] };
  assert.equal(problems.length, 1);
  assert.match(
    problems[0]?.reason ?? '',
    /endpointGroups\[0\]\.services\.healthCheck\.configuration\.target leads to .*, which this gateway may not call/,
  );
  await gateway.tick([], 'named DOWN, rendered DOWN');
  assert.deepEqual([...backend.checks, ...denied.checks], []);
});

test('an entry that is no name, address, range or URL stops the start and is named', async (t) => {
  await assert.rejects(startLocalGateway(t, { apis: {}, config: { upstream: { deny: ['not a host'] } } }), {
    message: /upstream\.deny: "not a host" is no name, address, CIDR range or URL/,
  });
});
