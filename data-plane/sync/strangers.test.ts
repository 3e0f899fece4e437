import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '../../proto/process/clock.ts';
import { createOutbound, toOutboundOptions } from '../../proto/process/outbound/outbound.ts';
import { outboundSettings } from '../../proto/process/outbound/settings.ts';
import { openKeyring } from '../../proto/process/secrets.ts';
import { eventually } from '../../test/kit/eventually.ts';
import { createMemoryRepository } from '../../test/kit/bridge/memory-repository.ts';
import { startStranger, type StrangersAnswer } from '../../test/kit/bridge/stranger.ts';
import { identityOf, startSyncGateway } from '../../test/kit/gateway/sync-gateway.ts';
import { tempDir } from '../../test/kit/temp-dir.ts';
import { startTestBridge } from '../../test/kit/bridge/test-bridge.ts';
import { enrol } from './enrol.ts';

const say =
  (status: number, type: string, body = ''): StrangersAnswer =>
  (_incoming, outgoing) =>
    void outgoing.writeHead(status, { 'content-type': type, server: 'captive/1.0' }).end(body);
const page = '<html>Please log in</html>';

test('who answers a poll or a snapshot in the place of the bridge is named, and no try follows at once', async (t) => {
  const bridge = await startTestBridge(t, { limits: { pollEveryMs: 50 } });
  const stranger = await startStranger(t, bridge.url);
  bridge.alsoAt(stranger.url);
  bridge.repository.publish('dev', [{ kind: 'api', id: 'a', payload: Buffer.from('a') }]);
  const identity = identityOf(bridge.repository, bridge.repository.addGateway(), stranger.url);
  stranger.answers(say(200, 'text/html', page));
  const gateway = startSyncGateway({
    dir: tempDir(t),
    url: stranger.url,
    identity,
    timings: { pollWaitSeconds: 1, streamFailuresMax: 1 },
  });
  t.after(() => gateway.close());
  for (const [answer, reason] of [
    [say(200, 'text/html', page), /200 text\/html by captive\/1\.0: not the bridge's answer/],
    [say(204, 'text/plain'), /204 text\/plain/],
    [say(302, 'text/html'), /302 text\/html/],
    [say(200, 'application/vnd.isthmus.frames'), /200 application\/vnd\.isthmus\.frames by captive/],
  ] as const) {
    stranger.answers(answer);
    await eventually(() => reason.test(gateway.sync.state().lastError ?? ''), { timeoutMs: 30_000 });
    assert.equal(gateway.sync.state().isConnected, false);
    assert.equal(gateway.served.size, 0);
  }
  stranger.answers(undefined);
  await eventually(() => gateway.served.has('dev/api/a'), { timeoutMs: 30_000 });
});

test('who answers for a nonce or a seat is named, and gives no seat', async (t) => {
  const nonce = { 'x-isthmus-nonce': 'A'.repeat(32) };
  const server = createServer((_incoming, outgoing) => {
    outgoing.writeHead(200, { 'content-type': 'text/html', server: 'captive/1.0', ...nonce }).end(page);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const repository = createMemoryRepository({ environments: ['dev'] });
  const identity = identityOf(repository, repository.addGateway(), url);
  const dir = tempDir(t);
  const gateway = startSyncGateway({ dir, url, identity, timings: { streamFailuresMax: 1 } });
  t.after(() => gateway.close());
  await eventually(
    () =>
      /200 text\/html by captive\/1\.0: not the bridge's answer/.test(gateway.sync.state().lastError ?? ''),
    { timeoutMs: 30_000 },
  );
  assert.equal(gateway.sync.state().isConnected, false);
});

test('who answers an enrolment in the place of the bridge makes nobody a gateway, and the token stays good', async (t) => {
  const bridge = await startTestBridge(t);
  const stranger = await startStranger(t, bridge.url);
  const dir = tempDir(t);
  const outbound = createOutbound(
    toOutboundOptions(outboundSettings.parse({ allow: ['127.0.0.1'] }), 'private', {}),
  );
  t.after(() => outbound.close());
  const token = bridge.repository.createToken({ usesMax: 1 });
  const options = {
    token,
    dir,
    keyring: openKeyring({ dir: join(dir, 'secrets') }),
    outbound,
    clock: systemClock,
    version: '1.0.0',
    bridgeUrl: stranger.url,
  };
  const others = {
    gateway: 'g-other',
    organization: 'org-1',
    fleet: 'fleet-1',
    environments: ['dev'],
    tags: [],
    signingKey: 'A'.repeat(43),
    bridgeTimeMs: 1,
  };
  for (const answer of [
    say(200, 'text/html', page),
    say(201, 'text/html', page),
    say(302, 'text/html'),
    say(403, 'text/html', page),
    say(201, 'application/json', JSON.stringify(others)),
    say(200, 'application/json', JSON.stringify(others)),
  ]) {
    stranger.answers(answer);
    await assert.rejects(enrol(options), { code: 'enrolment.refused', message: /Somebody between.*captive/ });
    assert.ok(!existsSync(join(dir, 'identity.json')));
  }
  stranger.answers(undefined);
  assert.equal((await enrol(options)).organization, 'org-1');
});
