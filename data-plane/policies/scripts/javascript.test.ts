import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';

import { startScripts } from '../../../test/kit/scripts/sandbox.ts';
import { type CallWish, type KitCall, startPolicy } from '../../../test/kit/gateway/policies.ts';
import { catalog } from '../../../proto/policies/catalog.ts';
import type { Scripts } from '../../script/script.ts';

function world(t: TestContext) {
  const scripts = startScripts(t);
  const start = (configuration: object, phase: 'request' | 'response') =>
    startPolicy('javascript', configuration, {
      place: { phase },
      host: { scripts, properties: new Map([['p', 'v']]) },
    });
  return {
    async request(configuration: object, wish: CallWish = {}) {
      const call = start(configuration, 'request').call(wish);
      return { call, verdict: await call.pass() };
    },
    async response(configuration: object, wish: Parameters<KitCall['answer']>[0] = {}) {
      const call = start(configuration, 'response').call();
      return { call, verdict: await call.answer(wish) };
    },
  };
}

test('what scripts of version 2 read: properties, and maps and lists of Java', async (t) => {
  const { request } = world(t);
  const rows: readonly (readonly [expression: string, seen: unknown])[] = [
    ["request.method == 'GET' && request.path + request.host", '/a/itemsh'],
    [
      "request.headers.containsKey('x-one') + request.headers.get('X-One') + request.headers['X-One'][0]",
      'true11',
    ],
    ["request.headers.getAll('X-One').size() + request.headers.getAll('X-One').get(0)", '11'],
    ['request.headers.getOrNot === undefined && request.headers.keySet().join()', 'X-One'],
    ["request.parameters.getFirst('a') + request.parameters.get('a') + request.parameters.a.join()", '111,2'],
    [
      "context.attributes.plan + context.attributes.get('gravitee.attribute.plan') + context.attributes.containsKey('plan')",
      'goldgoldtrue',
    ],
    ["properties.p + context.properties()['p']", 'vv'],
    ['print("x") === undefined', true],
    ['request.content', null],
  ];
  const script = `var seen = [];\n${rows.map(([expression]) => `seen.push(${expression});`).join('\n')}\ncontext.attributes.seen = seen;`;
  const { call, verdict } = await request(
    { script },
    { headers: { 'X-One': '1' }, request: { query: 'a=1&a=2' }, attributes: { plan: 'gold' } },
  );
  assert.equal(verdict, undefined, call.warnings.join());
  assert.deepEqual(
    call.attributes.get('seen'),
    rows.map(([, seen]) => seen),
  );
});

test('what they set: headers, attributes and parameters by property or method, the status of an answer', async (t) => {
  const { request, response } = world(t);
  const { call } = await request(
    {
      onRequestScript: `request.headers.set('X-A', 'a'); request.headers.put('X-L', ['1', '2']); request.headers['X-P'] = 'p';
        request.headers.remove('X-Gone'); delete request.headers['X-Also'];
        context.attributes.foo = 'bar'; context.attributes.set('n', 1); delete context.attributes.gone;
        request.parameters.set('q', 'ü&'); request.parameters.add('q', '2'); request.parameters.remove('a');`,
    },
    { headers: { 'X-Gone': '1', 'X-Also': '1' }, request: { query: 'a=1&b=2' }, attributes: { gone: 1 } },
  );
  const { headers } = call.request;
  assert.deepEqual([headers.get('x-a'), headers.getAll('x-l'), headers.get('x-p')], ['a', ['1', '2'], 'p']);
  assert.deepEqual([headers.has('x-gone'), headers.has('x-also')], [false, false]);
  assert.deepEqual(
    ['foo', 'n', 'gone'].map((name) => call.attributes.get(name)),
    ['bar', 1, undefined],
  );
  assert.equal(call.request.query, 'b=2&q=%C3%BC%26&q=2');
  const back = await response({
    onResponseScript: 'response.status = response.status + 2; response.reason = "x"',
  });
  assert.deepEqual([back.call.response?.status, back.call.response?.reason], [202, 'x']);
});

test('the last value is the body of a content script, and of a script with overrideContent; scripts run in order, each on what the last has left', async (t) => {
  const { request, response } = world(t);
  const both = await request(
    {
      onRequestScript: "request.headers.set('X-A', 'a'); 'ignored'",
      onRequestContentScript:
        "var c = JSON.parse(request.content); c.a = request.headers.get('X-A'); JSON.stringify(c)",
    },
    { body: '{"b":1}' },
  );
  assert.equal(await both.call.sent('request'), '{"b":1,"a":"a"}');
  const wish = { readContent: true, overrideContent: true };
  const overridden = await response({ script: "response.content + '!'", ...wish }, { body: 'hi' });
  assert.equal(await overridden.call.sent('response'), 'hi!');
  const emptied = await response({ onResponseContentScript: 'null' }, { body: 'hi' });
  assert.equal(await emptied.call.sent('response'), '');
  const read = await response({ script: "'x'", readContent: true }, { body: 'hi' });
  assert.equal(await read.call.sent('response'), 'hi');
});

test('result.state ends the request: JAVASCRIPT_RESULT_FAILURE, or the key that it names; what throws is JAVASCRIPT_EXECUTION_FAILURE', async (t) => {
  const { request } = world(t);
  const fail = async (script: string) => {
    const { verdict } = await request({ script });
    assert.ok(verdict !== undefined && verdict.kind === 'reject');
    return [verdict.key, verdict.status, verdict.message, verdict.content?.type];
  };
  assert.deepEqual(
    await fail(
      "result.state = State.FAILURE; result.code = 400; result.error = 'e'; result.key = 'K'; result.contentType = 'text/x'",
    ),
    ['K', 400, 'e', 'text/x'],
  );
  assert.deepEqual((await fail('result.state = State.FAILURE')).slice(0, 2), [
    'JAVASCRIPT_RESULT_FAILURE',
    500,
  ]);
  assert.deepEqual((await fail('nobody.knows()')).slice(0, 2), ['JAVASCRIPT_EXECUTION_FAILURE', 500]);
});

test('a script that finds no thread is JAVASCRIPT_NO_CAPACITY', async () => {
  const scripts: Scripts = {
    hold: () => () => undefined,
    run: () => Promise.resolve({ kind: 'busy', why: 'x' }),
  };
  const verdict = await startPolicy('javascript', { script: '1' }, { host: { scripts } }).call().pass();
  assert.ok(verdict !== undefined && verdict.kind === 'reject');
  assert.deepEqual([verdict.key, verdict.status], ['JAVASCRIPT_NO_CAPACITY', 503]);
});

test('a step without a script of its phase, or with one of the other, is refused by name', () => {
  const faults = (configuration: object, phase: 'request' | 'response' = 'request') =>
    catalog.javascript
      .faultsIn?.(catalog.javascript.config.parse(configuration), phase)
      .map(({ path }) => path);
  assert.deepEqual(faults({}), ['script']);
  assert.deepEqual(faults({ script: ' ' }), ['script']);
  assert.deepEqual(faults({ script: '1' }), []);
  assert.deepEqual(faults({ onRequestScript: '1' }), []);
  assert.deepEqual(faults({ onRequestScript: '1', onResponseScript: '1', onResponseContentScript: '1' }), [
    'onResponseScript',
    'onResponseContentScript',
  ]);
  assert.deepEqual(faults({ onRequestContentScript: '1' }, 'response'), ['onRequestContentScript', 'script']);
  assert.deepEqual(faults({ script: '1', overrideContent: true }), ['overrideContent']);
});
