import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';

import { eventually } from '../../../test/kit/eventually.ts';
import { accessRecords } from '../../../test/kit/gateway/access-records.ts';
import { apiDefinition, type LocalGateway, startLocalGateway } from '../../../test/kit/gateway/gateway.ts';
import { startUpstream } from '../../../test/kit/servers/upstream.ts';
import { tempDir } from '../../../test/kit/temp-dir.ts';

/** Conditions of steps and flows, through a gateway and a backend that echoes what it was asked. */

/** Sets a header that tells that it ran: of the request for the backend, of the answer for the client. */
const mark = (name: string, condition?: string): object => ({
  policy: 'transform-headers',
  configuration: { addHeaders: [{ name: `X-Ran-${name}`, value: name }] },
  ...(condition === undefined ? {} : { condition }),
});
const set = (name: string, value: string): object => ({
  policy: 'transform-headers',
  configuration: { addHeaders: [{ name, value }] },
});
const flow = (path: string, condition: string | undefined, steps: object): object => ({
  selectors: [
    { type: 'HTTP', path, pathOperator: 'STARTS_WITH' },
    ...(condition === undefined ? [] : [{ type: 'CONDITION', condition }]),
  ],
  ...steps,
});

const ran = (headers: Readonly<Record<string, unknown>>): string =>
  Object.keys(headers)
    .filter((name) => name.startsWith('x-ran-'))
    .map((name) => name.slice(6))
    .toSorted()
    .join(' ');

/** What ran on the way in, and on the way back: `a b | c`. */
async function passed(
  gateway: LocalGateway,
  path: string,
  options: Parameters<LocalGateway['call']>[1] = {},
): Promise<string> {
  const answer = await gateway.call(path, options);
  if (answer.status !== 200) return String(answer.status);
  const echoed = JSON.parse(answer.text) as { readonly headers: Readonly<Record<string, unknown>> };
  return `${ran(echoed.headers)} | ${ran(answer.headers)}`;
}

test('a step runs where its condition holds; one that fails does not, and the record says why', async (t) => {
  const upstream = await startUpstream(t);
  const dataDir = join(tempDir(t), 'data');
  const request = [
    mark('always'),
    mark('blank', '  '),
    mark('true', 'true'),
    mark('false', 'false'),
    mark('post', "{#request.method == 'POST'}"),
    mark('text', "{#request.headers['On'][0]}"),
    mark('null', "{#context.attributes['nothing']}"),
    mark('content', "{#request.jsonContent.sku == 'a'}"),
    mark('mixed', "{#request.method == 'POST' ? 'tru' : 'fals'}e"),
  ];
  const gateway = await startLocalGateway(t, {
    apis: {
      a: apiDefinition('a', upstream.url, {
        flows: [
          {
            request,
            response: [mark('ok', '{#response.status < 300}'), mark('bad', '{#response.status > 300}')],
          },
        ],
      }),
    },
    config: { dataDir, report: { enabled: true } },
  });
  const body = '{"sku":"a"}';
  assert.equal(
    await passed(gateway, '/a', { method: 'POST', body, headers: { On: 'yes' } }),
    'always blank content mixed post text true | ok',
  );
  assert.equal(await passed(gateway, '/a', { headers: { On: 'off' } }), 'always blank true | ok');
  assert.equal(await passed(gateway, '/a', { headers: { On: 'maybe' } }), 'always blank true | ok');
  assert.equal(await passed(gateway, '/a'), 'always blank true | ok');
  const records = await eventually(async () => {
    const written = await accessRecords(dataDir);
    return written.length === 4 && written;
  });
  const warned = records.map((record) => JSON.stringify(record['warnings'] ?? null));
  assert.deepEqual(
    warned.map((text) => text.includes('EXPRESSION_EVALUATION_ERROR')),
    [false, false, true, true],
  );
  assert.match(warned[2] ?? '', /a text is no boolean/);
});

test('a guard is not skipped where its condition fails by what a method throws: the request ends with 500, before the backend', async (t) => {
  const upstream = await startUpstream(t);
  const failures = {
    parse: "{T(Integer).parseInt(#request.headers['N'][0]) > 3}",
    pattern: "{#request.path.matches(#request.headers['N'][0])}",
    division: '{(1 / (#request.paths.size() - #request.paths.size()) == 1)}',
    item: '{#request.paths.get(99) == null}',
  };
  // What has no value is no, as ever; the same failures in a flow's condition too.
  const none = "{#request.headers['Nope'][0] == 'a'}";
  const apis = Object.fromEntries(
    [...Object.entries(failures), ['none', none] as const].flatMap(([name, condition]) => [
      [
        `step-${name}`,
        apiDefinition(`step-${name}`, upstream.url, { flows: [{ request: [mark('guard', condition)] }] }),
      ],
      [
        `answer-${name}`,
        apiDefinition(`answer-${name}`, upstream.url, { flows: [{ response: [mark('guard', condition)] }] }),
      ],
      [
        `flow-${name}`,
        apiDefinition(`flow-${name}`, upstream.url, {
          flows: [flow('/', condition, { request: [mark('guard')] })],
        }),
      ],
    ]),
  );
  const gateway = await startLocalGateway(t, { apis });
  const headers = { N: '(' };
  for (const name of Object.keys(failures)) {
    const before = upstream.requests.length;
    assert.equal(await passed(gateway, `/step-${name}`, { headers }), '500', name);
    assert.equal(upstream.requests.length, before, name);
    assert.equal(await passed(gateway, `/answer-${name}`, { headers }), '500', name);
    assert.equal(await passed(gateway, `/flow-${name}`, { headers }), ' | ', name);
  }
  for (const place of ['step', 'answer', 'flow'])
    assert.equal(await passed(gateway, `/${place}-none`, { headers }), ' | ', place);
});

test('a flow is asked once, when it is reached: what flows before it did counts, and what was said holds for the answer', async (t) => {
  const upstream = await startUpstream(t);
  const gateway = await startLocalGateway(t, {
    apis: {
      once: apiDefinition('once', upstream.url, {
        flows: [
          flow('/', undefined, { request: [set('Stage', 'one')], response: [mark('all')] }),
          flow('/', "{#request.headers['Stage'][0] == 'one'}", {
            request: [set('Stage', 'two'), mark('inner', "{#request.headers['Stage'][0] == 'two'}")],
            response: [mark('kept')],
          }),
          // Only in the response phase has it steps: asked in the request phase all the same.
          flow('/', "{#request.headers['Stage'][0] == 'two'}", { response: [mark('late')] }),
          flow('/', "{#request.headers['Stage'][0] == 'one'}", {
            request: [mark('no')],
            response: [mark('no')],
          }),
          // As flows of version 2 spell it.
          flow('/', undefined, { request: [mark('old')], condition: "{#request.method == 'GET'}" }),
          flow('/', undefined, { request: [mark('never')], response: [mark('never')], condition: 'false' }),
          flow('/', '{#response.status == 200}', { response: [mark('early')] }),
        ],
      }),
    },
  });
  assert.equal(await passed(gateway, '/once/x'), 'inner old | all kept late');
  assert.equal(await passed(gateway, '/once/x', { method: 'PUT', body: 'x' }), 'inner | all kept late');
});

test('conditions choose before the best match does, by plan and by API; exactly one flow of each runs', async (t) => {
  const upstream = await startUpstream(t);
  const asked = (value: string): string => `{#request.headers['Take'][0] == '${value}'}`;
  const steps = (name: string): object => ({ request: [mark(name)], response: [mark(name)] });
  const gateway = await startLocalGateway(t, {
    apis: {
      best: apiDefinition('best', upstream.url, {
        flowExecution: { mode: 'best-match' },
        plans: {
          open: {
            id: 'open',
            name: 'Open',
            security: { type: 'KEY_LESS' },
            flows: [
              flow('/', undefined, { request: [mark('plan'), set('Take', 'deep')] }),
              flow('/books', asked('plan'), { request: [mark('planned')] }),
            ],
          },
        },
        flows: [
          flow('/', undefined, steps('root')),
          flow('/books', undefined, steps('books')),
          flow('/books/:id', asked('deep'), steps('book')),
          flow('/books/9', asked('shallow'), steps('nine')),
        ],
      }),
    },
  });
  assert.equal(await passed(gateway, '/best'), 'plan root | root');
  assert.equal(await passed(gateway, '/best/books'), 'books plan | books');
  assert.equal(await passed(gateway, '/best/books/9'), 'book plan | book');
  assert.equal(
    await passed(gateway, '/best/books/9', { headers: { Take: 'plan' } }),
    'books planned | books',
    'the header that the other flow of the plan would have set is not there',
  );
});

test('where a flow must match, one whose condition does not hold is none: 404, in both modes', async (t) => {
  const upstream = await startUpstream(t);
  const flows = [
    flow('/a', "{#request.headers['On'][0] == '1'}", { request: [mark('a')] }),
    flow('/a', "{#request.headers['On'][0] == '2'}", {}),
  ];
  const required = (mode: string): Record<string, unknown> => ({
    flowExecution: { mode, matchRequired: true },
    flows,
  });
  const gateway = await startLocalGateway(t, {
    apis: {
      all: apiDefinition('all', upstream.url, required('default')),
      best: apiDefinition('best', upstream.url, required('best-match')),
      always: apiDefinition('always', upstream.url, {
        flowExecution: { mode: 'default', matchRequired: true },
        flows: [flow('/', "{#request.headers['On'][0] == '1'}", { request: [mark('a')] })],
      }),
    },
  });
  for (const api of ['all', 'best']) {
    assert.equal(await passed(gateway, `/${api}/a`, { headers: { On: '1' } }), 'a | ', api);
    assert.equal(await passed(gateway, `/${api}/a`, { headers: { On: '2' } }), ' | ', api);
    assert.equal(await passed(gateway, `/${api}/a`, { headers: { On: '3' } }), '404', api);
    assert.equal(await passed(gateway, `/${api}/b`, { headers: { On: '1' } }), '404', api);
  }
  assert.equal(await passed(gateway, '/always', { headers: { On: '1' } }), 'a | ');
  assert.equal(await passed(gateway, '/always'), '404');
});

test('a condition that reads the body has it read whole first; a step that is passed over reads none', async (t) => {
  const upstream = await startUpstream(t);
  const gateway = await startLocalGateway(t, {
    apis: {
      body: apiDefinition('body', upstream.url, {
        flows: [
          flow('/flow', "{#jsonPath(#request.content, '$.a') == 1}", {
            request: [set('X-Ran-content', '{#request.content}')],
          }),
          flow('/step', undefined, {
            request: [
              {
                policy: 'mock',
                condition: "{#request.headers['Mock'] != null}",
                configuration: { status: '418', content: '{#request.content}' },
              },
            ],
            response: [mark('answer', "{#response.content.contains('hello')}")],
          }),
        ],
      }),
    },
    config: { request: { bufferedBytesMax: 1_024 } },
  });
  const post = (body: string, headers = {}): Parameters<LocalGateway['call']>[1] => ({
    method: 'POST',
    body,
    headers,
  });
  assert.equal(await passed(gateway, '/body/flow', post('{"a":1}')), 'content | ');
  assert.equal(await passed(gateway, '/body/flow', post('{"a":2}')), ' | ');
  assert.equal(await passed(gateway, '/body/flow', post('x'.repeat(2_000))), '413');
  assert.equal((await gateway.call('/body/step', post('tea', { Mock: '1' }))).text, 'tea');
  assert.equal(await passed(gateway, '/body/step', post('hello')), ' | answer');
});
