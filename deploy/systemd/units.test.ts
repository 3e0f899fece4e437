import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { skipWithout } from '../../test/kit/require.ts';
import { tempDir } from '../../test/kit/temp-dir.ts';
import { gatewayConfigSchema } from '../../data-plane/config.ts';
import { loadConfig, settingsOf } from '../../proto/process/config.ts';
import { processNames, processSchemas, type ProcessName } from '../processes.ts';
import { closeMsMax } from '../run-process.ts';

const here = import.meta.dirname;
const installed = '/opt/isthmus/bin/isthmus';
const launcher = join(here, '../isthmus.js');
const dropIn = readFileSync(join(here, 'isthmus-.service.d/10-isthmus.conf'), 'utf8');
const unitOf = (name: ProcessName): string => readFileSync(join(here, `isthmus-${name}.service`), 'utf8');
const settingsFileOf = (name: ProcessName): string => join(here, `../production/${name}.yaml`);
const skip = skipWithout('systemd', spawnSync('systemd-analyze', ['--version']).error === undefined);

/** The exposure that systemd-analyze security may find, in tenths; a unit without hardening has 96, ours have 15 on systemd 252. */
const exposureTenthsMax = 20;

test('systemd finds nothing to say about any unit', { skip }, (t) => {
  const units = layOut(t);
  for (const name of processNames)
    assert.equal(units.analyze('verify', '--man=no', units.path(name)), '', name);
});

test('systemd says what is wrong when a unit or the common part has a slip', { skip }, (t) => {
  const units = layOut(t);
  writeFileSync(join(units.dir, 'isthmus-.service.d/10-isthmus.conf'), `${dropIn}\nProtectSytem=strict\n`);
  assert.match(units.analyze('verify', '--man=no', units.path('bridge')), /ProtectSytem/);
});

test(
  'every unit is hardened: its exposure is as low as systemd can tell without running it',
  { skip },
  (t) => {
    const units = layOut(t);
    for (const name of processNames) {
      const said = units.analyze(
        'security',
        '--offline=yes',
        `--threshold=${exposureTenthsMax}`,
        units.path(name),
      );
      assert.match(said, /Overall exposure level/, name);
    }
  },
);

test('the users of the units are those that systemd makes', { skip }, (t) => {
  const root = tempDir(t);
  mkdirSync(join(root, 'etc'));
  const { status, stderr } = spawnSync(
    'systemd-sysusers',
    [`--root=${root}`, join(here, 'isthmus.sysusers.conf')],
    { encoding: 'utf8' },
  );
  assert.equal(status, 0, stderr);
  const users = new Map(
    readFileSync(join(root, 'etc/passwd'), 'utf8')
      .split('\n')
      .map((line) => line.split(':'))
      .map(([user = '', , , , , home = '']) => [user, home]),
  );
  for (const name of processNames)
    assert.equal(users.get(valueIn(name, 'User')), `/var/lib/${valueIn(name, 'StateDirectory')}`, name);
});

test('a unit runs its command with its settings, on the data folder that it makes', () => {
  for (const name of processNames) {
    assert.equal(
      valueIn(name, 'ExecStart'),
      `${installed} ${name} --config \${CREDENTIALS_DIRECTORY}/settings.yaml`,
    );
    assert.equal(valueIn(name, 'LoadCredential'), `settings.yaml:/etc/isthmus/${name}.yaml`);
    const { config } = loadConfig(processSchemas[name], { process: name, file: settingsFileOf(name) });
    assert.equal(config.dataDir, `/var/lib/${valueIn(name, 'StateDirectory')}`);
  }
  assert.equal(valueIn('shipper', 'User'), valueIn('gateway', 'User'), 'they share a folder');
  assert.notEqual(
    valueIn('bridge', 'User'),
    valueIn('control-plane', 'User'),
    'a bridge is trusted with less',
  );
});

test('systemd waits longer for an end than the process may take for one', () => {
  for (const name of processNames) {
    const { config } = loadConfig(processSchemas[name], { process: name, file: settingsFileOf(name) });
    const endMsMax = closeMsMax + ('lameDuckMs' in config ? config.lameDuckMs : 0);
    assert.ok(Number(valueIn(name, 'TimeoutStopSec')) * 1_000 > endMsMax, name);
  }
});

test('a process may open as many files as its settings allow connections, twice', () => {
  const filesMax = Number(/^LimitNOFILE=(\d+)$/m.exec(dropIn)?.[1]);
  const gateway = loadConfig(gatewayConfigSchema, { process: 'gateway', file: settingsFileOf('gateway') });
  const bridge = loadConfig(processSchemas.bridge, { process: 'bridge', file: settingsFileOf('bridge') });
  const { streamsMax, pollsMax } = bridge.config.limits;
  assert.ok(filesMax > 2 * gateway.config.listen.connectionsMax);
  assert.ok(filesMax > 2 * (streamsMax + pollsMax));
});

test('a reload sends SIGHUP to those processes that have certificates to read again', () => {
  for (const name of processNames) {
    const hasCertificates = settingsOf(processSchemas[name]).some(
      ({ path }) => path === 'listen.tls.certFile',
    );
    assert.equal(unitOf(name).includes('ExecReload='), hasCertificates, name);
  }
});

test('every file that the steps of the README take is in the package', () => {
  const root = join(here, '../..');
  const { files } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { files: string[] };
  const packed = new Set(files.flatMap((pattern) => globSync(pattern, { cwd: root })));
  const taken = [...readFileSync(join(here, 'README.md'), 'utf8').matchAll(/\$DEPLOY\/(\S+)/g)].map(
    ([, path = '']) => globSync(`deploy/${path}`, { cwd: root }),
  );
  assert.ok(taken.length > 3 && taken.every((paths) => paths.length > 0));
  for (const path of taken.flat()) assert.ok(packed.has(path), path);
});

/** What a directive of a unit says. */
function valueIn(name: ProcessName, directive: string): string {
  const value = new RegExp(`^${directive}=(.*)$`, 'm').exec(unitOf(name))?.[1];
  assert.ok(value !== undefined, `isthmus-${name}.service has no ${directive}`);
  return value;
}

/** The units as they are, but that the program is that of this checkout. */
function layOut(t: TestContext) {
  const dir = tempDir(t, 'isthmus-units');
  cpSync(here, dir, { recursive: true });
  const path = (name: ProcessName): string => join(dir, `isthmus-${name}.service`);
  for (const name of processNames)
    writeFileSync(path(name), unitOf(name).replace(`ExecStart=${installed} `, `ExecStart=${launcher} `));
  return {
    dir,
    path,
    /** Gives back all that it said; throws it when it failed. */
    analyze(...args: readonly string[]): string {
      const { status, stdout, stderr } = spawnSync('systemd-analyze', args, {
        encoding: 'utf8',
        // The colon at the end keeps systemd's own units.
        env: { ...process.env, SYSTEMD_UNIT_PATH: `${dir}:`, SYSTEMD_LOG_LEVEL: 'warning' },
      });
      assert.equal(status, 0, stdout + stderr);
      return stdout + stderr;
    },
  };
}
