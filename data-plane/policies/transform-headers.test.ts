import assert from 'node:assert/strict';
import { test } from 'node:test';

import { headerValueSchema } from '../../proto/model/head-text.ts';
import { startPolicy } from '../../test/kit/gateway/policies.ts';
import { attributeTemplate } from '../../test/kit/gateway/templates.ts';
import { apiDefinition, flow, startLocalGateway } from '../../test/kit/gateway/gateway.ts';
import { startUpstream } from '../../test/kit/servers/upstream.ts';

test('headers are removed, then kept by list, then set; addHeaders replaces every line of that name', async (t) => {
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
    [undefined, 'back', 'new', 'k'],
  );
  const kept = await asked('/kept');
  assert.deepEqual(
    [kept['x-keep'], kept['content-type'], kept['x-added'], kept['x-gone'], kept['x-forwarded-for']],
    ['k', 'text/x', '1', undefined, undefined],
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
