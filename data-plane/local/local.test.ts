import assert from 'node:assert/strict';
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import type { Fault } from '../../proto/faults/fault.ts';
import { createLifecycle } from '../../proto/process/lifecycle.ts';
import { createLog } from '../../proto/process/log.ts';
import { mask } from '../../proto/trust/sealed-text.ts';
import { eventually } from '../../test/kit/eventually.ts';
import { createFakeClock } from '../../test/kit/fake-clock.ts';
import { apiDefinition, startLocalGateway } from '../../test/kit/gateway/gateway.ts';
import { ready, status, withinASecond } from '../../test/kit/local-readiness.ts';
import { startUpstream } from '../../test/kit/servers/upstream.ts';
import { tempDir } from '../../test/kit/temp-dir.ts';
import { startLocal } from './local.ts';

const yaml = (target: string): string => `
id: yaml
name: YAML
gravitee: 4.0.0
type: proxy
apiVersion: 1.0
listeners:
  - type: http
    paths: [{ path: /yaml }]
endpointGroups:
  - name: default
    type: http-proxy
    endpoints:
      - name: one
        type: http-proxy
        configuration: { target: "${target}" }
plans:
  open: { security: { type: KEY_LESS } }
`;
const exported = (target: string): object => {
  const { plans: _plans, gravitee: _gravitee, ...api } = apiDefinition('exported', target);
  return {
    api: { ...api, definitionVersion: 'V4', type: 'PROXY' },
    plans: [{ id: 'p', security: { type: 'KEY_LESS' }, status: 'PUBLISHED', mode: 'STANDARD' }],
    pages: [],
    members: [],
  };
};

test('JSON, YAML and exports in one folder are served', async (t) => {
  const { url } = await startUpstream(t);
  const gateway = await startLocalGateway(t, {
    apis: {
      json: apiDefinition('json', url),
      'second.yaml': yaml(url),
      third: exported(url),
      '.hidden': '{',
      'notes.txt': 'no',
    },
  });
  for (const path of ['/json', '/yaml', '/exported']) assert.equal(await status(gateway, path), 200, path);
  assert.deepEqual((await ready(gateway)).problems, []);
});

test('a file that has the mask of a secret is named with its place, and what it said before stays', async (t) => {
  const { url } = await startUpstream(t);
  const api = (value: string): object =>
    apiDefinition('a', url, { properties: [{ key: 'k', value, encrypted: true }] });
  const gateway = await startLocalGateway(t, { apis: { a: api('secret'), b: apiDefinition('b', url) } });
  assert.equal(await status(gateway, '/a'), 200);
  gateway.write('a', api(mask));
  await eventually(async () => {
    const [problem] = (await ready(gateway)).problems;
    return problem?.file === 'a.json' && problem.reason.includes('properties[0].value is ********');
  }, withinASecond);
  for (const path of ['/a', '/b']) assert.equal(await status(gateway, path), 200);
});

test('a saved file is live within a second: new, changed, renamed over, removed', async (t) => {
  const upstream = await startUpstream(t);
  const gateway = await startLocalGateway(t, { apis: {} });
  assert.equal(await status(gateway, '/a'), 404);
  gateway.write('a', apiDefinition('a', `${upstream.url}/one`));
  await eventually(async () => (await gateway.call('/a')).text.includes('"url":"/one"'), withinASecond);
  gateway.write('a', apiDefinition('a', `${upstream.url}/two`));
  await eventually(async () => (await gateway.call('/a')).text.includes('"url":"/two"'), withinASecond);
  const aside = join(gateway.folder, '.a.json.new');
  writeFileSync(aside, JSON.stringify(apiDefinition('a', `${upstream.url}/three`)));
  renameSync(aside, join(gateway.folder, 'a.json'));
  await eventually(async () => (await gateway.call('/a')).text.includes('"url":"/three"'), withinASecond);
  rmSync(join(gateway.folder, 'a.json'));
  await eventually(async () => (await status(gateway, '/a')) === 404, withinASecond);
});

test('an API that was refused for a taken path is served as soon as the path is free', async (t) => {
  const upstream = await startUpstream(t);
  const at = (path: string, id: string): object => ({
    ...apiDefinition(id, `${upstream.url}/${id}`),
    listeners: [{ type: 'http', paths: [{ path }] }],
  });
  const gateway = await startLocalGateway(t, { apis: { one: at('/same', 'one') } });
  const isAt = async (path: string, id: string): Promise<boolean> =>
    (await gateway.call(path)).text.includes(`"url":"/${id}"`);
  const isRefused = async (id: string): Promise<boolean> =>
    (await ready(gateway)).problems.some(
      ({ file, reason }) => file === `${id}.json` && /path \/same is taken/.test(reason),
    );
  gateway.write('two', at('/same', 'two'));
  await eventually(() => isRefused('two'), withinASecond);
  gateway.write('one', at('/moved', 'one'));
  await eventually(() => isAt('/same', 'two'), withinASecond);
  assert.deepEqual((await ready(gateway)).problems, []);
  assert.equal(await isAt('/moved', 'one'), true);
  gateway.write('three', at('/same', 'three'));
  await eventually(() => isRefused('three'), withinASecond);
  rmSync(join(gateway.folder, 'two.json'));
  await eventually(() => isAt('/same', 'three'), withinASecond);
  const { problems, apis } = await ready(gateway);
  assert.deepEqual([problems, apis], [[], { started: 2, outdated: 0, failed: 0 }]);
});

test('a custom resource follows the objects that it refers to, which stand in other files', async (t) => {
  const upstream = await startUpstream(t);
  const secret = (text: string): string =>
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 's', namespace: 'sea' },
      stringData: { text },
    });
  const { listeners, endpointGroups } = apiDefinition('crd', upstream.url);
  const gateway = await startLocalGateway(t, {
    apis: {
      crd: {
        apiVersion: 'gravitee.io/v1alpha1',
        kind: 'ApiV4Definition',
        metadata: { name: 'crd', namespace: 'sea' },
        spec: {
          name: 'CRD',
          version: '1',
          type: 'PROXY',
          listeners,
          endpointGroups,
          plans: { open: { name: 'Open', security: { type: 'KEY_LESS' } } },
          flows: [
            {
              request: [
                { policy: 'mock', configuration: { status: '200', content: '[[ secret `s/text` ]]' } },
              ],
            },
          ],
        },
      },
    },
  });
  const text = async (): Promise<string> => (await gateway.call('/crd')).text;
  assert.equal(await status(gateway, '/crd'), 503, 'its place is known although it is refused');
  for (const word of ['one', 'two']) {
    writeFileSync(join(gateway.folder, 'secret.yaml'), secret(word));
    await eventually(async () => (await text()) === word, withinASecond);
  }
});

test('a broken file keeps its previous state and is named in log and readiness until it is mended', async (t) => {
  const upstream = await startUpstream(t);
  const good = apiDefinition('a', upstream.url);
  const gateway = await startLocalGateway(t, { apis: { a: good } });
  const broken: readonly (readonly [what: string, text: string, reason: RegExp])[] = [
    ['half a file', '{"id": "a", "na', /JSON/],
    ['an empty file', '', /empty/],
    ['a list', '[]', /object/],
    ['a definition that this version cannot run', JSON.stringify({ ...good, type: 'native' }), /type/],
  ];
  for (const [what, text, reason] of broken) {
    gateway.write('a', text);
    const problem = await eventually(async () => {
      const { problems } = await ready(gateway);
      return problems.find((each) => each.file === 'a.json' && reason.test(each.reason));
    }, withinASecond);
    assert.match(problem.reason, reason, what);
    assert.equal(await status(gateway, '/a'), 200, what);
    assert.ok(
      gateway.logged.some((line) => reason.test(line)),
      what,
    );
  }
  gateway.write('a', good);
  await eventually(async () => (await ready(gateway)).problems.length === 0, withinASecond);
  assert.equal((await ready(gateway)).status, 200);
});

test('a file that nobody can read or follow is told of once, in words, and not with each look', async (t) => {
  const { url } = await startUpstream(t);
  const gateway = await startLocalGateway(t, { apis: { a: apiDefinition('a', url) } });
  symlinkSync('loop.json', join(gateway.folder, 'loop.json'));
  gateway.write('deep.yaml', `${'['.repeat(50_000)}${']'.repeat(50_000)}`);
  gateway.write('deep.json', `${'['.repeat(50_000)}${']'.repeat(50_000)}`);
  const problems = await eventually(async () => {
    const told = (await ready(gateway)).problems;
    return told.length === 3 && new Map(told.map(({ file, reason }) => [file, reason]));
  });
  assert.match(problems.get('loop.json') ?? '', /link that leads back to itself/);
  assert.equal(problems.get('deep.yaml'), 'is nested too deeply');
  assert.doesNotMatch(problems.get('deep.json') ?? '', /call stack/);
  // Each change is a look.
  for (const target of [`${url}/1`, `${url}/2`]) {
    gateway.write('a', apiDefinition('a', target));
    await eventually(async () => (await gateway.call('/a')).text.includes(target.slice(url.length)));
  }
  for (const file of problems.keys())
    assert.equal(gateway.logged.filter((line) => line.includes(file)).length, 1, file);
});

test('two files with one API: the first by name serves, the other is named', async (t) => {
  const { url } = await startUpstream(t);
  const gateway = await startLocalGateway(t, {
    apis: { one: apiDefinition('a', `${url}/one`), two: apiDefinition('a', `${url}/two`) },
  });
  assert.match((await gateway.call('/a')).text, /"url":"\/one"/);
  assert.deepEqual((await ready(gateway)).problems, [
    { file: 'two.json', reason: 'api "a" is in one.json already' },
  ]);
  rmSync(join(gateway.folder, 'one.json'));
  await eventually(async () => (await gateway.call('/a')).text.includes('"url":"/two"'), withinASecond);
  assert.deepEqual((await ready(gateway)).problems, []);
});

test('a folder that is not there is one clear fault', async (t) => {
  await assert.rejects(
    startLocalGateway(t, { apis: {}, config: { local: '/does/not/exist' } }),
    (error: Fault) =>
      error.code === 'config.invalid' &&
      error.details[0]?.message ===
        'must be a folder of API definitions; /does/not/exist is not there (ENOENT)',
  );
});

test('a byte order mark is no part of a file, and another encoding is named', async (t) => {
  const { url } = await startUpstream(t);
  const gateway = await startLocalGateway(t, { apis: { plain: apiDefinition('plain', url) } });
  const mark = '\ufeff';
  const named = { ...apiDefinition('latin', url), name: 'Z\xfcrich' };
  writeFileSync(join(gateway.folder, 'marked.json'), mark + JSON.stringify(apiDefinition('marked', url)));
  writeFileSync(join(gateway.folder, 'marked-too.yaml'), mark + yaml(url));
  for (const name of ['latin.json', 'latin.yaml'])
    writeFileSync(join(gateway.folder, name), Buffer.from(JSON.stringify(named), 'latin1'));
  await eventually(async () => (await status(gateway, '/marked')) === 200, withinASecond);
  await eventually(async () => (await status(gateway, '/yaml')) === 200, withinASecond);
  const { problems } = await ready(gateway);
  assert.deepEqual(
    problems.map(({ file, reason }) => `${file} ${reason}`),
    [
      'latin.json is not UTF-8; save it in that encoding',
      'latin.yaml is not UTF-8; save it in that encoding',
    ],
  );
});

test('a gateway of files of which nothing works is not ready, and says how many are in service and which are not', async (t) => {
  const { url } = await startUpstream(t);
  const gateway = await startLocalGateway(t, { apis: { bad: { name: 'bad' }, 'torn.json': '{' } });
  const broken = await ready(gateway);
  assert.deepEqual([broken.status, broken.apis], [503, { started: 0, outdated: 0, failed: 1 }]);
  assert.deepEqual(broken.problems.map(({ file }) => file).toSorted(), ['bad.json', 'torn.json']);
  gateway.write('good', apiDefinition('good', url));
  await eventually(async () => (await ready(gateway)).status === 200, withinASecond);
  assert.deepEqual((await ready(gateway)).apis, { started: 1, outdated: 0, failed: 1 });
  // What was in service stays there, so it is ready still.
  gateway.write('good', { name: 'worse' });
  await eventually(
    async () => (await ready(gateway)).problems.some(({ file }) => file === 'good.json'),
    withinASecond,
  );
  const { status: still, apis } = await ready(gateway);
  assert.deepEqual([still, apis], [200, { started: 0, outdated: 1, failed: 1 }]);
});

test('an empty folder is ready: there is nothing that does not work', async (t) => {
  const gateway = await startLocalGateway(t, { apis: {} });
  assert.equal((await ready(gateway)).status, 200);
  const warned = gateway.logged.filter((line) => /the folder holds no JSON or YAML file/.test(line));
  assert.equal(warned.length, 1, 'it is said once that it is empty');
});

test('a folder beside the definitions is named once in the log, when it is found, whatever it is called; hidden ones are not', async (t) => {
  const gateway = await startLocalGateway(t, { apis: { '.hidden.json': '{' } });
  const told = (): readonly unknown[] =>
    gateway.logged
      .map((text) => JSON.parse(text) as Record<string, unknown>)
      .filter(({ msg }) => msg === 'is a folder; definitions are read from the folder itself only')
      .map(({ folders }) => folders);
  assert.deepEqual(told(), []);
  for (const name of ['..data', 'billing.json']) mkdirSync(join(gateway.folder, name));
  await eventually(() => told().length === 1, withinASecond);
  symlinkSync('billing.json', join(gateway.folder, 'orders'));
  symlinkSync('nowhere', join(gateway.folder, 'nothing'));
  await eventually(() => told().length === 2, withinASecond);
  assert.deepEqual(told(), [['billing.json'], ['orders']]);
  assert.deepEqual((await ready(gateway)).problems, []);
});

test('a definition that is refused is logged with its file, and one without a published plan is warned about', async (t) => {
  const { url } = await startUpstream(t);
  const closed = {
    ...apiDefinition('closed', url),
    plans: [{ id: 'p', security: { type: 'KEY_LESS' }, status: 'CLOSED' }],
  };
  const { plans: _plans, ...planless } = apiDefinition('planless', url);
  const gateway = await startLocalGateway(t, {
    apis: {
      'wrong-one': { ...apiDefinition('another-id', url), listeners: [] },
      planless,
      closed,
      open: apiDefinition('open', url),
      exported: exported(url),
    },
  });
  const logged = gateway.logged.map((text) => JSON.parse(text) as Record<string, unknown>);
  const refused = logged.find(({ msg }) => msg === 'a record was refused');
  assert.deepEqual([refused?.['file'], refused?.['id']], ['wrong-one.json', 'another-id']);
  const warned = logged.filter(({ msg }) => /no published plan/.test(String(msg)));
  assert.deepEqual(new Set(warned.map(({ file }) => file)), new Set(['closed.json', 'planless.json']));
});

test('a folder that is deleted while it is served is told once, not at each look, and once more when it is back; what is served stays', async (t) => {
  const folder = join(tempDir(t), 'apis');
  const away = `${folder}-away`;
  mkdirSync(folder);
  writeFileSync(join(folder, 'a.json'), JSON.stringify(apiDefinition('a', 'http://127.0.0.1:9')));
  const logged: string[] = [];
  const destination = { write: (line: string) => void logged.push(line) };
  const log = createLog({ name: 'gateway', level: 'info', destination });
  const fake = createFakeClock();
  let looks = 0;
  const delay: typeof fake.delay = (ms, signal) => {
    if (ms >= 500) looks += 1;
    return fake.delay(ms, signal);
  };
  const lifecycle = createLifecycle({ log, clock: fake, closeMsMax: 1_000 });
  t.after(() => lifecycle.close());
  const changes: number[] = [];
  const local = await startLocal({
    folder,
    standing: { tags: [], tenant: undefined },
    apply: ({ removed }) => (changes.push(removed.length), []),
    log,
    clock: { ...fake, delay },
    lifecycle,
  });
  const look = async (): Promise<void> => {
    const before = looks;
    await eventually(async () => (await fake.advance(100), looks > before + 1));
  };
  renameSync(folder, away);
  for (let round = 0; round < 3; round += 1) await look();
  const told = (msg: RegExp): number => logged.filter((line) => msg.test(line)).length;
  assert.equal(told(/the folder cannot be read/), 1);
  assert.equal(told(/"stack"/), 0);
  assert.deepEqual(
    local.problems().map(({ reason }) => reason),
    ['the folder cannot be read; what it said before stays in service: it is not there (ENOENT)'],
  );
  writeFileSync(folder, '');
  await look();
  assert.equal(told(/the folder cannot be read/), 2, 'another reason is told');
  rmSync(folder);
  renameSync(away, folder);
  await look();
  assert.equal(told(/the folder can be read again/), 1);
  assert.deepEqual(local.problems(), []);
  assert.deepEqual(changes, [0], 'nothing was taken away');
});
