import { z } from 'zod';

import { template } from '../../expression/template.ts';
import { off } from '../../model/sections.ts';
import { answerCondition } from '../answer-condition.ts';
import { definePolicy } from '../policy-schema.ts';
import { modelService, modelServiceDocs } from './model-service.ts';

const textCharsMax = 8_192;
const parametersMax = 20;
const secondsMax = 2_592_000;
const entriesMax = 10_000;

/** Answers a prompt with what was answered to one of nearly the same meaning. */
export const semanticCaching = definePolicy({
  id: 'ai-semantic-caching',
  title: 'AI semantic caching',
  summary: 'Answers a prompt with what a model has answered to one of nearly the same meaning.',
  category: 'ai',
  phases: ['request'],
  config: () =>
    z.strictObject({
      modelName: off('none; name in `embeddings` a service that makes them'),
      vectorStoreName: off('none; answers are kept in the memory of each process'),
      promptExpression: template(z.string().max(textCharsMax)).prefault(''),
      cacheCondition: answerCondition('#response').prefault(
        '{#response.status >= 200 && #response.status < 300}',
      ),
      parameters: z
        .array(
          z.strictObject({
            key: z.string().min(1).max(256),
            value: template(z.string().max(textCharsMax)),
            encode: z.boolean().default(false),
          }),
        )
        .max(parametersMax)
        .prefault([]),
      embeddings: modelService('{"input":"{#jsonEscape(#prompt)}"}'),
      /** Cosine of the angle between two prompts. */
      threshold: z.number().min(0.5).max(1).default(0.95),
      scope: z.enum(['APPLICATION', 'API']).default('APPLICATION'),
      timeToLiveSeconds: z.int().min(1).max(secondsMax).default(3_600).meta({ unit: 's' }),
      /** In each process. */
      entriesMax: z.int().min(1).max(entriesMax).default(1_000),
    }),
  errors: {},
  docs: [
    'Asks `embeddings` for the vector of the prompt, and looks for the nearest prompt that was answered before: one whose cosine is at least `threshold` gives its answer, and the backend is not asked. Else the backend is, and its answer is kept when it has come whole and `cacheCondition` holds (default: 200 to 299). Requests without a body pass by.',
    '**Prompt**: the last text of the role `user` in `messages`, `input`, `prompt` or `contents` of a JSON body, or a body that is no JSON; with `promptExpression` what that gives. A JSON body of another shape passes by without it. Only the prompt may differ: all else of the body has to be equal, the model, what was said before, tools and `stream` included, and so have method, host, path, query, where `dynamic-routing` has led it, `Accept`, `Accept-Encoding`, and each of `parameters` (`encode` changes nothing: all are kept as a hash). Where `promptExpression` gives a text of the body, that one may differ; where it gives the whole body, nothing else has to be equal.',
    '**Whose**: with `scope` `APPLICATION` nobody gets what another subscription, or without one another client address, was answered; with `API` all callers share. Either way callers whom the backend could tell apart by `Authorization` or `Cookie` do not: where they may, take these headers away in front.',
    '**Kept** are `entriesMax` answers of the step in each process, of at most 1 MiB, for `timeToLiveSeconds`, and 256 MiB of all steps together; past it the oldest go. Streams of events are kept like others, and come at once. Never kept: 206, 304, answers with trailers, `Content-Range`, `Cache-Control: no-store`, `Vary: *` or another `Vary` than by `Accept`, `Accept-Encoding` and `Origin`, a body that ends with its connection, and with `scope` `API` answers with `Set-Cookie`, which is kept for nobody. A revision begins with none.',
    `**Service**: read are \`{"data": [{"embedding"}]}\`, \`{"embedding"}\`, \`{"embeddings": [[]]}\`, and a list of numbers alone or in a list, of up to 8192 numbers. One that does not answer, a parameter that fails, and a prompt that cannot be read leave the cache out: the backend is asked, the record has a warning (\`AI_SEMANTIC_CACHING_ERROR\`). ${modelServiceDocs}`,
    'The record has the metrics `long_cache-hit`, `double_cache-hit-score`, `long_cache-miss`, `long_cache-error`. What an answer out of the cache says of tokens is neither recorded by `ai-prompt-token-tracking` nor taken by `token-ratelimit` and `cost-ratelimit`. Models that run inside the gateway (`modelName`) and stores of vectors (`vectorStoreName`) are refused when the API is deployed.',
  ].join('\n\n'),
  example: () => ({
    about: 'A question that was asked in other words before costs the model nothing.',
    request: [
      {
        policy: 'ai-semantic-caching',
        configuration: { embeddings: { url: 'http://backend.example:8080/embeddings' }, threshold: 0.9 },
      },
    ],
    backend: {
      '/embeddings': [
        { headers: { 'Content-Type': 'application/json' }, body: '{"data":[{"embedding":[0.6,0.8]}]}' },
        { headers: { 'Content-Type': 'application/json' }, body: '{"data":[{"embedding":[0.61,0.79]}]}' },
        { headers: { 'Content-Type': 'application/json' }, body: '{"data":[{"embedding":[1,0]}]}' },
      ],
      '/ask': [{ body: 'Ask twice.' }, { body: 'Something else.' }],
    },
    calls: [
      {
        request: { path: '/ask', body: '{"messages":[{"role":"user","content":"How do I save money?"}]}' },
        answer: { headers: { Age: null }, body: 'Ask twice.' },
      },
      {
        request: { path: '/ask', body: '{"messages":[{"role":"user","content":"How can I save money?"}]}' },
        received: { path: '/embeddings' },
        answer: { headers: { Age: '…' }, body: 'Ask twice.' },
      },
      {
        request: { path: '/ask', body: '{"messages":[{"role":"user","content":"Who are you?"}]}' },
        received: { path: '/ask' },
        answer: { body: 'Something else.' },
      },
    ],
  }),
});
