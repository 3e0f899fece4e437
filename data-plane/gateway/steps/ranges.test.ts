import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';

import { apiDefinition, flow, startLocalGateway } from '../../../test/kit/gateway/gateway.ts';

const card = '4111111111111111';
const whole = JSON.stringify({ name: 'Ann', card });

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
