import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { runCommands } from '../kit/processes/commands.ts';
import { runIsthmus, startIsthmus } from '../kit/processes/processes.ts';
import { tempDir } from '../kit/temp-dir.ts';
import { freePortOffset } from '../kit/processes/up.ts';

test('what keeps the gateway from starting is said once, in its words, with its exit code, and nothing stays behind', async (t) => {
  const dir = tempDir(t);
  const offset = String(freePortOffset());
  const tls = ['listen.tls.certFile', 'listen.tls.keyFile'].flatMap((path) => [
    '--set',
    `gateway.${path}=${dir}/none.pem`,
  ]);
  const child = startIsthmus(t, ['up', '--data-dir', join(dir, 'data'), '--port-offset', offset, ...tls]);
  assert.equal(await child.ended, 2, child.output());
  assert.match(child.output(), /^isthmus: The file \S*none\.pem .*is not there \(ENOENT\).*\n$/);
  assert.equal(child.stdout(), '', 'no banner');
});

test('a value for a process that there is not is refused by name', async (t) => {
  const set = ['--set', 'gatway.workers=2'];
  const child = startIsthmus(t, ['up', '--data-dir', join(tempDir(t), 'data'), ...set]);
  assert.equal(await child.ended, 2);
  assert.match(child.output(), /gatway\.workers: .*did you mean gateway\?/);
});

test('a host that does not resolve is refused by its setting, with what to do, before anything is made', async (t) => {
  const dir = join(tempDir(t), 'data');
  const offset = ['--port-offset', String(freePortOffset())];
  const settings = ['gateway.listen', 'control-plane.admin', 'bridge.listen'];
  const ends = await runCommands(
    settings.map((setting) => [
      'up',
      '--data-dir',
      dir,
      ...offset,
      '--set',
      `${setting}.host=no-such-host.invalid`,
    ]),
  );
  for (const [n, setting] of settings.entries()) {
    assert.equal(ends[n]?.code, 1, ends[n]?.said);
    assert.match(
      ends[n].said,
      new RegExp(`no-such-host\\.invalid .*\\(${setting}\\.host\\).* Set ${setting}\\.host to`),
    );
  }
  assert.equal(existsSync(dir), false);
});

test('a taken port is one clear line and exit code 1', async (t) => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(8_082 + 777, '127.0.0.1', resolve));
  t.after(() => server.close());
  await assert.rejects(
    runIsthmus(t, ['up', '--data-dir', tempDir(t), '--port-offset', '777']),
    (error: Error) =>
      /exited with 1/.test(error.message) &&
      /Port 8859/.test(error.message) &&
      /in use|taken/i.test(error.message),
  );
});

test('wrong use exits with 2 and says what is right', async () => {
  const wrong = [['no-such-command'], ['up', '--no-such-option'], ['up', '--port-offset', 'many']];
  for (const { args, code, said } of await runCommands(wrong)) {
    assert.equal(code, 2, args.join(' '));
    assert.match(said, /--help/, args.join(' '));
  }
});

test('every command has help that leads with examples', async () => {
  const commands = [
    'up',
    'control-plane',
    'bridge',
    'gateway',
    'shipper',
    'enroll',
    'token',
    'fleet',
    'migrate',
    'backup',
    'restore',
    'bucket',
    'check',
    'convert',
    'el',
    'explain',
    'policies',
    'reset-password',
    'break-glass',
    'audit',
    'login',
    'logout',
    'context',
    'get',
    'describe',
    'create',
    'apply',
    'delete',
    'completion',
    'doctor',
    'config',
    'version',
  ];
  const ends = await runCommands(commands.map((command) => [command, '--help']));
  assert.deepEqual(
    ends.map(({ code }) => code),
    commands.map(() => 0),
  );
  for (const [n, command] of commands.entries()) {
    const help = ends[n]?.said ?? '';
    assert.match(help, /Examples?:/, command);
    assert.ok(
      help.indexOf('xample') < help.indexOf('Options:'),
      `${command} --help shows its options before its examples`,
    );
  }
});

test('a certificate that is none stops up before anything is made, so that the next start is the first one', async (t) => {
  const dir = join(tempDir(t), 'data');
  const offset = String(freePortOffset());
  const args = ['up', '--data-dir', dir, '--port-offset', offset];
  const bad = [
    '--set',
    'gateway.listen.tls.certFile=none.pem',
    '--set',
    'gateway.listen.tls.keyFile=none.pem',
  ];
  const refused = startIsthmus(t, [...args, ...bad]);
  assert.equal(await refused.ended, 2, refused.output());
  assert.match(refused.output(), /none\.pem/);
  assert.equal(existsSync(dir), false);
});
