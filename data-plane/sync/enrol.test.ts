import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { Fault } from '../../proto/faults/fault.ts';
import { systemClock } from '../../proto/process/clock.ts';
import { createOutbound, toOutboundOptions } from '../../proto/process/outbound/outbound.ts';
import { outboundSettings } from '../../proto/process/outbound/settings.ts';
import { openKeyring } from '../../proto/process/secrets.ts';
import { loadIdentity } from '../../proto/trust/identity.ts';
import { eventually } from '../../test/kit/eventually.ts';
import { startSyncGateway } from '../../test/kit/gateway/sync-gateway.ts';
import { freePort } from '../../test/kit/processes/processes.ts';
import { startStranger } from '../../test/kit/bridge/stranger.ts';
import { tempDir } from '../../test/kit/temp-dir.ts';
import { startTestBridge } from '../../test/kit/bridge/test-bridge.ts';
import { ensureIdentity, enrol, type EnrolOptions } from './enrol.ts';

async function world(t: TestContext) {
  const { repository, url } = await startTestBridge(t);
  const dir = tempDir(t, 'enrol');
  const outbound = createOutbound(
    toOutboundOptions(outboundSettings.parse({ allow: ['127.0.0.1'] }), 'private', {}),
  );
  t.after(() => outbound.close());
  const options: Omit<EnrolOptions, 'token'> = {
    dir,
    keyring: openKeyring({ dir: join(dir, 'secrets') }),
    outbound,
    clock: systemClock,
    version: '1.0.0',
    bridgeUrl: url,
  };
  return { repository, url, dir, options };
}

test('a token makes this machine a gateway once; its private keys never lie open', async (t) => {
  const { repository, url, dir, options } = await world(t);
  repository.publish('dev', [{ kind: 'api', id: 'a', payload: Buffer.from('a') }]);
  const token = repository.createToken();
  const identity = await enrol({ ...options, token: `  ${token}\n` });
  assert.deepEqual(
    [identity.organization, identity.fleet, identity.environments],
    ['org-1', 'fleet-1', ['dev']],
  );
  assert.deepEqual(identity.rootKey, repository.root.publicKey);
  const file = join(dir, 'identity.json');
  assert.equal(statSync(file).mode & 0o077, 0);
  const text = readFileSync(file, 'utf8');
  assert.ok(!text.includes(Buffer.from(identity.signing.privateKey).toString('base64')));
  assert.deepEqual(loadIdentity(dir, options.keyring), identity);

  const gateway = startSyncGateway({ dir, url, identity });
  t.after(() => gateway.close());
  await eventually(() => gateway.served.has('dev/api/a'));
  await assert.rejects(enrol({ ...options, token }), { code: 'enrolment.refused', message: /used up/ });
});

test('a token left in the configuration does not enrol again, and none is needed after the first start', async (t) => {
  const { repository, options } = await world(t);
  const token = repository.createToken();
  assert.equal(await ensureIdentity({ ...options, token: undefined }), undefined);
  const first = await ensureIdentity({ ...options, token });
  assert.deepEqual(await ensureIdentity({ ...options, token }), first);
  assert.deepEqual(await ensureIdentity({ ...options, token: undefined }), first);
});

interface BadToken {
  readonly name: string;
  readonly token: (good: string) => string;
  readonly code: string;
}
const badTokens: readonly BadToken[] = [
  { name: 'cut in half', token: (good) => good.slice(0, good.length / 2), code: 'trust.malformed' },
  {
    name: 'with a letter changed',
    token: (good) => `${good.slice(0, -5)}AAAAA`,
    code: 'trust.bad_signature',
  },
  { name: 'of another product', token: () => 'eyJhbGciOiJIUzI1NiJ9.e30.x', code: 'trust.malformed' },
  { name: 'that is empty', token: () => '', code: 'trust.malformed' },
];

for (const { name, token, code } of badTokens) {
  test(`a token ${name} is refused here, before anything is sent or saved`, async (t) => {
    const { repository, dir, options } = await world(t);
    await assert.rejects(enrol({ ...options, token: token(repository.createToken()) }), { code });
    assert.ok(!existsSync(join(dir, 'identity.json')));
  });
}

test('an enrolment whose answer was lost, and again, goes on with the same token and makes one gateway', async (t) => {
  const { repository, dir, options } = await world(t);
  const stranger = await startStranger(t, options.bridgeUrl ?? '');
  const wish = { ...options, bridgeUrl: stranger.url, token: repository.createToken() };
  for (const where of ['astray', 'astray'] as const) {
    stranger.answersGo(where);
    await assert.rejects(enrol(wish), { code: 'outbound.unreachable' });
    assert.ok(!existsSync(join(dir, 'identity.json')));
  }
  const kept = readFileSync(join(dir, 'enrolment.json'), 'utf8');
  assert.ok(!kept.includes(wish.token.slice(0, 40)));
  assert.equal(statSync(join(dir, 'enrolment.json')).mode & 0o077, 0);
  stranger.answersGo('through');
  const identity = await enrol(wish);
  assert.deepEqual(loadIdentity(dir, options.keyring), identity);
  assert.ok(!existsSync(join(dir, 'enrolment.json')));
});

test('what a former enrolment has left is no way in for another token, and nothing that it says is believed', async (t) => {
  const { repository, dir, options } = await world(t);
  const nowhere = `http://127.0.0.1:${await freePort()}`;
  const first = repository.createToken();
  await assert.rejects(enrol({ ...options, bridgeUrl: nowhere, token: first }), {
    code: 'outbound.unreachable',
  });
  const begun = JSON.parse(readFileSync(join(dir, 'enrolment.json'), 'utf8')) as {
    signing: { publicKey: string };
  };
  const other = await enrol({ ...options, token: repository.createToken() });
  assert.notEqual(Buffer.from(other.signing.publicKey).toString('base64'), begun.signing.publicKey);
  for (const text of ['', '{', JSON.stringify({ ...begun, version: 2 })]) {
    writeFileSync(join(dir, 'enrolment.json'), text);
    await enrol({ ...options, token: repository.createToken() });
  }
});

test("an expired token is refused with the bridge's words", async (t) => {
  const { repository, dir, options } = await world(t);
  const token = repository.createToken({ expiresAtMs: Date.now() - 1_000 });
  await assert.rejects(enrol({ ...options, token }), {
    code: 'enrolment.refused',
    message: /trust\.expired/,
  });
  assert.ok(!existsSync(join(dir, 'identity.json')));
});

test('what answers but is no bridge is said so', async (t) => {
  const { repository, options } = await world(t);
  const { createServer } = await import('node:http');
  const server = createServer((_request, answer) => answer.end('{"hello":"there"}'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const { port } = server.address() as { port: number };
  const bridgeUrl = `http://127.0.0.1:${port}`;
  await assert.rejects(enrol({ ...options, bridgeUrl, token: repository.createToken() }), {
    code: 'enrolment.refused',
  });
});

test('a bridge that is away, and a proxy that is, are told by name, once, with what to look at', async (t) => {
  const { options, repository } = await world(t);
  const away = `http://127.0.0.1:${await freePort()}`;
  const token = repository.createToken();
  const refused = async (wish: Partial<EnrolOptions>): Promise<string> => {
    const error: unknown = await enrol({ ...options, token, ...wish }).catch((reason: unknown) => reason);
    assert.ok(error instanceof Fault && error.code === 'outbound.unreachable', String(error));
    assert.equal((error.internal ?? '').match(/ECONNREFUSED/g)?.length, 1);
    return `${error.detail} ${error.hint}`;
  };
  assert.match(
    await refused({ bridgeUrl: away }),
    /127.* cannot be reached: .*firewall.*token is still good/,
  );
  const settings = { allow: ['127.0.0.1'], proxy: { url: away } };
  const outbound = createOutbound(toOutboundOptions(outboundSettings.parse(settings), 'private', {}));
  t.after(() => outbound.close());
  assert.match(await refused({ outbound }), /The proxy cannot be reached.*outbound\.proxy\.url/);
});

test('a token does not leave this machine over plain HTTP beyond loopback, unless the operator allows it', async (t) => {
  const { options, repository } = await world(t);
  const calls: string[] = [];
  const outbound: EnrolOptions['outbound'] = {
    ...options.outbound,
    request(url, wish) {
      calls.push(url);
      return options.outbound.request(url.replace('bridge.example', '127.0.0.1'), wish);
    },
  };
  const bridgeUrl = new URL(options.bridgeUrl ?? '');
  bridgeUrl.hostname = 'bridge.example';
  const wish = { ...options, outbound, bridgeUrl: bridgeUrl.href, token: repository.createToken() };
  await assert.rejects(enrol(wish), { code: 'enrolment.plain_http' });
  assert.deepEqual([calls, loadIdentity(options.dir, options.keyring)], [[], undefined]);
  await enrol({ ...wish, allowPlainHttp: true });
  assert.equal(calls.length, 1);
});
