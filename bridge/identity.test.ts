import assert from 'node:assert/strict';
import { request } from 'node:http';
import { test } from 'node:test';
import { encodeFrame } from '../proto/wire/frames.ts';
import type { SeatRole } from '../proto/trust/seats.ts';
import { batchOf } from '../test/kit/bridge/bridge-calls.ts';
import {
  emptyReport,
  assertionFor,
  claimSeat,
  nonceOf,
  openStream,
  type AssertionWish,
} from '../test/kit/bridge/bridge-client.ts';
import { eventually } from '../test/kit/eventually.ts';
import { createMemoryRepository, type MemoryGateway } from '../test/kit/bridge/memory-repository.ts';
import { startTestBridge, type TestBridge } from '../test/kit/bridge/test-bridge.ts';

const codeOf = async (answer: Response): Promise<string> => ((await answer.json()) as { code: string }).code;

/** Presents a proof at a door and says the status and code. */
async function knock(
  bridge: TestBridge,
  gateway: MemoryGateway,
  { path, init = {}, ...wish }: AssertionWish & { readonly path: string; readonly init?: RequestInit },
): Promise<readonly [number, string]> {
  const token = await assertionFor(gateway, bridge.url, wish);
  const answer = await fetch(`${bridge.url}${path}`, {
    ...init,
    headers: { authorization: `Bearer ${token}` },
  });
  return [answer.status, answer.ok ? '' : await codeOf(answer)];
}

const cloned = (bridge: TestBridge, text: string): boolean =>
  bridge.repository.events.some(({ kind, detail }) => kind === 'identity.cloned' && detail.includes(text));

test('a proof is taken once, by whichever bridge on one database, also after a restart', async (t) => {
  const repository = createMemoryRepository();
  const one = await startTestBridge(t, { repository });
  const other = await startTestBridge(t, { repository });
  one.alsoAt('https://bridge.example');
  other.alsoAt('https://bridge.example');
  const gateway = repository.addGateway();
  const audience = 'https://bridge.example';
  await claimSeat(gateway, one.url, { audience });
  const token = await assertionFor(gateway, one.url, { audience });
  const ask = (bridge: TestBridge): Promise<Response> =>
    fetch(`${bridge.url}/bridge/v1/changes?environment=dev`, {
      headers: { authorization: `Bearer ${token}` },
    });
  assert.equal((await ask(other)).status, 200, 'a nonce of one bridge is good at the other');
  for (const bridge of [one, other]) assert.equal(await codeOf(await ask(bridge)), 'trust.replayed');
  await one.close();
  const restarted = await startTestBridge(t, { repository });
  restarted.alsoAt(audience);
  assert.equal(await codeOf(await ask(restarted)), 'trust.replayed');
  await eventually(() => repository.events.some(({ kind }) => kind === 'assertion.replayed'));
});

test('a proof made for another bridge is refused, whatever the request says of its host', async (t) => {
  const bridge = await startTestBridge(t);
  const gateway = bridge.repository.addGateway();
  const token = await assertionFor(gateway, bridge.url, { audience: 'http://evil.example' });
  const status = await new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}`, host: 'evil.example' };
    request(`${bridge.url}/bridge/v1/changes?environment=dev`, { headers }, (answer) => {
      resolve([answer.statusCode, answer.headers['x-isthmus-code']]);
      answer.resume();
    })
      .on('error', reject)
      .end();
  });
  assert.deepEqual(status, [401, 'trust.wrong_audience']);
});

test('a bridge that listens on every address refuses to start without its name', async (t) => {
  const start = (listen: object, publicUrls: readonly string[] = []): Promise<TestBridge> =>
    startTestBridge(t, { listen, publicUrls, isNameless: true });
  await assert.rejects(start({ host: '0.0.0.0', port: 0 }), (error: Error & { details?: unknown }) => {
    assert.match(JSON.stringify(error.details), /"path":"publicUrls"/);
    return true;
  });
  await start({ host: '0.0.0.0', port: 0 }, ['https://bridge.example']);
  const local = await start({ host: '127.0.0.1', port: 0 });
  const gateway = local.repository.addGateway();
  assert.equal((await claimSeat(gateway, local.url)).status, 200);
  const evil = { audience: local.url.replace('127.0.0.1', 'bridge.example') };
  assert.equal((await claimSeat(gateway, local.url, evil)).status, 401);
});

test('a nonce costs no query and no row, and a proof over anything else costs none either', async (t) => {
  const bridge = await startTestBridge(t);
  const gateway = bridge.repository.addGateway();
  const nonces = new Set(await Promise.all(Array.from({ length: 50 }, () => nonceOf(bridge.url))));
  assert.equal(nonces.size, 50);
  // With the database away nonces go on for a while: that a proof cannot be judged is said with 503, not 401.
  bridge.repository.setAway(true);
  assert.match(await nonceOf(bridge.url), /^[A-Za-z0-9_-]{62}$/);
  const bad = { path: '/bridge/v1/changes?environment=dev', nonce: 'A'.repeat(62) };
  assert.deepEqual(await knock(bridge, gateway, bad), [401, 'trust.bad_nonce']);
  assert.deepEqual(await knock(bridge, gateway, { path: bad.path }), [503, 'storage.unavailable']);
});

test('a refusal brings the next nonce, so that a wrong one costs one round trip', async (t) => {
  const bridge = await startTestBridge(t);
  const gateway = bridge.repository.addGateway();
  const token = await assertionFor(gateway, bridge.url, { nonce: 'A'.repeat(62) });
  const answer = await fetch(`${bridge.url}/bridge/v1/seat`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
  });
  const nonce = answer.headers.get('x-isthmus-nonce') ?? '';
  assert.equal((await claimSeat(gateway, bridge.url, { nonce })).status, 200);
});

test('a copy is refused and reported at every door', async (t) => {
  const bridge = await startTestBridge(t);
  const gateway = bridge.repository.addGateway();
  const { key, bytes } = batchOf(gateway);
  for (const role of ['gateway', 'shipper'] as const) await claimSeat(gateway, bridge.url, { role });
  const body = Buffer.from(encodeFrame({ kind: 'heartbeat', report: emptyReport }));
  const doors = [
    { name: 'poll', path: '/bridge/v1/changes?environment=dev' },
    { name: 'snapshot', path: '/bridge/v1/snapshot?environment=dev' },
    { name: 'heartbeat', path: '/bridge/v1/heartbeat', init: { method: 'POST', body } },
    {
      name: 'upload',
      path: `/bridge/v1/uploads/${key}`,
      role: 'shipper',
      init: { method: 'PUT', body: bytes },
    },
  ] as const;
  for (const { name, ...door } of doors) {
    const outcome = await knock(bridge, gateway, { ...door, instance: `copy-${name}` });
    assert.deepEqual(outcome, [403, 'bridge.identity_in_use'], name);
    await eventually(() => cloned(bridge, `copy-${name}`));
  }
  const stream = await openStream({ gateway, url: bridge.url, instance: 'copy-stream', isUnseated: true });
  assert.equal((await stream.refused).body.code, 'bridge.identity_in_use');
  await eventually(() => cloned(bridge, 'copy-stream'));
  assert.equal((await claimSeat(gateway, bridge.url, { instance: 'copy-seat', ticket: null })).status, 403);
  // That one might be the restart of a dead process: it is a copy as soon as the other shows life.
  await knock(bridge, gateway, { path: '/bridge/v1/snapshot?environment=dev' });
  await eventually(() => cloned(bridge, 'copy-seat'));
  assert.equal(bridge.repository.reports.size, 0);
  assert.equal(bridge.blobs.objects.size, 0);
});

test('bridges on one database see the same seat', async (t) => {
  const repository = createMemoryRepository();
  const limits = { seatLeaseMs: 300, pingEveryMs: 200 };
  const one = await startTestBridge(t, { repository, limits });
  const other = await startTestBridge(t, { repository, limits });
  const gateway = repository.addGateway();
  const client = await openStream({ gateway, url: one.url, instance: 'first' });
  await eventually(() => client.frames.length > 0);
  // A copy with the very same ticket, at the other bridge, also long after the first lease would have ended.
  const ask = (): Promise<Response> => claimSeat(gateway, other.url, { instance: 'copy' });
  assert.equal((await ask()).status, 403);
  await eventually(() => cloned(other, 'copy'));
  assert.equal((await ask()).status, 403);
  assert.equal(client.socket.readyState, client.socket.OPEN);
  // The process ends: its seat is free at every bridge.
  client.socket.terminate();
  await eventually(async () => (await ask()).status === 200);
});

test('a copy that came first is reported when the other returns, and reseat settles it', async (t) => {
  const bridge = await startTestBridge(t, { limits: { seatLeaseMs: 100 } });
  const { repository, url } = bridge;
  const gateway = repository.addGateway();
  const first = (await (await claimSeat(gateway, url, { instance: 'original', ticket: null })).json()) as {
    ticket: string;
  };
  const copied = { instance: 'copy', ticket: first.ticket };
  await eventually(async () => (await claimSeat(gateway, url, copied)).status === 200);
  assert.ok(!repository.events.some(({ kind }) => kind === 'identity.cloned'));
  const taken = (await (await claimSeat(gateway, url, copied)).json()) as { ticket: string };
  const copy = await openStream({
    gateway,
    url,
    token: await assertionFor(gateway, url, copied),
    instance: 'copy',
  });
  await eventually(() => copy.frames.length > 0);
  await claimSeat(gateway, url, { ...copied, ticket: taken.ticket });
  const back = { instance: 'original', ticket: first.ticket };
  assert.equal((await claimSeat(gateway, url, back)).status, 403);
  await eventually(() => cloned(bridge, 'original'));
  repository.reseat(gateway.identity.id, 'original');
  assert.equal((await claimSeat(gateway, url, back)).status, 200);
  assert.equal((await copy.closed).frame?.code, 'bridge.identity_in_use');
  assert.equal((await claimSeat(gateway, url, { ...copied, ticket: taken.ticket })).status, 403);
});

test('a copy that came first and is gone is reported when the other returns, whichever door it went through', async (t) => {
  const bridge = await startTestBridge(t, { limits: { seatLeaseMs: 50 } });
  bridge.repository.publish('dev', [{ kind: 'api', id: 'a', payload: new Uint8Array(1) }]);
  for (const door of ['poll', 'snapshot', 'heartbeat', 'upload', 'stream'] as const) {
    const gateway = bridge.repository.addGateway();
    const { key, bytes } = batchOf(gateway);
    const role: SeatRole = door === 'upload' ? 'shipper' : 'gateway';
    const claim = async (instance: string, ticket: string | null): Promise<string> => {
      const answer = await eventually(async () => {
        const claimed = await claimSeat(gateway, bridge.url, { instance, role, ticket });
        return claimed.ok && claimed;
      });
      return ((await answer.json()) as { ticket: string }).ticket;
    };
    const through = async (instance: string): Promise<void> => {
      const body = Buffer.from(encodeFrame({ kind: 'heartbeat', report: emptyReport }));
      const [path, init] = {
        poll: ['changes?environment=dev'] as const,
        snapshot: ['snapshot?environment=dev'] as const,
        heartbeat: ['heartbeat', { method: 'POST', body }] as const,
        upload: [`uploads/${key}`, { method: 'PUT', body: bytes }] as const,
        stream: [''] as const,
      }[door];
      if (door === 'stream') {
        const token = await assertionFor(gateway, bridge.url, { instance });
        const stream = await openStream({ gateway, url: bridge.url, token, instance });
        await eventually(() => stream.frames.length > 0);
        stream.socket.terminate();
        return;
      }
      const wish = { path: `/bridge/v1/${path}`, instance, role, init: init ?? {} };
      assert.ok((await knock(bridge, gateway, wish))[0] < 300, door);
    };
    const copied = await claim(`original of ${door}`, null);
    await through(`original of ${door}`);
    await claim(`copy by ${door}`, copied);
    await through(`copy by ${door}`);
    assert.ok(!cloned(bridge, door), 'nobody can know yet');
    await claim(`restarted original of ${door}`, copied);
    await eventually(() => cloned(bridge, `copy by ${door}`));
  }
});

test('what a process has under way ends when its seat goes to another or its identity is revoked: no poll brings a change, no upload lands', async (t) => {
  for (const end of ['reseated', 'revoked'] as const) {
    const bridge = await startTestBridge(t, { limits: { seatLeaseMs: 150 } });
    const { repository, url } = bridge;
    const gateway = repository.addGateway();
    repository.publish('dev', [{ kind: 'api', id: 'a', payload: new Uint8Array(1) }]);
    for (const role of ['gateway', 'shipper'] as const)
      await claimSeat(gateway, url, { instance: 'first', role, ticket: null });
    const { key, bytes } = batchOf(gateway);
    const poll = fetch(`${url}/bridge/v1/changes?environment=dev&cursor=1.1&wait=20`, {
      headers: { authorization: `Bearer ${await assertionFor(gateway, url, { instance: 'first' })}` },
    }).then(
      ({ status }) => status,
      () => 'cut' as const,
    );
    const token = await assertionFor(gateway, url, { instance: 'first', role: 'shipper' });
    const upload = request(`${url}/bridge/v1/uploads/${key}`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${token}`, 'content-length': bytes.length },
    });
    const isCut = new Promise<boolean>((resolve) => {
      upload
        .on('error', () => resolve(true))
        .on('response', ({ statusCode = 0 }) => resolve(statusCode >= 400));
    });
    upload.write(bytes.subarray(0, 1));
    await eventually(() => repository.seats.size === 2);
    if (end === 'revoked') repository.revoke(gateway.identity.id);
    else
      for (const role of ['gateway', 'shipper'] as const) {
        await claimSeat(gateway, url, { instance: 'other', role, ticket: null });
        repository.reseat(gateway.identity.id, 'other');
      }
    assert.equal(await isCut, true, end);
    const outcome = await poll;
    assert.ok(outcome === 'cut' || outcome >= 400, `${end}: ${outcome}`);
    assert.equal(bridge.blobs.objects.size, 0);
    upload.destroy();
  }
});

test('a poller that was killed has its seat back at once, since the bridge saw it go', async (t) => {
  const bridge = await startTestBridge(t, { limits: { seatLeaseMs: 60_000 } });
  const gateway = bridge.repository.addGateway();
  bridge.repository.publish('dev', [{ kind: 'api', id: 'a', payload: new Uint8Array(1) }]);
  await claimSeat(gateway, bridge.url, { instance: 'killed' });
  const token = await assertionFor(gateway, bridge.url, { instance: 'killed' });
  const asked = request(`${bridge.url}/bridge/v1/changes?environment=dev&cursor=1.1&wait=20`, {
    headers: { authorization: `Bearer ${token}` },
    agent: false,
  });
  asked.on('error', () => undefined).end();
  await new Promise((resolve) => asked.on('socket', (socket) => socket.once('connect', resolve)));
  await eventually(async () => {
    // Until the poll waits there is nothing to see going.
    const { key } = batchOf(gateway);
    return key !== '' && (await claimSeat(gateway, bridge.url, { instance: 'early' })).status === 403;
  });
  asked.destroy();
  await eventually(
    async () => (await claimSeat(gateway, bridge.url, { instance: 'restarted' })).status === 200,
  );
  assert.ok(!cloned(bridge, 'restarted'));
});
