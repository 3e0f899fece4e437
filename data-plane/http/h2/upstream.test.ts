import assert from 'node:assert/strict';
import { once } from 'node:events';
import { constants, type ServerHttp2Stream } from 'node:http2';
import { join } from 'node:path';
import { createSecureServer } from 'node:http2';
import { createServer as createTlsServer } from 'node:tls';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';

import { startEngineProxy } from '../../../test/kit/engine/engine-proxy.ts';
import {
  askHttp2,
  http2Defaults,
  openHttp2,
  startHttp2Backend,
  textOf,
  upstreamHttp2,
} from '../../../test/kit/engine/http2.ts';
import { eventually } from '../../../test/kit/eventually.ts';
import { createAuthority } from '../../../test/kit/servers/certificates.ts';
import { tempDir } from '../../../test/kit/temp-dir.ts';
import type { UpstreamHttp2, UpstreamOptions } from '../exchange.ts';
import { upstreamTls } from '../upstream/dial-stage.ts';

async function stage(
  t: TestContext,
  onStream: (stream: ServerHttp2Stream, at: number) => void,
  {
    http2 = {},
    ...options
  }: Partial<Omit<UpstreamOptions, 'http2'>> & { readonly http2?: Partial<UpstreamHttp2> } = {},
) {
  let count = 0;
  const backend = await startHttp2Backend(t, (stream) => onStream(stream, (count += 1)));
  const proxy = await startEngineProxy(t, {
    http2: http2Defaults,
    upstream: { port: backend.port, ...options, http2: { ...upstreamHttp2, ...http2 } },
  });
  return {
    backend,
    ...proxy,
    count: () => count,
    ask: async (init: RequestInit = {}) => {
      const answer = await fetch(`http://127.0.0.1:${proxy.port}/`, init);
      return [answer.status, await answer.text()] as const;
    },
  };
}

const say = (stream: ServerHttp2Stream, text: string): void => {
  stream.respond({ ':status': 200 });
  stream.end(text);
};

test('a stream that was refused unprocessed is asked again, whatever its method, once', async (t) => {
  const { ask, count } = await stage(t, (stream, at) =>
    at === 2 ? say(stream, 'ok') : stream.close(constants.NGHTTP2_REFUSED_STREAM),
  );
  assert.deepEqual(await ask({ method: 'DELETE' }), [200, 'ok']);
  assert.deepEqual(await ask(), [502, 'reset']);
  assert.equal(count(), 4);
});

test('a stream that was reset is not asked again when twice is not as good as once', async (t) => {
  const { ask, count } = await stage(t, (stream) => stream.close(constants.NGHTTP2_INTERNAL_ERROR));
  assert.deepEqual(await ask({ method: 'POST', body: 'x' }), [502, 'reset']);
  assert.equal(count(), 1);
});

test('a backend that says GOAWAY gets its next request on a new connection, and what runs goes on', async (t) => {
  let held: ServerHttp2Stream | undefined;
  const { ask, backend } = await stage(t, (stream, at) => {
    if (at > 1) return say(stream, `${at}`);
    held = stream;
    stream.session?.close();
  });
  const first = ask();
  await eventually(() => held !== undefined);
  assert.deepEqual(await ask(), [200, '2']);
  assert.equal(backend.sessions(), 2);
  if (held !== undefined) say(held, 'late');
  assert.deepEqual(await first, [200, 'late']);
});

test('a connection that breaks fails its calls, and the next has a new one', async (t) => {
  const { ask } = await stage(t, (stream, at) => (at === 1 ? stream.session?.destroy() : say(stream, 'ok')));
  assert.equal((await ask({ method: 'POST', body: 'x' }))[0], 502);
  assert.deepEqual(await ask(), [200, 'ok']);
});

test('http2MultiplexingLimit bounds what runs on a connection, maxConcurrentConnections the connections, the queue the rest', async (t) => {
  const open: ServerHttp2Stream[] = [];
  const { ask, backend } = await stage(t, (stream) => void open.push(stream), {
    http2: { streamsMax: 2 },
    connectionsMax: 2,
    queueMax: 1,
    connectMsMax: 10_000,
  });
  const running: Promise<readonly [number, string]>[] = [];
  for (let at = 1; at <= 4; at += 1) {
    running.push(ask());
    await eventually(() => open.length === at);
  }
  assert.equal(backend.sessions(), 2);
  const waiting = ask();
  await eventually(async () => {
    const [status, text] = await ask();
    return status === 502 && text === 'queueFull';
  });
  const [first] = open;
  if (first !== undefined) say(first, 'first');
  await eventually(() => open.length === 5);
  for (const stream of open.slice(1)) say(stream, 'ok');
  assert.deepEqual(
    (await Promise.all([...running, waiting])).map(([status]) => status),
    [200, 200, 200, 200, 200],
  );
  assert.equal(backend.sessions(), 2);
});

test('a backend that is silent is a read timeout before its head, and breaks the answer behind it', async (t) => {
  const { ask, outcomes } = await stage(
    t,
    (stream, at) => {
      if (at === 1) return;
      stream.respond({ ':status': 200 });
      stream.write('half');
    },
    { readMsMax: 300, bodyMsMax: 300 },
  );
  assert.deepEqual(await ask(), [502, 'readTimeout']);
  await assert.rejects(ask());
  await eventually(() => outcomes.length === 2);
  assert.deepEqual(
    outcomes.map(({ kind }) => kind),
    ['complete', 'upstreamAborted'],
  );
});

test('a backend that takes little of a body holds its sender up, and has all of it in the end', async (t) => {
  let body: ServerHttp2Stream | undefined;
  const { port } = await stage(t, (stream) => (body = stream));
  const bytes = 32 * 1_048_576;
  let sent = 0;
  const piece = Buffer.alloc(65_536, 'x');
  const pieces = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (sent >= bytes) return controller.close();
      sent += piece.length;
      controller.enqueue(piece);
    },
  });
  const asked = fetch(`http://127.0.0.1:${port}/`, {
    method: 'PUT',
    body: pieces,
    duplex: 'half',
  } as RequestInit);
  let [last, sinceMs] = [-1, performance.now()];
  while (performance.now() - sinceMs < 300) {
    if (sent !== last) [last, sinceMs] = [sent, performance.now()];
    await new Promise(setImmediate);
  }
  assert.ok(sent < bytes / 2, `${sent} bytes were taken of the client`);
  assert.ok(body !== undefined);
  const text = await textOf(body);
  say(body, String(text.length));
  assert.equal(await (await asked).text(), String(bytes));
});

test('heads and floods of a backend past the bounds are no answer', async (t) => {
  const { ask } = await stage(
    t,
    (stream, at) => {
      if (at === 1) {
        for (let hint = 0; hint < 20; hint += 1) stream.additionalHeaders({ ':status': 103, link: '</a>' });
        return say(stream, 'ok');
      }
      stream.respond({ ':status': 200, 'x-long': 'v'.repeat(3_000) });
      stream.end();
    },
    { headerBytesMax: 2_000 },
  );
  assert.deepEqual(await ask(), [502, 'invalidResponse']);
  assert.equal((await ask())[0], 502);
});

test('blanks around a value of an answer are none of it, in its head and in its trailers; the field is not lost', async (t) => {
  const { port } = await stage(t, (stream) => {
    stream.respond(
      { ':status': 200, 'x-behind': 'a\t ', 'x-before': ' b', 'x-blank': ' ' },
      { waitForTrailers: true },
    );
    stream.once('wantTrailers', () => stream.sendTrailers({ 'x-late': ' c ' }));
    stream.end('ok');
  });
  const answer = await askHttp2(openHttp2(t, port), { ':path': '/' });
  const { 'x-behind': behind, 'x-before': before, 'x-blank': blank } = answer.headers;
  assert.deepEqual([behind, before, blank, answer.trailers?.['x-late']], ['a', 'b', '', 'c']);
});

test('an unused connection ends after its time', async (t) => {
  const { ask, backend } = await stage(t, (stream) => say(stream, 'ok'), { idleMsMax: 300 });
  await ask();
  assert.equal(backend.open.size, 1);
  await eventually(() => backend.open.size === 0);
});

test('over TLS a backend is spoken to as it agrees: HTTP/2, or HTTP/1.1 where it has no other and nothing else is needed', async (t) => {
  const authority = createAuthority(join(tempDir(t, 'isthmus-h2'), 'ca'));
  const pair = authority.issue('server');
  const files = { cert: readFileSync(pair.certFile), key: readFileSync(pair.keyFile) };
  const both = createSecureServer({ ...files, allowHTTP1: true }, (request, answer) => {
    answer.end(`HTTP/${request.httpVersion}`);
  });
  const old = createTlsServer({ ...files, ALPNProtocols: ['http/1.1'] }, (socket) => {
    socket.on('error', () => undefined);
    socket.on('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nold'));
  });
  const tls = upstreamTls({ ca: readFileSync(authority.caFile, 'utf8'), servername: 'localhost' });
  const portOf = async (server: typeof both | typeof old): Promise<number> => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => server.close());
    return (server.address() as AddressInfo).port;
  };
  const ask = async (port: number, http2: UpstreamHttp2): Promise<string> => {
    const proxy = await startEngineProxy(t, { upstream: { scheme: 'https', port, tls, http2 } });
    const answers = await Promise.all(
      [1, 2, 3].map(async () => (await fetch(`http://127.0.0.1:${proxy.port}/`)).text()),
    );
    return [...new Set(answers)].join();
  };
  const [bothPort, oldPort] = [await portOf(both), await portOf(old)];
  assert.equal(await ask(bothPort, upstreamHttp2), 'HTTP/2.0');
  assert.equal(await ask(oldPort, upstreamHttp2), 'old');
  assert.equal(await ask(oldPort, { ...upstreamHttp2, isRequired: true }), 'tlsFailed');
});
