import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DebugEnd, DebugJob } from '../../../proto/model/records/debug-run.ts';
import { decodeApi, decodeDictionary, decodeSharedPolicyGroup } from '../../../proto/wire/payloads.ts';
import {
  environment,
  openOffice,
  type Office,
  planBody,
  v1,
} from '../../../test/kit/control-plane/office.ts';
import { sqlite, testDatabases } from '../../../test/kit/servers/databases.ts';

const nothing = { steps: [], notes: [], totalUs: 1 };

/** Runs that come to what they are told, and remember what they were given. */
function openRuns(end: DebugEnd | 'busy' = { kind: 'ran', report: nothing }) {
  const jobs: { readonly source: string; readonly job: DebugJob }[] = [];
  return {
    jobs,
    runs: {
      run(source: string, job: DebugJob) {
        jobs.push({ source, job });
        return Promise.resolve(end);
      },
    },
  };
}

const step = (policy: string, configuration: object, more: object = {}) => ({
  name: `a ${policy}`,
  policy,
  configuration,
  ...more,
});

const flowOf = (...request: readonly object[]) => ({
  name: 'all',
  selectors: [{ type: 'HTTP', path: '/', pathOperator: 'STARTS_WITH' }],
  request,
});

async function draft(office: Office, id: string, change: object): Promise<void> {
  const { body } = await office.call('GET', `${environment}/apis/${id}`);
  const content = JSON.stringify({ ...body, ...change });
  const kept = await office.call('PUT', `${environment}/apis/${id}/draft`, { body: { content } });
  assert.equal(kept.status, 200, kept.text);
}

const payloadOf = (job: DebugJob | undefined, kind: string): Buffer =>
  Buffer.from(job?.records.find((record) => record.kind === kind)?.payload ?? '', 'base64');

for (const database of testDatabases) {
  test(`a run is given the draft as a deployment would make it, and leaves nothing (${database.name})`, async (t) => {
    const { jobs, runs } = openRuns();
    const office = await openOffice(t, database, { debug: runs });
    const { id } = await office.deployedApi('/orders');
    const group = await office.call('POST', `${environment}/shared-policy-groups`, {
      body: {
        crossId: 'tags',
        name: 'Tags',
        apiType: 'PROXY',
        phase: 'REQUEST',
        steps: [step('transform-headers', { addHeaders: [{ name: 'X-Tag', value: 'deployed' }] })],
      },
    });
    const groupPath = `${environment}/shared-policy-groups/${String(group.body['id'])}`;
    assert.equal((await office.call('POST', `${groupPath}/_deploy`)).status, 202);
    assert.equal((await office.call('PUT', groupPath, { body: { name: 'Tags', steps: [] } })).status, 200);
    const dictionaries = `${v1}/configuration/dictionaries`;
    const words = await office.call('POST', dictionaries, {
      body: { name: 'Hosts', type: 'MANUAL', properties: { main: 'a.example' } },
    });
    assert.equal(words.status, 201, words.text);
    const deployed = await office.call('POST', `${dictionaries}/${String(words.body['id'])}/_deploy`);
    assert.ok(deployed.status < 300, deployed.text);
    await draft(office, id, {
      flows: [
        flowOf(
          step('shared-policy-group-policy', { sharedPolicyGroupId: 'tags' }),
          step('transform-headers', {
            addHeaders: [{ name: 'X-Host', value: "{#dictionaries['hosts']['main']}" }],
          }),
        ),
      ],
    });
    const before = await office.published('api');

    const answer = await office.call('POST', `${environment}/apis/${id}/debug`, {
      body: { method: 'POST', path: '/a?b=1', headers: { accept: ['text/plain'] }, body: 'x' },
    });
    assert.equal(answer.status, 202, answer.text);
    assert.equal(answer.body['type'], 'DEBUG_API');
    const [{ source, job } = { source: '', job: undefined }] = jobs;
    assert.match(source, new RegExp(`^${office.at.organization}/`));
    assert.deepEqual(
      { ...job, records: job?.records.map(({ kind }) => kind) },
      {
        ...office.at,
        records: ['dictionary', 'shared-policy-group', 'api'],
        request: { method: 'POST', path: '/a?b=1', headers: { accept: ['text/plain'] }, body: 'x' },
        contextPath: '/orders',
        host: 'localhost',
      },
    );
    assert.deepEqual(decodeDictionary(payloadOf(job, 'dictionary')).entries, [
      { key: 'main', value: 'a.example' },
    ]);
    assert.match(
      decodeSharedPolicyGroup(payloadOf(job, 'shared-policy-group')).definition,
      /deployed/,
      'the group is as gateways have it',
    );
    assert.match(decodeApi(payloadOf(job, 'api')).definition, /X-Host/);
    assert.deepEqual(await office.published('api'), before);
    assert.equal(
      (await office.call('GET', `${environment}/apis/${id}/draft`)).status,
      200,
      'the draft stays',
    );
  });
}

test('a plan of which somebody chooses the flows lets in without its credential', async (t) => {
  const { jobs, runs } = openRuns();
  const office = await openOffice(t, sqlite, { debug: runs });
  const { id, planId } = await office.deployedApi('/orders');
  const path = `${environment}/apis/${id}`;
  const open = await office.call('POST', `${path}/plans`, { body: planBody('KEY_LESS', { name: 'open' }) });
  const openId = String(open.body['id']);
  const planOf = (index: number) =>
    (
      JSON.parse(decodeApi(payloadOf(jobs[index]?.job, 'api')).definition) as {
        plans: Record<string, unknown>[];
      }
    ).plans;

  const first = await office.call('POST', `${path}/debug`, { body: {} });
  assert.deepEqual((first.body['run'] as { plan: object }).plan, { id: planId, name: 'plan' });
  assert.deepEqual(
    planOf(0)?.map(({ security }) => security),
    [{ type: 'key-less', configuration: {} }],
  );
  // Nobody published it yet.
  const chosen = await office.call('POST', `${path}/debug`, { body: { plan: openId } });
  assert.deepEqual((chosen.body['run'] as { plan: object }).plan, { id: openId, name: 'open' });
  await office.call('POST', `${path}/plans/${openId}/_publish`);
  await office.call('POST', `${path}/debug`, { body: {} });
  assert.equal(planOf(2)?.[0]?.['id'], openId, 'of those that are published the one without a credential');

  const foreign = await office.call('POST', `${path}/debug`, { body: { plan: 'another' } });
  assert.equal(foreign.status, 400);
  assert.match(foreign.text, /no plan of the API/);
});

test('steps are told by name, flow, plan and condition, and no secret of the definition is', async (t) => {
  const secret = 'correct-horse-battery';
  const held = (place: string, decision: 'passed' | 'skipped') =>
    ({ phase: 'request', step: 'transform-headers', place, decision, fromUs: 0, tookUs: 5 }) as const;
  const report = {
    ...nothing,
    steps: [
      { ...held('flows[0].request[0]', 'passed'), said: `sent ${secret}` },
      {
        ...held('flows[0].request[1]', 'skipped'),
        changes: [{ part: 'body', after: `{"a":"${secret}"}` } as const],
      },
    ],
  };
  const { jobs, runs } = openRuns({ kind: 'ran', report });
  const office = await openOffice(t, sqlite, { debug: runs });
  const { id } = await office.deployedApi('/orders');
  const named = { addHeaders: [{ name: 'Authorization', value: secret }] };
  await draft(office, id, {
    flows: [
      flowOf(
        step('transform-headers', named, { condition: "{#request.method == 'GET'}" }),
        step(
          'transform-headers',
          { addHeaders: [{ name: 'X-B', value: '1' }] },
          { condition: '{#request.ssl}' },
        ),
      ),
    ],
  });
  const { text, body } = await office.call('POST', `${environment}/apis/${id}/debug`, { body: {} });
  assert.match(
    decodeApi(payloadOf(jobs[0]?.job, 'api')).definition,
    new RegExp(secret),
    'its backend gets it',
  );
  assert.doesNotMatch(text, new RegExp(secret));
  const { steps } = body['run'] as { steps: Record<string, unknown>[] };
  assert.deepEqual(
    steps.map(({ name, flow, condition, conditionHeld, said }) => ({
      name,
      flow,
      condition,
      conditionHeld,
      said,
    })),
    [
      {
        name: 'a transform-headers',
        flow: 'all',
        condition: "{#request.method == 'GET'}",
        conditionHeld: true,
        said: 'sent ********',
      },
      {
        name: 'a transform-headers',
        flow: 'all',
        condition: '{#request.ssl}',
        conditionHeld: false,
        said: undefined,
      },
    ],
  );
});

test('a run that came to no end says why; what no gateway could run is refused by its place; too many wait', async (t) => {
  const path = (id: string): string => `${environment}/apis/${id}/debug`;
  const late = await openOffice(t, sqlite, { debug: openRuns({ kind: 'late' }).runs });
  const api = await late.deployedApi('/orders');
  const ended = await late.call('POST', path(api.id), { body: {} });
  assert.equal(ended.status, 202);
  assert.deepEqual(ended.body['properties'], { api_id: api.id, api_debug_status: 'ERROR' });
  assert.match(String(ended.body['error']), /longer than a run may take/);
  await draft(late, api.id, { flows: [flowOf(step('no-such-policy', {}))] });
  const refused = await late.call('POST', path(api.id), { body: {} });
  assert.equal(refused.status, 400);
  assert.match(refused.text, /flows\[0\]\.request\[0\]\.policy/);

  const busy = await openOffice(t, sqlite, { debug: openRuns('busy').runs });
  const other = await busy.deployedApi('/orders');
  assert.equal((await busy.call('POST', path(other.id), { body: {} })).status, 429);
  const none = await openOffice(t, sqlite);
  const third = await none.deployedApi('/orders');
  const answer = await none.call('POST', path(third.id), { body: {} });
  assert.equal(answer.body.technicalCode, 'debug.unavailable');
});

test('what would change the message that a run sends is refused by name', async (t) => {
  const office = await openOffice(t, sqlite, { debug: openRuns().runs });
  const { id } = await office.deployedApi('/orders');
  const bad: readonly object[] = [
    { path: 'orders' },
    { path: '/a b' },
    { path: '/a\r\nX: 1' },
    { method: 'GE T' },
    { method: 'CONNECT' },
    { headers: { 'a b': ['1'] } },
    { headers: { a: ['1\r\nb: 2'] } },
    { headers: { 'Content-Length': ['4'] } },
    { headers: { 'transfer-encoding': ['chunked'] } },
    { headers: { a: '1' } },
    { body: 'x'.repeat(262_145) },
    { body: { a: 1 } },
  ];
  for (const body of bad) {
    const answer = await office.call('POST', `${environment}/apis/${id}/debug`, { body });
    assert.equal(answer.status, 400, JSON.stringify(body).slice(0, 80));
    assert.match(answer.text, new RegExp(Object.keys(body)[0] ?? ''));
  }
});
