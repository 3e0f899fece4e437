import assert from 'node:assert/strict';
import { test } from 'node:test';

import { catalog } from '../../../proto/policies/catalog.ts';
import { Fault } from '../../../proto/faults/fault.ts';
import type { OutboundRequest, OutboundResponse } from '../../../proto/process/outbound/outbound.ts';
import { apiDefinition, flow, startLocalGateway } from '../../../test/kit/gateway/gateway.ts';
import { startSaidServer } from '../../../test/kit/gateway/issuer.ts';
import { startPolicy } from '../../../test/kit/gateway/policies.ts';
import { startUpstream } from '../../../test/kit/servers/upstream.ts';
import type { PolicyOutbound } from '../policy.ts';

const id = 'policy-http-callout';
const url = 'http://asked.example/';

/** The client of calls, as a policy sees it: says one answer and keeps what was sent. */
function client(status: number, content = '', headers: Record<string, string> = {}) {
  const sent: (OutboundRequest & { readonly url: string })[] = [];
  const outbound: PolicyOutbound = {
    request: (to, request) => {
      sent.push({ url: to, ...request });
      if (status === 0) return Promise.reject(new Fault('outbound.unreachable'));
      const bytes = Buffer.from(content);
      const answer: Partial<OutboundResponse> = { status, headers, bytes: () => Promise.resolve(bytes) };
      return Promise.resolve(answer as OutboundResponse);
    },
  };
  return { sent, host: { outbound } };
}

async function asked(configuration: object, { host }: ReturnType<typeof client>, wish = {}) {
  const call = startPolicy(id, { url, ...configuration }, { host }).call(wish);
  const verdict = await call.pass();
  const refusal =
    verdict !== undefined && 'key' in verdict && verdict.kind === 'reject' ? verdict : undefined;
  return {
    refused: refusal === undefined ? undefined : [refusal.key, refusal.status, refusal.message],
    attributes: Object.fromEntries(call.attributes),
    warnings: call.warnings.join(),
  };
}

test('method, URL, headers and body are sent as they render; a header or body that comes to nothing is left out', async () => {
  const said = client(200);
  await asked(
    {
      method: 'PUT',
      url: 'http://asked.example/{#request.method}?a=1',
      headers: [
        { name: 'X-Who', value: "{#request.headers['X-Who'][0]}" },
        { name: 'X-None', value: "{#request.headers['X-None'][0]}" },
      ],
      body: 'it said {#request.content}',
    },
    said,
    { request: { method: 'POST' }, headers: { 'X-Who': 'ada' }, body: 'apples' },
  );
  assert.deepEqual(said.sent, [
    {
      url: 'http://asked.example/POST?a=1',
      method: 'PUT',
      headers: { 'X-Who': 'ada' },
      body: 'it said apples',
      timeoutMs: 10_000,
    },
  ]);
  const plain = client(200);
  await asked({ body: "{#request.headers['X-None']}" }, plain);
  assert.deepEqual(plain.sent, [{ url, method: 'GET', headers: {}, timeoutMs: 10_000 }]);
});

test('variables become attributes, as text unless evaluateAsString is off; one that comes to nothing takes its attribute away', async () => {
  const said = client(201, '{"n":7,"l":[1,2],"field":"f"}', { 'x-tier': 'gold' });
  const at = (path: string): string => `{#jsonPath(#calloutResponse.content, '$.${path}')}`;
  const { attributes, warnings } = await asked(
    {
      variables: [
        { name: 'default' },
        { name: 'text', value: at('n') },
        { name: 'number', value: at('n'), evaluateAsString: false },
        { name: 'status', value: '{#calloutResponse.status}' },
        { name: 'tier', value: "{#calloutResponse.headers['X-Tier'][0]}" },
        { name: 'json', value: '{#calloutResponse.jsonContent.l[1]}' },
        { name: 'gone', value: "{#calloutResponse.headers['X-None']}" },
        { name: 'word', value: 'as written' },
      ],
    },
    said,
    { attributes: { gone: 'was here' } },
  );
  const { number, ...texts } = attributes;
  assert.deepEqual(texts, {
    default: 'f',
    text: '7',
    status: '201',
    tier: 'gold',
    json: '2',
    word: 'as written',
  });
  assert.equal(Number(number), 7);
  assert.notEqual(typeof number, 'string');
  assert.equal(warnings, '');
});

test('with exitOnError an answer of which errorCondition holds ends the request, with its status and content', async () => {
  const exit = { exitOnError: true };
  const key = 'CALLOUT_EXIT_ON_ERROR';
  for (const [status, configuration, refused] of [
    [399, exit, undefined],
    [400, exit, [key, 500, 'A server that was asked refused']],
    [599, exit, [key, 500, 'A server that was asked refused']],
    [404, {}, undefined],
    [
      404,
      { ...exit, errorStatusCode: '403', errorContent: 'it said {#calloutResponse.content}' },
      [key, 403, 'it said no'],
    ],
    [
      200,
      { ...exit, errorCondition: "{#calloutResponse.content == 'no'}" },
      [key, 500, 'A server that was asked refused'],
    ],
    [500, { ...exit, errorCondition: 'false' }, undefined],
    [500, { ...exit, errorCondition: '' }, undefined],
    [
      200,
      { ...exit, errorCondition: "{#calloutResponse.headers['X-None'][0].length() > 1}" },
      [key, 500, 'A server that was asked refused'],
    ],
  ] as const)
    assert.deepEqual(
      (await asked(configuration, client(status, 'no'))).refused,
      refused,
      JSON.stringify(configuration),
    );
});

test('a server that does not answer ends the request, and so does a URL that comes to nothing', async () => {
  const key = 'CALLOUT_HTTP_ERROR';
  const fixed = 'A server that had to be asked did not answer';
  assert.deepEqual(await asked({ errorStatusCode: '503' }, client(0)), {
    refused: [key, 500, fixed],
    attributes: {},
    warnings: key,
  });
  const exit = { exitOnError: true, errorStatusCode: '503', errorContent: 'later' };
  assert.deepEqual((await asked(exit, client(0))).refused, [key, 503, 'later']);
  const nowhere = client(200);
  assert.deepEqual((await asked({ url: "{#request.headers['X-To'][0]}" }, nowhere)).refused, [
    key,
    500,
    fixed,
  ]);
  assert.equal(nowhere.sent.length, 0);
});

test('fireAndForget waits for nothing and sets nothing', async () => {
  const said = client(500, '{"field":1}');
  const forgotten = await asked({ fireAndForget: true, exitOnError: true, variables: [{ name: 'v' }] }, said);
  assert.deepEqual([forgotten.refused, forgotten.attributes, said.sent.length], [undefined, {}, 1]);
  assert.equal((await asked({ fireAndForget: true, exitOnError: true }, client(0))).refused, undefined);
});

test('so many calls run at once; the others wait in order', async () => {
  const answers: (() => void)[] = [];
  const host = {
    outbound: {
      request: () =>
        new Promise<OutboundResponse>((resolve) => {
          const answer = { status: 200, headers: {}, bytes: () => Promise.resolve(Buffer.from('')) };
          answers.push(() => resolve(answer as unknown as OutboundResponse));
        }),
    },
  };
  const { call, clock } = startPolicy(id, { url, http: { maxConcurrentConnections: 1 } }, { host });
  const [first, second, third] = [call().pass(), call().pass(), call().pass()];
  await clock.advance(0);
  assert.equal(answers.length, 1);
  answers[0]?.();
  assert.equal(await first, undefined);
  await clock.advance(0);
  assert.equal(answers.length, 2);
  await clock.advance(10_000);
  const late = await third;
  assert.ok(late !== undefined && 'key' in late && late.key === 'CALLOUT_HTTP_ERROR');
  answers[1]?.();
  assert.equal(await second, undefined);
});

test('it runs on answers too, and reads them', async () => {
  const said = client(200);
  const call = startPolicy(
    id,
    { url: 'http://asked.example/{#response.status}', method: 'POST', body: '{#response.content}' },
    { host: said.host, place: { phase: 'response' } },
  ).call();
  await call.answer({ status: 202, body: 'answered' });
  assert.deepEqual([said.sent[0]?.url, said.sent[0]?.body], ['http://asked.example/202', 'answered']);
});

test('nobody is called whom an endpoint may not lead to, however a caller spells the address; a redirect is an answer', async (t) => {
  const upstream = await startUpstream(t);
  const other = await startSaidServer(t, 200);
  const sends = await startSaidServer(t, 302);
  const configuration = {
    url: "{#request.headers['X-To'][0]}",
    variables: [{ name: 'status', value: '{#calloutResponse.status}' }],
  };
  const steps = [
    [id, configuration],
    ['transform-headers', { addHeaders: [{ name: 'X-Status', value: "{#context.attributes['status']}" }] }],
  ] as const;
  const gateway = await startLocalGateway(t, {
    apis: { a: apiDefinition('a', upstream.url, { flows: [flow('/', { request: steps })] }) },
    config: { upstream: { deny: ['192.0.2.0/24'], chosenByRequests: ['0.0.0.0/0', '::/0'] } },
  });
  const to = (where: string) => gateway.call('/a', { headers: { 'X-To': where } });
  for (const where of [
    'http://169.254.169.254/latest/meta-data',
    'http://2852039166/',
    'http://0xa9fea9fe/',
    'http://0251.0376.0251.0376/',
    'http://[::ffff:169.254.169.254]/',
    'http://[::ffff:a9fe:a9fe]/',
    'http://[64:ff9b::169.254.169.254]/',
    'http://[fe80::1]/',
    'http://[fd00:ec2::254]/',
    'http://192.0.2.1/',
    'http://0.0.0.0:1/',
    gateway.nodeApi,
    gateway.nodeApi.replace('127.0.0.1', '[::ffff:127.0.0.1]'),
    'file:///etc/passwd',
    'gopher://127.0.0.1:1/',
    'http://user:pass@',
    'nowhere',
  ]) {
    const { status, text } = await to(where);
    assert.equal(status, 500, where);
    assert.match(text, /did not answer/, where);
  }
  assert.equal(upstream.requests.length, 0);
  const redirected = await to(sends.url);
  const { headers } = JSON.parse(redirected.text) as { headers: Record<string, string> };
  assert.equal(headers['x-status'], '302');
  assert.deepEqual([sends.asked.length, other.asked.length], [1, 0]);
});

test('what cannot be is refused by its path', () => {
  const refused = (configuration: object): string =>
    catalog[id].config
      .safeParse({ url, ...configuration })
      .error?.issues.map(({ path }) => path.join('.'))
      .join() ?? '';
  for (const fine of [
    { method: 'TRACE' },
    { errorStatusCode: 403 },
    { useSystemProxy: true },
    { scope: 'REQUEST_CONTENT' },
  ])
    assert.equal(refused(fine), '');
  for (const [wrong, path] of [
    [{ url: '' }, 'url'],
    [{ url: '{#calloutResponse.status}' }, 'url'],
    [{ method: 'CONNECT' }, 'method'],
    [{ headers: [{ name: 'Transfer-Encoding', value: 'x' }] }, 'headers.0.name'],
    [{ headers: [{ name: 'X-A', value: 'a\nb' }] }, 'headers.0.value'],
    [{ errorStatusCode: '199' }, 'errorStatusCode'],
    [{ errorStatusCode: '600' }, 'errorStatusCode'],
    [{ errorCondition: '{#calloutResponse.nope}' }, 'errorCondition'],
    [{ variables: [{ name: '' }] }, 'variables.0.name'],
    [{ variables: [{ name: 'a', value: '{#nope}' }] }, 'variables.0.value'],
    [{ http: { maxConcurrentConnections: 0 } }, 'http.maxConcurrentConnections'],
    [{ http: { maxConcurrentConnections: 1_001 } }, 'http.maxConcurrentConnections'],
  ] as const)
    assert.equal(refused(wrong), path, JSON.stringify(wrong));
});
