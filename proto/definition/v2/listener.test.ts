import assert from 'node:assert/strict';
import { test } from 'node:test';

import { at, opened, payload, plain, proxied, type Row } from './fixtures.ts';

const logging = (words: object): unknown => proxied({ logging: words });

const rows: readonly Row[] = [
  ['path mappings', payload, 'listeners[0].pathMappings', ['/piers/:pier']],
  [
    'virtual hosts',
    payload,
    'listeners[0].paths',
    [
      { path: '/ferries', overrideAccess: false },
      { host: 'ferries.example.com', path: '/v1', overrideAccess: true },
    ],
  ],
  [
    'a context path',
    proxied({ virtual_hosts: undefined, context_path: '/old/' }),
    'listeners[0].paths',
    [{ path: '/old/' }],
  ],
  ['servers', payload, 'listeners[0].servers', ['inner']],
  ['null bytes', payload, 'listeners[0].requestValidation', { rejectNullByte: true }],
  ['CORS that is off', proxied({ cors: { enabled: false, allowOrigin: 7 } }), 'listeners[0].cors', undefined],
  ['plain origins', payload, 'listeners[0].cors.allowOrigin', ['https://a.example']],
  ['patterns of origins', payload, 'listeners[0].cors.allowOriginRegex', ['.*\\.b\\.example']],
  [
    'any origin',
    proxied({ cors: { enabled: true, allowOrigin: ['*'] } }),
    'listeners[0].cors.allowOrigin',
    ['*'],
  ],
  ['CORS', payload, 'listeners[0].cors.maxAge', 60],
  ['no logging', plain(), 'analytics', { enabled: true }],
  [
    'logging',
    payload,
    'analytics.logging',
    {
      mode: { entrypoint: true, endpoint: true },
      phase: { request: true, response: false },
      content: { headers: true, payload: false },
      condition: "{#request.method == 'GET'}",
    },
  ],
  [
    'logging of clients',
    logging({ mode: 'client', scope: 'response', content: 'payloads' }),
    'analytics.logging.mode',
    { entrypoint: true, endpoint: false },
  ],
  [
    '... of answers',
    logging({ mode: 'client', scope: 'response', content: 'payloads' }),
    'analytics.logging.phase',
    { request: false, response: true },
  ],
  [
    '... of bodies',
    logging({ mode: 'client', scope: 'response', content: 'payloads' }),
    'analytics.logging.content',
    { headers: false, payload: true },
  ],
  [
    'a condition that is the text null',
    logging({ mode: 'PROXY', scope: 'REQUEST', content: 'HEADERS', condition: 'null' }),
    'analytics.logging.condition',
    undefined,
  ],
  [
    'logging of no way',
    logging({ mode: 'CLIENT', scope: 'NONE', content: 'HEADERS' }),
    'analytics.logging',
    undefined,
  ],
  ['logging of nothing', proxied({ loggingMode: 'CLIENT' }), 'analytics.logging', undefined],
];

for (const [what, input, path, value] of rows)
  test(`${what}: ${path}`, () => assert.deepEqual(at(opened(input).body, path), value));

test('a pattern of origins that is broken is left out with a warning, and the others count', () => {
  const { body, notes, faults } = opened(
    proxied({
      cors: { enabled: true, allowOrigin: ['https://(a', '.*\\.b\\.example', 'https://c.example'] },
    }),
  );
  assert.deepEqual(at(body, 'listeners[0].cors.allowOriginRegex'), ['.*\\.b\\.example']);
  assert.deepEqual(at(body, 'listeners[0].cors.allowOrigin'), ['https://c.example']);
  assert.deepEqual(
    notes.map(({ path, kind }) => [path, kind]),
    [['proxy.cors.allowOrigin[0]', 'doubt']],
  );
  assert.deepEqual(faults, []);
});
