import assert from 'node:assert/strict';
import { test } from 'node:test';

import { change, faultsOf } from '../../definition/fixtures.ts';
import { readApi } from '../../definition/read.ts';
import { proxied } from '../../definition/v2/fixtures.ts';

const logs = {
  mode: { entrypoint: true, endpoint: true },
  phase: { request: true, response: true },
  content: { headers: true, payload: true },
};
const logged = (more: object) => change({ analytics: { logging: { ...logs, ...more } } });
const content = (more: object) => logged({ content: { ...logs.content, ...more } });

test('what logging and tracing cannot do is refused where it is asked for, and left alone where it is off', () => {
  const rows: readonly (readonly [input: unknown, path: string, words: RegExp])[] = [
    [logged({ condition: 'sometimes' }), 'logging.condition', /is no expression and would never hold/],
    [logged({ condition: '#request.heders' }), 'logging.condition', /did you mean headers\?/],
    [logged({ condition: '{#request.content.length() > 2}' }), 'logging.condition', /reads a body/],
    [logged({ condition: 'true'.padEnd(8_193) }), 'logging.condition', /8192/],
    [logged({ messageCondition: '{#message.content}' }), 'logging.messageCondition', /an empty text/],
    [content({ messageHeaders: true }), 'logging.content.messageHeaders', /messages.*; allowed: false/],
    [content({ messagePayload: true }), 'logging.content.messagePayload', /messages.*; allowed: false/],
    [content({ messageMetadata: true }), 'logging.content.messageMetadata', /messages.*; allowed: false/],
    [logged({ level: 'all' }), 'logging.level', /allowed: mode, phase, content, condition/],
    [logged({ mode: { gateway: true } }), 'logging.mode.gateway', /allowed: entrypoint, endpoint/],
    [
      change({ analytics: { tracing: { enabled: true, verbose: true } } }),
      'tracing.verbose',
      /writes no spans; allowed: false/,
    ],
    [change({ analytics: { otelLogs: { enabled: true } } }), 'otelLogs', /allowed: enabled: false/],
  ];
  for (const [input, path, words] of rows) {
    const faults = faultsOf(input);
    assert.deepEqual(Object.keys(faults), [`analytics.${path}`]);
    assert.match(faults[`analytics.${path}`] ?? '', words, path);
  }
  const idle = { condition: 'sometimes', messageCondition: '{#m}', content: { messageHeaders: true } };
  for (const analytics of [
    { enabled: false, logging: { ...logs, ...idle } },
    { logging: { ...logs, ...idle, mode: { entrypoint: false, endpoint: false } } },
    { logging: { ...logs, ...idle, phase: { request: false } } },
    { tracing: { enabled: false, verbose: true } },
    { tracing: { enabled: true, verbose: false, redaction: { rules: [] } } },
    { reporterMetricsEnabled: true },
    { sampling: { type: 'PROBABILITY', value: '0.2' }, messageSampling: { type: 'count', value: 10 } },
    { logging: { ...logs, condition: null, messageCondition: '' } },
  ])
    assert.deepEqual(faultsOf(change({ analytics })), {});
});

test('a condition is kept as it is written, with braces or without', () => {
  for (const condition of [
    '{#request.timestamp <= 1709737299215l}',
    '#request.timestamp <= 1709737299215l',
    "(#request.timestamp <= 1709737299215l) && (#context.attributes['plan'] == 'gold')",
    "{(#request.params['k'] != null) || #request.headers['X-K'][0] == 'k'}",
    'true',
  ])
    assert.equal(readApi(logged({ condition })).api.analytics.logging?.condition, condition);
  const version2 = { mode: 'CLIENT', content: 'HEADERS', scope: 'REQUEST', condition: '#request.heders' };
  assert.deepEqual(Object.keys(faultsOf(proxied({ logging: version2 }))), ['proxy.logging.condition']);
});

test('logging that selects nothing because a choice is missing is doubted, and its condition is judged all the same', () => {
  const { mode, phase, content } = logs;
  const doubts = (logging: object) =>
    readApi(change({ analytics: { logging } }))
      .notes.filter(({ kind }) => kind === 'doubt')
      .map((note) => `${note.path} ${note.message}`);
  for (const [logging, words] of [
    [
      { content: { headers: true } },
      /^analytics\.logging logs nothing without mode and phase; write mode: \{/,
    ],
    [{ mode: {}, phase, content }, /without mode; write mode: \{ entrypoint: true \}$/],
    [{ mode, content }, /without phase; write phase: \{/],
    [{ condition: 'true' }, /without mode and phase/],
  ] as const) {
    const said = doubts(logging);
    assert.equal(said.length, 1, JSON.stringify(logging));
    assert.match(said[0] ?? '', words);
    const slip = { ...logging, condition: '{#request.methd == 1}' };
    const faults = faultsOf(change({ analytics: { logging: slip } }));
    assert.match(faults['analytics.logging.condition'] ?? '', /did you mean method\?/);
  }
  const off = { entrypoint: false, endpoint: false };
  for (const logging of [
    logs,
    {},
    { content: { headers: false } },
    { mode: off, content },
    { mode: off, phase, content },
  ])
    assert.deepEqual(doubts(logging), [], JSON.stringify(logging));
});
