import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test, type TestContext } from 'node:test';
import { eventually } from '../../test/kit/eventually.ts';
import { isWhole, type Peer, turns } from '../../test/kit/engine/raw-peer.ts';
import { startRig } from '../../test/kit/engine/engine-rig.ts';
import type { UpstreamFailure } from './exchange.ts';
import { upstreamTls } from './upstream/dial-stage.ts';

/**
 * The abort table: who leaves, how, and in which phase of an exchange; what every other party learns of it.
 *
 * The pool has one connection only, so the request at the end of each row also proves that nothing was leaked.
 */

/** A client's going is felt at the upstream within this time. */
const abortMsMax = 100;

interface Phase {
  readonly name: string;
  /** What the client has sent when somebody leaves. */
  readonly request: string;
  /** The last of it that the upstream has received. */
  readonly arrived: string;
  /** What the upstream has answered by then. */
  readonly answer?: string;
  /** The last of that which the client has received; nothing while the head is not complete. */
  readonly passed?: string;
}

const get = 'GET /a HTTP/1.1\r\nHost: h\r\n\r\n';
const post = (framing: string): string => `POST /a HTTP/1.1\r\nHost: h\r\n${framing}\r\n`;
const chunked = 'Transfer-Encoding: chunked\r\n';
const answer = (framing: string): string => `HTTP/1.1 200 OK\r\n${framing}\r\n`;

const requestPhases: readonly Phase[] = [
  {
    name: 'request head sent, nothing of its body',
    request: post('Content-Length: 10\r\n'),
    arrived: 'Content-Length: 10\r\n\r\n',
  },
  {
    name: 'half of a request body by length sent',
    request: `${post('Content-Length: 10\r\n')}half`,
    arrived: 'half',
  },
  {
    name: 'half of a chunked request body sent',
    request: `${post(chunked)}4\r\nhalf\r\n`,
    arrived: '4\r\nhalf\r\n',
  },
  {
    name: 'half of a chunk of a request body sent',
    request: `${post(chunked)}a\r\nhalf`,
    arrived: 'half',
  },
  {
    name: 'half of the trailers of a request sent',
    request: `${post(`TE: trailers\r\n${chunked}`)}4\r\nbody\r\n0\r\nX-Sum: 1`,
    arrived: 'body\r\n',
  },
];

const headPhases: readonly Phase[] = [
  { name: "waiting for the answer's head", request: get, arrived: '\r\n\r\n' },
  {
    name: "waiting for the answer's head, with the body sent",
    request: `${post('Content-Length: 4\r\n')}body`,
    arrived: 'body',
  },
  {
    name: "half of the answer's head received",
    request: get,
    arrived: '\r\n\r\n',
    answer: 'HTTP/1.1 200 OK\r\nContent-Le',
  },
];

const bodyPhases: readonly Phase[] = [
  {
    name: 'half of an answer by length received',
    request: get,
    arrived: '\r\n\r\n',
    answer: `${answer('Content-Length: 10\r\n')}half`,
    passed: 'half',
  },
  {
    name: 'half of a chunked answer received',
    request: get,
    arrived: '\r\n\r\n',
    answer: `${answer(chunked)}4\r\nhalf\r\n`,
    passed: 'half\r\n',
  },
  {
    name: 'half of the trailers of an answer received',
    request: get,
    arrived: '\r\n\r\n',
    answer: `${answer(chunked)}4\r\nbody\r\n0\r\nX-Sum: 1`,
    passed: 'body\r\n',
  },
];

const closePhase: Phase = {
  name: 'an answer that ends with its connection under way',
  request: get,
  arrived: '\r\n\r\n',
  answer: `${answer('')}half`,
  passed: 'half',
};

type Rig = Awaited<ReturnType<typeof startRig>>;

/** Brings an exchange into a phase. */
// oxlint-disable-next-line max-params -- a test's own shorthand
async function enter(rig: Rig, phase: Phase): Promise<{ client: Peer; backend: Peer }> {
  const client = await rig.open(phase.request);
  const backend = await rig.backend.next();
  await backend.until(phase.arrived);
  if (phase.answer !== undefined) backend.write(phase.answer);
  if (phase.passed !== undefined) await client.until(phase.passed);
  await turns();
  return { client, backend };
}

/** Everything is as it was: nothing is open that nobody uses, a new request is answered, and each exchange was told once. */
async function assertRecovered(rig: Rig): Promise<void> {
  const before = rig.outcomes.length;
  assert.equal(before, 1, 'one exchange, one outcome');
  await eventually(() => rig.backend.open() === 0);
  const client = await rig.open('GET /again HTTP/1.1\r\nHost: h\r\n\r\n');
  const backend = await rig.backend.next();
  await backend.until('GET /again');
  backend.write(`${answer('Content-Length: 5\r\n')}again`);
  await client.until('again');
  client.leave('fin');
  await eventually(() => rig.running.connections === 0);
  await turns();
  assert.deepEqual(
    rig.outcomes.slice(before).map(({ kind, status }) => [kind, status]),
    [['complete', 200]],
  );
}

describe('a client that leaves', () => {
  for (const how of ['fin', 'reset'] as const) {
    for (const phase of [...requestPhases, ...headPhases, ...bodyPhases, closePhase]) {
      test(`by ${how}, ${phase.name}: the upstream knows within ${abortMsMax} ms`, async (t) => {
        const rig = await startRig(t);
        const { client, backend } = await enter(rig, phase);
        const leftAtMs = performance.now();
        client.leave(how);
        await backend.ended;
        assert.ok((backend.endedAtMs ?? Infinity) - leftAtMs <= abortMsMax);
        if (requestPhases.includes(phase)) assert.ok(!isWhole(backend.text), backend.text);
        assert.deepEqual(rig.failures, phase.passed === undefined ? ['aborted'] : []);
        const [outcome] = rig.outcomes;
        assert.equal(outcome?.kind, 'clientAborted');
        assert.equal(outcome.status, phase.passed === undefined ? 0 : 200);
        await assertRecovered(rig);
      });
    }

    test(`by ${how}, while it waits for a connection: the upstream never hears of it`, async (t) => {
      for (const request of [get, post('Content-Length: 10\r\n'), `${post('Content-Length: 10\r\n')}half`]) {
        const rig = await startRig(t);
        const first = await rig.open(get);
        const backend = await rig.backend.next();
        await backend.until('\r\n\r\n');
        const client = await rig.open(request.replace('/a', '/queued'));
        await turns();
        client.leave(how);
        await eventually(() => rig.outcomes.length === 1);
        assert.deepEqual([rig.outcomes[0]?.kind, rig.failures], ['clientAborted', ['aborted']]);
        backend.write(`${answer('Content-Length: 5\r\n')}first`);
        await first.until('first');
        first.leave('fin');
        await turns();
        assert.ok(!backend.text.includes('/queued'), backend.text);
        assert.equal(rig.backend.accepted(), 1);
      }
    });

    test(`by ${how}, while a connection is opened: it is given up`, async (t) => {
      for (const request of [get, post('Content-Length: 10\r\n'), `${post('Content-Length: 10\r\n')}half`]) {
        const rig = await startHandshaking(t);
        const client = await rig.open(request);
        const backend = await rig.backend.next();
        await once(backend.socket, 'data');
        const leftAtMs = performance.now();
        client.leave(how);
        await backend.ended;
        assert.ok((backend.endedAtMs ?? Infinity) - leftAtMs <= abortMsMax);
        assert.deepEqual(rig.failures, ['aborted']);
        assert.deepEqual(
          rig.outcomes.map(({ kind, status }) => [kind, status]),
          [['clientAborted', 0]],
        );
        await eventually(() => rig.backend.open() === 0 && rig.running.connections === 0);
      }
    });
  }
});

describe('an upstream that leaves', () => {
  for (const [how, failure] of [
    ['fin', 'closed'],
    ['reset', 'reset'],
  ] as const) {
    for (const phase of [...requestPhases, ...headPhases]) {
      test(`by ${how}, ${phase.name}: 502 ${failure}`, async (t) => {
        const rig = await startRig(t);
        const { client, backend } = await enter(rig, phase);
        backend.leave(how);
        await client.until(failure);
        assert.match(client.text, /^HTTP\/1\.1 502 /);
        assert.ok(isWhole(client.text));
        assert.deepEqual(rig.failures, [failure]);
        assert.deepEqual([rig.outcomes[0]?.kind, rig.outcomes[0]?.status], ['complete', 502]);
        client.leave('fin');
        await assertRecovered(rig);
      });
    }

    for (const phase of bodyPhases) {
      test(`by ${how}, ${phase.name}: the client is reset`, async (t) => {
        const rig = await startRig(t);
        const { client, backend } = await enter(rig, phase);
        backend.leave(how);
        assert.equal(await client.ended, 'reset');
        await assertCutOff(rig, client);
      });
    }

    test(`by ${how}, while a connection is opened: 502`, async (t) => {
      const rig = await startHandshaking(t);
      const client = await rig.open(get);
      const backend = await rig.backend.next();
      await once(backend.socket, 'data');
      backend.leave(how);
      await client.until('reset');
      assert.deepEqual(rig.failures, ['reset']);
      assert.match(client.text, /^HTTP\/1\.1 502 /);
      assert.equal(rig.outcomes.length, 1);
    });
  }

  test(`by fin, ${closePhase.name}: that is its end, and it is whole`, async (t) => {
    const rig = await startRig(t);
    const { client, backend } = await enter(rig, closePhase);
    backend.leave('fin');
    await client.until('\r\n0\r\n\r\n');
    assert.deepEqual(
      rig.outcomes.map(({ kind, status }) => [kind, status]),
      [['complete', 200]],
    );
    client.leave('fin');
    await assertRecovered(rig);
  });

  for (const version of ['1.1', '1.0']) {
    test(`by reset, ${closePhase.name}: a client of HTTP/${version} is reset`, async (t) => {
      const rig = await startRig(t);
      const request = closePhase.request.replace('HTTP/1.1', `HTTP/${version}`);
      const { client, backend } = await enter(rig, { ...closePhase, request });
      backend.leave('reset');
      assert.equal(await client.ended, 'reset');
      await assertCutOff(rig, client);
    });
  }
});

describe('an upstream that is silent', () => {
  const patience = { readMsMax: 150, bodyMsMax: 150 };

  for (const phase of headPhases) {
    test(`${phase.name}: 504 readTimeout`, async (t) => {
      const rig = await startRig(t, { upstream: patience });
      const { client, backend } = await enter(rig, phase);
      await client.until('readTimeout');
      assert.match(client.text, /^HTTP\/1\.1 504 /);
      assert.deepEqual(rig.failures satisfies UpstreamFailure[], ['readTimeout']);
      await backend.ended;
      client.leave('fin');
      await assertRecovered(rig);
    });
  }

  for (const phase of [...bodyPhases, closePhase]) {
    test(`${phase.name}: the client is reset`, async (t) => {
      const rig = await startRig(t, { upstream: patience });
      const { client, backend } = await enter(rig, phase);
      assert.equal(await client.ended, 'reset');
      await backend.ended;
      await assertCutOff(rig, client);
    });
  }

  test('while a connection is opened: 502 connectTimeout', async (t) => {
    const rig = await startHandshaking(t, 150);
    const client = await rig.open(get);
    await client.until('connectTimeout');
    assert.match(client.text, /^HTTP\/1\.1 502 /);
    assert.deepEqual(rig.failures, ['connectTimeout']);
    await eventually(() => rig.backend.open() === 0);
  });

  test('and takes nothing of a long request body: 504 readTimeout', async (t) => {
    const rig = await startRig(t, { upstream: patience, limits: { bodyBytesMax: 64_000_000 } });
    const client = await rig.open(post('Content-Length: 32000000\r\n'));
    const backend = await rig.backend.next();
    backend.socket.pause();
    client.write('x'.repeat(32_000_000));
    await client.until('readTimeout');
    assert.match(client.text, /^HTTP\/1\.1 504 /);
    assert.equal(rig.outcomes.length, 1);
  });

  test('while its client sends nothing more of the request: that is not its fault', async (t) => {
    const rig = await startRig(t, { upstream: { ...patience, connectionsMax: 2 } });
    const { client, backend } = await enter(rig, {
      name: '',
      request: `${post('Content-Length: 10\r\n')}half`,
      arrived: 'half',
    });
    const other = await rig.open(get);
    await other.until('readTimeout');
    assert.deepEqual(rig.failures, ['readTimeout'], "the other's");
    client.write('second');
    await backend.until('second');
    backend.write(`${answer('Content-Length: 2\r\n')}ok`);
    await client.until('ok');
  });
});

/** A rig whose upstream takes connections and never shakes hands. */
function startHandshaking(t: TestContext, connectMsMax = 5_000): Promise<Rig> {
  return startRig(t, { upstream: { scheme: 'https', tls: upstreamTls({}), connectMsMax } });
}

/** The client was cut off in the middle of an answer that it cannot take for whole. */
async function assertCutOff(rig: Rig, client: Peer): Promise<void> {
  assert.match(client.text, /^HTTP\/1\.1 200 /);
  assert.doesNotMatch(client.text, /\r\n0\r\n/);
  assert.deepEqual(
    rig.outcomes.map(({ kind, status, responseBytes }) => [kind, status, responseBytes]),
    [['upstreamAborted', 200, 4]],
  );
  assert.deepEqual(rig.failures, []);
  await assertRecovered(rig);
}

describe('a tunnel whose client ends its side', () => {
  test('while more is on its way than it takes: what it is given is right to the last byte', async (t) => {
    const rig = await startRig(t);
    const client = await rig.open('');
    client.socket.pause();
    client.write('GET /ws HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n');
    const backend = await rig.backend.next();
    await backend.until('\r\n\r\n');
    backend.write('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n');
    let next = 0;
    const more = (): void => {
      while (backend.socket.writable) {
        const numbers = Array.from({ length: 8_192 }, () => String(next++).padStart(8, '0'));
        if (!backend.socket.write(numbers.join(''), 'latin1')) return;
      }
    };
    backend.socket.on('drain', more);
    more();
    // Until nobody on the way takes any more.
    let before = -1;
    await eventually(() => before === (before = next), { everyMs: 100, timeoutMs: 10_000 });
    client.leave('fin');
    await backend.ended;
    client.socket.resume();
    await client.ended;
    const [, text = ''] = client.text.split('\r\n\r\n');
    assert.ok(text.length > 1_000_000);
    for (let at = 0; at + 8 <= text.length; at += 8)
      if (Number(text.slice(at, at + 8)) !== at / 8)
        assert.fail(`wrong at ${at}: ${text.slice(at, at + 16)}`);
  });
});
