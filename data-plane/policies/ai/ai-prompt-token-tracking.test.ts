import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';

import { catalog } from '../../../proto/policies/catalog.ts';
import { eventually } from '../../../test/kit/eventually.ts';
import { accessRecords } from '../../../test/kit/gateway/access-records.ts';
import { apiDefinition, flow, startLocalGateway } from '../../../test/kit/gateway/gateway.ts';
import { type KitBody, startPolicy } from '../../../test/kit/gateway/policies.ts';
import { startModels } from '../../../test/kit/servers/models.ts';
import { tempDir } from '../../../test/kit/temp-dir.ts';

const id = 'ai-prompt-token-tracking';
const json = { 'Content-Type': 'application/json' };
const stream = { 'Content-Type': 'text/event-stream' };
const pricing = {
  type: 'pricing',
  inputPriceValue: 2.5,
  inputPriceUnit: 1_000_000,
  outputPriceValue: 10,
  outputPriceUnit: 1_000,
};

/** What stands in the record of an answer. */
async function recorded(
  configuration: object,
  {
    body,
    headers = json,
    status = 200,
    attributes = {},
  }: {
    readonly body: KitBody;
    readonly headers?: Record<string, string>;
    readonly status?: number;
    readonly attributes?: Record<string, unknown>;
  },
): Promise<object> {
  const call = startPolicy(id, configuration, { place: { phase: 'response' } }).call({ attributes });
  await call.answer({ body, headers, status });
  await call.sent('response').catch(() => undefined);
  call.end();
  return Object.fromEntries(call.customMetrics ?? []);
}
const tokens = (sent: number, received: number) => ({
  'long_llm-proxy_tokens-sent': String(sent),
  'long_llm-proxy_tokens-received': String(received),
});

test('extraction: a provider says usage and model in its own place, and no other is looked at', async () => {
  const rows = {
    GPT: { model: 'm-1', usage: { prompt_tokens: 5, completion_tokens: 6 } },
    CLAUDE: { model: 'm-1', usage: { input_tokens: 5, output_tokens: 6 } },
    GEMINI: { modelVersion: 'm-1', usageMetadata: { promptTokenCount: 5, candidatesTokenCount: 6 } },
  };
  for (const [said, body] of Object.entries(rows))
    for (const type of ['GPT', 'CLAUDE', 'GEMINI']) {
      const metrics = await recorded({ extraction: { type } }, { body: JSON.stringify(body) });
      // OpenAI has both spellings, of which Anthropic has one.
      const isKnown = type === said || (type === 'GPT' && said === 'CLAUDE');
      assert.deepEqual(
        metrics,
        isKnown ? { ...tokens(5, 6), 'keyword_llm-proxy_model': 'm-1' } : {},
        `${said} as ${type}`,
      );
    }
});

test('extraction CUSTOM: inputTokenPointer, outputTokenPointer and modelPointer; nothing is recorded where a count fails', async () => {
  const extraction = {
    type: 'CUSTOM',
    inputTokenPointer: "{#jsonPath(#response.content, '$.in')}",
    outputTokenPointer: "{#jsonPath(#response.content, '$.out')}",
  };
  const modelPointer = "{#response.headers['X-Model'][0]}";
  const headers = { ...json, 'X-Model': 'mine' };
  const body = '{"in":1,"out":2}';
  assert.deepEqual(await recorded({ extraction }, { body, headers }), tokens(1, 2));
  assert.deepEqual(await recorded({ extraction: { ...extraction, modelPointer } }, { body, headers }), {
    ...tokens(1, 2),
    'keyword_llm-proxy_model': 'mine',
  });
  for (const other of ['{"in":1}', '{"in":1,"out":"many"}', '{"in":1,"out":-2}', 'no JSON'])
    assert.deepEqual(await recorded({ extraction }, { body: other }), {}, other);
});

test('pricing: tokens times value, divided by unit, without an exponent', async () => {
  const body = JSON.stringify({ usage: { prompt_tokens: 1, completion_tokens: 30 } });
  const extraction = { type: 'MISTRAL' };
  assert.deepEqual(await recorded({ extraction, pricing }, { body }), {
    ...tokens(1, 30),
    'double_llm-proxy_sent-cost': '0.0000025',
    'double_llm-proxy_received-cost': '0.3',
  });
  assert.deepEqual(await recorded({ extraction, pricing: { type: 'none' } }, { body }), tokens(1, 30));
});

test('nothing is recorded of failures, of other types, and of what a cache gave; what a stream said counts though it broke off', async () => {
  const body = JSON.stringify({ usage: { prompt_tokens: 1, completion_tokens: 2 } });
  const config = { extraction: { type: 'GPT' } };
  assert.deepEqual(await recorded(config, { body, status: 429 }), {});
  assert.deepEqual(await recorded(config, { body, headers: { 'Content-Type': 'text/html' } }), {});
  assert.deepEqual(await recorded(config, { body, attributes: { 'ai-semantic-caching.hit': true } }), {});
  const broken = [`data: ${body}\n\n`, 'data: {"x"', new Error('gone')];
  assert.deepEqual(await recorded(config, { body: broken, headers: stream }), tokens(1, 2));
});

test('a configuration that cannot be is refused by its field', () => {
  const faults = (config: object): readonly string[] =>
    (catalog[id].config.safeParse(config).error?.issues ?? []).map(({ path }) => path.join('.'));
  const gpt = { type: 'GPT' };
  assert.deepEqual(faults({ extraction: gpt }), []);
  assert.deepEqual(faults({}), ['extraction']);
  assert.deepEqual(faults({ extraction: { type: 'AUTO' } }), ['extraction.type']);
  assert.deepEqual(faults({ extraction: gpt, pricing: { ...pricing, inputPriceValue: 0 } }), [
    'pricing.inputPriceValue',
  ]);
  assert.deepEqual(faults({ extraction: gpt, pricing: { type: 'pricing' } }).length, 4);
});

test('through a gateway the record of a stream, packed or not, says what it used and what that cost', async (t) => {
  const models = await startModels(t);
  const dataDir = join(tempDir(t), 'data');
  const api = (name: string, type: string) =>
    apiDefinition(name, models.url, {
      flows: [flow('/', { response: [[id, { extraction: { type }, pricing }]] })],
    });
  const gateway = await startLocalGateway(t, {
    config: { dataDir, report: { enabled: true }, listen: { eventLoopLagMsMax: 0 } },
    apis: { gpt: api('gpt', 'GPT'), claude: api('claude', 'CLAUDE'), gemini: api('gemini', 'GEMINI') },
  });
  const calls: readonly (readonly [path: string, body: object, model: string])[] = [
    [
      '/gpt/openai/v1/chat/completions',
      { stream: true, stream_options: { include_usage: true }, input: 'a b' },
      'gpt-2024',
    ],
    ['/claude/anthropic/v1/messages', { stream: true, input: 'a b' }, 'claude'],
    ['/gemini/gemini/v1beta/models/g:streamGenerateContent?alt=sse', { input: 'a b' }, 'gemini-2'],
  ];
  for (const [path, body] of calls)
    for (const packing of [{}, { 'Accept-Encoding': 'gzip' }])
      await gateway.call(path, {
        method: 'POST',
        headers: { ...json, ...packing },
        body: JSON.stringify({ ...body, max_tokens: 4 }),
      });
  const records = await eventually(async () => {
    const found = await accessRecords(dataDir);
    return found.length === 6 && found;
  });
  const byApi = (name: string) =>
    records.filter((record) => record['api_id'] === name).map((record) => String(record['custom_metrics']));
  for (const [path, , model] of calls)
    for (const metrics of byApi(path.split('/')[1] ?? ''))
      assert.deepEqual(JSON.parse(metrics), {
        ...tokens(2, 4),
        'keyword_llm-proxy_model': model,
        'double_llm-proxy_sent-cost': '0.000005',
        'double_llm-proxy_received-cost': '0.04',
      });
});
