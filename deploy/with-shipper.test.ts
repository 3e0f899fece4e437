import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually } from '../test/kit/eventually.ts';
import { apiDefinition } from '../test/kit/gateway/gateway.ts';
import { freePort, startIsthmus } from '../test/kit/processes/processes.ts';
import { startUpstream } from '../test/kit/servers/upstream.ts';
import { tempDir } from '../test/kit/temp-dir.ts';

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
