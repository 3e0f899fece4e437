import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { settingsOf } from '../proto/process/settings.ts';
import { eventually } from '../test/kit/eventually.ts';
import { apiDefinition } from '../test/kit/gateway/gateway.ts';
import { freePort, startIsthmus } from '../test/kit/processes/processes.ts';
import { startUpstream } from '../test/kit/servers/upstream.ts';
import { tempDir } from '../test/kit/temp-dir.ts';
import { setsOfBoth } from './commands/gateway.ts';
import { processSchemas } from './processes.ts';

const base = (dir: string) => [
  'gateway',
  '--with-shipper',
  '--data-dir',
  join(dir, 'data'),
  '--local',
  join(dir, 'apis'),
];
const sets = (...pairs: readonly string[]) => pairs.flatMap((pair) => ['--set', pair]);

test('a gateway with its shipper ships what it recorded until its last answer before it ends', async (t) => {
  const dir = tempDir(t);
  const { url } = await startUpstream(t);
  mkdirSync(join(dir, 'apis'));
  writeFileSync(join(dir, 'apis', 'a.json'), JSON.stringify(apiDefinition('a', url)));
  const bucket = join(dir, 'bucket');
  const port = await freePort();
  const gateway = startIsthmus(t, [
    ...base(dir),
    ...sets(`listen.port=${port}`, 'admin.port=0', 'lameDuckMs=0', 'shipper.admin.port=0'),
    // Nothing fills a batch, and nothing is old enough: only the end sends it.
    ...sets('shipper.output=folder', `shipper.folder.dir=${bucket}`, 'shipper.batch.msMax=600000'),
  ]);
  await eventually(() => gateway.output().includes('shipper running'), { timeoutMs: 30_000 });
  for (let call = 0; call < 3; call += 1)
    assert.equal((await fetch(`http://127.0.0.1:${port}/a`)).status, 200);
  gateway.kill('SIGTERM');
  assert.equal(await gateway.ended, 0, gateway.output());
  const objects = readdirSync(join(bucket, 'landing'), { recursive: true, encoding: 'utf8' });
  assert.ok(
    objects.some((name) => /-.*\.ndjson\.zst$/.test(name)),
    `${objects.join('\n')}\n${gateway.output()}`,
  );
});

test('a gateway whose far end takes nothing ends all the same, and says nothing of a failure', async (t) => {
  const dir = tempDir(t);
  mkdirSync(join(dir, 'apis'));
  const gateway = startIsthmus(t, [
    ...base(dir),
    ...sets('listen.port=0', 'admin.port=0', 'lameDuckMs=0', 'shipper.admin.port=0'),
  ]);
  await eventually(() => gateway.output().includes('shipper running'), { timeoutMs: 30_000 });
  gateway.kill('SIGTERM');
  assert.equal(await gateway.ended, 0, gateway.output());
});

test("a port in use that is the shipper's is called by the setting that moves it", async (t) => {
  const dir = tempDir(t);
  mkdirSync(join(dir, 'apis'));
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  t.after(() => taken.close());
  const { port } = taken.address() as AddressInfo;
  const gateway = startIsthmus(t, [
    ...base(dir),
    ...sets('listen.port=0', 'admin.port=0', 'lameDuckMs=0', `shipper.admin.port=${port}`),
  ]);
  assert.notEqual(await gateway.ended, 0);
  assert.match(
    gateway.output(),
    /is in use \(shipper\.admin\.port\).* choose another port: shipper\.admin\.port;/,
  );
});

test('a setting that one of the two knows goes to that one, whatever it is called with', async () => {
  const pathsOf = (name: 'gateway' | 'shipper') => settingsOf(processSchemas[name]).map(({ path }) => path);
  const paths = { gateway: pathsOf('gateway'), shipper: pathsOf('shipper') };
  const onlyShipper = paths.shipper.filter((path) => !paths.gateway.includes(path));
  const onlyGateway = paths.gateway.filter((path) => !paths.shipper.includes(path));
  const both = paths.gateway.filter((path) => paths.shipper.includes(path));
  assert.ok(Math.min(onlyShipper.length, onlyGateway.length, both.length) > 5);
  const of = async (path: string) => {
    const { gateway, shipper } = await setsOfBoth([`${path}=x`]);
    return [gateway.length, shipper.length];
  };
  for (const path of onlyGateway) assert.deepEqual(await of(path), [1, 0], path);
  for (const path of onlyShipper) {
    assert.deepEqual(await of(path), [0, 1], path);
    assert.deepEqual(await of(`shipper.${path}`), [0, 1], path);
  }
  for (const path of both) {
    assert.deepEqual(await of(path), [1, path.startsWith('outbound.') ? 1 : 0], path);
    assert.deepEqual(await of(`shipper.${path}`), [0, 1], path);
  }
  assert.deepEqual(await of('batch.msMx'), [1, 0], 'what neither knows is refused by the gateway');
  const own = await setsOfBoth(['outbound.proxy.url=a', 'shipper.outbound.proxy.url=b']);
  assert.deepEqual(own.shipper, ['outbound.proxy.url=a', 'outbound.proxy.url=b'], 'the last one counts');
});
