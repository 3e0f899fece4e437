import assert from 'node:assert/strict';
import { request as httpRequest } from 'node:http';
import { test } from 'node:test';
import { z } from 'zod';

import { catalog } from '../../../proto/policies/catalog.ts';
import { eventually } from '../../../test/kit/eventually.ts';
import { apiDefinition, flow, startLocalGateway } from '../../../test/kit/gateway/gateway.ts';
import { type KitBody, startPolicy, type StartedPolicy } from '../../../test/kit/gateway/policies.ts';
import { attributeTemplate, numberText } from '../../../test/kit/gateway/templates.ts';
import { startModels } from '../../../test/kit/servers/models.ts';
import { startRedis, withoutRedis } from '../../../test/kit/servers/redis.ts';
import type { Counters } from '../../limits/limiter.ts';

const json = { 'Content-Type': 'application/json' };
const stream = { 'Content-Type': 'text/event-stream' };
const alice = { plan: 'p', 'subscription-id': 'alice' };
const usage = (prompt_tokens: number, completion_tokens: number): string =>
  JSON.stringify({ usage: { prompt_tokens, completion_tokens } });

interface Answered {
  readonly body?: KitBody;
  readonly headers?: Record<string, string>;
  readonly status?: number;
}

/** A request, as far as its step lets it; `ok` or the key of the refusal. */
async function ask(
  { call }: StartedPolicy,
  { body = usage(6, 4), headers = json, status = 200 }: Answered = {},
  attributes: Record<string, unknown> = alice,
): Promise<string> {
  const asked = call({ attributes });
  const verdict = await asked.pass();
  if (verdict !== undefined && 'key' in verdict) return verdict.key;
  await asked.answerThrough({ body, headers, status });
  await asked.sent('response');
  asked.end({ requestBytes: 40 });
  return ['ok', ...asked.warnings].join(' ');
}

/** How much of a large budget an answer used. */
async function used(answered: Answered, extraction?: object): Promise<number> {
  const started = startPolicy('token-ratelimit', { addHeaders: true, rate: { limit: 1_000 }, extraction });
  await ask(started, answered);
  const next = started.call({ attributes: alice });
  await next.pass();
  return 1_000 - Number(next.answerHeaders['X-Token-Rate-Limit-Remaining']);
}

test('a request passes as long as anything is left, and what it used is taken at its end', async () => {
  const started = startPolicy('token-ratelimit', { rate: { limit: 25, periodTimeUnit: 'MINUTES' } });
  const history: string[] = [];
  for (let count = 0; count < 4; count += 1) history.push(await ask(started));
  const full = 'TOKEN_RATE_LIMIT_TOO_MANY_REQUESTS';
  assert.deepEqual(history, ['ok', 'ok', 'ok', full], 'ten each: the third goes past the limit');
  assert.equal(await ask(started, {}, { ...alice, 'subscription-id': 'bob' }), 'ok');
  await started.clock.advance(59_999);
  assert.equal(await ask(started), full);
  await started.clock.advance(1);
  assert.equal(await ask(started), 'ok');
});

test('extraction: each provider says usage in its own place, and AUTO knows all of them', async () => {
  const rows: readonly (readonly [type: string, body: object, tokens: number])[] = [
    ['GPT', { usage: { prompt_tokens: 5, completion_tokens: 6 } }, 11],
    ['GPT', { usage: { input_tokens: 5, output_tokens: 6 } }, 11],
    ['MISTRAL', { usage: { prompt_tokens: 5, completion_tokens: 6 } }, 11],
    ['CLAUDE', { usage: { input_tokens: 5, output_tokens: 6 } }, 11],
    ['GEMINI', { usageMetadata: { promptTokenCount: 5, candidatesTokenCount: 6 } }, 11],
    [
      'GEMINI',
      { usageMetadata: { promptTokenCount: 5, candidatesTokenCount: 6, thoughtsTokenCount: 7 } },
      18,
    ],
  ];
  for (const [type, body, tokens] of rows)
    for (const extraction of [{ type }, undefined])
      assert.equal(await used({ body: JSON.stringify(body) }, extraction), tokens, JSON.stringify(body));
  const custom = {
    type: 'CUSTOM',
    inputTokenPointer: "{#jsonPath(#response.content, '$.in')}",
    outputTokenPointer: '{#response.jsonContent.out}',
  };
  assert.equal(await used({ body: '{"in":20,"out":"22"}' }, custom), 42);
  // A stream that says the one at its beginning and the other at its end, with much between them.
  const events = ['{"in":20}', ...Array.from({ length: 50 }, () => '{"x":1}'), '{"out":22}'];
  const body = events.map((data) => `data: ${data}\n\n`);
  assert.equal(await used({ body, headers: stream }, custom), 42);
});

test('events that are kept for pointers share the memory of all answers: past it usage is estimated, and it comes back', async () => {
  const extraction = {
    type: 'CUSTOM',
    inputTokenPointer: '5',
    outputTokenPointer: '{#response.jsonContent.out}',
  };
  const started = startPolicy('token-ratelimit', { rate: { limit: 1_000_000 }, extraction });
  const event = `data: {"out":6,"x":"${'x'.repeat(250_000)}"}\n\n`;
  const begin = async (): Promise<ReturnType<StartedPolicy['call']>> => {
    const asked = started.call({ attributes: alice });
    await asked.pass();
    await asked.answerThrough({
      body: Array.from({ length: 14 }, () => event),
      headers: stream,
      status: 200,
    });
    await asked.sent('response');
    return asked;
  };
  const usual = { body: event, headers: stream };
  assert.equal(await ask(started, usual), 'ok');
  // Twelve events of each: 3 MB.
  const held = [];
  for (let count = 0; count < 23; count += 1) held.push(await begin());
  assert.equal(await ask(started, usual), 'ok TOKEN_RATE_LIMIT_ESTIMATED');
  for (const each of held) each.end({ requestBytes: 40 });
  assert.equal(await ask(started, usual), 'ok');
});

test('what is no number of tokens counts as not said, and what says none is estimated with a warning', async () => {
  const started = startPolicy('token-ratelimit', { rate: { limit: 1_000 } });
  const estimated = 'ok TOKEN_RATE_LIMIT_ESTIMATED';
  for (const count of [-5, 1.5, 1e10, '5', null])
    assert.equal(
      await ask(started, { body: JSON.stringify({ usage: { prompt_tokens: 1, completion_tokens: count } }) }),
      estimated,
    );
  // The request has 40 bytes, which are ten tokens; twenty bytes of an answer are five, and a stream has one for each event.
  assert.equal(await used({ body: '{"a":"12345678901"}' }), 10 + 5);
  assert.equal(await used({ body: ['data: {"a":1}\n\ndata: {"a"', ':2}\n\n'], headers: stream }), 10 + 2);
});

test('failures, other types and answers of a cache use nothing', async () => {
  assert.equal(await used({ status: 500 }), 0);
  assert.equal(await used({ status: 400 }), 0);
  assert.equal(await used({ headers: { 'Content-Type': 'text/plain' } }), 0);
  assert.equal(await used({ body: '' }), 0);
  const started = startPolicy('token-ratelimit', { rate: { limit: 1 } });
  const cached = started.call({ attributes: alice });
  await cached.pass();
  const kept = { kind: 'answer', status: 200, headers: Object.entries(json), body: usage(6, 4) } as const;
  assert.equal(await cached.ask(() => Promise.resolve(kept)), kept);
  cached.end();
  assert.deepEqual([await ask(started), await ask(started)], ['ok', 'TOKEN_RATE_LIMIT_TOO_MANY_REQUESTS']);
});

test('who leaves is charged for what he asked, and for the events that came; who was refused is not', async () => {
  const started = startPolicy('token-ratelimit', { addHeaders: true, rate: { limit: 30 } });
  const left = async (): Promise<number> => {
    const next = started.call({ attributes: alice });
    await next.pass();
    return Number(next.answerHeaders['X-Token-Rate-Limit-Remaining']);
  };
  const early = started.call({ attributes: alice });
  await early.pass();
  early.end({ kind: 'clientAborted', requestBytes: 40 });
  assert.equal(await left(), 20);
  const late = started.call({ attributes: alice });
  await late.pass();
  await late.answerThrough({
    body: ['data: {"a":1}\n\n', 'data: {"a":2}\n\n', new Error('gone')],
    headers: stream,
  });
  await assert.rejects(late.sent('response'));
  late.end({ kind: 'clientAborted', requestBytes: 40 });
  assert.equal(await left(), 8);
  assert.equal(await ask(started), 'ok');
  const refused = started.call({ attributes: alice });
  await refused.pass();
  refused.end({ kind: 'clientAborted', requestBytes: 40_000_000 });
  await started.clock.advance(1_000);
  assert.equal(await left(), 30, 'the next window is whole');
});

test('an answer that is packed and broken passes as it came, and is estimated', async () => {
  const { call } = startPolicy('token-ratelimit', { rate: { limit: 1_000 } });
  for (const encoding of ['gzip', 'deflate', 'br', 'zstd', 'of-nobody']) {
    const asked = call({ attributes: alice });
    await asked.pass();
    await asked.answerThrough({
      body: 'data: not packed\n\n',
      headers: { ...stream, 'Content-Encoding': encoding },
    });
    assert.equal(await asked.sent('response'), 'data: not packed\n\n');
    asked.end();
    assert.deepEqual(asked.warnings, ['TOKEN_RATE_LIMIT_ESTIMATED'], encoding);
  }
});

test('limits, periods and keys: dynamicLimit counts where limit is 0, useKeyOnly shares among callers, a period below 1 is 1', async () => {
  const bob = { ...alice, 'subscription-id': 'bob' };
  const full = 'TOKEN_RATE_LIMIT_TOO_MANY_REQUESTS';
  const none = startPolicy('token-ratelimit', { rate: {} });
  assert.equal(await ask(none), full);
  const varying = startPolicy(
    'token-ratelimit',
    { rate: { periodTime: 0, periodTimeUnit: 'HOURS' } },
    {
      adjust: (config) => ({
        ...config,
        rate: {
          ...config.rate,
          key: attributeTemplate('tenant', z.string()),
          dynamicLimit: attributeTemplate('most', numberText),
        },
      }),
    },
  );
  assert.deepEqual(
    [
      await ask(varying, {}, { ...alice, most: 10 }),
      await ask(varying, {}, { ...alice, most: 10 }),
      await ask(varying, {}, { ...alice, most: 10, tenant: 'other' }),
      await ask(varying, {}, { ...bob, most: 10 }),
      await ask(varying, {}, alice),
      await ask(varying, {}, { ...alice, most: 'many' }),
    ],
    ['ok', full, 'ok', 'ok', full, 'TOKEN_RATE_LIMIT_SERVER_ERROR'],
  );
  await varying.clock.advance(3_600_000);
  assert.equal(await ask(varying, {}, { ...alice, most: 10 }), 'ok');
  const shared = startPolicy('token-ratelimit', { rate: { limit: 10, key: 'all', useKeyOnly: true } });
  assert.deepEqual([await ask(shared), await ask(shared, {}, bob)], ['ok', full]);
});

test('strategy says what is done where nobody counts', async () => {
  const away: Counters = { take: () => Promise.reject(new Error('away')) };
  const later: Counters = { take: () => ({ count: 0, resetAtMs: 5 }) };
  for (const [strategy, said] of [
    ['BLOCK_ON_INTERNAL_ERROR', 'TOKEN_RATE_LIMIT_BLOCK_ON_INTERNAL_ERROR'],
    ['FALLBACK_PASS_THROUGH', 'ok TOKEN_RATE_LIMIT_NOT_APPLIED'],
    ['FALLBACK_PASS_TROUGH', 'ok TOKEN_RATE_LIMIT_NOT_APPLIED'],
    ['ASYNC_MODE', 'ok'],
    [undefined, 'ok'],
  ] as const) {
    const counters = { ...away, later };
    const started = startPolicy('token-ratelimit', { strategy, rate: { limit: 10 } }, { host: { counters } });
    assert.equal(await ask(started), said, strategy);
  }
});

test('a configuration that cannot be is refused by its field', () => {
  const faults = (config: object): readonly string[] =>
    (catalog['token-ratelimit'].config.safeParse(config).error?.issues ?? []).map(({ path }) =>
      path.join('.'),
    );
  assert.deepEqual(faults({ rate: { limit: 1 } }), []);
  assert.deepEqual(faults({ rate: { limit: -1 } }), ['rate.limit']);
  assert.deepEqual(faults({ rate: { periodTimeUnit: 'MONTHS' } }), ['rate.periodTimeUnit']);
  assert.deepEqual(faults({ rate: {}, extraction: { type: 'CUSTOM', modelPointer: 'm' } }), [
    'extraction.inputTokenPointer',
    'extraction.outputTokenPointer',
  ]);
  assert.deepEqual(faults({ rate: {}, extraction: { type: 'GROK' } }), ['extraction.type']);
  assert.equal(catalog['token-ratelimit'].config.parse({ rate: {} }).rate.periodTimeUnit, 'SECONDS');
});

/** Calls of each provider, whole and streamed: what is asked has five words, and seven are answered. */
const prompt = 'one two three four five';
const wish = { model: 'm', max_tokens: 7, messages: [{ role: 'user', content: prompt }] };
const usageWanted = { stream: true, stream_options: { include_usage: true } };
const geminiWish = { max_tokens: 7, contents: [{ parts: [{ text: prompt }] }] };
const providers: readonly (readonly [path: string, body: object])[] = [
  ['/openai/v1/chat/completions', wish],
  ['/openai/v1/chat/completions', { ...wish, ...usageWanted }],
  ['/openai/v1/responses', { max_tokens: 7, input: prompt }],
  ['/openai/v1/responses', { max_tokens: 7, input: prompt, stream: true }],
  ['/mistral/v1/chat/completions', wish],
  ['/mistral/v1/chat/completions', { ...wish, stream: true }],
  ['/anthropic/v1/messages', wish],
  ['/anthropic/v1/messages', { ...wish, stream: true }],
  ['/gemini/v1beta/models/gemini-2:generateContent', geminiWish],
  ['/gemini/v1beta/models/gemini-2:streamGenerateContent?alt=sse', geminiWish],
  ['/gemini/v1beta/models/gemini-2:streamGenerateContent', geminiWish],
];
const post = (body: object) => ({ method: 'POST', headers: json, body: JSON.stringify(body) });

test('through a gateway: each provider, whole and streamed, packed or not, uses twelve tokens, and its answer comes as it was sent', async (t) => {
  const models = await startModels(t);
  const step = [
    'token-ratelimit',
    { addHeaders: true, rate: { limit: 1_000, periodTimeUnit: 'HOURS' } },
  ] as const;
  const gateway = await startLocalGateway(t, {
    config: { listen: { eventLoopLagMsMax: 0 } },
    apis: { models: apiDefinition('models', models.url, { flows: [flow('/', { request: [step] })] }) },
  });
  let expected = 1_000;
  for (const [path, body] of providers) {
    const direct = await fetch(`${models.url}${path}`, post(body));
    const answer = await gateway.call(`/models${path}`, post(body));
    const what = `${path} ${JSON.stringify(body)}`;
    assert.equal(answer.text, await direct.text(), what);
    assert.equal(answer.headers['x-token-rate-limit-remaining'], String(expected), what);
    assert.ok(Number(answer.headers['x-token-rate-limit-reset']) > Date.now());
    expected -= 12;
    const packed = await gateway.call(`/models${path}`, {
      ...post(body),
      headers: { ...json, 'Accept-Encoding': 'gzip' },
    });
    assert.equal(packed.headers['content-encoding'], 'gzip', what);
    assert.equal(packed.headers['x-token-rate-limit-remaining'], String(expected), what);
    expected -= 12;
  }
});

test('through a gateway: what a model worked is taken whatever steps of the answer make of it, refused, rewritten or told otherwise, and each time that it is asked', async (t) => {
  const models = await startModels(t);
  const limit = ['token-ratelimit', { addHeaders: true, rate: { limit: 1_000 } }] as const;
  const repeated = [
    'retry',
    { condition: '{#response.status == 200}', maxRetries: 1, lastResponse: true },
  ] as const;
  const answers: Readonly<Record<string, readonly (readonly [policy: string, configuration: object])[]>> = {
    plain: [],
    'read and refused': [['pii-filtering', { patterns: [{ name: 'any', regex: 'word' }], action: 'BLOCK' }]],
    rewritten: [['json-to-json', { specification: '[{"operation":"shift","spec":{"choices":"c"}}]' }]],
    'in place of it': [['policy-assign-content', { body: '${response.jsonContent.id}' }]],
    'of another status': [
      ['status-code', { statusMappings: [{ inputStatusCode: 200, outputStatusCode: 404 }] }],
    ],
    'of another type': [['transform-headers', { addHeaders: [{ name: 'Content-Type', value: 'a/b' }] }]],
    packed: [['compression', { bytesMin: 1 }]],
    'seen by a script': [
      ['js', { readContent: true, overrideContent: true, script: "response.content('{}')" }],
    ],
  };
  const ids = Object.fromEntries(Object.keys(answers).map((name) => [name, name.replaceAll(' ', '-')]));
  const gateway = await startLocalGateway(t, {
    config: { listen: { eventLoopLagMsMax: 0 }, policy: { js: { waitMsMax: 10_000 } } },
    apis: {
      ...Object.fromEntries(
        Object.entries(answers).map(([name, response]) => [
          ids[name],
          apiDefinition(ids[name] ?? '', models.url, { flows: [flow('/', { request: [limit], response })] }),
        ]),
      ),
      again: apiDefinition('again', models.url, { flows: [flow('/', { request: [limit, repeated] })] }),
    },
  });
  const usedBy = async (id: string): Promise<number> => {
    const call = () =>
      gateway.call(`/${id}/openai/v1/chat/completions`, {
        ...post(wish),
        headers: { ...json, 'Accept-Encoding': 'gzip' },
      });
    const left = async () => Number((await call()).headers['x-token-rate-limit-remaining']);
    return (await left()) - (await left());
  };
  for (const [name, id] of Object.entries(ids)) assert.equal(await usedBy(id), 12, name);
  // The first answer is not read: what was asked is five tokens and more by its bytes.
  assert.ok((await usedBy('again')) > 12 + 5);
});

test('through a gateway: the first event has reached the client before the last one is sent', async (t) => {
  const models = await startModels(t);
  const step = ['token-ratelimit', { rate: { limit: 1_000 } }] as const;
  const gateway = await startLocalGateway(t, {
    config: { listen: { eventLoopLagMsMax: 0 } },
    apis: { models: apiDefinition('models', models.url, { flows: [flow('/', { request: [step] })] }) },
  });
  const pieces: string[] = [];
  await new Promise<void>((resolve, reject) => {
    const path = '/models/openai/v1/chat/completions';
    const request = httpRequest({ port: gateway.port, path, ...post({}) }, (answer) => {
      answer.setEncoding('utf8').on('data', (piece: string) => {
        pieces.push(piece);
        models.goOn();
      });
      answer.on('end', resolve);
      answer.on('error', reject);
    });
    request.on('error', reject);
    request.end(JSON.stringify({ ...wish, stream: true, model: 'held' }));
  });
  // It sends an event when the one before has been read.
  assert.ok(pieces.length > 7, `${pieces.length} pieces`);
});

for (const strategy of ['BLOCK_ON_INTERNAL_ERROR', 'ASYNC_MODE'])
  test(`two gateways share a budget in Redis: ${strategy}`, { skip: withoutRedis }, async (t) => {
    const [redis, models] = [await startRedis(t), await startModels(t)];
    const rate = { limit: 20, periodTimeUnit: 'HOURS' };
    const step = ['token-ratelimit', { strategy, rate }] as const;
    const start = () =>
      startLocalGateway(t, {
        apis: { models: apiDefinition('models', models.url, { flows: [flow('/', { request: [step] })] }) },
        config: {
          listen: { eventLoopLagMsMax: 0 },
          limits: { redis: { url: redis.url, mergeMs: 100, waitMsMax: 5_000 } },
        },
      });
    const [first, second] = [await start(), await start()];
    const path = '/models/openai/v1/chat/completions';
    assert.equal((await first.call(path, post(wish))).status, 200);
    assert.equal((await second.call(path, post(wish))).status, 200);
    await eventually(async () => (await first.call(path, post({ ...wish, max_tokens: 0 }))).status === 429);
    await eventually(async () => (await second.call(path, post({ ...wish, max_tokens: 0 }))).status === 429);
  });
