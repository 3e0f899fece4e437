import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';

import { apiDefinition, flow, startLocalGateway } from '../../../test/kit/gateway/gateway.ts';

const said = '{"name":"Łódź"}';
const packed: Readonly<Record<string, Buffer>> = {
  gzip: gzipSync(said),
  'X-GZIP': gzipSync(said),
  deflate: deflateSync(said),
  br: brotliCompressSync(said),
  zstd: zstdCompressSync(said),
};

const template = (body: string) => flow('/', { response: [['policy-assign-content', { body }]] });
const header = flow('/', {
  response: [
    [
      'transform-headers',
      { addHeaders: [{ name: 'X-Name', value: '{#response.jsonContent?.name?.length()}' }] },
    ],
  ],
});

/** A backend that answers with the bytes and headers that are told of its path, and a gateway before it with an API per entry of `apis`. */
async function startBoth(
  t: TestContext,
  wish: {
    readonly answers: Readonly<Record<string, readonly [headers: Record<string, string>, body: Buffer]>>;
    readonly apis: Readonly<Record<string, object>>;
    readonly bufferedBytesMax?: number;
  },
) {
  const server = createServer((request, response) => {
    const [headers, body] = wish.answers[request.url ?? ''] ?? [{}, Buffer.from('')];
    response.writeHead(200, headers).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => (server.closeAllConnections(), new Promise((resolve) => server.close(resolve))));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return startLocalGateway(t, {
    apis: Object.fromEntries(
      Object.entries(wish.apis).map(([id, more]) => [id, apiDefinition(id, url, { ...more })]),
    ),
    config: { request: { bufferedBytesMax: wish.bufferedBytesMax ?? 10_000 } },
  });
}

test('steps read what a compressed answer says, which goes on uncompressed then; where none reads it, it goes on as it came', async (t) => {
  const gateway = await startBoth(t, {
    answers: Object.fromEntries(
      Object.entries(packed).map(([coding, body]) => [
        `/${coding}`,
        [{ 'content-encoding': coding, etag: '"a"', 'content-length': String(body.length) }, body] as const,
      ]),
    ),
    apis: {
      made: { flows: [template('${response.jsonContent.name} of ${response.content?length}')] },
      read: { flows: [header] },
      plain: {},
    },
  });
  const headers = { 'accept-encoding': 'gzip, br, zstd, deflate' };
  for (const [coding, bytes] of Object.entries(packed)) {
    const made = await gateway.call(`/made/${coding}`, { headers });
    assert.deepEqual([made.status, made.text], [200, 'Łódź of 15'], coding);
    const read = await gateway.call(`/read/${coding}`, { headers });
    assert.equal(read.text, said, coding);
    assert.equal(read.headers['content-encoding'], undefined, coding);
    assert.equal(read.headers.etag, 'W/"a"', 'a strong tag stands for the bytes that came');
    const passed = await gateway.call(`/plain/${coding}`, { headers });
    assert.equal(passed.headers['content-encoding'], coding);
    assert.equal(passed.headers['content-length'], String(bytes.length));
    assert.equal(passed.headers.etag, '"a"');
  }
});

test('what cannot be unpacked stays as it came: broken bytes, an unknown coding; an answer without a body tells of one that is unpacked', async (t) => {
  const bytes = gzipSync(said);
  const gateway = await startBoth(t, {
    answers: {
      '/broken': [{ 'content-encoding': 'gzip' }, Buffer.from('no gzip')],
      '/unknown': [{ 'content-encoding': 'exi' }, bytes],
      '/whole': [{ 'content-encoding': 'gzip', 'content-length': String(bytes.length) }, bytes],
    },
    apis: { read: { flows: [header] } },
  });
  for (const path of ['broken', 'unknown']) {
    const answer = await gateway.call(`/read/${path}`);
    assert.equal(answer.headers['content-encoding'], path === 'unknown' ? 'exi' : 'gzip', path);
    assert.equal(answer.headers['x-name'], undefined, path);
  }
  const head = await gateway.call('/read/whole', { method: 'HEAD' });
  assert.deepEqual(
    [head.status, head.headers['content-encoding'], head.headers['content-length']],
    [200, undefined, undefined],
  );
});

test('a small answer that unpacks to more than a policy may read is refused like one that is sent so', async (t) => {
  const gateway = await startBoth(t, {
    answers: {
      '/fits': [{ 'content-encoding': 'gzip' }, gzipSync('a'.repeat(10_000))],
      '/bomb': [{ 'content-encoding': 'gzip' }, gzipSync('a'.repeat(10_001))],
    },
    apis: { made: { flows: [template('${response.content?length?c}')] } },
    bufferedBytesMax: 10_000,
  });
  assert.equal((await gateway.call('/made/fits')).text, '10000');
  assert.equal((await gateway.call('/made/bomb')).status, 502);
});

test('the failureCondition of failover reads it too, and what goes on to the client is as it came', async (t) => {
  const gateway = await startBoth(t, {
    answers: {
      '/sick': [{ 'content-encoding': 'gzip' }, gzipSync('{"state":"sick"}')],
      '/well': [{ 'content-encoding': 'gzip' }, gzipSync('{"state":"well"}')],
    },
    apis: {
      f: {
        failover: {
          enabled: true,
          maxRetries: 0,
          failureCondition: "{#response.jsonContent.state == 'sick'}",
        },
      },
    },
  });
  assert.equal((await gateway.call('/f/sick')).status, 502);
  const well = await gateway.call('/f/well');
  assert.deepEqual([well.status, well.headers['content-encoding']], [200, 'gzip']);
});
