import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stepLists } from '../../../proto/model/records/step-list.ts';
import { eventually } from '../../../test/kit/eventually.ts';
import { land } from '../../../test/kit/control-plane/landing.ts';
import { environment, openOffice } from '../../../test/kit/control-plane/office.ts';
import { createTestLake, recordLines } from '../../../test/kit/control-plane/test-lake.ts';
import { sqlite } from '../../../test/kit/servers/databases.ts';

const step = {
  phase: 'request',
  step: 'rate-limit',
  place: 'flows[0].request[0]',
  from_us: 12,
  took_us: 30,
  decision: 'refused',
  said: 'RATE_LIMIT_TOO_MANY_REQUESTS 429: too many',
};
const list = { for: 'refused', steps: [step], left_out: 2 };
const one = (more: object) => JSON.stringify({ ...list, steps: [{ ...step, ...more }] });

test('the steps of a call are told with its log and without, or why there are none; a foreign list is none', async (t) => {
  const lake = await createTestLake(t, sqlite);
  const analytics = await lake.start();
  const office = await openOffice(t, sqlite, { analytics });
  const { id } = await office.deployedApi('/pets');
  const { id: another } = await office.deployedApi('/others');
  const { organization, environment: environmentId } = office.at;
  const where = { organization, environment: environmentId };
  const line = (request_id: string, over: object): readonly string[] =>
    recordLines(1, {
      org_id: organization,
      env_id: environmentId,
      api_id: id,
      request_id,
      timestamp: office.clock.now(),
      ...over,
    });
  const foreign: Readonly<Record<string, string>> = {
    'no-JSON': '{"steps":',
    'no-object': '[]',
    'no-list': '{"for":"slow","steps":{}}',
    'too-many': JSON.stringify({ ...list, steps: Array.from({ length: stepLists.stepsMax + 1 }, () => 1) }),
    'too-long': one({ said: 'x'.repeat(stepLists.bytesMax) }),
    'a-long-text': one({ said: 'x'.repeat(stepLists.saidCharsMax + 1) }),
    'another-field': one({ secret: 'x' }),
    'another-decision': one({ decision: '__proto__' }),
    'a-time-of-nobody': one({ from_us: -1 }),
    'a-name': '__proto__',
  };
  const records = [
    ...line('refused', { status: 429, error_key: 'K', steps: JSON.stringify(list) }),
    ...line('usual', { outcome: 'complete' }),
    ...line('bare', { status: 503, outcome: 'refused' }),
    ...line('logged', { status: 503, outcome: 'refused' }),
    ...Object.entries(foreign).flatMap(([name, steps]) => line(name, { steps })),
  ];
  const log = line('logged', { type: 'v4-log', entrypoint_request_method: 'GET' });
  await land(lake.blobs, records, where);
  await land(lake.blobs, log, { ...where, stream: 'logs', spool: 'a'.repeat(32) });
  await eventually(async () => (await lake.keys('landing/')).length === 0, { timeoutMs: 20_000 });
  const ask = (request: string, api = id) =>
    office.call('GET', `${environment}/apis/${api}/logs/${encodeURIComponent(request)}`);

  const refused = await ask('refused');
  assert.equal(refused.status, 200, JSON.stringify(refused.body));
  assert.deepEqual(refused.body['steps'], {
    for: 'refused',
    list: [
      {
        phase: 'request',
        step: 'rate-limit',
        place: 'flows[0].request[0]',
        fromUs: 12,
        tookUs: 30,
        decision: 'refused',
        said: 'RATE_LIMIT_TOO_MANY_REQUESTS 429: too many',
      },
    ],
    leftOut: 2,
  });
  assert.deepEqual([refused.body['requestId'], refused.body['stepsMissing']], ['refused', undefined]);
  assert.equal((await ask('refused', another)).status, 404);

  const logged = await ask('logged');
  assert.equal((logged.body['entrypointRequest'] as { method: string }).method, 'GET');
  assert.match(String(logged.body['stepsMissing']), /although it was refused or failed: report\.steps/);
  const usual = await ask('usual');
  assert.equal(usual.status, 404);
  assert.match(JSON.stringify(usual.body), /Nothing was logged .* report\.steps\.slowMs/);
  assert.match(JSON.stringify((await ask('never')).body), /Nothing was recorded of this request/);
  for (const name of Object.keys(foreign)) {
    const answer = await ask(name);
    assert.equal(answer.status, 404, `${name}: ${JSON.stringify(answer.body)}`);
  }
  const rows = await analytics.requestsCount({ ...where, api: id, fromMs: 0, toMs: office.clock.now() + 1 });
  assert.equal(rows.total, records.length, 'every record counts, whatever its steps');
});
