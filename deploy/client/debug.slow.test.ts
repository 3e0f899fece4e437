import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { environment, planBody } from '../../test/kit/control-plane/office.ts';
import { startDebugRuns } from '../../test/kit/gateway/debug/debug-jobs.ts';
import { openCommandScene, serveOn } from '../../test/kit/processes/command-scene.ts';

/** A flow as a console writes it. */
const flowOf = (path: string, ...steps: readonly (readonly [policy: string, configuration: object])[]) => ({
  selectors: [{ type: 'HTTP', path, pathOperator: 'STARTS_WITH' }],
  request: steps.map(([policy, configuration]) => ({ policy, configuration })),
});

test('debug tells each step of a request through the draft, what it changed, and what backend and caller got', async (t) => {
  const backend = await serveOn(t, (request, answer) => {
    answer.setHeader('x-words', 'of the backend');
    // What a terminal would obey stays in the answer.
    request.resume().on('end', () => answer.end(`asked ${request.method} ${request.url}\n\u001b[31mred`));
  });
  const { office, url, dir, run } = await openCommandScene(t, {
    debug: startDebugRuns(t, { allow: [backend] }),
  });
  const { id } = await office.deployedApi('/orders');
  const gold = flowOf('/', ['transform-headers', { addHeaders: [{ name: 'X-Plan', value: 'gold' }] }]);
  const plan = planBody('API_KEY', { name: 'gold', flows: [gold] });
  const made = await office.call('POST', `${environment}/apis/${id}/plans`, { body: plan });
  assert.equal(made.status, 201, made.text);
  const { body: api } = await office.call('GET', `${environment}/apis/${id}`);
  const target = { name: 'one', type: 'http-proxy', configuration: { target: backend } };
  const flows = [
    {
      name: 'all',
      ...flowOf(
        '/',
        ['transform-headers', { addHeaders: [{ name: 'X-Method', value: '{#request.method}' }] }],
        ['policy-assign-content', { scope: 'REQUEST', body: 'made of it' }],
      ),
    },
    {
      name: 'closed',
      ...flowOf('/closed', ['transform-headers', { addHeaders: [{ name: 'X-A', value: '1' }] }]),
      selectors: [
        { type: 'HTTP', path: '/closed', pathOperator: 'STARTS_WITH' },
        { type: 'CONDITION', condition: "{#request.method == 'PATCH'}" },
      ],
    },
  ];
  const content = JSON.stringify({
    ...api,
    flows,
    endpointGroups: [{ name: 'default', type: 'http-proxy', endpoints: [target] }],
  });
  const kept = await office.call('PUT', `${environment}/apis/${id}/draft`, { body: { content } });
  assert.equal(kept.status, 200, kept.text);
  const before = await office.published('api');
  writeFileSync(join(dir, 'request.yaml'), 'method: POST\npath: /of-the-file\nbody: as it came\n');
  writeFileSync(join(dir, 'list.yaml'), '- 1\n');
  const ofFile = ['--request', 'request.yaml', '--header', 'X-A: 1', '--header', 'X-A: 2'];
  const ends = await run(
    ['login', '--url', url, '--user', 'admin'],
    ['debug', 'api /orders', '/closed?a=1', ...ofFile],
    ['debug', 'api /orders', '--plan', 'gold', '--json'],
    ['debug', 'nowhere'],
    ['debug', 'api /orders', 'no-slash'],
    ['debug', 'api /orders', '--plan', 'silver'],
    ['debug', 'api /orders', '--header', 'nothing'],
    ['debug', 'api /orders', '--request', 'list.yaml'],
  );
  const said = ends.map((end) => end.said);
  assert.deepEqual(
    ends.map(({ code }) => code),
    [0, 0, 0, 1, 1, 1, 2, 2],
    said.join('\n'),
  );
  const shown = said[1] ?? '';
  assert.match(shown, /^200 in [\d.]+ (µs|m?s), with the flows of the plan plan\n/);
  assert.match(shown, / +took +phase +step +decided +said\n/);
  assert.match(
    shown,
    /request +transform-headers +passed +flows\[0\]\.request\[0\] \(all\)\n +header x-method is POST\n/,
  );
  assert.match(shown, /policy-assign-content +passed .*\n +body is made of it, was as it came\n/);
  assert.match(
    shown,
    /flow +skipped +its condition does not hold +if \{#request\.method == 'PATCH'\} +flows\[1\]/,
  );
  assert.match(
    shown,
    /the backend was asked: POST http:.*\/closed\?a=1\n[^]*  x-a: 1\n  x-a: 2\n[^]*made of it\n/i,
  );
  assert.match(shown, /the backend answered: 200\n[^]*the caller gets: 200\n[^]*x-words: of the backend\n/);
  assert.match(shown, /\n  asked POST \/closed\?a=1\n   \[31mred\n$/);
  const event = JSON.parse(said[2] ?? '') as {
    readonly run: { readonly plan: object; readonly backendRequest: { readonly headers: readonly object[] } };
  };
  assert.equal(Reflect.get(event.run.plan, 'name'), 'gold');
  assert.ok(event.run.backendRequest.headers.some((header) => Reflect.get(header, 'value') === 'gold'));
  assert.match(said[3] ?? '', /There is no api "nowhere"/);
  assert.match(said[4] ?? '', /path: must be empty or begin with \//);
  assert.match(said[5] ?? '', /There is no plan "silver"/);
  assert.match(said[6] ?? '', /a name and a value/);
  assert.match(said[7] ?? '', /list\.yaml is no request/);
  assert.deepEqual(await office.published('api'), before, 'no gateway learns of it');
});

test('a run that comes to no end is a failure of the command, which says why', async (t) => {
  const { office, url, run } = await openCommandScene(t, {
    debug: startDebugRuns(t, { debug: { memoryBytesMax: 1 } }),
  });
  await office.deployedApi('/orders');
  const [, table, json] = await run(
    ['login', '--url', url, '--user', 'admin'],
    ['debug', 'api /orders'],
    ['debug', 'api /orders', '--json'],
  );
  assert.deepEqual([table?.code, json?.code], [1, 1], table?.said);
  assert.match(table?.said ?? '', /The request was not run: .*debug\.memoryBytesMax/);
  assert.match(json?.said ?? '', /"api_debug_status": "ERROR"/);
});
