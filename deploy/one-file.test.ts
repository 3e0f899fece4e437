import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { runCommands } from '../test/kit/processes/commands.ts';
import { tempDir } from '../test/kit/temp-dir.ts';

/** What `isthmus config` and a word or two say of a settings file. */
async function judge(t: TestContext, yaml: string, more: readonly string[] = []) {
  const file = join(tempDir(t), 'isthmus.yaml');
  writeFileSync(file, yaml);
  const [end] = await runCommands([['config', ...more, '--config', file]]);
  return { code: end?.code, said: end?.said ?? '' };
}

test("a file that holds nothing but the section of the bridge is the bridge's, whoever reads it", async (t) => {
  const yaml = 'bridge: { limits: { streamsMax: 5 } }';
  assert.deepEqual(await judge(t, yaml), {
    code: 0,
    said: 'valid: control-plane, bridge, gateway, shipper\n',
  });
  const { said } = await judge(t, yaml, ['bridge', '--print']);
  assert.match(said, /limits\.streamsMax = 5/);
});

test('a file that holds the keys of a gateway, with its group bridge, is valid for the gateway', async (t) => {
  const { code, said } = await judge(
    t,
    'bridge: { url: "https://b.example.com" }\nlisten: { headerMsMax: 5000 }',
  );
  assert.deepEqual([code, said], [0, 'valid: gateway\n']);
});

test('a slip in the group bridge of a gateway is a fault of the gateway, no section that nobody reads', async (t) => {
  const { code, said } = await judge(t, 'bridge: { urll: "https://b.example.com" }', ['gateway']);
  assert.equal(code, 2);
  assert.match(said, /bridge\.urll: is not a setting; did you mean url\?/);
});

test('the faults of all processes are told at once, each with its process', async (t) => {
  const { code, said } = await judge(
    t,
    'control-plane: { listen: { port: 70000 } }\nbridge: { limits: { streamsMax: 0 } }\ngateway: { lissten: {} }\nshipper: { output: nowhere }',
  );
  assert.equal(code, 2);
  for (const told of [
    /control-plane: listen\.port: must be at most 65535/,
    /bridge: limits\.streamsMax: must be at least 1/,
    /gateway: lissten: is not a setting; did you mean listen\?/,
    /shipper: output: /,
  ])
    assert.match(said, told);
});

test('a database URL that nobody can dial is told with the other settings, without its password', async (t) => {
  for (const url of [
    'postgresql://u:geheim@h:99999/d',
    'postgresql://u:geheim@h:port/d',
    'mysql://u:geheim@h/d',
  ]) {
    const { code, said } = await judge(
      t,
      `control-plane: { database: { url: "${url}" }, blobs: { dir: b } }`,
    );
    assert.equal(code, 2);
    assert.match(said, /control-plane: database\.url: (is no URL|must start with postgresql)/);
    assert.doesNotMatch(said, /geheim|unexpected/);
  }
});

test('migrate says whether it made a database, moved it or found it well', async (t) => {
  const args = ['migrate', '--data-dir', join(tempDir(t), 'd')];
  const [made, kept, json] = await runCommands([args, args, [...args, '--json']]);
  assert.match(made?.said ?? '', /was empty and is new: nothing of yours is in it/);
  assert.match(kept?.said ?? '', /has the newest schema/);
  assert.match(json?.said ?? '', /"schema":"kept"/);
});

test('a backup below a folder that is not there names the folder, one into a folder the folder; nothing stays aside', async (t) => {
  const dir = tempDir(t);
  const data = ['--data-dir', join(dir, 'd')];
  const [, lost, folder, restored] = await runCommands([
    ['migrate', ...data],
    ['backup', ...data, join(dir, 'nothere', 'x')],
    ['backup', ...data, dir],
    ['restore', '--yes', ...data, dir],
  ]);
  assert.match(
    lost?.said ?? '',
    new RegExp(`${join(dir, 'nothere')} is not there\\..*\\[system\\.missing\\]`),
  );
  assert.doesNotMatch(lost?.said ?? '', /partial/);
  assert.match(folder?.said ?? '', /exists; a backup replaces nothing/);
  assert.match(
    restored?.said ?? '',
    /is a folder, and has to be the file that isthmus backup wrote.*\[system\.in_the_way\]/,
  );
});
