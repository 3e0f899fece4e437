import assert from 'node:assert/strict';
import { test } from 'node:test';

import { headerValueSchema } from '../../proto/model/head-text.ts';
import { startPolicy } from '../../test/kit/gateway/policies.ts';
import { attributeTemplate } from '../../test/kit/gateway/templates.ts';
import { apiDefinition, flow, startLocalGateway } from '../../test/kit/gateway/gateway.ts';
import { startUpstream } from '../../test/kit/servers/upstream.ts';

test('headers are set, appended, removed, then kept by list; addHeaders replaces every line of that name', async (t) => {
  const upstream = await startUpstream(t);
  const transform = (configuration: object): readonly [string, object] => [
    'transform-headers',
    configuration,
  ];
  const gateway = await startLocalGateway(t, {
    apis: {
      request: apiDefinition('request', upstream.url, {
        flows: [
          flow('/', {
            request: [
              transform({
                removeHeaders: ['x-gone', 'X-Both'],
                addHeaders: [
                  { name: 'X-Set', value: 'new' },
                  { name: 'X-Both', value: 'back' },
                ],
                appendHeaders: [
                  { name: 'X-Set', value: 'newer' },
                  { name: 'X-Gone', value: 'again' },
                ],
              }),
            ],
          }),
        ],
      }),
      kept: apiDefinition('kept', upstream.url, {
        flows: [
          flow('/', {
            request: [
              transform({
                whitelistHeaders: ['X-KEEP', 'content-type'],
                addHeaders: [{ name: 'X-Added', value: '1' }],
              }),
            ],
          }),
        ],
      }),
      response: apiDefinition('response', upstream.url, {
        flows: [
          flow('/', {
            response: [
              transform({
                scope: 'REQUEST',
                removeHeaders: ['Content-Type'],
                addHeaders: [{ name: 'X-Answer', value: 'yes' }],
              }),
            ],
          }),
        ],
      }),
    },
  });
  const headers = {
    'X-Gone': '1',
    'X-Both': '2',
    'X-Set': ['old', 'older'],
    'X-Keep': 'k',
    'Content-Type': 'text/x',
  };
  const asked = async (path: string) =>
    (JSON.parse((await gateway.call(path, { headers })).text) as { headers: Record<string, string> }).headers;

  const changed = await asked('/request');
  assert.deepEqual(
    [changed['x-gone'], changed['x-both'], changed['x-set'], changed['x-keep']],
    [undefined, undefined, 'new, newer', 'k'],
  );
  const kept = await asked('/kept');
  assert.deepEqual(
    [kept['x-keep'], kept['content-type'], kept['x-added'], kept['x-gone'], kept['x-forwarded-for']],
    ['k', 'text/x', undefined, undefined, undefined],
  );
  assert.ok(kept['host'], 'a backend always gets a Host');

  const answer = await gateway.call('/response');
  assert.deepEqual([answer.headers['x-answer'], answer.headers['content-type']], ['yes', undefined]);
});

test('a value that varies is rendered per request; nothing leaves the header as it is, a failure ends the request', () => {
  const { call } = startPolicy(
    'transform-headers',
    { addHeaders: [{ name: 'X-User' }] },
    {
      adjust: (config) => ({
        ...config,
        addHeaders: [{ name: 'X-User', value: attributeTemplate('user', headerValueSchema) }],
      }),
    },
  );
  const pass = (user: unknown): readonly [string | undefined, readonly string[]] => {
    const asked = call({ headers: { 'X-User': 'sent' }, attributes: { user } });
    const verdict = asked.pass();
    if (asked.warnings.length === 0) assert.equal(verdict, undefined);
    else
      assert.ok(
        verdict !== undefined &&
          'key' in verdict &&
          verdict.key === 'TRANSFORM_HEADERS_FAILURE' &&
          verdict.status === 500,
      );
    return [asked.request.headers.get('x-user'), asked.warnings];
  };
  assert.deepEqual(pass('ann'), ['ann', []]);
  assert.deepEqual(pass(undefined), ['sent', []]);
  for (const failing of [new Error('boom'), 'a\r\nb'])
    assert.deepEqual(pass(failing), ['sent', ['EXPRESSION_EVALUATION_ERROR']]);
});

test('under engine v3 headers are removed first, so that what is set stays', () => {
  const config = {
    removeHeaders: ['X-Both'],
    whitelistHeaders: ['X-Kept'],
    addHeaders: [{ name: 'X-Both', value: 'back' }],
    appendHeaders: [{ name: 'X-Kept', value: 'more' }],
  };
  const left = (removesHeadersFirst: boolean) => {
    const { headers } = passed(startPolicy('transform-headers', config, { host: { removesHeadersFirst } }));
    return [headers.getAll('x-both'), headers.getAll('x-kept'), headers.has('x-other')];
  };
  assert.deepEqual(left(true), [['back'], ['sent', 'more'], false]);
  assert.deepEqual(left(false), [[], ['sent', 'more'], false]);
});

function passed(started: ReturnType<typeof startPolicy<'transform-headers'>>) {
  const call = started.call({ headers: { 'X-Both': 'sent', 'X-Kept': 'sent', 'X-Other': 'sent' } });
  assert.equal(call.pass(), undefined);
  return call.request;
}
