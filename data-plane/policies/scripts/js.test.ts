import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';

import { startScripts } from '../../../test/kit/scripts/sandbox.ts';
import { type CallWish, type KitCall, startPolicy } from '../../../test/kit/gateway/policies.ts';
import { catalog } from '../../../proto/policies/catalog.ts';
import type { Scripts } from '../../script/script.ts';
import type { PolicyPlace } from '../policy.ts';

const response = { place: { phase: 'response' } } as const;

/** Runs scripts one after another in one sandbox, each on a request, or on an answer, of its own. */
function world(t: TestContext) {
  const scripts = startScripts(t);
  const start = (configuration: object, place: Partial<PolicyPlace> = {}) =>
    startPolicy('js', configuration, {
      place,
      host: { scripts, properties: new Map([['version', '7']]) },
    });
  return {
    async request(script: string, wish: CallWish = {}, configuration: object = {}) {
      const call = start({ script, ...configuration }).call(wish);
      return { call, verdict: await call.pass() };
    },
    async response(script: string, wish: Parameters<KitCall['answer']>[0] = {}, configuration: object = {}) {
      const call = start({ script, ...configuration }, response.place).call();
      return { call, verdict: await call.answer(wish) };
    },
  };
}

/** What a refusal says. */
function refusal(verdict: Awaited<ReturnType<KitCall['pass']>>) {
  assert.ok(verdict !== undefined && verdict.kind === 'reject', JSON.stringify(verdict));
  const { key, status, message, content } = verdict;
  return { key, status, message, contentType: content?.type };
}

test('a script reads what a request is, its headers without case, its parameters decoded, and what surrounds it', async (t) => {
  const { request } = world(t);
  const asked = (expression: string) => `context.set('seen', ${expression});`;
  const wish: CallWish = {
    request: { method: 'PUT', query: 'a=1&a=2&b=%C3%BC+x&c' },
    headers: { 'X-One': '1' },
    attributes: { plan: 'gold', 'user-id': 'u7', map: new Map([['k', new Map([['l', 1]])]]) },
  };
  const rows: readonly (readonly [expression: string, seen: unknown])[] = [
    ['request.id()', 'request'],
    ['request.transactionId()', 'transaction'],
    ['request.clientIdentifier()', 'u7'],
    ['request.uri()', '/a/items?a=1&a=2&b=%C3%BC+x&c'],
    ['request.host() + request.originalHost()', 'hh'],
    ['request.contextPath() + request.pathInfo() + request.path()', '/a/items/a/items'],
    ['request.method() + request.scheme() + request.version()', 'PUThttpHTTP_1_1'],
    ['typeof request.timestamp()', 'number'],
    ['request.remoteAddress() + request.localAddress()', '192.0.2.7192.0.2.1'],
    ["request.header('x-ONE') + request.headers().get('X-ONE')", '11'],
    [
      "[request.header('no'), request.parameter('no'), request.content(), context.get('no')]",
      [null, null, null, null],
    ],
    ["request.headers().getAll('x-one').length + ' ' + request.headers().contains('x-one')", '1 true'],
    [
      "request.headers().toSingleValueMap()['X-One'] + request.headers().size() + request.headers().isEmpty()",
      '11false',
    ],
    [
      "[request.parameter('a'), request.parameters()['a'].join(), request.parameter('b'), request.parameter('c')]",
      ['1', '1,2', 'ü x', ''],
    ],
    ["context.get('plan') + context.getAttribute('gravitee.attribute.plan')", 'goldgold'],
    ["context.get('map').k.l", 1],
    ["context.getAttributeNames().includes('plan') && context.getAttributes()['plan'] === 'gold'", true],
    ["context.properties()['version'] + context.properties().get('version')", '77'],
    ["btoa('é€') + atob(btoa('é€')) + Base64.decode(Base64.encode('a'))", 'w6nigqw=é€a'],
    ['[atob(null), btoa(null)]', [null, null]],
    ['[1, [2, [3]]].flat(Infinity).toSorted((a, b) => b - a)', [3, 2, 1]],
    ['typeof console.log("x")', 'undefined'],
  ];
  const script = `const seen = [];\n${rows.map(([expression]) => `seen.push(${expression});`).join('\n')}\n${asked('seen')}`;
  const { call, verdict } = await request(script, wish);
  assert.equal(verdict, undefined, call.warnings.join());
  assert.deepEqual(
    call.attributes.get('seen'),
    rows.map(([, seen]) => seen),
  );
});

test('what a script sets goes on: headers in order, attributes with their type, status and reason, the body', async (t) => {
  const { request, response: answered } = world(t);
  const { call } = await request(
    `request.headers().set('X-Set', 'a').add('X-Set', 'b').remove('x-gone');
     context.set('text', 'a'); context.set('n', 1.5); context.set('map', { a: [1, { b: null }] });
     context.set('gone', null); context.remove('also-gone'); context.setAttribute('gravitee.attribute.long', true);`,
    { headers: { 'X-Gone': '1', 'X-Kept': '1' }, attributes: { gone: 1, 'also-gone': 1 } },
  );
  assert.deepEqual(call.request.headers.getAll('x-set'), ['a', 'b']);
  assert.deepEqual([call.request.headers.has('x-gone'), call.request.headers.has('x-kept')], [false, true]);
  assert.deepEqual(
    ['text', 'n', 'long', 'gone', 'also-gone'].map((name) => call.attributes.get(name)),
    ['a', 1.5, true, undefined, undefined],
  );
  assert.deepEqual(call.attributes.get('map'), new Map([['a', [1, new Map([['b', null]])]]]));

  const back = await answered(
    "if (response.status() === 200) response.status(201); response.reason('Made'); response.headers().set('X-A', response.header('x-b'));",
    { headers: { 'X-B': 'b' } },
  );
  assert.deepEqual(
    [back.call.response?.status, back.call.response?.reason, back.call.response?.headers.get('x-a')],
    [201, 'Made', 'b'],
  );
});

test('readContent and overrideContent: the body is read as text and as Base64, and set; without them it stays and is not read', async (t) => {
  const { request, response: answered } = world(t);
  const both = { readContent: true, overrideContent: true };
  const body = 'a\u0000ü😀"\\';
  const set = await request(
    "request.content(request.content() + '|' + request.contentAsBase64())",
    { body },
    both,
  );
  assert.equal(await set.call.sent('request'), `${body}|${Buffer.from(body).toString('base64')}`);
  const kept = await request("context.set('seen', request.content())", { body }, { readContent: true });
  assert.deepEqual([await kept.call.sent('request'), kept.call.attributes.get('seen')], [body, body]);
  const emptied = await answered("response.content('')", { body }, both);
  assert.equal(await emptied.call.sent('response'), '');
  const unread = await request("context.set('seen', request.content())", { body });
  assert.deepEqual([unread.call.isRead, unread.call.attributes.get('seen')], [false, undefined]);
  for (const script of ["request.content('x')", "response.content('x')"]) {
    const refused = await request(script, { body }, { readContent: true });
    assert.equal(refusal(refused.verdict).key, 'JS_EXECUTION_FAILURE');
    assert.equal(await refused.call.sent('request'), body);
  }
  const packed = await request('1', { body, headers: { 'Content-Encoding': 'gzip' } }, { readContent: true });
  assert.equal(refusal(packed.verdict).key, 'JS_EXECUTION_FAILURE');
});

test('an answer that streams passes a script by that would read it, unread; one that reads heads runs', async (t) => {
  const { response: answered } = world(t);
  const wish = {
    headers: { 'Content-Type': 'text/event-stream; charset=utf-8' },
    body: ['data: 1\n\n', 'data: 2\n\n'],
  };
  const set = "response.headers().set('X-Ran', '1')";
  const passed = await answered(set, wish, { readContent: true });
  assert.deepEqual(
    [passed.call.response?.content, passed.call.response?.headers.has('x-ran')],
    [undefined, false],
  );
  const ran = await answered(set, wish);
  assert.deepEqual([ran.call.response?.content, ran.call.response?.headers.has('x-ran')], [undefined, true]);
});

test('result.fail ends the request with its status, message, key and type; JS_RESULT_FAILURE is the key of one without', async (t) => {
  const { request } = world(t);
  const fail = async (script: string) => refusal((await request(script)).verdict);
  assert.deepEqual(await fail("result.fail(401, 'Who?', 'WHO')"), {
    key: 'WHO',
    status: 401,
    message: 'Who?',
    contentType: undefined,
  });
  assert.deepEqual(await fail("result.fail(400, '{}', 'K', 'application/json')"), {
    key: 'K',
    status: 400,
    message: '{}',
    contentType: 'application/json',
  });
  assert.equal((await fail("result.fail(503, 'x')")).key, 'JS_RESULT_FAILURE');
  assert.deepEqual(
    await fail(
      "result.setState(State.FAILURE); result.setCode(418); result.setError('e'); result.setKey('T'); result.setContentType('text/x')",
    ),
    { key: 'T', status: 418, message: 'e', contentType: 'text/x' },
  );
  assert.equal((await fail('result.setState(State.FAILURE)')).status, 500);
  const assigned = await request('result.state = State.FAILURE');
  assert.equal(assigned.verdict, undefined, 'an assignment has no effect');
});

test('what throws, cannot be set or is not there yet is JS_EXECUTION_FAILURE, changes nothing, and its line is in the record', async (t) => {
  const { request } = world(t);
  for (const script of [
    "throw new Error('no')",
    "request.headers().set('X-A', 'a\\r\\nX-B: b')",
    "request.headers().set('X A', 'a')",
    "request.headers().set('X-A', 'ü')",
    'response.status()',
    "result.fail(199, 'x')",
    "result.fail(600, 'x')",
    "result.fail('many', 'x')",
    "result.fail(400, 'x', 'a b')",
    "result.fail(400, 'x', 'K', 'text/plain\\r\\nX: y')",
    "for (let n = 0; n < 1_001; n += 1) request.headers().add('X', 'x')",
    "context.set('f', () => 1)",
    'httpMissing.get()',
    "context.dictionaries()[['a', 'b'].join('')]",
  ]) {
    const { call, verdict } = await request(`context.set('before', 1);\n${script}`);
    assert.deepEqual(
      { ...refusal(verdict), message: '' },
      { key: 'JS_EXECUTION_FAILURE', status: 500, message: '', contentType: undefined },
      script,
    );
    assert.deepEqual(
      [call.attributes.has('before'), call.warnings],
      [false, ['JS_EXECUTION_FAILURE']],
      script,
    );
  }
  const most = await request("for (let n = 0; n < 1_000; n += 1) request.headers().add('X', 'x')");
  assert.equal(most.verdict, undefined);
});

test('a script that runs out of time is answered with Timeout, one that finds no thread with JS_NO_CAPACITY', async () => {
  const of = (outcome: Awaited<ReturnType<Scripts['run']>>): Scripts => ({
    hold: () => () => undefined,
    run: () => Promise.resolve(outcome),
  });
  const ask = async (scripts: Scripts) =>
    refusal(await startPolicy('js', { script: '1' }, { host: { scripts } }).call().pass());
  assert.deepEqual(await ask(of({ kind: 'timeout' })), {
    key: 'JS_EXECUTION_FAILURE',
    status: 500,
    message: 'Timeout',
    contentType: undefined,
  });
  const { key, status } = await ask(of({ kind: 'busy', why: 'x' }));
  assert.deepEqual([key, status], ['JS_NO_CAPACITY', 503]);
});

test('threads are held from start to release', () => {
  let held = 0;
  const scripts: Scripts = {
    hold() {
      held += 1;
      return () => void (held -= 1);
    },
    run: () => Promise.resolve({ kind: 'timeout' }),
  };
  const { policy } = startPolicy('js', { script: '1' }, { host: { scripts } });
  assert.equal(held, 1);
  policy.release?.();
  assert.equal(held, 0);
});

test('what cannot run is refused when it is deployed, with what to use: a script that cannot be read, httpClient, Java, overrideContent alone', () => {
  const faults = (configuration: object): string => {
    const parsed = catalog.js.config.safeParse(configuration);
    return parsed.success
      ? ''
      : parsed.error.issues.map(({ path, message }) => `${path.join('.')} ${message}`).join();
  };
  assert.match(
    faults({ script: 'let a = 1;\nlet b = ;' }),
    /^script cannot be read: Unexpected token ';' \(line 2\)$/,
  );
  assert.match(faults({ script: `${'('.repeat(60_000)}` }), /^script cannot be read/);
  assert.match(faults({ script: 'httpClient.get("x")' }), /policy-http-callout/);
  for (const script of ["Java.type('x')", 'new JavaImporter()', 'Packages.java', 'Polyglot.eval()'])
    assert.match(faults({ script }), /Java is not there/);
  assert.match(
    faults({ script: '1', overrideContent: true }),
    /^overrideContent does nothing without readContent/,
  );
  assert.match(faults({}), /^script /);
  assert.equal(
    faults({ script: 'class A { #private = 1; get() { return {(1)} } }'.replace('{(1)}', '(1)') }),
    '',
  );
  assert.equal(faults({ script: '/'.repeat(2) + 'x'.repeat(65_534) }), '');
  assert.match(faults({ script: '/'.repeat(2) + 'x'.repeat(65_535) }), /^script /);
});
