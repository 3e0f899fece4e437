import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { eventually } from '../kit/eventually.ts';
import { freePort, runIsthmus, startIsthmus } from '../kit/processes/processes.ts';
import { tempDir } from '../kit/temp-dir.ts';
import { adminPassword, startPlatform, type Platform } from '../kit/processes/up.ts';

const readme = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8');

test('the first five minutes of the README work as they stand, and say why a second time does not', async (t) => {
  const up = await startPlatform(t);
  const chapter = readme.slice(
    readme.indexOf('## The first five minutes'),
    readme.indexOf('<!-- the end of the chapter'),
  );
  const blocks = [...chapter.matchAll(/```sh\n([\s\S]*?)```/g)].map((match) => match[1] ?? '');
  assert.equal(blocks.length, 5);
  // The only thing that differs from a reader's machine: the ports, since several tests run at once.
  const moved = (text: string): string =>
    text.replaceAll(/:(8082|8083|18085)\b/g, (_, port: string) => `:${Number(port) + up.portOffset}`);
  const file = join(up.dir, 'readme.sh');
  const env = { PATH: process.env['PATH'] ?? '', ISTHMUS_ADMIN_PASSWORD: adminPassword };
  // A reader pauses between two blocks; the script asks until the change is live, which takes a tenth of a second.
  writeFileSync(
    file,
    `set -eu\n${moved(blocks.join('\n')).replace('curl -s -i -H', 'curl -s --retry 20 --retry-delay 1 --retry-all-errors -f -i -H')}`,
  );
  const { stdout } = await promisify(execFile)('bash', [file], { env });
  assert.match(stdout, /"path": "\/"/, 'the echo of /demo/echo');
  assert.match(stdout, /^401$/m, 'without a key');
  assert.match(stdout, /^HTTP\/1\.1 200 OK/m, 'with the key');
  assert.match(stdout, /X-Rate-Limit-Limit: 10/i);
  assert.match(stdout, /\/weather\/tomorrow/);
  assert.match(stdout, /"appliedSeq"|"applied"/, 'the deployment of the gateway');
  // Without a key and with it; more only where the script asked again until the change was live.
  assert.match(stdout, /^(?:[2-9]|[1-9]\d+) requests$/m, 'the count');

  // As a reader's shell has it, which goes on after a failure.
  const twice = spawnSync('bash', ['-c', moved(blocks[1] ?? '')], { encoding: 'utf8', env });
  assert.notEqual(twice.status, 0);
  assert.match(twice.stderr, /"message":"The API \\"Weather\\" \([^)]*\) has \/weather/, 'who has the path');
  assert.equal(
    twice.stderr.match(/"httpStatus"/g)?.length,
    1,
    `one reason, not one for each call that would follow: ${twice.stderr}`,
  );
  assert.doesNotMatch(twice.stderr, /SyntaxError/);
});

test('hybrid, as the README has it: a fleet, its token, a gateway there that serves, and its requests are counted here', async (t) => {
  const [first = '', create = '', token = '', enrol = '', doctor = '', start = ''] = hybridCommands();
  assert.equal(first, 'isthmus up');
  const here = await startPlatform(t);
  const there = tempDir(t, 'isthmus-there');
  const atHome = ['--data-dir', here.dir];
  await runIsthmus(t, [...wordsOf(create), ...atHome]);
  const asked = token.replace('https://bridge.example.com', here.bridge).replace(/ > token\.txt$/, '');
  writeFileSync(join(there, 'token.txt'), await runIsthmus(t, [...wordsOf(asked), ...atHome]));
  await runIsthmus(t, wordsOf(enrol), { cwd: there });
  const examined = await runIsthmus(t, wordsOf(doctor), {
    cwd: there,
    env: { ISTHMUS_GATEWAY__LISTEN__PORT: '0', ISTHMUS_GATEWAY__ADMIN__PORT: '0' },
  });
  assert.match(examined, /^ok +enrolment +the bridge knows this identity$/m);

  // On a machine of its own these would be the usual ports; the batches are small because a test waits for them.
  const ports = { gateway: await freePort(), node: await freePort(), shipper: await freePort() };
  const gateway = startIsthmus(t, wordsOf(start), {
    cwd: there,
    env: {
      ISTHMUS_GATEWAY__LISTEN__PORT: String(ports.gateway),
      ISTHMUS_GATEWAY__ADMIN__PORT: String(ports.node),
      ISTHMUS_GATEWAY__LAME_DUCK_MS: '0',
      ISTHMUS_SHIPPER__ADMIN__PORT: String(ports.shipper),
      ISTHMUS_SHIPPER__BATCH__MS_MAX: '500',
    },
  });
  await eventually(
    async () => {
      if (!gateway.isRunning()) throw new Error(gateway.output());
      return (await fetch(`http://127.0.0.1:${ports.node}/health/ready`)).ok;
    },
    { timeoutMs: 20_000 },
  );
  for (let n = 0; n < 20; n += 1)
    assert.equal((await fetch(`http://127.0.0.1:${ports.gateway}/demo/echo`)).status, 200);
  await eventually(async () => (await countOfEcho(here)) === 20, { timeoutMs: 20_000, everyMs: 250 });

  gateway.kill('SIGTERM');
  assert.equal(await gateway.ended, 0, gateway.output());
});

/** The calls of the chapter's first block, without comments. */
function hybridCommands(): readonly string[] {
  const chapter = readme.slice(readme.indexOf('## Hybrid, a fleet at a time'));
  const block = /```sh\n([\s\S]*?)```/.exec(chapter)?.[1] ?? '';
  const commands = block
    .trimEnd()
    .split('\n')
    .map((line) => line.replace(/\s+#.*$/, ''));
  assert.equal(commands.length, 6);
  return commands;
}

function wordsOf(command: string | undefined): readonly string[] {
  return (command ?? '').split(' ').slice(1);
}

async function countOfEcho({ client }: Platform): Promise<number> {
  const apis = await client.call<{ data: { id: string; name: string }[] }>(
    'GET',
    '/v2/environments/DEFAULT/apis',
  );
  const id = apis.data.find(({ name }) => name === 'Demo /demo/echo')?.id;
  const path = `/v2/environments/DEFAULT/apis/${id}/analytics/requests-count?from=0&to=${Date.now() + 60_000}`;
  return (await client.call<{ total: number }>('GET', path)).total;
}
