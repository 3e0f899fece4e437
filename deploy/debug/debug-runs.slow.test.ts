import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { test, type TestContext } from 'node:test';
import { eventually } from '../../test/kit/eventually.ts';
import { debugJob, reportOf, startDebugRuns } from '../../test/kit/gateway/debug/debug-jobs.ts';
import { flow } from '../../test/kit/gateway/gateway.ts';

async function startBackend(t: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close().closeAllConnections());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A process has to start. */
const patient = { timeoutMs: 30_000 };

/** Answers with what it was asked. */
const mirror: RequestListener = (request, answer) => {
  const pieces: Buffer[] = [];
  request.on('data', (piece: Buffer) => void pieces.push(piece));
  request.on('end', () => {
    answer.setHeader('Content-Type', 'application/json');
    answer.end(
      JSON.stringify({ url: request.url, body: Buffer.concat(pieces).toString(), headers: request.headers }),
    );
  });
};

test('a run says of each step what it decided, how long it took and what it changed, and what the backend got', async (t) => {
  const backend = await startBackend(t, mirror);
  const runs = startDebugRuns(t, { allow: [backend] });
  const conditional = flow('/', {
    request: [['transform-headers', { addHeaders: [{ name: 'X-Never', value: '1' }] }]],
  });
  const flows = [
    flow('/', {
      request: [
        ['transform-headers', { addHeaders: [{ name: 'X-Added', value: '{#request.method}' }] }],
        ['policy-assign-content', { scope: 'REQUEST', body: 'made of it' }],
        ['js', { script: "request.headers().set('X-Script', 'ran'); print('to standard output');" }],
      ],
      response: [
        ['transform-headers', { scope: 'RESPONSE', addHeaders: [{ name: 'X-Back', value: 'yes' }] }],
      ],
    }),
    { ...conditional, condition: "{#request.method == 'PATCH'}" },
  ];
  const end = await runs.run(
    'u',
    debugJob(backend, {
      flows,
      request: {
        method: 'POST',
        path: '/a?b=1&api-key=hidden-secret',
        headers: { Authorization: ['Bearer hidden-bearer-token'] },
        body: 'as it came',
      },
    }),
  );
  const report = reportOf(end);
  const steps = report.steps.filter(({ place }) => place !== undefined);
  assert.deepEqual(
    steps.map(({ phase, step, place, decision }) => `${phase} ${step} ${place} ${decision}`),
    [
      'request transform-headers flows[0].request[0] passed',
      'request policy-assign-content flows[0].request[1] passed',
      'request js flows[0].request[2] passed',
      'request flow flows[1].selectors skipped',
      'request transform-headers flows[1].request[0] skipped',
      'response transform-headers flows[0].response[0] passed',
    ],
  );
  assert.deepEqual(
    steps.map(({ changes }) => changes),
    [
      [{ part: 'header', name: 'x-added', after: 'POST' }],
      // How long it is stands in no header that a step may read from here on: whoever sends it says that.
      [
        { part: 'body', before: 'as it came', after: 'made of it', bytes: 10 },
        { part: 'header', name: 'content-length', before: '10' },
      ],
      [{ part: 'header', name: 'x-script', after: 'ran' }],
      [],
      [],
      [{ part: 'header', name: 'x-back', after: 'yes' }],
    ],
  );
  assert.equal(
    report.steps.reduce((sum, { tookUs }) => sum + tookUs, 0),
    report.totalUs,
  );
  const { backendRequest, backendResponse, response } = report;
  assert.equal(backendRequest?.body, 'made of it');
  assert.equal(backendRequest.bodyBytes, 10);
  assert.equal(backendResponse?.statusCode, 200);
  assert.match(backendResponse.body ?? '', /"x-added":"POST"/);
  assert.ok(response?.headers.some(({ name, value }) => name === 'X-Back' && value === 'yes'));
  assert.doesNotMatch(
    JSON.stringify(report),
    /hidden-(secret|bearer)/,
    'masked as in logs, wherever it is repeated',
  );
});

test('a refusal is told with its key and in the words that a caller gets; a failure of the backend too', async (t) => {
  const runs = startDebugRuns(t, { allow: ['127.0.0.1'] });
  const refusing = await runs.run(
    'u',
    debugJob('http://127.0.0.1:1', {
      flows: [flow('/', { request: [['resource-filtering', { blacklist: [{ pattern: '/**' }] }]] })],
    }),
  );
  const refused = reportOf(refusing);
  assert.equal(refused.errorKey, 'RESOURCE_FILTERING_FORBIDDEN');
  assert.equal(refused.response?.statusCode, 403);
  assert.equal(refused.backendRequest, undefined);
  const failed = reportOf(await runs.run('u', debugJob('http://127.0.0.1:1')));
  assert.equal(failed.response?.statusCode, 502);
  assert.ok(failed.steps.some(({ phase, decision }) => phase === 'backend' && decision === 'failed'));
});

test('a secret that only gateways know is told', async (t) => {
  const backend = await startBackend(t, mirror);
  const runs = startDebugRuns(t, { allow: [backend] });
  const headers = [{ name: 'X-Key', value: "{#secrets.get('/env/BACKEND_KEY')}" }];
  const flows = [flow('/', { request: [['transform-headers', { addHeaders: headers }]] })];
  const { notes, response } = reportOf(await runs.run('u', debugJob(backend, { flows })));
  assert.equal(response?.statusCode, 200);
  assert.match(notes.join(), /"\/env\/BACKEND_KEY" is known to gateways alone/);
});

test('a run reaches no address of a private network, of this machine or of a cloud, however it is spelled', async (t) => {
  let calls = 0;
  const backend = await startBackend(t, (_request, answer) => {
    calls += 1;
    answer.end();
  });
  const { port } = new URL(backend);
  const runs = startDebugRuns(t);
  // Endpoints go by one client, policies by another: the same rules hold for both.
  for (const target of [`http://2130706433:${port}`, 'http://[::ffff:a9fe:a9fe]/']) {
    const end = await runs.run('u', debugJob(target));
    // Refused when it is read, or when it is called.
    assert.ok(end !== 'busy' && (end.kind === 'ran' || end.kind === 'refused'), JSON.stringify(end));
    if (end.kind === 'ran') assert.equal(end.report.backendResponse, undefined, target);
  }
  const targets = [
    backend,
    `http://localhost:${port}`,
    `http://[::ffff:127.0.0.1]:${port}`,
    `http://0.0.0.0:${port}`,
    'http://169.254.169.254/latest/meta-data',
    'http://2852039166/',
    'http://0xA9FEA9FE/',
    'http://[64:ff9b::a9fe:a9fe]/',
    'http://metadata.google.internal/',
    'http://10.0.0.1/',
    'http://[fd00:ec2::254]/',
  ];
  const callout = { method: 'GET', fireAndForget: true, exitOnError: false, variables: [] };
  const callouts = targets.map((url) => ['policy-http-callout', { ...callout, url }] as const);
  const request = [...callouts, ['latency', { time: 500 }], ['mock', { status: '299' }]] as const;
  const end = await runs.run('u', debugJob('http://backend.example', { flows: [flow('/', { request })] }));
  const { steps, notes, response } = reportOf(end);
  assert.equal(response?.statusCode, 299, JSON.stringify(steps));
  assert.equal(
    notes.filter((note) => note.endsWith('may not be called.')).length,
    targets.length,
    notes.join('\n'),
  );
  assert.equal(calls, 0);
  assert.match(notes.join(), /outbound\.allow/, 'where a run may go is told');
});

test('an endpoint that a run may not call is named with what decides that for runs, not for gateways', async (t) => {
  const runs = startDebugRuns(t);
  const end = await runs.run('u', debugJob('http://localhost:19555/anything'));
  assert.ok(end !== 'busy' && end.kind === 'refused', JSON.stringify(end));
  assert.match(
    end.reason,
    /endpoints\[0\]\.configuration\.target leads to localhost:19555, which a debug run may not call\. A debug run goes to /,
  );
  assert.match(end.reason, /setting outbound\.allow of the control plane/);
  assert.doesNotMatch(end.reason, /this gateway|upstream\.(allow|deny)/);
});

test('beside its gateway a run reaches what that one would, and neither a cloud nor a port that is denied', async (t) => {
  const backend = await startBackend(t, mirror);
  let opened = 0;
  const door = await startBackend(t, (_request, answer) => {
    opened += 1;
    answer.end();
  });
  const { port } = new URL(door);
  const runs = startDebugRuns(t, { deny: [`127.0.0.0/8:${port}`, `[::1]:${port}`] });
  const { response, backendResponse } = reportOf(await runs.run('u', debugJob(backend)));
  assert.deepEqual([response?.statusCode, backendResponse?.statusCode], [200, 200]);
  for (const target of [
    door,
    `http://localhost:${port}`,
    `http://[::ffff:127.0.0.1]:${port}`,
    'http://169.254.169.254/latest/meta-data',
    'http://[fd00:ec2::254]/',
  ]) {
    const end = await runs.run('u', debugJob(target));
    assert.ok(end !== 'busy' && (end.kind === 'ran' || end.kind === 'refused'), JSON.stringify(end));
    if (end.kind === 'refused') assert.match(end.reason, /settings upstream\.allow, upstream\.deny/);
    else assert.equal(end.report.backendResponse, undefined, target);
  }
  // Policies go by a client of their own.
  const callout = {
    method: 'GET',
    exitOnError: true,
    variables: [],
    errorStatusCode: '599',
    errorCondition: 'false',
  };
  const calling = (url: string) =>
    runs.run(
      'u',
      debugJob(backend, { flows: [flow('/', { request: [['policy-http-callout', { ...callout, url }]] })] }),
    );
  assert.equal(reportOf(await calling(backend)).response?.statusCode, 200);
  for (const url of [door, `http://localhost:${port}`, 'http://169.254.169.254/latest/meta-data']) {
    const end = await calling(url);
    if (end !== 'busy' && end.kind === 'refused') continue;
    assert.notEqual(reportOf(end).response?.statusCode, 200, url);
  }
  assert.equal(opened, 0);
});

test('scripts that never end, take all memory or send too much end their step, and the run is told', async (t) => {
  const big = Buffer.alloc(1_048_576, 'x');
  const backend = await startBackend(t, (_request, answer) => {
    let left = 100;
    const go = (): void => {
      while (left-- > 0) if (!answer.write(big)) return void answer.once('drain', go);
      answer.end();
    };
    go();
  });
  const runs = startDebugRuns(t, { allow: [backend] });
  const scripted = async (script: string) =>
    reportOf(
      await runs.run('u', debugJob(backend, { flows: [flow('/', { request: [['js', { script }]] })] })),
    );
  assert.match((await scripted('while (true) {}')).notes.join(), /JS_EXECUTION_FAILURE: .*time/);
  const bomb = await scripted("let a = ['x']; while (true) a = a.concat(a, a);");
  assert.equal(bomb.response?.statusCode, 500);
  const long = reportOf(await runs.run('u', debugJob(backend)));
  assert.match(long.notes.join(), /longer than 1048576 bytes/);
  assert.ok((long.response?.body?.length ?? 0) < 8_192);
});

test('what takes too long or too much memory is killed, one user has one run at a time, and too many are told so', async (t) => {
  const held: (() => void)[] = [];
  const backend = await startBackend(t, (_request, answer) => void held.push(() => answer.end()));
  const job = debugJob(backend);
  const short = startDebugRuns(t, { allow: [backend], debug: { runMsMax: 300 } });
  assert.deepEqual(await short.run('u', job), { kind: 'late' });
  const small = startDebugRuns(t, { allow: [backend], debug: { memoryBytesMax: 40_000_000 } });
  const broken = await small.run('u', job);
  assert.equal(broken === 'busy' ? broken : broken.kind, 'broken');

  const runs = startDebugRuns(t, { allow: [backend] });
  const first = runs.run('one', job);
  const second = runs.run('one', job);
  assert.equal(await runs.run('one', job), 'busy');
  const other = runs.run('other', job);
  await eventually(() => held.length === 2, patient);
  for (const answer of held.splice(0)) answer();
  await eventually(() => held.length === 1, patient);
  for (const answer of held) answer();
  for (const end of [first, second, other]) assert.equal(reportOf(await end).response?.statusCode, 200);

  // Nor do many users of one organization keep another one out.
  held.length = 0;
  const shared = startDebugRuns(t, { allow: [backend], debug: { runningMax: 1, waitingMax: 2 } });
  const many = [shared.run('a', job), shared.run('b', job)];
  assert.equal(await shared.run('c', job), 'busy');
  const foreign = shared.run('d', { ...job, organization: 'another' });
  for (let answered = 0; answered < 3; answered += 1) {
    await eventually(() => held.length === 1, patient);
    for (const answer of held.splice(0)) answer();
  }
  for (const end of [...many, foreign]) assert.equal(reportOf(await end).response?.statusCode, 200);
});

/** Processes whose parent it is. */
function childrenOf(pid: number): readonly number[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const [, parent] = /\) \S (\d+) /.exec(readFileSync(`/proc/${name}/stat`, 'utf8')) ?? [];
      return Number(parent) === pid ? [Number(name)] : [];
    } catch {
      return [];
    }
  });
}

const isThere = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

test('a run ends with its parent, whatever that died of', async (t) => {
  let isAsked = false;
  const backend = await startBackend(t, () => void (isAsked = true));
  const main = fileURLToPath(new URL('../../test/kit/gateway/debug/debug-main.ts', import.meta.url));
  const parent = spawn(process.execPath, [main, backend], { stdio: 'ignore' });
  t.after(() => parent.kill('SIGKILL'));
  await eventually(() => isAsked, patient);
  const [child] = childrenOf(parent.pid ?? 0);
  assert.ok(child !== undefined && isThere(child));
  parent.kill('SIGKILL');
  await eventually(() => !isThere(child));
});

test('what would be too much to show is left out and told, and long words of a step are cut', async (t) => {
  const runs = startDebugRuns(t, { allow: ['127.0.0.1'] });
  const long = 'x'.repeat(1_000);
  const steps = Array.from({ length: 40 }, (_, at) => {
    const addHeaders = Array.from({ length: 10 }, (__, nth) => ({ name: `X-${at}-${nth}`, value: long }));
    return ['transform-headers', { addHeaders }] as const;
  });
  const interrupt = { errorKey: 'K'.repeat(100), message: long, variables: [] };
  const flows = [flow('/', { request: [...steps, ['policy-interrupt', interrupt]] })];
  const report = reportOf(await runs.run('u', debugJob('http://127.0.0.1:1', { flows })));
  assert.match(report.notes.join(), /changed more than is shown/);
  assert.ok(
    report.steps.some(({ step, said }) => step === 'policy-interrupt' && said?.startsWith('KKK') === true),
  );
});
