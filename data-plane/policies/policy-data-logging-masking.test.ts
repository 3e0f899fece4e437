import assert from 'node:assert/strict';
import { test } from 'node:test';

import { catalog } from '../../proto/policies/catalog.ts';
import { apiDefinition, flow } from '../../test/kit/gateway/gateway.ts';
import { type Log, logging, startLoggingGateway } from '../../test/kit/gateway/logging-gateway.ts';
import { startUpstream } from '../../test/kit/servers/upstream.ts';

type Rules = { readonly headerRules?: readonly object[]; readonly bodyRules?: readonly object[] };
const step = (rules: Rules) => ['policy-data-logging-masking', rules] as const;
const json = { 'content-type': 'application/json' };
const headerIn = (log: Log, side: string, name: string): string | undefined =>
  (JSON.parse(String(log[`${side}_headers`])) as [string, string][]).find(
    ([key]) => key.toLowerCase() === name,
  )?.[1];

test('a step of the request masks what is logged of requests, one of the answer what is logged of answers, on both sides; what passes is unchanged', async (t) => {
  const { url } = await startUpstream(t);
  const both = { headerRules: [{ path: 'X-Who', replacer: '?' }], bodyRules: [{ path: '$..pin' }] };
  const gateway = await startLoggingGateway(t, {
    apis: {
      asks: apiDefinition('asks', url, { ...logging(), flows: [flow('/', { request: [step(both)] })] }),
      answers: apiDefinition('answers', url, {
        ...logging(),
        flows: [flow('/', { response: [step({ bodyRules: [{ type: 'EMAIL', replacer: '@' }] })] })],
      }),
    },
  });
  const body = '{"pin":"PIN-1","mail":"ada@shop.example"}';
  const asked = { method: 'POST', headers: { ...json, 'X-Who': 'Ada' }, body };
  const asks = await gateway.call('/asks', asked);
  assert.match(asks.text, /PIN-1/, 'the backend got it, and the client its answer');
  const log = await gateway.logOf(asks);
  for (const side of ['entrypoint_request', 'endpoint_request']) {
    assert.equal(log[`${side}_body`], '{"pin":"*","mail":"ada@shop.example"}');
    assert.equal(headerIn(log, side, 'x-who'), '?');
  }
  for (const side of ['entrypoint_response', 'endpoint_response'])
    assert.match(String(log[`${side}_body`]), /PIN-1/, 'answers are not of the request phase');
  const answers = await gateway.logOf(await gateway.call('/answers', asked));
  for (const side of ['entrypoint_response', 'endpoint_response'])
    assert.doesNotMatch(String(answers[`${side}_body`]), /ada@shop/);
  assert.equal(answers['entrypoint_request_body'], body);
});

test('refused before the step, or before the flows are known, a call is masked; where a condition does not hold it is not', async (t) => {
  const { url } = await startUpstream(t);
  const masking = step({ bodyRules: [{ regex: 'SECRET', replacer: '*' }] });
  const refusing = ['policy-interrupt', { errorKey: 'NO', message: 'no' }] as const;
  const [masked] = (flow('/', { request: [masking] }) as { request: object[] }).request;
  const closed = flow('/', { request: [masking] }) as { selectors: object[] };
  const gateway = await startLoggingGateway(t, {
    apis: {
      before: apiDefinition('before', url, {
        ...logging(),
        flows: [flow('/', { request: [refusing, masking] })],
      }),
      keys: apiDefinition('keys', url, {
        ...logging(),
        plans: [{ id: 'k', name: 'k', security: { type: 'API_KEY' }, status: 'PUBLISHED', flows: [] }],
        flows: [flow('/', { request: [masking] })],
      }),
      step: apiDefinition('step', url, {
        ...logging(),
        flows: [
          {
            ...(flow('/', {}) as object),
            request: [{ ...masked, condition: "{#request.params['plain'] == null}" }],
          },
        ],
      }),
      flow: apiDefinition('flow', url, {
        ...logging(),
        flows: [
          {
            ...closed,
            selectors: [
              ...closed.selectors,
              { type: 'condition', condition: "{#request.params['plain'] == null}" },
            ],
          },
        ],
      }),
    },
  });
  const asked = { method: 'POST', headers: { 'content-type': 'text/plain' }, body: 'a SECRET b' };
  const rows = [
    ['/before', 500, 'a * b'],
    ['/keys', 401, 'a * b'],
    ['/step', 200, 'a * b'],
    ['/step?plain=1', 200, 'a SECRET b'],
    ['/flow', 200, 'a * b'],
    ['/flow?plain=1', 200, 'a SECRET b'],
  ] as const;
  for (const [path, status, expected] of rows) {
    const answer = await gateway.call(path, asked);
    assert.equal(answer.status, status, path);
    const log = await gateway.logOf(answer);
    // Of a request that is refused at its head nobody reads the body.
    const logged = log['entrypoint_request_body'];
    assert.ok(logged === expected || (logged === undefined && status !== 200), `${path}: ${String(logged)}`);
  }
});

test('a rule that cannot be applied is refused by its field, with what is allowed', () => {
  const rows: readonly (readonly [rule: object, words: RegExp])[] = [
    [{}, /path.*has a path, a regex, or a type/],
    [{ type: 'CUSTOM' }, /has a path, a regex, or a type/],
    [{ type: 'EMAIL', regex: 'a' }, /regex.*belongs to the type CUSTOM/],
    [{ type: 'PHONE' }, /CREDIT_CARD/],
    [{ path: '$.a[?(@.b)]' }, /path.*names no place by members alone/],
    [{ path: '/a[1]' }, /path.*elements and attributes alone at character 3; allowed/],
    [{ path: '//' }, /path.*at character 1/],
    [{ path: `/${'a/'.repeat(31)}a` }, /at character/],
    [{ regex: '(?=a)b' }, /regex.*cannot be used/],
    [{ regex: 'a', replacer: 'x'.repeat(65) }, /replacer/],
  ];
  for (const [rule, words] of rows) {
    const { error } = catalog['policy-data-logging-masking'].config.safeParse({ bodyRules: [rule] });
    assert.match(
      error?.issues.map(({ path, message }) => `${path.join('.')} ${message}`).join() ?? 'taken',
      words,
    );
  }
});
