import assert from 'node:assert/strict';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

import { catalog } from '../../../proto/policies/catalog.ts';
import { type Clock, systemClock } from '../../../proto/process/clock.ts';
import { eventually } from '../../../test/kit/eventually.ts';
import { accessRecords } from '../../../test/kit/gateway/access-records.ts';
import { apiDefinition, flow, startLocalGateway } from '../../../test/kit/gateway/gateway.ts';
import { startModels } from '../../../test/kit/servers/models.ts';
import { tempDir } from '../../../test/kit/temp-dir.ts';

const id = 'ai-semantic-caching';
const path = '/openai/v1/chat/completions';

/** A gateway with an API per configuration, in front of models that say how often they were asked. */
async function start(
  t: TestContext,
  apis: Record<string, object>,
  { clock = systemClock, config = {} }: StartWish = {},
) {
  const models = await startModels(t);
  const embeddings = { url: `${models.url}/embeddings` };
  const gateway = await startLocalGateway(t, {
    clock,
    config: { listen: { eventLoopLagMsMax: 0 }, ...config },
    apis: Object.fromEntries(
      Object.entries(apis).map(([name, configuration]) => [
        name,
        apiDefinition(name, models.url, {
          flows: [flow('/', { request: [[id, { embeddings, ...configuration }]] })],
        }),
      ]),
    ),
  });
  const chats = (): number => models.asked.filter((asked) => asked.path === path).length;
  /** Whether the answer came out of the cache. */
  const ask = async (api: string, said: unknown, { body = {}, headers = {}, query = '' }: AskWish = {}) => {
    const before = chats();
    const answer = await gateway.call(`/${api}${path}${query}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...headers },
      body: JSON.stringify({ model: 'm', messages: [{ role: 'user', content: said }], ...body }),
    });
    assert.equal(answer.status, 200, answer.text);
    const isHit = chats() === before;
    assert.equal(answer.headers['age'] !== undefined, isHit);
    return isHit;
  };
  return { models, gateway, ask };
}

interface StartWish {
  readonly clock?: Clock;
  readonly config?: object;
}

interface AskWish {
  readonly body?: object;
  readonly headers?: Record<string, string>;
  readonly query?: string;
}

/** A prompt, the same letters in another order, one letter more, and another text. */
const prompt = 'how do i save money';
const same = 'money save i do how';
const near = 'how do i save moneys';
const other = 'who are you';

test('a prompt of the same meaning is answered with what was answered, whole or streamed; another one by the model', async (t) => {
  const { gateway, ask, models } = await start(t, { api: {} });
  assert.equal(await ask('api', prompt), false);
  assert.deepEqual(
    [await ask('api', prompt), await ask('api', same), await ask('api', near), await ask('api', other)],
    [true, true, true, false],
  );
  const streamed = { body: { stream: true } };
  assert.equal(await ask('api', prompt, streamed), false, 'a stream is no document');
  assert.equal(await ask('api', near, streamed), true);
  const post = (content: string) => ({
    method: 'POST',
    body: JSON.stringify({ model: 'm', messages: [{ role: 'user', content }], stream: true }),
  });
  const first = await (await fetch(`${models.url}${path}`, post(prompt))).text();
  const again = await gateway.call(`/api${path}`, post(same));
  assert.deepEqual([again.text, again.headers['content-type']], [first, 'text/event-stream; charset=utf-8']);
});

test('only the prompt may differ: model, what was said before, tools, query and what was negotiated have to be equal', async (t) => {
  const { ask } = await start(t, { api: {} });
  const before = [{ role: 'system', content: 'be kind' }];
  const talk = (...messages: readonly object[]): AskWish => ({
    body: { messages: [...messages, { role: 'user', content: prompt }] },
  });
  assert.equal(await ask('api', prompt), false);
  for (const wish of [
    { body: { model: 'n' } },
    { body: { temperature: 1 } },
    { body: { tools: [{ name: 'x' }] } },
    { query: '?a=1' },
    { headers: { Accept: 'application/xml' } },
    { headers: { 'Accept-Encoding': 'gzip' } },
    { headers: { Authorization: 'Bearer bob' } },
    { headers: { Cookie: 'a=b' } },
    talk(...before),
    talk({ role: 'system', content: 'be kinder' }),
    talk({ role: 'user', content: 'before' }, { role: 'assistant', content: 'yes' }),
  ]) {
    assert.equal(await ask('api', prompt, wish), false, JSON.stringify(wish));
    assert.equal(await ask('api', prompt, wish), true, JSON.stringify(wish));
  }
  const picture = (url: string) => [
    { type: 'image_url', image_url: { url } },
    { type: 'text', text: prompt },
  ];
  assert.equal(await ask('api', picture('https://a.example/1')), false);
  assert.equal(await ask('api', picture('https://a.example/2')), false);
  assert.equal(await ask('api', picture('https://a.example/1')), true);
});

test('what a tool has said may not differ, and a body of an unknown shape or none passes by', async (t) => {
  const { gateway, ask, models } = await start(t, { api: {} });
  const tool = (content: string): AskWish => ({
    body: {
      messages: [
        { role: 'user', content: prompt },
        { role: 'user', content: [{ type: 'tool_result', content }] },
      ],
    },
  });
  assert.deepEqual(
    [
      await ask('api', '', tool('degrees')),
      await ask('api', '', tool('degreess')),
      await ask('api', '', tool('degrees')),
    ],
    [false, false, true],
  );
  const asked = models.asked.filter((each) => each.path === '/embeddings').length;
  for (const body of ['{"question":"how do i save money","lang":"en"}', '', '{"messages":[]}'])
    await gateway.call(`/api${path}`, { method: 'POST', body });
  assert.equal(models.asked.filter((each) => each.path === '/embeddings').length, asked);
});

test('threshold: a prompt that is less near is not the same', async (t) => {
  const { ask } = await start(t, { strict: { threshold: 1 }, loose: { threshold: 0.5 } });
  assert.deepEqual(
    [await ask('strict', prompt), await ask('strict', near), await ask('strict', same)],
    [false, false, true],
  );
  assert.deepEqual([await ask('loose', prompt), await ask('loose', other)], [false, true]);
});

test('scope: no subscription gets what another one was answered, unless it says API', async (t) => {
  const models = await startModels(t);
  const embeddings = { url: `${models.url}/embeddings` };
  const api = (name: string, scope?: string) =>
    apiDefinition(name, models.url, {
      flows: [flow('/', { request: [[id, { embeddings, scope }]] })],
      plans: { keys: { id: `keys-${name}`, name: 'Keys', security: { type: 'API_KEY' } } },
    });
  const subscriptions = ['own', 'shared'].flatMap((name) =>
    ['ann', 'bob'].map((who) => ({
      id: `${who}-${name}`,
      api: name,
      plan: `keys-${name}`,
      application: who,
      apiKeys: [`key-of-${who}-${name}`],
    })),
  );
  const gateway = await startLocalGateway(t, {
    config: { listen: { eventLoopLagMsMax: 0 } },
    apis: { own: api('own'), shared: api('shared', 'API') },
    subscriptions,
  });
  const ask = async (name: string, who: string): Promise<boolean> => {
    const answer = await gateway.call(`/${name}${path}`, {
      method: 'POST',
      headers: { 'X-Gravitee-Api-Key': `key-of-${who}-${name}` },
      body: JSON.stringify({ messages: [{ role: 'user', content: prompt }] }),
    });
    assert.equal(answer.status, 200, answer.text);
    return answer.headers['age'] !== undefined;
  };
  assert.deepEqual(
    [await ask('own', 'ann'), await ask('own', 'bob'), await ask('own', 'ann')],
    [false, false, true],
  );
  assert.deepEqual([await ask('shared', 'ann'), await ask('shared', 'bob')], [false, true]);
});

test('callers without a subscription are told apart by their address', async (t) => {
  const config = { listen: { eventLoopLagMsMax: 0, trustedProxies: ['127.0.0.1'] } };
  const { ask } = await start(t, { own: {}, shared: { scope: 'API' } }, { config });
  const from = (address: string): AskWish => ({ headers: { 'X-Forwarded-For': address } });
  for (const [api, isShared] of [
    ['own', false],
    ['shared', true],
  ] as const)
    assert.deepEqual(
      [
        await ask(api, prompt, from('192.0.2.1')),
        await ask(api, prompt, from('192.0.2.2')),
        await ask(api, prompt, from('192.0.2.1')),
      ],
      [false, isShared, true],
      api,
    );
});

test('promptExpression finds the prompt elsewhere, and each of parameters has to be equal', async (t) => {
  const parameters = [{ key: 'tenant', value: "{#request.headers['X-Tenant']}", encode: true }];
  const { ask } = await start(t, {
    asked: { promptExpression: "{#jsonPath(#request.content, '$.question')}" },
    whole: { promptExpression: '{#request.content}' },
    apart: { parameters },
    failing: { promptExpression: '{#request.content.foo()}' },
  });
  const question = (text: string, lang = 'en'): AskWish => ({ body: { question: text, lang, messages: [] } });
  assert.deepEqual(
    [
      await ask('asked', '', question(prompt)),
      await ask('asked', '', question(near)),
      await ask('asked', '', question(prompt, 'de')),
    ],
    [false, true, false],
  );
  assert.deepEqual(
    [await ask('whole', prompt), await ask('whole', prompt, { body: { model: 'n' } })],
    [false, true],
  );
  const of = (tenant: string): AskWish => ({ headers: { 'X-Tenant': tenant } });
  assert.deepEqual(
    [
      await ask('apart', prompt, of('a')),
      await ask('apart', near, of('b')),
      await ask('apart', near, of('a')),
    ],
    [false, false, true],
  );
});

test('timeToLiveSeconds, entriesMax and cacheCondition say what is kept, and how long', async (t) => {
  let aheadMs = 0;
  const clock = { ...systemClock, monotonicMs: () => systemClock.monotonicMs() + aheadMs };
  const never = { cacheCondition: '{#response.status == 201}' };
  const apis = { short: { timeToLiveSeconds: 60 }, one: { entriesMax: 1 }, never };
  const { ask, gateway } = await start(t, apis, { clock });
  assert.deepEqual([await ask('short', prompt), await ask('short', prompt)], [false, true]);
  aheadMs += 60_000;
  assert.equal(await ask('short', prompt), false);
  assert.deepEqual(
    [await ask('one', prompt), await ask('one', other), await ask('one', other), await ask('one', prompt)],
    [false, false, true, false],
  );
  assert.deepEqual([await ask('never', prompt), await ask('never', prompt)], [false, false]);
  for (let count = 0; count < 2; count += 1) {
    const failed = await gateway.call('/short/none', { method: 'POST', body: '{"prompt":"x"}' });
    assert.deepEqual([failed.status, failed.headers['age']], [503, undefined]);
  }
});

test('answers that are of one caller, or never whole, are not kept', async (t) => {
  let headers: Record<string, string> = {};
  let asked = 0;
  const backend = createServer((incoming: IncomingMessage, outgoing) => {
    incoming.resume();
    asked += 1;
    outgoing.writeHead(200, { 'Content-Type': 'application/json', ...headers }).end('{"a":1}');
  });
  await new Promise<void>((resolve) => backend.listen(0, '127.0.0.1', resolve));
  t.after(() => (backend.closeAllConnections(), backend.close()));
  const target = `http://127.0.0.1:${(backend.address() as AddressInfo).port}`;
  const models = await startModels(t);
  const embeddings = { url: `${models.url}/embeddings` };
  const gateway = await startLocalGateway(t, {
    config: { listen: { eventLoopLagMsMax: 0 } },
    apis: Object.fromEntries(
      ['API', 'APPLICATION'].map((scope) => [
        scope,
        apiDefinition(scope, target, { flows: [flow('/', { request: [[id, { embeddings, scope }]] })] }),
      ]),
    ),
  });
  let turn = 0;
  for (const [said, keepers] of [
    [{ 'Set-Cookie': 'a=b' }, ['APPLICATION']],
    [{ 'Cache-Control': 'private, no-store' }, []],
    [{ Vary: '*' }, []],
    [{ Vary: 'X-Tenant' }, []],
    [{ Vary: 'Accept-Encoding, Origin' }, ['API', 'APPLICATION']],
    [{ 'Content-Range': 'bytes 0-6/9' }, []],
    [{ 'Content-Length': '7', Connection: 'close' }, ['API', 'APPLICATION']],
  ] as const)
    for (const scope of ['API', 'APPLICATION']) {
      headers = { ...said };
      turn += 1;
      const before = asked;
      const post = { method: 'POST', body: JSON.stringify({ turn, prompt }) };
      await gateway.call(`/${scope}/`, post);
      const again = await gateway.call(`/${scope}/`, post);
      const isKept = (keepers as readonly string[]).includes(scope);
      assert.equal(asked - before, isKept ? 1 : 2, `${scope} ${JSON.stringify(said)}`);
      assert.equal(again.headers['set-cookie'] !== undefined && isKept, false, 'a cookie is kept for nobody');
    }
});

test('a service that does not answer, and a prompt that cannot be read, leave the cache out; metrics say what came of it', async (t) => {
  const dataDir = join(tempDir(t), 'data');
  const { models, gateway, ask } = await start(t, {}, { config: { dataDir, report: { enabled: true } } });
  const at = (url: string, rest: object = {}) => ({ url: `${models.url}${url}`, ...rest });
  const body = '{"model":"e","input":"{#jsonEscape(#prompt)}"}';
  const headers = [{ name: 'X-Team', value: 'cache' }];
  const api = (name: string, embeddings: object) =>
    gateway.write(
      name,
      apiDefinition(name, models.url, { flows: [flow('/', { request: [[id, { embeddings }]] })] }),
    );
  api('away', at('/nowhere'));
  api('unclear', at('/broken'));
  api('own', at('/embeddings', { body, headers, timeoutMs: 9_000, maxConcurrentConnections: 2 }));
  const isThere = async (name: string) => (await gateway.call(`/${name}${path}`)).status !== 404;
  for (const name of ['away', 'unclear', 'own']) await eventually(() => isThere(name));
  for (const name of ['away', 'unclear'])
    assert.deepEqual([await ask(name, prompt), await ask(name, prompt)], [false, false], name);
  assert.deepEqual([await ask('own', prompt), await ask('own', prompt)], [false, true]);
  const embedded = models.asked.findLast((each) => each.path === '/embeddings');
  assert.deepEqual(
    [embedded?.headers['x-team'], embedded?.body],
    ['cache', `{"model":"e","input":"${prompt}"}`],
  );
  const twins = await gateway.call(`/own${path}`, { method: 'POST', body: '{"prompt":"a","prompt":"b"}' });
  assert.equal(twins.status, 200);
  const metrics = await eventually(async () => {
    const found = (await accessRecords(dataDir)).filter((record) => record['http_method'] === 'POST');
    return (
      found.length === 7 && found.map((record) => JSON.parse(String(record['custom_metrics'])) as object)
    );
  });
  const error = { 'long_cache-error': '1' };
  assert.deepEqual(metrics, [
    error,
    error,
    error,
    error,
    { 'long_cache-miss': '1' },
    { 'long_cache-hit': '1', 'double_cache-hit-score': '1.000000' },
    error,
  ]);
});

test('an answer out of the cache takes nothing from a budget', async (t) => {
  const models = await startModels(t);
  const steps = [
    ['token-ratelimit', { rate: { limit: 8, periodTimeUnit: 'DAYS' } }],
    [id, { embeddings: { url: `${models.url}/embeddings` } }],
  ] as const;
  const gateway = await startLocalGateway(t, {
    config: { listen: { eventLoopLagMsMax: 0 } },
    apis: { api: apiDefinition('api', models.url, { flows: [flow('/', { request: steps })] }) },
  });
  const ask = async (content: string): Promise<number> => {
    const body = JSON.stringify({ max_tokens: 2, messages: [{ role: 'user', content }] });
    return (await gateway.call(`/api${path}`, { method: 'POST', body })).status;
  };
  // Five words are asked and two are answered, once; another five and two are past eight.
  assert.deepEqual(
    [await ask(prompt), await ask(prompt), await ask(same), await ask(other)],
    [200, 200, 200, 200],
  );
  assert.equal(await ask(prompt), 429);
});

test('a configuration that names what is not run is refused by its field', () => {
  const faults = (config: object): readonly string[] =>
    (catalog[id].config.safeParse(config).error?.issues ?? []).map(({ path: at }) => at.join('.'));
  const embeddings = { url: 'http://e.example/' };
  assert.deepEqual(faults({ embeddings }), []);
  assert.deepEqual(faults({}), ['embeddings']);
  assert.deepEqual(faults({ embeddings, modelName: 'm' }), ['modelName']);
  assert.deepEqual(faults({ embeddings, vectorStoreName: 'v' }), ['vectorStoreName']);
  assert.deepEqual(faults({ embeddings, cacheCondition: "{#response.content == 'x'}" }), ['cacheCondition']);
  for (const [field, low, high] of [
    ['threshold', 0.49, 1.01],
    ['timeToLiveSeconds', 0, 2_592_001],
    ['entriesMax', 0, 10_001],
  ] as const) {
    assert.deepEqual(faults({ embeddings, [field]: low }), [field]);
    assert.deepEqual(faults({ embeddings, [field]: high }), [field]);
  }
  assert.deepEqual(
    faults({ embeddings, threshold: 0.5, timeToLiveSeconds: 2_592_000, entriesMax: 10_000 }),
    [],
  );
});
