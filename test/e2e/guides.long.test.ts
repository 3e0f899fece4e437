import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import type { Machine } from '../kit/guides/machine.ts';
import { startOutside, withoutPostgres } from '../kit/guides/outside.ts';
import { runGuide } from '../kit/guides/run-guide.ts';
import { newcomersEnvironment, packTarball } from '../kit/processes/packed.ts';
import { createAuthority } from '../kit/servers/certificates.ts';
import { startSmtp } from '../kit/servers/smtp.ts';
import { tempDir } from '../kit/temp-dir.ts';

const [files, first, hybrid, mail, managing, moving, running, shipper] = [
  'docs/guides/files.md',
  'docs/guides/first-api.md',
  'docs/guides/hybrid.md',
  'docs/guides/mail.md',
  'docs/guides/managing.md',
  'docs/guides/moving-over.md',
  'docs/guides/running.md',
  'docs/guides/shipper.md',
] as const;

test('the guides work as they stand, with the packed tarball on an empty machine', async (t) => {
  const { dir } = await runGuide(t, ['docs/README.md'], {
    env: newcomersEnvironment,
    prepare: (home) => bringTarball(home, packTarball(t)),
  });
  const env = {
    ...newcomersEnvironment,
    PATH: `${join(dir, '.local/bin')}:${newcomersEnvironment['PATH'] ?? ''}`,
  };
  await t.test('first API', async (t) => void (await runGuide(t, [first], { env })));
  await t.test('managing', async (t) => void (await runGuide(t, [managing], { env })));
  await t.test('mail', async (sub) => {
    const authority = createAuthority(tempDir(sub));
    const user = { name: 'isthmus', password: 'mail-secret' };
    const { port, taken } = await startSmtp(sub, { authority, user });
    const replacements = [
      ['mail.example.com', 'localhost'],
      ['port: 587', `port: ${port}`],
    ] as const;
    const prepare = (home: string) => copyFileSync(authority.caFile, join(home, 'mail-ca.pem'));
    await runGuide(t, [mail], { env, replacements, prepare });
    assert.deepEqual(
      taken.map(({ to, isSecure }) => [...to, isSecure]),
      [
        ['ann@example.com', true],
        ['desk@example.com', true],
      ],
    );
  });
  await t.test('a gateway from files', async (t) => void (await runGuide(t, [files], { env })));
  await t.test('moving over', async (t) => void (await runGuide(t, [moving], { env })));
  await t.test('the shipper alone', async (t) => {
    const { replacements } = await startOutside(t);
    await runGuide(t, [shipper], { env, replacements });
  });
  await t.test('hybrid, and running it', { skip: withoutPostgres }, async (t) => {
    const { replacements, proxy } = await startOutside(t);
    const { machine } = await runGuide(t, [hybrid, running], { env, replacements });
    assert.ok(proxy.connections() > 0, 'through the proxy');
    await refuseStrangeBucket(machine('spare'));
  });
});

/** The package with its hash, as its maker hands it over. */
function bringTarball(home: string, tarball: string): void {
  const name = basename(tarball);
  copyFileSync(tarball, join(home, name));
  const hash = createHash('sha256').update(readFileSync(tarball)).digest('hex');
  writeFileSync(join(home, 'isthmus.sha256'), `${hash}  ${name}\n`);
}

/** Another prefix of the same bucket is another bucket: the doctor says so, and a bridge does not start. */
async function refuseStrangeBucket({ attempt }: Machine): Promise<void> {
  const strange = '--config isthmus.yaml --set blobs.s3.prefix=elsewhere/';
  const ask = (command: string) =>
    attempt({ path: 'elsewhere', line: 1, text: `isthmus ${command} ${strange}` });
  const examined = await ask('doctor bridge');
  assert.equal(examined.exitCode, 1);
  assert.match(examined.output, /^failed +bucket .*no identity[^]*isthmus bucket adopt/m);
  const started = await ask('bridge --set listen.port=0 --set admin.port=0 --set dataDir=elsewhere');
  assert.equal(started.exitCode, 1);
  assert.match(started.output, /blobs\.wrong_bucket/);
  assert.doesNotMatch(started.output, /listening/);
}
