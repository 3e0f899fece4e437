import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { codes } from '../proto/faults/codes.ts';
import { Fault } from '../proto/faults/fault.ts';
import { loadConfig, settingsOf } from '../proto/process/config.ts';
import type { CommandEnd } from '../test/kit/processes/commands-main.ts';
import { runCommands, userWhoOwnsNothing } from '../test/kit/processes/commands.ts';
import { runIsthmus } from '../test/kit/processes/processes.ts';
import { tempDir } from '../test/kit/temp-dir.ts';
import { createAuthority } from '../test/kit/servers/certificates.ts';
import { processNames, processSchemas } from './processes.ts';

/** Paths that are wrong in a way of their own. */
interface Wrong {
  readonly missing: string;
  /** A file or folder that nobody but its owner may open. */
  readonly closed: string;
  readonly folder: string;
  /** Below a file. */
  readonly blocked: string;
}

/** A code with its hint, the path, no stack and no word of the system alone. */
function assertWords(end: CommandEnd, path: string): void {
  const told = `${end.args.join(' ')}\n${end.said}`;
  assert.ok(end.code === 1 || end.code === 2, `exit code ${end.code}: ${told}`);
  const code = /\[([a-z_]+\.[a-z_]+)\]/.exec(end.said)?.[1];
  assert.ok(code !== undefined && code in codes, told);
  assert.notEqual(code, 'platform.bug', told);
  assert.ok(end.said.includes(path), told);
  assert.doesNotMatch(end.said, /unexpected error|^ +at /m, told);
  // Something to do about it, after the code or on lines of its own.
  assert.match(end.said, /\] \S.{20}|\n[A-Z].{20}/, told);
}

test('a password in a URL shows in no print and no fault, whichever setting of whichever process it is put into', () => {
  const url = 'https://u:hunter2@h.example.com/?apikey=hunter2';
  const shown: string[] = [];
  let printed = 0;
  for (const name of processNames)
    for (const { path } of settingsOf(processSchemas[name])) {
      let told: string;
      try {
        told = loadConfig(processSchemas[name], { process: name, flags: { [path]: url } }).print();
        printed += 1;
      } catch (error) {
        if (!(error instanceof Fault)) throw error;
        told = `${error.message} ${JSON.stringify(error.details)}`;
      }
      if (told.includes('hunter2')) shown.push(`${name}: ${path}: ${told}`);
    }
  assert.deepEqual(shown, []);
  assert.ok(printed > 20, `${printed} settings took it`);
});

/** All that are told badly at once. */
function assertAll(all: readonly { readonly end: CommandEnd; readonly path: string }[]): void {
  const bad = all.flatMap(({ end, path }) => {
    try {
      assertWords(end, path);
      return [];
    } catch (error) {
      return [error instanceof Error ? error.message : String(error)];
    }
  });
  assert.deepEqual(bad, []);
}

interface Scene {
  readonly dir: string;
  readonly wrong: Wrong;
  /** The number of a user who owns nothing. */
  readonly nobody: string;
  /** Runs commands as somebody who owns nothing. */
  runAll(list: readonly (readonly string[])[]): Promise<readonly CommandEnd[]>;
}

function sceneOf(t: TestContext): Scene | undefined {
  const nobody = userWhoOwnsNothing();
  if (nobody === undefined) {
    t.skip('the checkout is in a folder that is closed to others');
    return undefined;
  }
  const dir = tempDir(t);
  chmodSync(dir, 0o755);
  const wrong = {
    missing: join(dir, 'nothere', 'x'),
    closed: join(dir, 'closed'),
    folder: join(dir, 'folder'),
    blocked: join(dir, 'plain', 'x'),
  };
  mkdirSync(wrong.folder, { mode: 0o755 });
  writeFileSync(wrong.closed, 'x', { mode: 0 });
  writeFileSync(join(dir, 'plain'), 'x', { mode: 0o644 });
  return { dir, wrong, nobody, runAll: (list) => runCommands(list, { user: nobody }) };
}

const anyGateway = '7c9e6679-7425-40de-944b-e07fc1f90ae7';
/** Every command that reads settings, with what it wants besides. */
const commands: readonly (readonly string[])[] = [
  ['up'],
  ['control-plane'],
  ['bridge'],
  ['gateway'],
  ['shipper'],
  ['enroll', '--token', 'x'],
  ['fleet', 'reseat', anyGateway],
  ['migrate'],
  ['backup', '/nobody/writes/this'],
  ['restore', '--yes', '/nobody/reads/this'],
  ['bucket', 'show'],
  ['lake', 'rebuild', '--dry-run'],
  ['audit', 'verify'],
  ['explain', 'x'],
  ['config'],
];

test('a settings file that is missing, closed, a folder or below a file is told by every command', async (t) => {
  const scene = sceneOf(t);
  if (scene === undefined) return;
  const { wrong, runAll } = scene;
  const paths = Object.values(wrong) as readonly string[];
  const cases = commands.flatMap((words) => paths.map((path) => [...words, '--config', path]));
  const ends = await runAll(cases);
  assert.equal(ends.length, cases.length);
  assertAll(ends.map((end) => ({ end, path: end.args.at(-1) ?? '' })));
});

/** Settings that name a file or folder, by process, with why no command can be tried on them here. */
const untried: Readonly<Record<string, string>> = {
  'control-plane blobs.dir':
    'made in the data folder or given; a bucket that cannot be opened is blobs.unavailable, waited for',
  'bridge dataDir': 'no database there is storage.missing, told by bridge-start.slow.test.ts',
  'bridge blobs.dir': 'as the control plane',
  'gateway report.tallyDir':
    'without one losses of a kill are not told: data-plane/report/tally/unwritten.slow.test.ts',
  'shipper folder.dir': 'made at the first delivery, which is tried again for ever and told by health',
  'shipper outbound.caFile': 'read by what enroll reads them with, once the gateway has enrolled',
  'shipper outbound.certFile': 'as caFile',
  'shipper outbound.keyFile': 'as caFile',
};

test('every setting that names a file or folder, and every argument that does, is told in words when it cannot be used', async (t) => {
  const scene = sceneOf(t);
  if (scene === undefined) return;
  const { dir, wrong, nobody, runAll } = scene;
  const certificates = join(dir, 'certificates');
  const { certFile, keyFile } = createAuthority(certificates).issue('server');
  execFileSync('chmod', ['-R', 'a+rX', certificates]);
  const data = join(dir, 'data');
  await runIsthmus(t, ['migrate', '--data-dir', data]);
  await runIsthmus(t, ['bucket', 'adopt', '--data-dir', data]);
  const apis = join(dir, 'apis');
  mkdirSync(apis, { mode: 0o755 });
  if (nobody !== '') execFileSync('chown', ['-R', nobody, data]);
  const own = join(dir, 'own');
  mkdirSync(own);
  chmodSync(own, 0o777);
  const free = ['--set', 'listen.port=0', '--set', 'admin.port=0'];
  const tls = (over: Readonly<Record<string, string>>): readonly string[] =>
    Object.entries({ certFile, keyFile, ...over }).flatMap(([name, path]) => [
      '--set',
      `listen.tls.${name}=${path}`,
    ]);
  const bridge = [
    'bridge',
    ...free,
    '--data-dir',
    data,
    '--set',
    'database.waitMsMax=0',
    '--set',
    'listen.host=127.0.0.1',
  ];
  const gateway = ['gateway', ...free, '--data-dir', join(own, 'gateway'), '--local', apis];
  const enroll = [
    'enroll',
    '--token',
    'x',
    '--data-dir',
    join(own, 'enrolled'),
    '--set',
    'bridge.url=https://b.example.com',
  ];
  const pair = (set: string) => (path: string) => [
    ...enroll,
    ...['certFile', 'keyFile'].flatMap((name) => [
      '--set',
      `outbound.${name}=${name === set ? path : name === 'certFile' ? certFile : keyFile}`,
    ]),
  ];
  const store = (path: string, password = 'keyStorePassword=x'): readonly string[] =>
    [`keyStoreFile=${path}`, password].flatMap((each) => ['--set', `listen.tls.${each}`]);
  const files: Readonly<Record<string, (path: string) => readonly string[]>> = {
    ...Object.fromEntries(
      ['certFile', 'keyFile', 'caFile'].map((name) => [
        `control-plane listen.tls.${name}`,
        (path: string) => [
          'control-plane',
          ...free,
          '--data-dir',
          join(own, 'secured'),
          ...tls({ [name]: path }),
        ],
      ]),
    ),
    ...Object.fromEntries(
      (
        [
          ['control-plane', ['control-plane', ...free, '--data-dir', join(own, 'stored')]],
          ['gateway', gateway],
          ['bridge', bridge],
        ] as const
      ).flatMap(([process, words]) => [
        [`${process} listen.tls.keyStoreFile`, (path: string) => [...words, ...store(path)]],
        [
          `${process} listen.tls.keyStorePasswordFile`,
          (path: string) => [...words, ...store(certFile, `keyStorePasswordFile=${path}`)],
        ],
      ]),
    ),
    'bridge listen.tls.certFile': (path) => [...bridge, ...tls({ certFile: path })],
    'bridge listen.tls.keyFile': (path) => [...bridge, ...tls({ keyFile: path })],
    'bridge listen.tls.caFile': (path) => [...bridge, ...tls({ caFile: path })],
    'gateway listen.tls.certFile': (path) => [...gateway, ...tls({ certFile: path })],
    'gateway listen.tls.keyFile': (path) => [...gateway, ...tls({ keyFile: path })],
    'gateway listen.tls.caFile': (path) => [...gateway, ...tls({ caFile: path })],
    'gateway limits.redis.caFile': (path) => [
      ...gateway,
      '--set',
      'limits.redis.url=rediss://127.0.0.1:1',
      '--set',
      `limits.redis.caFile=${path}`,
    ],
    'control-plane outbound.caFile': (path) => [
      'control-plane',
      ...free,
      '--data-dir',
      join(own, 'asking'),
      '--set',
      `outbound.caFile=${path}`,
    ],
    ...Object.fromEntries(
      ['caFile', 'passwordFile'].map((name) => [
        `control-plane mail.smtp.${name}`,
        (path: string) => [
          'control-plane',
          ...free,
          '--data-dir',
          join(own, 'mailing'),
          '--set',
          'mail.smtp.host=127.0.0.1',
          '--set',
          `mail.smtp.${name}=${path}`,
        ],
      ]),
    ),
    'gateway outbound.caFile': (path) => [...enroll, '--set', `outbound.caFile=${path}`],
    'gateway policy.geoip.databaseFile': (path) => [...gateway, '--set', `policy.geoip.databaseFile=${path}`],
    'gateway policy.jws.keys': (path) => [
      ...gateway,
      '--set',
      `policy.jws.keys=[{"kid":"k","keyFile":"${path}"}]`,
    ],
    'gateway outbound.certFile': pair('certFile'),
    'gateway outbound.keyFile': pair('keyFile'),
    'enroll --token-file': (path) => ['enroll', '--token-file', path],
    restore: (path) => ['restore', '--yes', '--data-dir', data, path],
  };
  const folders: Readonly<Record<string, (path: string) => readonly string[]>> = {
    'control-plane dataDir': (path) => ['control-plane', ...free, '--data-dir', path],
    'control-plane secrets.dir': (path) => [
      'control-plane',
      ...free,
      '--data-dir',
      join(own, 'cp'),
      '--set',
      `secrets.dir=${path}`,
    ],
    'gateway dataDir': (path) => ['gateway', ...free, '--local', apis, '--data-dir', path],
    'gateway local': (path) => ['gateway', ...free, '--data-dir', join(own, 'gateway'), '--local', path],
    'shipper dataDir': (path) => ['shipper', '--set', 'admin.port=0', '--data-dir', path],
    'migrate dataDir': (path) => ['migrate', '--data-dir', path],
    backup: (path) => ['backup', '--data-dir', data, path],
  };
  const named = new Set([...Object.keys(files), ...Object.keys(folders), ...Object.keys(untried)]);
  for (const process of processNames)
    for (const { path, isFormer } of settingsOf(processSchemas[process]))
      if (!isFormer && /(?:File|Dir|\.dir|^local)$/.test(path))
        assert.ok(named.has(`${process} ${path}`), `${process} ${path} is tried`);

  const of = (path: string, each: Readonly<Record<string, (path: string) => readonly string[]>>) =>
    Object.values(each).map((words) => ({ path, args: words(path) }));
  const cases = [
    ...(['missing', 'closed', 'folder', 'blocked'] as const).flatMap((kind) => of(wrong[kind], files)),
    ...of(join(dir, 'plain'), {
      ...folders,
      backup: () => ['backup', '--data-dir', data, wrong.folder],
    }).filter(({ args }) => args[0] !== 'backup'),
    ...of(wrong.blocked, folders),
    // Nobody may make anything in it.
    ...of(join(dir, 'unmade'), folders),
  ];
  const ends = await runAll(cases.map(({ args }) => args));
  assert.equal(ends.length, cases.length, JSON.stringify(ends.at(-1)));
  assertAll(ends.map((end, index) => ({ end, path: cases[index]?.path ?? '' })));
});

test('a full disk is told as one, with the folder', async (t) => {
  if (process.getuid?.() !== 0 || !readFileSync('/proc/filesystems', 'utf8').includes('tmpfs'))
    return t.skip('needs root, to mount a small disk');
  const scene = sceneOf(t);
  if (scene === undefined) return;
  const { dir: parent, runAll } = scene;
  const dir = join(parent, 'small');
  mkdirSync(dir);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8k,mode=777', 'tmpfs', dir]);
  t.after(() => execFileSync('umount', ['-l', dir]));
  writeFileSync(join(dir, 'filling'), Buffer.alloc(4096));
  try {
    writeFileSync(join(dir, 'more'), Buffer.alloc(8192));
  } catch {
    // It is full now.
  }
  const ends = await runAll([
    ['migrate', '--data-dir', join(dir, 'd')],
    [
      'gateway',
      '--local',
      '/tmp',
      '--set',
      'listen.port=0',
      '--set',
      'admin.port=0',
      '--data-dir',
      join(dir, 'g'),
    ],
    ['control-plane', '--set', 'listen.port=0', '--set', 'admin.port=0', '--data-dir', join(dir, 'c')],
  ]);
  assert.equal(ends.length, 3, JSON.stringify(ends));
  for (const end of ends) {
    assertWords(end, dir);
    assert.match(end.said, /full|room/, end.said);
  }
});
