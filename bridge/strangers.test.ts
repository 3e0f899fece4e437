import assert from 'node:assert/strict';
import { Agent, request, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { test } from 'node:test';
import { encodeFrame } from '../proto/wire/frames.ts';
import { batchOf } from '../test/kit/bridge/bridge-calls.ts';
import {
  emptyReport,
  assertionFor,
  claimSeat,
  nonceOf,
  openStream,
} from '../test/kit/bridge/bridge-client.ts';
import { eventually } from '../test/kit/eventually.ts';
import { createFakeClock } from '../test/kit/fake-clock.ts';
import type { MemoryGateway } from '../test/kit/bridge/memory-repository.ts';
import { startTestBridge } from '../test/kit/bridge/test-bridge.ts';
import { createRates } from './admission/rates.ts';

interface CallWish {
  readonly from?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
  readonly agent?: Agent | false;
}

/** One call from an address of this machine; resolves to the status and the code of a refusal. */
async function call(url: string, wish: CallWish = {}): Promise<string> {
  const { from = '127.0.0.1', body, agent = false, ...rest } = wish;
  const asked = request(url, { ...rest, agent, localAddress: from });
  asked.end(body);
  const answer = await new Promise<IncomingMessage>((resolve, reject) =>
    asked.on('response', resolve).on('error', reject),
  );
  for await (const _ of answer);
  return [answer.statusCode, answer.headers['x-isthmus-code']].filter(Boolean).join(' ');
}

/** A proof over a nonce that came on a connection of its own, as of a gateway elsewhere. */
async function proofOf(gateway: MemoryGateway, url: string): Promise<string> {
  const asked = request(`${url}/bridge/v1/nonce`, { agent: false });
  asked.end();
  const answer = await new Promise<IncomingMessage>((resolve) => asked.on('response', resolve));
  answer.resume();
  const nonce = String(answer.headers['x-isthmus-nonce']);
  return `Bearer ${await assertionFor(gateway, url, { nonce })}`;
}

const times = (count: number, ask: () => Promise<string>): Promise<readonly string[]> =>
  Promise.all(Array.from({ length: count }, ask));
const counted = (answers: readonly string[], answer: string): number =>
  answers.filter((each) => each === answer).length;

test('one source that asks for nonces, or guesses, without end has to wait; other sources and proven connections do not', async (t) => {
  const limits = { strangerCallsPerSourcePerSecondMax: 20 };
  const bridge = await startTestBridge(t, { limits });
  const gateway = bridge.repository.addGateway();
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => agent.destroy());
  const from = '127.0.0.9';
  await claimSeat(gateway, bridge.url);
  const heartbeat = async (): Promise<string> => {
    const token = await assertionFor(gateway, bridge.url);
    const body = encodeFrame({ kind: 'heartbeat', report: emptyReport });
    const headers = { authorization: `Bearer ${token}` };
    return call(`${bridge.url}/bridge/v1/heartbeat`, { method: 'POST', headers, body, from, agent });
  };
  assert.equal(await heartbeat(), '200');
  for (const [name, ask] of [
    ['nonces', () => call(`${bridge.url}/bridge/v1/nonce`, { from })],
    ['paths that there are not', () => call(`${bridge.url}/bridge/v1/nothing`, { from })],
    [
      'proofs over nothing',
      () => call(`${bridge.url}/bridge/v1/snapshot`, { from, headers: { authorization: 'Bearer x.y.z' } }),
    ],
    ['upgrades', () => call(`${bridge.url}/bridge/v1/stream`, { from, headers: upgrade })],
  ] as const) {
    const answers = await times(200, ask);
    assert.ok(counted(answers, '429 request.too_many') > 100, `${name}: ${JSON.stringify(answers)}`);
    assert.equal(await call(`${bridge.url}/bridge/v1/nonce`, { from: '127.0.0.10' }), '200', name);
    // The same source, on a connection on which somebody has proven himself.
    assert.equal(await heartbeat(), '200', name);
  }
  await eventually(async () => (await call(`${bridge.url}/bridge/v1/nonce`, { from })) === '200');
});

const upgrade = {
  connection: 'Upgrade',
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': 'x'.repeat(22),
};

test('a refusal for too many calls brings no nonce, and costs no query', async (t) => {
  const bridge = await startTestBridge(t, { limits: { strangerCallsPerSourcePerSecondMax: 1 } });
  await nonceOf(bridge.url);
  const answer = await fetch(`${bridge.url}/bridge/v1/nonce`);
  assert.equal(answer.status, 429);
  assert.equal(answer.headers.get('x-isthmus-nonce'), null);
  assert.ok(Number(answer.headers.get('retry-after')) > 0);
});

test('enrolments are bounded per source before they are bounded over all, so one that guesses starves nobody', async (t) => {
  const limits = { enrolmentsPerSecondMax: 10, enrolmentsPerSourcePerSecondMax: 3 };
  const bridge = await startTestBridge(t, { limits });
  const enrol = (from: string): Promise<string> =>
    call(`${bridge.url}/bridge/v1/enrol`, { from, method: 'POST', body: '{}' });
  const guesses = await times(100, () => enrol('127.0.0.9'));
  const heard = counted(guesses, '400 request.invalid');
  // What it may in one second, and what came back to it meanwhile.
  assert.ok(heard >= 3 && heard < 10, `${heard} of 100 guesses were heard`);
  assert.equal(await enrol('127.0.0.10'), '400 request.invalid', 'another source is heard');
  const many = await times(60, () => enrol(`127.0.1.${Math.floor(Math.random() * 250)}`));
  assert.ok(counted(many, '429 request.too_many') > 30, 'many sources share what there is in all');
});

test('behind a trusted proxy the source is who the proxy says, and nobody else is believed', async (t) => {
  const limits = { strangerCallsPerSourcePerSecondMax: 5, strangersPerSourceMax: 5 };
  const listen = { trustedProxies: ['127.0.0.8/32'] };
  const bridge = await startTestBridge(t, { limits, listen });
  const ask = (from: string, forwarded: string): Promise<string> =>
    call(`${bridge.url}/bridge/v1/nonce`, { from, headers: { 'x-forwarded-for': forwarded } });
  assert.ok(counted(await times(50, () => ask('127.0.0.8', '192.0.2.1')), '429 request.too_many') > 30);
  assert.equal(await ask('127.0.0.8', '192.0.2.2'), '200');
  // Its /64 is one source, and the proxy itself is none.
  let last = 0;
  const subscriber = (): Promise<string> => ask('127.0.0.8', `2001:db8::${(last += 1).toString(16)}`);
  assert.ok(counted(await times(50, subscriber), '429 request.too_many') > 30);
  assert.equal(await ask('127.0.0.8', '2001:db8:0:1::1'), '200');
  for (let n = 0; n < 5; n += 1) await ask('127.0.0.9', `192.0.2.${10 + n}`);
  assert.equal(await ask('127.0.0.9', '192.0.2.99'), '429 request.too_many');
});

test('one gateway that calls without end has to wait, and no other does', async (t) => {
  const limits = { callsPerGatewayPerSecondMax: 40, strangerCallsPerSourcePerSecondMax: 10_000 };
  const bridge = await startTestBridge(t, { limits });
  const [loud, quiet] = [bridge.repository.addGateway(), bridge.repository.addGateway()];
  const present = async (authorization: string): Promise<string> => {
    const body = encodeFrame({ kind: 'heartbeat', report: emptyReport });
    return call(`${bridge.url}/bridge/v1/heartbeat`, { method: 'POST', headers: { authorization }, body });
  };
  const beat = async (gateway: MemoryGateway): Promise<string> => present(await proofOf(gateway, bridge.url));
  for (const each of [loud, quiet]) await claimSeat(each, bridge.url);
  // Collected before, since signing takes longer than what is asked here.
  const proofs = await times(300, () => proofOf(loud, bridge.url));
  const answers = await Promise.all(proofs.map(present));
  assert.ok(counted(answers, '429 request.too_many') > 10, JSON.stringify(answers));
  assert.equal(await beat(quiet), '200');
  await eventually(async () => (await beat(loud)) === '200');
});

test('a large heartbeat counts as many, over a call as over a stream', async (t) => {
  const bridge = await startTestBridge(t, { limits: { framesInPerSecondMax: 10 } });
  const gateway = bridge.repository.addGateway();
  await claimSeat(gateway, bridge.url);
  const hostname = 'h'.repeat(200);
  const policies = Array.from({ length: 1_000 }, () => 'x'.repeat(200));
  const body = encodeFrame({ kind: 'heartbeat', report: { ...emptyReport, hostname, policies } });
  const beat = async (): Promise<string> => {
    const headers = { authorization: await proofOf(gateway, bridge.url) };
    return call(`${bridge.url}/bridge/v1/heartbeat`, { method: 'POST', headers, body });
  };
  assert.equal(await beat(), '200');
  assert.equal(await beat(), '429 request.too_many');
  await eventually(async () => (await beat()) === '200');
});

test('a refused body that has no end is not read on', async (t) => {
  const bridge = await startTestBridge(t);
  const socket = connect({ port: Number(new URL(bridge.url).port), host: '127.0.0.1' });
  t.after(() => socket.destroy());
  let text = '';
  let isClosed = false;
  socket.on('data', (bytes: Buffer) => (text += bytes.toString('latin1')));
  socket.on('error', () => undefined).on('close', () => (isClosed = true));
  socket.write('POST /bridge/v1/enrol HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n');
  const chunks = Buffer.from('1\r\nx\r\n'.repeat(10_000));
  const more = (): void => {
    while (socket.writable && socket.write(chunks));
  };
  socket.on('drain', more);
  more();
  await eventually(() => text.includes('bridge.length_required'));
  await eventually(() => isClosed, { timeoutMs: 10_000 });
  assert.ok(socket.bytesWritten < 100 * 1024 * 1024, `${socket.bytesWritten} bytes were taken`);
});

test('a gateway that opens stream after stream does not take the turn of the others', async (t) => {
  const bridge = await startTestBridge(t, { limits: { callsPerGatewayPerSecondMax: 60 } });
  const [loud, quiet] = [bridge.repository.addGateway(), bridge.repository.addGateway()];
  await claimSeat(loud, bridge.url);
  let refused = 0;
  for (let n = 0; n < 10; n += 1) {
    const token = (await proofOf(loud, bridge.url)).slice('Bearer '.length);
    const stream = await openStream({ gateway: loud, url: bridge.url, token });
    void stream.refused.then(({ body }) => (refused += body.code === 'request.too_many' ? 1 : 0));
  }
  await eventually(() => refused >= 5);
  const stream = await openStream({ gateway: quiet, url: bridge.url });
  await eventually(() => stream.frames.length > 0);
});

test('answers that a gateway does not take are bounded in number, and so are bodies that it does not bring', async (t) => {
  const bridge = await startTestBridge(t, { limits: { framesInPerSecondMax: 1_000_000 } });
  const gateway = bridge.repository.addGateway();
  const payload = Buffer.alloc(4 * 1024 * 1024, 'x');
  const large = Array.from({ length: 8 }, (_, n) => ({ kind: 'api' as const, id: `api-${n}`, payload }));
  bridge.repository.publish('dev', large);
  await claimSeat(gateway, bridge.url);
  const port = Number(new URL(bridge.url).port);
  const heads: string[] = [];
  const open = async (line: string): Promise<void> => {
    const token = await assertionFor(gateway, bridge.url);
    const socket = connect({ port, host: '127.0.0.1' });
    t.after(() => socket.destroy());
    socket.on('error', () => undefined);
    socket.once('data', (bytes: Buffer) => {
      socket.pause();
      heads.push(/x-isthmus-code: (\S+)/i.exec(bytes.toString('latin1'))?.[1] ?? 'taken');
    });
    socket.write(`${line} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\n`);
    socket.write(line.startsWith('POST') ? 'Content-Length: 4000000\r\n\r\nx' : '\r\n');
  };
  // One environment: a poll and a heartbeat of it, and eight to spare.
  for (let n = 0; n < 8; n += 1) await open('GET /bridge/v1/changes?environment=dev');
  await eventually(() => heads.length === 8);
  for (let n = 0; n < 8; n += 1) await open('POST /bridge/v1/heartbeat');
  await eventually(() => heads.length === 14);
  assert.deepEqual(heads.toSorted(), [
    ...Array.from({ length: 6 }, () => 'request.too_many'),
    ...Array.from({ length: 8 }, () => 'taken'),
  ]);
});

test('a credential is not enough to fill the listener: idle connections of one gateway are few', async (t) => {
  const bridge = await startTestBridge(t);
  const gateway = bridge.repository.addGateway();
  await claimSeat(gateway, bridge.url);
  let open = 0;
  for (let n = 0; n < 50; n += 1) {
    const agent = new Agent({ keepAlive: true });
    t.after(() => agent.destroy());
    agent.on('free', (socket) => {
      open += 1;
      socket.once('close', () => (open -= 1));
    });
    const token = await assertionFor(gateway, bridge.url);
    const headers = { authorization: `Bearer ${token}` };
    await call(`${bridge.url}/bridge/v1/changes?environment=dev`, { headers, agent });
  }
  await eventually(() => open === 32);
});

test('an upload goes on while its connection is the oldest of many', async (t) => {
  const bridge = await startTestBridge(t);
  const gateway = bridge.repository.addGateway();
  await claimSeat(gateway, bridge.url, { role: 'shipper' });
  const { key, bytes } = batchOf(gateway);
  const token = await assertionFor(gateway, bridge.url, { role: 'shipper' });
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => agent.destroy());
  const slow = request(`${bridge.url}/bridge/v1/uploads/${key}`, {
    method: 'PUT',
    agent,
    headers: { authorization: `Bearer ${token}`, 'content-length': String(bytes.length) },
  });
  const answered = new Promise<IncomingMessage>((resolve) => slow.on('response', resolve));
  slow.write(bytes.subarray(0, 1));
  for (let n = 0; n < 40; n += 1) {
    const each = new Agent({ keepAlive: true });
    t.after(() => each.destroy());
    const proof = await assertionFor(gateway, bridge.url);
    await call(`${bridge.url}/bridge/v1/seat`, {
      method: 'POST',
      headers: { authorization: `Bearer ${proof}` },
      agent: each,
    });
  }
  slow.end(bytes.subarray(1));
  assert.equal((await answered).statusCode, 201);
});

test('the table of sources is bounded: who was forgotten begins anew', () => {
  const { clock } = { clock: createFakeClock(0) };
  const rates = createRates(1, clock);
  assert.equal(rates.take('first'), 0);
  assert.ok(rates.take('first') > 0);
  for (let n = 0; n < 10_000; n += 1) rates.take(`other-${n}`);
  assert.equal(rates.take('first'), 0);
});
