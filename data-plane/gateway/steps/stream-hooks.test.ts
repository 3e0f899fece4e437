import assert from 'node:assert/strict';
import { test } from 'node:test';

import { eventually } from '../../../test/kit/eventually.ts';
import { call } from '../../../test/kit/gateway/gateway.ts';
import { KitCall } from '../../../test/kit/gateway/policies.ts';
import { createFakeClock } from '../../../test/kit/fake-clock.ts';
import { openPeer } from '../../../test/kit/engine/raw-peer.ts';
import { startServingParts } from '../../../test/kit/gateway/serving-parts.ts';
import type { BodyTransform, TransformMaker } from '../../http/exchange.ts';
import type { Policy, StreamHook, PolicyCall } from '../../policies/policy.ts';
import { createRefuse } from '../../policies/refuse.ts';

/** What the contract of policies promises of bodies that are transformed on their way. */

/** Small letters become great ones. */
const shouting: TransformMaker = (to) => ({
  onPiece(bytes, start, end) {
    const out = Buffer.from(bytes.toString('latin1', start, end).toUpperCase(), 'latin1');
    to.onPiece(out, 0, out.length, true);
  },
});

/** Has its word at the end. */
const adding =
  (word: string): TransformMaker =>
  (to) => ({
    onPiece: to.onPiece.bind(to),
    onEnd(trailers) {
      to.onPiece(Buffer.from(word), 0, word.length, true);
      to.onEnd(trailers);
    },
  });

const through = (make: TransformMaker, length?: number): StreamHook<PolicyCall, unknown> => ({
  needs: 'stream',
  run(_call, _slot, passing) {
    passing.through(make, length);
    return undefined;
  },
});
const bothWays = (make: TransformMaker): Policy => ({ request: through(make), response: through(make) });
const text = (body: Uint8Array | undefined): string | undefined =>
  body === undefined ? undefined : Buffer.from(body).toString();
const look = (seen: unknown[]): Policy => ({
  request: { needs: 'head', run: ({ request }) => void seen.push(text(request.content)) },
  response: { needs: 'head', run: ({ response }) => void seen.push(text(response.content)) },
});
const refuse = createRefuse({ NO: { status: 403, message: 'no' } });

test('a body passes the transforms of its steps in their order, up and down, while it comes', async (t) => {
  const { backend, port } = await startServingParts(t, { api: [bothWays(shouting), bothWays(adding('!'))] });
  const client = await openPeer(
    t,
    { port, from: '127.0.0.1' },
    'POST /api HTTP/1.1\r\nHost: h\r\nContent-Length: 8\r\n\r\nhalf',
  );
  const peer = await backend.next();
  await peer.until('4\r\nHALF\r\n');
  assert.match(peer.text, /^transfer-encoding: chunked\r$/im);
  assert.doesNotMatch(peer.text, /content-length/i);
  client.write('rest');
  await peer.until('REST');
  await peer.until('!\r\n0\r\n\r\n');
  peer.write('HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf');
  await client.until('HALF');
  peer.write('rest');
  // Answers pass the last step first: its word is shouted at, too.
  await client.until('REST');
  await client.until('!\r\n0\r\n\r\n');
  assert.doesNotMatch(client.text, /content-length/i);
});

test('a step behind that needs the body buffered has what came out, one behind that transforms it again', async (t) => {
  const seen: unknown[] = [];
  const quoting: Policy = {
    request: {
      needs: 'buffered',
      run: ({ request }) => void (request.content = Buffer.from(`"${text(request.content)}"`)),
    },
    response: {
      needs: 'buffered',
      run: ({ response }) => void (response.content = Buffer.from(`<${text(response.content)}>`)),
    },
  };
  const { backend, port } = await startServingParts(t, {
    api: [bothWays(shouting), quoting, look(seen), bothWays(adding('ok')), look(seen)],
  });
  const asked = call(port, '/api', { method: 'POST', body: 'hello' });
  const peer = await backend.next();
  await peer.until('0\r\n\r\n');
  assert.match(peer.text, /"HELLO"ok/);
  peer.write('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc');
  assert.equal((await asked).text, '<ABCOK>');
  // Who stands behind a transform has it whole only once it was buffered again.
  assert.deepEqual(seen, ['"HELLO"', undefined, undefined, undefined]);
});

test('of a length that was said the body is framed by it', async (t) => {
  const { backend, port } = await startServingParts(t, {
    api: { request: through(shouting, 5), response: through(shouting, 3) },
  });
  const asked = call(port, '/api', { method: 'POST', body: 'hello' });
  const peer = await backend.next();
  await peer.until('HELLO');
  assert.match(peer.text, /^content-length: 5\r$/im);
  peer.write('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc');
  const answer = await asked;
  assert.deepEqual([answer.text, answer.headers['content-length']], ['ABC', '3']);
});

for (const [method, status] of [
  ['HEAD', 200],
  ['GET', 304],
  ['GET', 204],
] as const) {
  test(`an answer to ${method} with ${status} has no body and no length of the body that was not transformed`, async (t) => {
    const { backend, port } = await startServingParts(t, { api: bothWays(adding('!')) });
    const client = await openPeer(
      t,
      { port, from: '127.0.0.1' },
      `${method} /api HTTP/1.1\r\nHost: h\r\n\r\n`,
    );
    const peer = await backend.next();
    await peer.until('\r\n\r\n');
    assert.doesNotMatch(peer.text, /chunked|content-length/i, 'nothing was asked with a body');
    peer.write(`HTTP/1.1 ${status} X\r\n${status === 204 ? '' : 'Content-Length: 5\r\n'}\r\n`);
    await client.until('\r\n\r\n');
    assert.doesNotMatch(client.text, /content-length|chunked|!/i);
    client.write('GET /api HTTP/1.1\r\nHost: h\r\n\r\n');
    await peer.until('\r\n\r\n', 2);
    peer.write('HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na');
    await client.until('!\r\n0\r\n\r\n');
  });
}

test('a transform is not made for a request that is refused, nor for an answer that another step gives', async (t) => {
  let made = 0;
  const counting: TransformMaker = (to, from) => ((made += 1), shouting(to, from));
  const { port } = await startServingParts(t, {
    refused: [bothWays(counting), { request: { needs: 'head', run: () => refuse('NO') } }],
    instead: [
      { request: through(counting) },
      { request: { needs: 'head', run: () => ({ kind: 'answer', status: 201, headers: [], body: 'mine' }) } },
    ],
  });
  assert.equal((await call(port, '/refused', { method: 'POST', body: 'x' })).status, 403);
  assert.equal((await call(port, '/instead', { method: 'POST', body: 'x' })).text, 'mine');
  assert.equal(made, 0);
});

test('an answer that a step gives passes the transforms of the answer', async (t) => {
  const { port } = await startServingParts(t, {
    api: [
      bothWays(shouting),
      { request: { needs: 'head', run: () => ({ kind: 'answer', status: 201, headers: [], body: 'mine' }) } },
    ],
  });
  assert.equal((await call(port, '/api')).text, 'MINE');
});

test('an answer that breaks off behind a transform is cut, never completed', async (t) => {
  const { backend, port } = await startServingParts(t, { api: bothWays(adding('the end')) });
  const client = await openPeer(t, { port, from: '127.0.0.1' }, 'GET /api HTTP/1.1\r\nHost: h\r\n\r\n');
  const peer = await backend.next();
  peer.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf');
  await client.until('half');
  peer.leave('fin');
  assert.equal(await client.ended, 'reset');
  assert.doesNotMatch(client.text, /the end|\r\n0\r\n\r\n$/);
});

const throwing =
  (transform: Partial<BodyTransform>): TransformMaker =>
  (to) => ({ onPiece: to.onPiece.bind(to), ...transform });
const fail = (): never => {
  throw new Error('a bug');
};

test('a transform that throws on the way up is a bug of its step: told once, 500, and the backend has no whole request', async (t) => {
  const { logged, port } = await startServingParts(t, {
    piece: [{}, { request: through(throwing({ onPiece: fail })) }],
    end: [{}, { request: through(throwing({ onEnd: fail })) }],
    made: [{}, { request: through(fail) }],
  });
  for (const name of ['piece', 'end', 'made']) {
    const answer = await call(port, `/${name}`, { method: 'POST', body: 'hello' });
    assert.equal(answer.status, 500, name);
  }
  assert.deepEqual(
    logged.map((line) => line['at']),
    ['flows[0].request[1]', 'flows[0].request[1]', 'flows[0].request[1]'],
  );
});

test('a transform that throws on the way down is told with its place, and the client has no whole answer', async (t) => {
  const { backend, logged, port } = await startServingParts(t, {
    api: [{}, { response: through(throwing({ onEnd: fail })) }],
  });
  const client = await openPeer(t, { port, from: '127.0.0.1' }, 'GET /api HTTP/1.1\r\nHost: h\r\n\r\n');
  (await backend.next()).write('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc');
  assert.equal(await client.ended, 'reset');
  assert.doesNotMatch(client.text, /0\r\n\r\n$/);
  await eventually(() => logged.length === 1);
  assert.equal(logged[0]?.['at'], 'flows[0].request[1]');
});

test('a step that may ask twice has the body that came out of the transforms behind it', async (t) => {
  let asks = 0;
  const twice: Policy = {
    around: {
      needs: 'buffered',
      async run(_call, next) {
        asks += 1;
        await next();
        return next();
      },
    },
  };
  const { backend, port } = await startServingParts(
    t,
    { api: [twice, { request: through(shouting) }] },
    { timeoutMs: 5_000 },
  );
  const asked = call(port, '/api', { method: 'POST', body: 'hello' });
  for (const status of [503, 200]) {
    const peer = await backend.next();
    await peer.until('HELLO');
    peer.write(`HTTP/1.1 ${status} X\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok`);
  }
  assert.deepEqual([(await asked).status, asks], [200, 1]);
});

test('the kit runs a step that streams: what comes in pieces goes on transformed, and breaks where it breaks', async () => {
  const step = {
    kind: 'x',
    at: 'flows[0].request[0]',
    readsRequest: false,
    readsResponse: false,
    keptAt: undefined,
    policy: bothWays(shouting),
    gate: undefined,
  };
  const whole = new KitCall(step, createFakeClock(), {
    body: ['he', 'llo'],
    headers: { 'Content-Length': '5' },
  });
  assert.equal(whole.pass(), undefined);
  assert.equal(await whole.sent('request'), 'HELLO');
  assert.equal(whole.request.headers.has('content-length'), false);
  void whole.answer({ body: ['o', 'k'] });
  assert.equal(await whole.sent('response'), 'OK');
  const broken = new KitCall(step, createFakeClock(), { body: ['he', new Error('gone')] });
  void broken.pass();
  await assert.rejects(broken.sent('request'), /gone/);
  assert.deepEqual(broken.broken, [], 'that is no bug of the policy');
});

const giving =
  (word: string): TransformMaker =>
  (to) => ({
    onPiece: () => undefined,
    onEnd(trailers) {
      if (word !== '') to.onPiece(Buffer.from(word), 0, word.length, true);
      to.onEnd(trailers);
    },
  });
const sayingXy = giving('xy');

/** Faults of a step, none of which its client or backend has anything to do with. */
const faulty: Readonly<Record<string, StreamHook<PolicyCall, unknown>>> = {
  'too short': through(sayingXy, 3),
  'too long': through(sayingXy, 1),
  'of none': through(sayingXy, 0),
  'of unsaid bytes': through((to) => ({ onPiece: to.onPiece.bind(to) }), 4),
  'that it broke itself': through((to) => ({ onPiece: () => to.onBroken(new Error('mine')) })),
  'that it broke later': through((to) => ({
    onPiece: () => undefined,
    onEnd: () => void Promise.resolve().then(() => to.onBroken(new Error('mine'))),
  })),
};

test('a body that a step makes longer or shorter than it says, or breaks, is its fault: 500 with its key, told with its place', async (t) => {
  for (const [what, request] of Object.entries(faulty)) {
    const { logged, port, errorKeys } = await startServingParts(t, { api: [{}, { request }] });
    const answer = await call(port, '/api', { method: 'POST', body: 'hello' });
    assert.deepEqual([answer.status, errorKeys], [500, ['GATEWAY_POLICY_INTERNAL_ERROR']], what);
    assert.deepEqual(
      logged.map((line) => line['at']),
      ['flows[0].request[1]'],
      what,
    );
  }
});

test('the same of an answer: the client has no whole one, and log and record name the step', async (t) => {
  for (const [what, response] of Object.entries(faulty)) {
    const { backend, logged, port, errorKeys } = await startServingParts(t, { api: [{}, { response }] });
    const client = await openPeer(t, { port, from: '127.0.0.1' }, 'GET /api HTTP/1.1\r\nHost: h\r\n\r\n');
    (await backend.next()).write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello');
    await client.ended;
    assert.doesNotMatch(client.text, /\r\n0\r\n\r\n$|content-length: (?:0|2)\r/i, what);
    await eventually(() => logged.length === 1 && errorKeys.length === 1);
    assert.equal(logged[0]?.['at'], 'flows[0].request[1]', what);
    assert.deepEqual(errorKeys, ['GATEWAY_POLICY_INTERNAL_ERROR'], what);
  }
});

test('a step that says of its body that nothing is left, and leaves nothing, is taken at its word', async (t) => {
  const { backend, port } = await startServingParts(t, {
    api: { request: through(giving(''), 0), response: through(giving(''), 0) },
  });
  const asked = call(port, '/api', { method: 'POST', body: 'hello' });
  const peer = await backend.next();
  await peer.until('\r\n0\r\n\r\n');
  peer.write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello');
  assert.deepEqual([(await asked).status, (await asked).text], [200, '']);
});

test('a length that is no number of bytes is a fault of its step', async (t) => {
  for (const length of [Number.NaN, -1, 1.5, Infinity]) {
    const { logged, port } = await startServingParts(t, { api: { request: through(sayingXy, length) } });
    assert.equal((await call(port, '/api', { method: 'POST', body: 'hello' })).status, 500);
    assert.equal(logged[0]?.['at'], 'flows[0].request[0]');
  }
});

test('a step that sets a status that no answer can have is broken, wherever it says it: 500 with its key', async (t) => {
  for (const status of [Number.NaN, 101, 100, 199, 99, 1_000, 600, 200.5, 0, -200]) {
    const sets: Policy = {
      response: { needs: 'head', run: ({ response }) => void (response.status = status) },
    };
    const setsLate: Policy = {
      response: {
        needs: 'head',
        run: async ({ response }) => void (response.status = await Promise.resolve(status)),
      },
    };
    const says: Policy = {
      request: { needs: 'head', run: () => ({ kind: 'answer', status, headers: [], body: '' }) },
    };
    const saysInstead: Policy = {
      response: { needs: 'head', run: () => ({ kind: 'answer', status, headers: [], body: '' }) },
    };
    const rejects: Policy = {
      request: {
        needs: 'head',
        run: () => ({
          kind: 'reject',
          key: 'X',
          status,
          message: '',
          parent: undefined,
          parameters: {},
          headers: [],
        }),
      },
    };
    const wraps: Policy = {
      around: {
        needs: 'head',
        async run(_call, next) {
          const answer = await next();
          return answer.kind === 'response' ? { ...answer, head: { ...answer.head, status } } : answer;
        },
      },
    };
    for (const [what, policy] of Object.entries({ sets, setsLate, says, saysInstead, rejects, wraps })) {
      const { backend, logged, port, errorKeys } = await startServingParts(t, { api: policy });
      const asked = call(port, '/api');
      if (what !== 'says' && what !== 'rejects')
        (await backend.next()).write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      assert.equal((await asked).status, 500, `${what} ${status}`);
      assert.deepEqual(
        [errorKeys, logged[0]?.['at']],
        [['GATEWAY_POLICY_INTERNAL_ERROR'], 'flows[0].request[0]'],
        `${what} ${status}`,
      );
    }
  }
});

for (const status of [200, 599])
  test(`a step may set the status ${status}`, async (t) => {
    const sets: Policy = {
      response: { needs: 'head', run: ({ response }) => void (response.status = status) },
    };
    const { backend, port } = await startServingParts(t, { api: sets });
    const asked = call(port, '/api');
    (await backend.next()).write('HTTP/1.1 201 OK\r\nContent-Length: 2\r\n\r\nok');
    assert.equal((await asked).status, status);
  });
