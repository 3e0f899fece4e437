import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { openKeyring } from '../proto/process/secrets.ts';
import { eventually } from '../test/kit/eventually.ts';
import { bootOnce } from '../test/kit/processes/alone.ts';
import { runCommands } from '../test/kit/processes/commands.ts';
import { descendantsOf, freePort, runIsthmus, startIsthmus } from '../test/kit/processes/processes.ts';
import { tempDir } from '../test/kit/temp-dir.ts';
import { freePortOffset } from '../test/kit/processes/up.ts';
import { startUpstream } from '../test/kit/servers/upstream.ts';

const root = join(import.meta.dirname, '..');

test('config --print shows every value with its source and no secret', async (t) => {
  const file = join(tempDir(t), 'isthmus.yaml');
  writeFileSync(
    file,
    'gateway: { listen: { port: 1 } }\ncontrol-plane: { database: { url: "postgresql://u:hunter2@db/x" }, blobs: { dir: /b } }\n',
  );
  const env = { ISTHMUS_GATEWAY__ADMIN__PORT: '2', ISTHMUS_DATA_DIR: '/d' };
  const text = await runIsthmus(t, ['config', '--print', '--config', file], { env });
  assert.match(text, /^listen\.port = 1 {2}# file /m);
  assert.match(text, /^admin\.port = 2 {2}# env ISTHMUS_GATEWAY__ADMIN__PORT$/m);
  assert.match(text, /^dataDir = "\/d" {2}# env ISTHMUS_DATA_DIR$/m);
  assert.match(text, /^database\.url = "\*\*\*" {2}# file /m);
  assert.doesNotMatch(text, /hunter2/);
  const set = await runIsthmus(t, ['config', 'gateway', '--print', '--set', 'listen.host=::1']);
  assert.match(set, /^listen\.host = "::1" {2}# --set listen\.host$/m);
  const json = JSON.parse(await runIsthmus(t, ['config', 'gateway', '--json'])) as {
    gateway: { path: string; source: string }[];
  };
  assert.equal(json.gateway.find(({ path }) => path === 'listen.port')?.source, 'default');
});

test('isthmus alone shows its help and exits 0; a command that is not there exits 2', async (t) => {
  assert.match(await runIsthmus(t, []), /^Examples:\n {2}isthmus up[\s\S]*Commands:\n/);
  await runIsthmus(t, ['upp'], { exitCode: 2 });
});

test('a wrong configuration exits with 2, says everything at once on standard error, and starts nothing', async (t) => {
  const child = startIsthmus(t, ['gateway', '--set', 'listen.prot=1', '--set', 'admin.port=99999']);
  assert.equal(await child.ended, 2);
  assert.match(child.output(), /listen\.prot: is not a setting; did you mean listen\.port\?/);
  assert.match(child.output(), /admin\.port: .*65535.*99999/);
  assert.equal(child.stdout(), '');
});

test('a gateway without identity, token or folder says what is missing', async (t) => {
  const child = startIsthmus(t, [
    'gateway',
    '--data-dir',
    tempDir(t),
    '--set',
    'listen.port=0',
    '--set',
    'admin.port=0',
  ]);
  assert.equal(await child.ended, 2);
  assert.match(child.output(), /enrol/i);
});

test('a folder that cannot be made is one line with what stands in the way', async (t) => {
  const file = join(tempDir(t), 'file');
  writeFileSync(file, '');
  const below = join(file, 'data');
  for (const args of [
    ['up', '--port-offset', String(freePortOffset()), '--data-dir', below],
    ['control-plane', '--data-dir', below],
    ['migrate', '--data-dir', below],
  ]) {
    const child = startIsthmus(t, args);
    assert.equal(await child.ended, 1, args[0]);
    assert.match(
      child.output(),
      /^isthmus: [^\n]+data leads through a file[^\n]+\[system\.in_the_way\] Move it away[^\n]+\n$/,
      args[0],
    );
  }
});

test('a mistyped data folder or file is refused by name with what to do, and nothing is made on disk', async (t) => {
  const cwd = tempDir(t);
  const ports = ['--set', 'listen.port=0', '--set', 'admin.port=0'];
  const wrong = [
    { args: ['backup', 'out'], code: 1, names: /typo\/control-plane\.db.*isthmus migrate/ },
    { args: ['restore', '--yes', '/dev/null'], code: 1, names: /typo\/control-plane\.db.*isthmus migrate/ },
    { args: ['bridge'], code: 1, names: /typo\/control-plane\.db.*isthmus migrate/ },
    { args: ['bucket', 'show'], code: 1, names: /typo\/control-plane\.db.*isthmus migrate/ },
    { args: ['bucket', 'adopt'], code: 1, names: /typo\/control-plane\.db.*isthmus migrate/ },
    { args: ['reset-password', 'admin'], code: 1, names: /typo\/control-plane\.db.*isthmus migrate/ },
    // A first start would make it.
    { args: ['doctor', ...ports], code: 0, names: /^warning +database .*typo\/control-plane\.db[^]*slip/m },
    { args: ['doctor', 'bridge'], code: 1, names: /typo\/control-plane\.db/ },
    {
      args: ['doctor', 'gateway', ...ports],
      code: 1,
      names: /^failed +disk +there is no folder .*typo$[^]*isthmus enroll/m,
    },
    { args: ['doctor', 'shipper'], code: 1, names: /^failed +disk +there is no folder .*typo$/m },
    { args: ['token', '--fleet', 'f', '--bridge', 'https://b'], code: 1, names: /typo\/control-plane\.db/ },
    { args: ['fleet', 'create', 'f'], code: 1, names: /typo\/control-plane\.db.*--data-dir <folder>/ },
    { args: ['fleet', 'list'], code: 1, names: /typo\/control-plane\.db.*--data-dir <folder>/ },
    { args: ['check', 'nowhere'], code: 2, names: /no file or folder nowhere/ },
    { args: ['gateway', ...ports], code: 2, names: /typo\/identity\.json[^]*isthmus enroll/ },
    { args: ['shipper'], code: 2, names: /no folder typo[^]*isthmus enroll/ },
    { args: ['shipper', '--set', 'output=folder'], code: 2, names: /no folder typo/ },
    { args: ['enroll', '--token', 'ist1.cut'], code: 1, names: /token/ },
    { args: ['config'], code: 0, names: /valid/ },
    ...['up', 'control-plane', 'migrate', 'bridge', 'gateway', 'shipper'].map((name) => ({
      args: [name, '--config', 'typo.yaml'],
      code: 2,
      names: /typo\.yaml/,
    })),
  ];
  const commands = wrong.map(({ args }) => [...args, '--data-dir', 'typo']);
  const ends = await runCommands(commands, { cwd });
  for (const [n, { args, code, names }] of wrong.entries()) {
    assert.equal(ends[n]?.code, code, `${args.join(' ')}: ${ends[n]?.said}`);
    assert.match(ends[n].said, names, args.join(' '));
  }
  assert.deepEqual(readdirSync(cwd), []);
});

test('a restore or a control plane without the key that sealed its database is refused, and makes none', async (t) => {
  const dir = tempDir(t);
  await bootOnce(t, dir);
  await runIsthmus(t, ['backup', '--data-dir', dir, join(dir, 'backup')]);
  rmSync(join(dir, 'secrets'), { recursive: true });
  const files = readdirSync(dir).toSorted();
  for (const args of [['control-plane'], ['restore', '--yes', join(dir, 'backup')]]) {
    const child = startIsthmus(t, [...args, '--data-dir', dir]);
    assert.equal(await child.ended, 2, args[0]);
    assert.match(child.output(), /no key-encryption key .*secrets\/kek/);
  }
  assert.deepEqual(readdirSync(dir).toSorted(), files);
});

test("a key of another installation is refused by up and by the doctor, with both keys' ids and what to do", async (t) => {
  const dir = tempDir(t);
  await bootOnce(t, dir);
  const kek = join(dir, 'secrets', 'kek');
  const [own = ''] = idsIn(kek);
  rmSync(kek);
  const foreign = openKeyring({ dir: join(dir, 'secrets') }).keyIds.join();
  const said = new RegExp(`sealed with key "${own}"; .*kek holds "${foreign}"[^]*Put the kek`);
  for (const [name = '', ...ports] of [['doctor'], ['up', '--port-offset', String(freePortOffset())]]) {
    const child = startIsthmus(t, [name, '--data-dir', dir, ...ports]);
    assert.equal(await child.ended, 1, child.output());
    assert.match(child.output(), said, name);
  }
  assert.deepEqual(idsIn(kek), [foreign]);
});

const idsIn = (kek: string): readonly string[] =>
  (JSON.parse(readFileSync(kek, 'utf8')) as { keys: { id: string }[] }).keys.map(({ id }) => id);

test('reset-password says a made password once, on standard output alone, and takes one from the environment', async (t) => {
  const dir = tempDir(t);
  await bootOnce(t, dir);
  const made = startIsthmus(t, ['reset-password', 'admin', '--data-dir', dir]);
  assert.equal(await made.ended, 0, made.output());
  assert.match(made.stdout(), /^[\w-]{24}\n$/);
  assert.match(made.output(), /admin has a new password; 0 sessions ended/);
  const env = { ISTHMUS_NEW_PASSWORD: 'a password that I chose' };
  const given = startIsthmus(t, ['reset-password', 'admin', '--json', '--data-dir', dir], { env });
  assert.equal(await given.ended, 0, given.output());
  assert.deepEqual(JSON.parse(given.stdout()), {
    username: 'admin',
    sessionsClosed: 0,
    tokensDeleted: 0,
    tokensLeft: 0,
    hasSecondFactor: false,
  });
  for (const [args, password, said] of [
    [['admin'], 'short', /ISTHMUS_NEW_PASSWORD.*12 to 256/],
    [['nobody'], env.ISTHMUS_NEW_PASSWORD, /no user "nobody"/],
  ] as const) {
    const refused = startIsthmus(t, ['reset-password', ...args, '--data-dir', dir], {
      env: { ISTHMUS_NEW_PASSWORD: password },
    });
    assert.notEqual(await refused.ended, 0);
    assert.match(refused.output(), said);
  }
});

test('a database with a url and no bucket setting is refused, with both settings and what to do', async (t) => {
  const url = 'database.url=postgresql://127.0.0.1:1/none';
  const wrong = [['control-plane'], ['bridge'], ['bucket', 'show'], ['doctor'], ['doctor', 'bridge']];
  const ends = await runCommands(wrong.map((args) => [...args, '--set', url, '--data-dir', tempDir(t)]));
  assert.equal(ends.length, wrong.length);
  for (const { args, code, said } of ends) {
    assert.equal(code, args[0] === 'doctor' ? 1 : 2, args.join(' '));
    assert.match(
      said,
      /blobs: database\.url is set and no bucket is; set blobs\.s3 \(or blobs\.dir.* bridge(?: \[|$)/m,
    );
  }
  const env = { ISTHMUS_CONTROL_PLANE__DATABASE__URL: 'postgresql://127.0.0.1:1/none' };
  const child = startIsthmus(t, ['config', 'control-plane'], { env });
  assert.equal(await child.ended, 2);
});

test('migrate --print-grants prints the SQL of a role and touches no database', async (t) => {
  const cwd = tempDir(t);
  const text = await runIsthmus(t, ['migrate', '--print-grants', '--role', 'mine'], { cwd });
  assert.match(text, /CREATE ROLE "mine" LOGIN NOSUPERUSER/);
  assert.match(text, /GRANT SELECT, INSERT, UPDATE \("hostname", "version"\) ON "gateway" TO "mine";/);
  assert.doesNotMatch(text, /user_account|sealed_private_key/);
  assert.deepEqual(readdirSync(cwd), []);
  await runIsthmus(t, ['migrate', '--print-grants', '--role', 'a"; drop'], { cwd, exitCode: 2 });
});

test('enroll without a token, and restore without --yes, are wrong use', async (t) => {
  await runIsthmus(t, ['enroll', '--data-dir', tempDir(t)], { exitCode: 2 });
  await runIsthmus(t, ['restore', '--data-dir', tempDir(t), 'none'], { exitCode: 2 });
});

test('what backup writes, restore takes; both say so as JSON on standard output alone', async (t) => {
  const dir = tempDir(t);
  const file = join(dir, 'isthmus.backup');
  await bootOnce(t, dir);
  const made = JSON.parse(await runIsthmus(t, ['backup', '--json', '--data-dir', dir, file])) as {
    rows: number;
  };
  const taken = JSON.parse(await runIsthmus(t, ['restore', '--json', '--yes', '--data-dir', dir, file])) as {
    rows: number;
  };
  assert.equal(taken.rows, made.rows);
  const broken = join(dir, 'broken');
  writeFileSync(broken, 'no backup');
  await runIsthmus(t, ['restore', '--yes', '--data-dir', dir, broken], { exitCode: 1 });
});

test('gateway --local serves the folder without any control plane', async (t) => {
  const upstream = await startUpstream(t);
  const dir = tempDir(t);
  mkdirSync(join(dir, 'apis'));
  writeFileSync(join(dir, 'apis', 'small.json'), JSON.stringify(definition(upstream.url)));
  const ports = ['--set', 'listen.port=0', '--set', 'admin.port=0', '--set', 'lameDuckMs=0'];
  const child = startIsthmus(t, [
    'gateway',
    '--local',
    join(dir, 'apis'),
    '--data-dir',
    join(dir, 'data'),
    ...ports,
  ]);
  const port = await eventually(() => /gateway listening on port (\d+)/.exec(child.output())?.[1], {
    timeoutMs: 10_000,
  });
  assert.equal((await fetch(`http://127.0.0.1:${port}/small`)).status, 200);
  child.kill('SIGTERM');
  assert.equal(await child.ended, 0);
});

test('the launcher on an older Node runs the one that the lockfile brought, and passes signals on', async (t) => {
  const older = findOlderNode();
  if (older === undefined) return t.skip('every node on the PATH is new enough');
  const launcher = join(root, 'deploy/isthmus.js');
  const said = JSON.parse(execFileSync(older, [launcher, 'version', '--json'], { encoding: 'utf8' })) as {
    node: string;
  };
  assert.match(said.node, /^24\./);
  const ports = ['--set', 'listen.port=0', '--set', 'admin.port=0', '--set', 'lameDuckMs=0'];
  const apis = tempDir(t);
  const child = spawn(older, [launcher, 'gateway', '--local', apis, '--data-dir', tempDir(t), ...ports], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  t.after(() => child.kill('SIGKILL'));
  let output = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => void (output += text));
  const ended = new Promise((resolve) => child.on('exit', (code) => resolve(code)));
  await eventually(() => output.includes('gateway listening'), { timeoutMs: 20_000 });
  child.kill('SIGTERM');
  assert.equal(await ended, 0);
});

test('a gateway and a shipper that are told no data folder use the same one, which git ignores', async (t) => {
  const cwd = tempDir(t);
  mkdirSync(join(cwd, 'apis'));
  const sets = (...pairs: readonly string[]): readonly string[] => pairs.flatMap((pair) => ['--set', pair]);
  const port = await freePort();
  const gateway = startIsthmus(
    t,
    ['gateway', '--local', 'apis', ...sets(`listen.port=${port}`, 'admin.port=0', 'lameDuckMs=0')],
    { cwd },
  );
  await eventually(() => gateway.output().includes('gateway listening'), { timeoutMs: 20_000 });
  assert.equal((await fetch(`http://127.0.0.1:${port}/nothing`)).status, 404);
  const shipper = startIsthmus(
    t,
    ['shipper', ...sets('output=folder', 'admin.port=0', 'batch.msMax=200', 'discoverEveryMs=100')],
    { cwd },
  );
  const bucket = join(cwd, 'isthmus-data/bucket');
  const shipped = (): boolean =>
    existsSync(bucket) &&
    readdirSync(bucket, { recursive: true }).some((name) => /landing/.test(String(name)));
  await eventually(shipped, { timeoutMs: 20_000 });
  assert.deepEqual(readdirSync(cwd).toSorted(), ['apis', 'isthmus-data']);
  for (const process of [gateway, shipper]) process.kill();
  assert.deepEqual(await Promise.all([gateway.ended, shipper.ended]), [0, 0]);
  for (const folder of ['isthmus-data/', 'data/'])
    execFileSync('git', ['check-ignore', '-q', folder], { cwd: root });
});

test('a launcher that is killed -9 leaves no program, no worker and no port behind', async (t) => {
  const older = findOlderNode();
  if (older === undefined) return t.skip('every node on the PATH is new enough');
  const apis = tempDir(t);
  const port = await freePort();
  // Load balancers get no time here: whoever restarts the launcher needs the port.
  const sets = [`listen.port=${port}`, 'admin.port=0', 'workers=2', 'lameDuckMs=60000'].flatMap((pair) => [
    '--set',
    pair,
  ]);
  const args = ['gateway', '--local', apis, '--data-dir', tempDir(t), ...sets];
  const child = spawn(older, [join(root, 'deploy/isthmus.js'), ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  t.after(() => child.kill('SIGKILL'));
  let output = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => void (output += text));
  await eventually(() => output.includes('gateway listening'), { timeoutMs: 20_000 });
  const below = descendantsOf(child.pid ?? 0);
  assert.equal(below.length, 3, 'the program and two workers');
  child.kill('SIGKILL');
  await eventually(() => below.every((pid) => !existsSync(`/proc/${pid}`)), { timeoutMs: 15_000 });
  await assert.rejects(fetch(`http://127.0.0.1:${port}/`));
  assert.match(output, /closing/, 'it ended in order');
});

function findOlderNode(): string | undefined {
  const candidates = (process.env['PATH'] ?? '').split(':').map((dir) => join(dir, 'node'));
  return [...candidates, '/usr/bin/node', '/usr/local/bin/node'].find((path) => {
    try {
      const major = Number(
        execFileSync(path, ['-p', 'process.versions.node'], { encoding: 'utf8' }).split('.')[0],
      );
      return major >= 20 && major < 24;
    } catch {
      return false;
    }
  });
}

function definition(target: string): unknown {
  return {
    id: 'small',
    name: 'small',
    gravitee: '4.0.0',
    type: 'proxy',
    apiVersion: '1.0',
    listeners: [{ type: 'http', paths: [{ path: '/small' }], entrypoints: [{ type: 'http-proxy' }] }],
    endpointGroups: [
      {
        name: 'default',
        type: 'http-proxy',
        endpoints: [{ name: 'one', type: 'http-proxy', configuration: { target } }],
      },
    ],
    plans: {
      p: {
        id: 'p',
        name: 'plan',
        status: 'published',
        mode: 'standard',
        security: { type: 'KEY_LESS' },
        flows: [],
      },
    },
    flows: [],
  };
}

test("with a shipper, --set is the gateway's but for shipper.x; a folder below /proc is refused at once", async (t) => {
  const dir = tempDir(t);
  const port = await freePort();
  const sets = [`listen.port=${port}`, 'listen.host=127.0.0.1', 'admin.port=0', 'shipper.admin.port=0'];
  const args = ['gateway', '--with-shipper', '--data-dir', dir, ...sets.flatMap((set) => ['--set', set])];
  // Both configurations are read; what stops it is that it was never enrolled.
  assert.match(await failing(t, args), /isthmus enroll/);
  assert.match(await failing(t, ['up', '--data-dir', '/proc/isthmus']), /\/proc\/isthmus/);
});

async function failing(t: TestContext, args: readonly string[]): Promise<string> {
  const child = startIsthmus(t, args);
  assert.notEqual(await child.ended, 0);
  return child.output();
}
