import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { adminPassword, startPlatform } from '../kit/up.ts';

const readme = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8');

test('the first five minutes of the README work as they stand', async (t) => {
  const up = await startPlatform(t);
  const chapter = readme.slice(
    readme.indexOf('## The first five minutes'),
    readme.indexOf('<!-- the end of the chapter'),
  );
  const blocks = [...chapter.matchAll(/```sh\n([\s\S]*?)```/g)].map((match) => match[1] ?? '');
  assert.equal(blocks.length, 5);
  // The only thing that differs from a reader's machine: the ports, since several tests run at once.
  const moved = blocks
    .join('\n')
    .replaceAll(/:(8082|8083|18085)\b/g, (_, port: string) => `:${Number(port) + up.portOffset}`);
  const file = join(up.dir, 'readme.sh');
  // A reader pauses between two blocks; the script asks until the change is live, which takes milliseconds.
  writeFileSync(
    file,
    `set -eu\n${moved.replace('curl -s -i -H', 'curl -s --retry 20 --retry-delay 1 --retry-all-errors -f -i -H')}`,
  );
  const { stdout } = await promisify(execFile)('bash', [file], {
    env: { PATH: process.env['PATH'] ?? '', ISTHMUS_ADMIN_PASSWORD: adminPassword },
  });
  assert.match(stdout, /"path": "\/"/, 'the echo of /echo');
  assert.match(stdout, /^401$/m, 'without a key');
  assert.match(stdout, /^HTTP\/1\.1 200 OK/m, 'with the key');
  assert.match(stdout, /X-Rate-Limit-Limit: 10/i);
  assert.match(stdout, /\/weather\/tomorrow/);
  assert.match(stdout, /"appliedSeq"|"applied"/, 'the deployment of the gateway');
  assert.match(stdout, /"total":\d/, 'the count');
});
