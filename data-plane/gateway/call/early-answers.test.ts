import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

import { accessRecords } from '../../../test/kit/gateway/access-records.ts';
import { eventually } from '../../../test/kit/eventually.ts';
import { apiDefinition, startLocalGateway } from '../../../test/kit/gateway/gateway.ts';
import { openPeer, startBackend } from '../../../test/kit/engine/raw-peer.ts';
import { tempDir } from '../../../test/kit/temp-dir.ts';

/** A gateway with a listener of these bounds; `send` writes raw text, `record` waits for the one record that it must leave. */
async function startScene(t: TestContext, listen: Readonly<Record<string, unknown>>) {
  const backend = await startBackend(t);
  const target = `http://127.0.0.1:${backend.port}`;
  const dataDir = join(tempDir(t), 'data');
  const gateway = await startLocalGateway(t, {
    apis: {
      a: apiDefinition('a', target),
      broken: apiDefinition('broken', target, { type: 'native' }),
      silent: apiDefinition('silent', target, { analytics: { enabled: false } }),
    },
    config: { dataDir, report: { enabled: true }, listen },
  });
  return {
    backend,
    send: (text: string) => openPeer(t, { port: gateway.port, from: '127.0.0.1' }, text),
    async record() {
      const [record = {}, ...more] = await eventually(async () => {
        const all = await accessRecords(dataDir);
        return all.length > 0 && all;
      });
      assert.deepEqual(more, [], 'one request, one record');
      return ['api_id', 'http_method', 'uri', 'status', 'error_key', 'error_message', 'outcome'].map(
        (field) => record[field],
      );
    },
  };
}

/** Long enough for the engine to notice, as a garbage collection or a blocking policy would. */
function blockTheLoop(ms: number): void {
  const untilMs = performance.now() + ms;
  while (performance.now() < untilMs);
}

test('the record of a request that is turned away for overload says which API, which path without its key, and why', async (t) => {
  const scene = await startScene(t, { eventLoopLagMsMax: 50 });
  const client = await scene.send('');
  client.write('GET /a/items?api-key=SECRET&x=1 HTTP/1.1\r\nHost: h\r\nUser-Agent: tester\r\n\r\n');
  blockTheLoop(400);
  await client.ended;
  assert.match(client.text, /^HTTP\/1\.1 503 /);
  const record = await scene.record();
  assert.deepEqual(
    [...record.slice(0, 2), ...record.slice(3)],
    ['a', 'GET', 503, 'GATEWAY_OVERLOADED', 'overloaded', 'refused'],
  );
  assert.match(String(record[2]), /^\/a\/items\?.*x=1$/);
  assert.doesNotMatch(JSON.stringify(record), /SECRET/);
});

test('an API that records nothing records no overload either', async (t) => {
  const scene = await startScene(t, { eventLoopLagMsMax: 50 });
  const client = await scene.send('');
  client.write('GET /silent HTTP/1.1\r\nHost: h\r\n\r\n');
  blockTheLoop(400);
  await client.ended;
  assert.match(client.text, /^HTTP\/1\.1 503 /);
  await scene.send('GET /nowhere HTTP/1.1\r\nHost: h\r\n\r\n');
  assert.equal((await scene.record())[2], '/nowhere');
});

const refused: readonly (readonly [
  what: string,
  text: string,
  listen: Readonly<Record<string, unknown>>,
  record: readonly unknown[],
])[] = [
  [
    'declares a body that is too large',
    'POST /a/up HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\n',
    { bodyBytesMax: 10 },
    ['a', 'POST', '/a/up', 413, 'REQUEST_CONTENT_LIMIT_TOO_LARGE', 'body-too-large', 'refused'],
  ],
  [
    'sends a body that turns out too large',
    'POST /a/up HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nb\r\nhello world\r\n',
    { bodyBytesMax: 10 },
    ['a', 'POST', '/a/up', 413, 'REQUEST_CONTENT_LIMIT_TOO_LARGE', 'body-too-large', 'refused'],
  ],
  [
    'sends a body whose chunks are none',
    'POST /a/up HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n',
    {},
    ['a', 'POST', '/a/up', 400, 'GATEWAY_INVALID_REQUEST', 'chunk-size', 'refused'],
  ],
  [
    'has a malformed field',
    'PUT /a/x HTTP/1.1\r\nHost: h\r\nbad field: x\r\n\r\n',
    {},
    ['1', 'PUT', '/a/x', 400, 'GATEWAY_INVALID_REQUEST', 'field-name', 'refused'],
  ],
  [
    'has no host',
    'GET /a/x?y=1 HTTP/1.1\r\n\r\n',
    {},
    ['1', 'GET', '/a/x?y=1', 400, 'GATEWAY_INVALID_REQUEST', 'host-missing', 'refused'],
  ],
  [
    'does not come to the end of its head',
    'GET /a/slow HTTP/1.1\r\nHost: h\r\nX-',
    { headerMsMax: 200 },
    ['1', 'GET', '/a/slow', 408, 'REQUEST_TIMEOUT', 'header-timeout', 'refused'],
  ],
  [
    'is for an API that could not be deployed',
    'GET /broken/x HTTP/1.1\r\nHost: h\r\n\r\n',
    {},
    [
      'broken',
      'GET',
      '/broken/x',
      503,
      'API_DEPLOYMENT_FAILED',
      'The API could not be deployed on this gateway.',
      'refused',
    ],
  ],
];

for (const [what, text, listen, expected] of refused) {
  test(`a request that ${what} has one record, with all that is known of it`, async (t) => {
    const scene = await startScene(t, listen);
    const client = await scene.send(text);
    await client.until(`HTTP/1.1 ${String(expected[3])} `);
    assert.deepEqual(await scene.record(), expected);
  });
}

test('a key in a first line that could be read no further stands in no record', async (t) => {
  const scene = await startScene(t, {});
  const client = await scene.send('GET /a?API%2DKEY=SECRET HTTP/1.1\r\nHost: h\r\nbad field: x\r\n\r\n');
  await client.until('HTTP/1.1 400 ');
  assert.doesNotMatch(JSON.stringify(await scene.record()), /SECRET/);
});

test('a request whose time is over is a timeout in its record, and no client that went away', async (t) => {
  const scene = await startScene(t, { requestMsMax: 200 });
  const client = await scene.send('GET /a/long HTTP/1.1\r\nHost: h\r\n\r\n');
  assert.equal(await client.ended, 'reset');
  const record = await scene.record();
  assert.deepEqual(
    [record[0], record[2], record[4], record[5]],
    ['a', '/a/long', 'REQUEST_TIMEOUT', 'request-too-long'],
  );
});
