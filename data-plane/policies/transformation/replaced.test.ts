import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';

import { apiDefinition, flow, startLocalGateway } from '../../../test/kit/gateway/gateway.ts';

type Step = readonly [policy: string, configuration: object];

const script = (of: string): Step => [
  'js',
  { readContent: true, overrideContent: true, script: `${of}.content('{"b":1}')` },
];
/** Steps that put another body in the place of the one that came, by the phase in which they can. */
const both: Readonly<Record<string, Step>> = {
  assigned: ['policy-assign-content', { body: 'other' }],
  jolt: ['json-to-json', { specification: '[{"operation":"shift","spec":{"a":"b"}}]' }],
  xml: ['json-xml', {}],
  pii: ['pii-filtering', { categories: ['EMAIL'] }],
};
const steps = {
  request: { ...both, script: script('request'), soap: ['rest-to-soap', { envelope: '<e/>' }] as Step },
  response: {
    ...both,
    script: script('response'),
    url: ['url-rewriting', { fromRegex: 'ann', toReplacement: 'bob' }] as Step,
  },
};
/** A script waits for its thread as long as others keep the machine busy. */
const config = { policy: { js: { waitMsMax: 10_000 } } };
const said = { 'content-md5': 'm', 'content-digest': 'sha-256=:x:', digest: 'sha-256=x', 'repr-digest': 'y' };

test('a body that a step replaces takes with it what was said of its bytes, one that passes keeps it', async (t) => {
  const asked = new Map<string, unknown>();
  const server = createServer((request, answer) => {
    asked.set(
      request.url ?? '',
      Object.keys(said).filter((name) => name in request.headers),
    );
    request.resume();
    answer.writeHead(200, { ...said, 'Content-Type': 'application/json' }).end('{"a":"ann@example.com"}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => (server.closeAllConnections(), server.close()));
  const target = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const flows = Object.entries(steps).flatMap(([phase, each]) =>
    Object.entries(each).map(([name, step]) => flow(`/${phase}/${name}`, { [phase]: [step] })),
  );
  const gateway = await startLocalGateway(t, {
    config,
    apis: { a: apiDefinition('a', target, { flows }) },
  });
  assert.ok(!gateway.logged.join('').includes('a record was refused'), gateway.logged.join(''));
  const ask = async (path: string): Promise<readonly string[]> => {
    const headers = { ...said, 'Content-Type': 'application/json' };
    const {
      status,
      text,
      headers: answered,
    } = await gateway.call(`/a${path}`, {
      method: 'POST',
      headers,
      body: '{"a":"ann@example.com"}',
    });
    assert.equal(status, 200, `${path}: ${text}`);
    return Object.keys(said).filter((name) => name in answered);
  };
  assert.deepEqual(await ask('/none'), Object.keys(said));
  assert.deepEqual(asked.get('/none'), Object.keys(said));
  for (const name of Object.keys(steps.request)) {
    await ask(`/request/${name}`);
    assert.deepEqual(asked.get(`/request/${name}`), [], name);
  }
  for (const name of Object.keys(steps.response)) assert.deepEqual(await ask(`/response/${name}`), [], name);
});

test('what an answer without a body (HEAD, 304) tells of its body is true of the one that a step puts in its place', async (t) => {
  const body = '{"a":"ann@example.com"}';
  const packed = gzipSync(body);
  const server = createServer(({ method, url = '', headers }, answer) => {
    const isPacked = url.endsWith('/packed');
    const length = isPacked ? packed.length : body.length;
    const own = { ...said, etag: '"1"', ...(isPacked && { 'Content-Encoding': 'gzip' }) };
    if (headers['if-none-match'] !== undefined) return answer.writeHead(304, own).end();
    answer.writeHead(200, { ...own, 'Content-Type': 'application/json', 'Content-Length': length });
    return method === 'HEAD' ? answer.end() : answer.end(isPacked ? packed : body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => (server.closeAllConnections(), server.close()));
  const template: Step = ['policy-assign-content', { body: '${response.jsonContent.a}' }];
  const compression: Step = ['compression', { bytesMin: 1 }];
  const answered = { ...steps.response, template, compression, both: compression };
  const flows = Object.entries(answered).map(([name, step]) =>
    flow(`/${name}`, { response: name === 'both' ? [both.jolt ?? assert.fail(), step] : [step] }),
  );
  const target = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const gateway = await startLocalGateway(t, {
    config,
    apis: { a: apiDefinition('a', target, { flows }) },
  });
  const accepted = { 'Accept-Encoding': 'gzip' };
  for (const name of Object.keys(answered))
    for (const path of [`/a/${name}`, `/a/${name}/packed`]) {
      if (path === '/a/compression/packed') continue;
      const got = await gateway.call(path, { headers: accepted });
      const told = await gateway.call(path, { method: 'HEAD', headers: accepted });
      assert.deepEqual([got.status, told.status], [200, 200], `${path} ${got.text}`);
      for (const header of ['content-type', 'content-encoding', 'etag', 'vary'])
        assert.equal(told.headers[header], got.headers[header], `${path} ${header}`);
      assert.equal(got.headers.etag, 'W/"1"', path);
      const length = told.headers['content-length'];
      assert.ok(length === undefined || length === got.headers['content-length'], `${path} ${length}`);
      const digests = Object.keys(said).filter((header) => header in told.headers);
      assert.deepEqual(digests, [], path);
      const known = await gateway.call(path, { headers: { ...accepted, 'If-None-Match': 'W/"1"' } });
      assert.equal(known.status, 304);
      if (name !== 'compression') assert.equal(known.headers.etag, 'W/"1"', path);
    }
  for (const method of ['GET', 'HEAD']) {
    const { headers } = await gateway.call('/a/none', { method });
    assert.deepEqual([headers['content-length'], headers.etag], [String(body.length), '"1"'], method);
  }
});
