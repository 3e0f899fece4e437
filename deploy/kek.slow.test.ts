import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { createManagementClient } from '../test/kit/control-plane/management-client.ts';
import { eventually } from '../test/kit/eventually.ts';
import { apiBody } from '../test/kit/control-plane/office.ts';
import {
  install,
  installationPassword,
  openInstallation,
  type Installation,
} from '../test/kit/processes/installation.ts';
import type { HouseProcess } from '../test/kit/processes/processes.ts';
import { testDatabases } from '../test/kit/servers/databases.ts';
import { tempDir } from '../test/kit/temp-dir.ts';

interface Key {
  readonly id: string;
  readonly key: string;
}

const fileOf = (dir: string): string => join(dir, 'secrets', 'kek');
const keysOf = (dir: string): readonly Key[] =>
  (JSON.parse(readFileSync(fileOf(dir), 'utf8')) as { keys: Key[] }).keys;
const idsOf = (dir: string): readonly string[] => keysOf(dir).map(({ id }) => id);
function writeKeys(dir: string, keys: readonly Key[]): void {
  mkdirSync(join(dir, 'secrets'), { recursive: true });
  writeFileSync(fileOf(dir), JSON.stringify({ keys }));
}

const originOf = (child: HouseProcess): string =>
  /listening on (http:\/\/[^/]+)\/management/.exec(child.output())?.[1] ?? '';
const clientOf = (child: HouseProcess) => createManagementClient(originOf(child), installationPassword);

/** Seals a secret with the environment's key, which has to open for it. */
async function makeSecret(child: HouseProcess, path: string): Promise<string> {
  const properties = [{ key: 'token', value: 'hunter2', encrypted: true }];
  const body = apiBody(path, { properties });
  const { id } = await clientOf(child).call<{ id: string }>('POST', '/v2/environments/DEFAULT/apis', {
    body,
  });
  return id;
}

/** What is wrong with a control plane, by its own words. */
async function degradedOf(child: HouseProcess): Promise<readonly string[]> {
  const port = /node API on port (\d+)/.exec(child.output())?.[1] ?? '';
  const health = (await (await fetch(`http://127.0.0.1:${port}/health`)).json()) as { degraded: string[] };
  return health.degraded;
}

async function stop(child: HouseProcess): Promise<void> {
  child.kill('SIGTERM');
  assert.equal(await child.ended, 0, child.output());
}

/** Runs a command that succeeds. */
async function done({ run }: Installation, ...args: readonly string[]): Promise<string> {
  const { code, said } = await run(args);
  assert.equal(code, 0, said);
  return said;
}

/** The only line in which a refused command or start says why. */
function refusalOf(said: string): string {
  const lines = said.split('\n').filter((line) => line.includes('secrets.no_key'));
  assert.equal(lines.length, 1, said);
  return lines[0] ?? '';
}

const postgres = testDatabases.find(({ name }) => name === 'postgres');
assert.ok(postgres !== undefined);

describe('the key-encryption key of a database on PostgreSQL', { skip: postgres.skip }, () => {
  test('is replaced by isthmus keys roll-kek while two control planes run, which go on, and start again', async (t) => {
    const installation = await install(t, postgres);
    const { dir, start } = installation;
    const one = await start();
    const secrets = ['--set', `secrets.dir=${join(dir, 'secrets')}`];
    const other = await start([...secrets, '--data-dir', tempDir(t)]);
    await makeSecret(one, '/before');
    const [old = ''] = idsOf(dir);

    const foreseen = JSON.parse(
      (await done(installation, 'keys', 'roll-kek', '--dry-run', '--json')).trim(),
    ) as { readonly resealed: number };
    assert.deepEqual(idsOf(dir), [old]);
    const said = await done(installation, 'keys', 'roll-kek', '--yes');
    const [fresh = '', ...others] = idsOf(dir);
    assert.notEqual(fresh, old);
    assert.deepEqual(others, []);
    assert.ok(foreseen.resealed >= 3, 'the root, a publishing key and a key of secrets');
    assert.ok(said.includes(`${foreseen.resealed} values sealed again; keys that went: ${old}`), said);

    for (const [child, path] of [
      [one, '/after-one'],
      [other, '/after-other'],
    ] as const) {
      await makeSecret(child, path);
      assert.deepEqual(await degradedOf(child), []);
    }
    await stop(one);
    await stop(other);
    // Nothing is remembered any more: what is in the database opens by the new file alone.
    const again = await start();
    await makeSecret(again, '/again');
    assert.deepEqual(await degradedOf(again), []);
    await stop(again);
  });

  test('opens an old backup as long as the file has it too, else the restore names it and changes nothing', async (t) => {
    const installation = await install(t, postgres);
    const { dir, url, start, run, epochs } = installation;
    const before = await start();
    const sealed = await makeSecret(before, '/sealed');
    await stop(before);
    const backup = join(dir, 'old.isthmus');
    await done(installation, 'backup', backup);
    const [old] = keysOf(dir);
    assert.ok(old !== undefined);
    await done(installation, 'keys', 'roll-kek', '--yes');
    const [fresh] = keysOf(dir);
    assert.ok(fresh !== undefined);
    const restore = ['restore', '--yes', backup];

    const refusesAll = async (): Promise<void> => {
      const epochsBefore = await epochs();
      const { code, said } = await run(restore);
      assert.equal(code, 1, said);
      assert.match(
        refusalOf(said),
        new RegExp(
          `the backup holds is sealed with key "${old.id}"; \\S+/kek holds "${fresh.id}".*Nothing was`,
        ),
      );
      assert.deepEqual(await epochs(), epochsBefore);
    };
    await refusesAll();
    // A root that was replaced since stays the one that gateways know, under the new key: what else is in the backup is not.
    await done(installation, 'keys', 'roll-root', '--yes');
    await refusesAll();
    const alive = await start();
    await makeSecret(alive, '/still');
    await stop(alive);

    writeKeys(dir, [fresh, old]);
    await done(installation, ...restore);
    const restored = await start();
    assert.deepEqual(await degradedOf(restored), []);
    const at = `/v2/environments/DEFAULT/apis/${sealed}`;
    const read = await clientOf(restored).call<{ properties: unknown }>('GET', at);
    assert.deepEqual(read.properties, [{ key: 'token', value: '********', encrypted: true }]);
    await clientOf(restored).call('PUT', at, { body: read });
    await makeSecret(restored, '/after');
    await done(installation, 'keys', 'roll-kek', '--yes');
    assert.deepEqual(idsOf(dir), [fresh.id]);
    await stop(restored);
    await stop(await start());

    // A machine that has the backup and the key of those days, and nothing else.
    const bare = openInstallation(t, { dir: tempDir(t), url: await postgres.create() });
    writeKeys(bare.dir, [old]);
    cpSync(join(dir, 'bucket'), join(bare.dir, 'bucket'), { recursive: true });
    await done(bare, 'migrate');
    await done(bare, ...restore);
    const moved = await bare.start();
    await makeSecret(moved, '/moved');
    await stop(moved);
    assert.notEqual(url, bare.url);
  });

  test('is one for all control planes: who comes with another ends with 1 and says so in a line', async (t) => {
    const installation = await install(t, postgres);
    const { dir, start, startUnready } = installation;
    const serving = await start();
    const foreign = tempDir(t);
    writeKeys(foreign, [{ id: 'foreign', key: Buffer.alloc(32, 7).toString('base64') }]);
    const second = startUnready(['--data-dir', foreign]);
    assert.equal(await second.ended, 1, second.output());
    const [own = ''] = idsOf(dir);
    assert.match(
      refusalOf(second.output()),
      new RegExp(`this database holds is sealed with key "${own}"; \\S+/kek holds "foreign".*Put the kek`),
    );
    await makeSecret(serving, '/goes-on');
    assert.deepEqual(await degradedOf(serving), []);
    await stop(serving);
  });

  test('is one also when two make the database at once, each with a key of its own: one serves, the other ends', async (t) => {
    const database = await postgres.create();
    const bucket = tempDir(t);
    const planes = [tempDir(t), tempDir(t)].map((dir, index) => {
      writeKeys(dir, [{ id: `key-${index}`, key: Buffer.alloc(32, index + 1).toString('base64') }]);
      return openInstallation(t, { dir, url: database });
    });
    const blobs = ['--set', `blobs.dir=${bucket}`];
    const children = planes.map(({ startUnready }) => startUnready(blobs));
    const [loser] = await Promise.race(
      children.map(async (child, index) => [index, await child.ended] as const),
    );
    const lost = children[loser];
    const winner = children[1 - loser];
    assert.ok(lost !== undefined && winner !== undefined);
    assert.equal(await lost.ended, 1, lost.output());
    assert.match(
      refusalOf(lost.output()),
      new RegExp(`sealed with key "key-${1 - loser}"; \\S+/kek holds "key-${loser}"`),
    );
    await eventually(() => winner.output().includes('control plane listening'), { timeoutMs: 60_000 });
    await makeSecret(winner, '/serves');
    assert.deepEqual(await degradedOf(winner), []);
    await stop(winner);
  });
});
