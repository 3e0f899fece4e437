import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';

import { apiDefinition, flow, startLocalGateway } from '../../../test/kit/gateway/gateway.ts';

const card = '4111111111111111';
const whole = JSON.stringify({ name: 'Ann', card });
/** A script waits for its thread, and has no core for longer than its budget, as long as others keep the machine busy. */
const config = { policy: { js: { waitMsMax: 10_000, timeoutMs: 10_000 } } };

/** A server that gives parts to whoever asks for one; `asked` are the ranges that it heard of. */
async function startRanges(t: TestContext) {
  const asked: unknown[] = [];
  const server = createServer(({ headers: { range, 'if-range': condition } }, answer) => {
    asked.push(range ?? condition);
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(range ?? '') ?? [];
    const part = whole.slice(Number(from ?? 0), Number(to ?? whole.length) + 1);
    answer.writeHead(range === undefined ? 200 : 206, {
      'Content-Type': 'application/json',
      ...(range !== undefined && { 'Content-Range': `bytes ${from}-${to}/${whole.length}` }),
    });
    answer.end(part);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => (server.closeAllConnections(), server.close()));
  return { asked, target: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

const pii = ['pii-filtering', { categories: ['FINANCIAL_ACCOUNT'] }] as const;
const without = { operation: 'remove', spec: { card: '' } };
const conditional = {
  name: 'interrupt',
  policy: 'policy-interrupt',
  configuration: { errorKey: 'CARD', message: 'none of it', statusCode: 403 },
  condition: `{#response.content.contains('"card":"${card}"')}`,
};

/** Flows of an API by which no card leaves it. */
const readers: Readonly<Record<string, object>> = {
  'pii-asked': flow('/', { request: [pii] }),
  'pii-answered': flow('/', { response: [pii] }),
  jolt: flow('/', { response: [['json-to-json', { specification: JSON.stringify([without]) }]] }),
  replaced: flow('/', { response: [['url-rewriting', { fromRegex: card, toReplacement: 'none' }]] }),
  script: flow('/', {
    response: [
      [
        'js',
        {
          readContent: true,
          overrideContent: true,
          script: `response.content(response.content().replace('${card}', 'none'))`,
        },
      ],
    ],
  }),
  condition: { ...flow('/', {}), response: [conditional] },
};

test('nobody gets past a step that reads answers by asking for them in parts', async (t) => {
  const backend = await startRanges(t);
  const gateway = await startLocalGateway(t, {
    config,
    apis: Object.fromEntries(
      Object.entries(readers).map(([id, each]) => [id, apiDefinition(id, backend.target, { flows: [each] })]),
    ),
  });
  for (const id of Object.keys(readers)) {
    const parts: string[] = [];
    const at = whole.indexOf(card);
    for (const range of [
      `bytes=0-${at + 7}`,
      `bytes=${at + 8}-${whole.length - 1}`,
      `bytes=${at}-${at + 15}`,
    ]) {
      const headers = { Range: range, 'If-Range': '"tag"' };
      const { status, text, headers: answered } = await gateway.call(`/${id}`, { headers });
      assert.equal(status, id === 'condition' ? 403 : 200, `${id}: ${text}`);
      assert.equal(answered['content-range'], undefined, id);
      parts.push(text);
    }
    assert.ok(!parts.join('').includes(card), `${id}: ${parts.join('')}`);
  }
  assert.deepEqual(new Set(backend.asked), new Set([undefined]));
});

test('where no step reads answers parts are given as they are asked for', async (t) => {
  const backend = await startRanges(t);
  const mapping = { statusMappings: [{ inputStatusCode: 200, outputStatusCode: 202 }] };
  const flows = [flow('/', { response: [['status-code', mapping]] }), flow('/other', { response: [pii] })];
  const gateway = await startLocalGateway(t, { apis: { a: apiDefinition('a', backend.target, { flows }) } });
  const { status, text, headers } = await gateway.call('/a', { headers: { Range: 'bytes=2-5' } });
  assert.deepEqual([status, text], [206, 'name']);
  assert.equal(headers['content-range'], `bytes 2-5/${whole.length}`);
});

test('a part that nobody asked for is no whole answer for a step that reads answers, however the part is spelled', async (t) => {
  const server = createServer(({ url = '' }, answer) => {
    const [, status, type, range] = decodeURIComponent(url).split('|');
    answer.writeHead(Number(status), { 'Content-Type': type, ...(range && { 'Content-Range': range }) });
    answer.end(whole);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => (server.closeAllConnections(), server.close()));
  const target = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const json = 'application/json';
  const mapping = { statusMappings: [{ inputStatusCode: 206, outputStatusCode: 200 }] };
  const kinds = {
    ...readers,
    validated: flow('/', { response: [['json-validation', { schema: '{}' }]] }),
    mapped: flow('/', { response: [['status-code', mapping], pii] }),
  };
  const gateway = await startLocalGateway(t, {
    config,
    apis: {
      ...Object.fromEntries(
        Object.entries(kinds).map(([id, each]) => [id, apiDefinition(id, target, { flows: [each] })]),
      ),
      none: apiDefinition('none', target),
    },
  });
  const parts = [
    `/|206|${json}|bytes 0-9/99`,
    `/|206|${json}`,
    '/|206|multipart/byteranges; boundary=b',
    `/|200|${json}|bytes 0-9/99`,
  ];
  for (const id of Object.keys(kinds))
    for (const part of parts) {
      // Once its status is another one, nothing may be left that says so.
      if (id === 'mapped' && part !== parts[0]) continue;
      const { status, text } = await gateway.call(`/${id}${encodeURI(part)}`);
      assert.equal(status, 502, `${id} ${part}: ${text}`);
      assert.ok(!text.includes(card));
    }
  for (const part of parts) assert.equal((await gateway.call(`/none${encodeURI(part)}`)).text, whole, part);
  // No part: what it says is how long the whole is that nobody got anything of.
  const unsatisfied = await gateway.call(`/pii-answered${encodeURI(`/|416|${json}|bytes */99`)}`);
  assert.equal(unsatisfied.status, 416);
});

test('an endpoint that asks for parts itself gives none to a step that reads answers', async (t) => {
  const { target } = await startRanges(t);
  const asking = {
    endpointGroups: [
      {
        name: 'g',
        type: 'http-proxy',
        sharedConfiguration: { headers: [{ name: 'Range', value: 'bytes=0-3' }] },
        endpoints: [{ name: 'e', type: 'http-proxy', configuration: { target } }],
      },
    ],
  };
  const gateway = await startLocalGateway(t, {
    config,
    apis: {
      read: apiDefinition('read', target, { ...asking, flows: [readers['pii-answered']] }),
      plain: apiDefinition('plain', target, asking),
      put: apiDefinition('put', target, {
        ...asking,
        flows: [flow('/', { response: [['policy-assign-content', { body: 'all of it' }]] })],
      }),
    },
  });
  assert.equal((await gateway.call('/read')).status, 502);
  const { status, text } = await gateway.call('/plain');
  assert.deepEqual([status, text], [206, '{"na']);
  // Nothing is read: what takes its place is whole.
  const put = await gateway.call('/put');
  assert.deepEqual([put.status, put.text, put.headers['content-range']], [200, 'all of it', undefined]);
});
