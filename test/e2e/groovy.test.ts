import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';

import { withoutGroovy } from '../../proto/definition/groovy/steps.ts';
import { type GroovyMeaning, groovyRows } from '../../proto/definition/groovy/table.ts';
import { startLocalGateway } from '../kit/gateway/gateway.ts';

/** A backend that answers each path as its row says, and keeps what it got. */
async function startBackend(t: TestContext) {
  const got = new Map<string, { readonly headers: NodeJS.Dict<string | string[]>; readonly body: string }>();
  const server = createServer((incoming, outgoing) => {
    const parts: Buffer[] = [];
    incoming.on('data', (part: Buffer) => parts.push(part));
    incoming.on('end', () => {
      const [, row = ''] = (incoming.url ?? '').split(/[/?]/);
      got.set(row, { headers: incoming.headers, body: Buffer.concat(parts).toString() });
      const { status = 200, headers = {}, body = '' } = groovyRows[Number(row)]?.means.answer ?? {};
      outgoing.writeHead(status, headers).end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => (server.closeAllConnections(), new Promise((resolve) => server.close(resolve))));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, got };
}

/** An API per row, whose step is of groovy. */
const apiOf = (row: (typeof groovyRows)[number], n: number, target: string): object => {
  const content = row.content === true;
  const step = {
    policy: 'groovy',
    configuration: { script: row.groovy, readContent: content, overrideContent: content },
  };
  return {
    id: `row-${n}`,
    name: `row ${n}`,
    gravitee: '4.0.0',
    type: 'proxy',
    apiVersion: '1',
    listeners: [{ type: 'http', paths: [{ path: `/${n}` }], entrypoints: [{ type: 'http-proxy' }] }],
    endpointGroups: [
      {
        name: 'g',
        type: 'http-proxy',
        endpoints: [{ name: 'e', type: 'http-proxy', configuration: { target: `${target}/${n}` } }],
      },
    ],
    plans: { open: { security: { type: 'KEY_LESS' } } },
    flows: [
      {
        selectors: [{ type: 'HTTP', path: '/', pathOperator: 'STARTS_WITH' }],
        [row.phase ?? 'request']: [step],
      },
    ],
  };
};

test('each row of the table means in JavaScript what it means in Groovy', async (t) => {
  const backend = await startBackend(t);
  const apis = groovyRows.map((row, n) => {
    const { document, steps } = withoutGroovy(apiOf(row, n, backend.url));
    assert.equal(steps[0]?.configuration === undefined, false, row.groovy);
    return [`row-${n}`, document as object] as const;
  });
  const gateway = await startLocalGateway(t, { apis: Object.fromEntries(apis) });
  for (const [n, { groovy, phase, means }] of groovyRows.entries()) {
    const { path = '', headers = {}, body } = means.request ?? {};
    const answer = await gateway.call(`/${n}${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers,
      ...(body !== undefined && { body }),
    });
    assert.equal(answer.status, means.status ?? 200, `${groovy}\n${answer.text}`);
    const isOfAnswer = phase === 'response' || means.status !== undefined;
    const seen = isOfAnswer ? { headers: answer.headers, body: answer.text } : backend.got.get(String(n));
    assert.ok(seen !== undefined, groovy);
    judge(groovy, means, seen);
  }
});

function judge(
  groovy: string,
  { headers = {}, body }: GroovyMeaning,
  seen: { readonly headers: NodeJS.Dict<string | string[]>; readonly body: string },
): void {
  for (const [name, value] of Object.entries(headers))
    assert.equal(seen.headers[name] ?? null, value, groovy);
  if (body !== undefined && !seen.body.startsWith('{"message"')) assert.equal(seen.body, body, groovy);
  else if (body !== undefined)
    assert.equal((JSON.parse(seen.body) as { message: string }).message, body, groovy);
}
