import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';

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
  const gateway = await startLocalGateway(t, { apis: { a: apiDefinition('a', target, { flows }) } });
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
