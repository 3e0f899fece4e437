import assert from 'node:assert/strict';
import { copyFileSync, cpSync, existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { test, type TestContext } from 'node:test';
import { migrations } from '../control-plane/storage/migrations/index.ts';
import { readSchema } from '../control-plane/storage/migrate.ts';
import { openStorage } from '../control-plane/storage/storage.ts';
import { examine } from './doctor/doctor.ts';
import { platformChecks } from './doctor/platform.ts';
import { controlPlaneProcessSchema } from './processes.ts';
import { createAuthority } from '../test/kit/servers/certificates.ts';
import { testDatabases } from '../test/kit/servers/databases.ts';
import { dataOfBridge } from '../test/kit/processes/alone.ts';
import { eventually } from '../test/kit/eventually.ts';
import { runIsthmus, startIsthmus, type HouseProcess } from '../test/kit/processes/processes.ts';
import { tempDir } from '../test/kit/temp-dir.ts';

const postgres = testDatabases.find(({ name }) => name === 'postgres');
const silent = { info: () => undefined, warn: () => undefined };
const newest = migrations.at(-1)?.version ?? 0;
const older = migrations.filter(({ version }) => version < 4);

async function schemaIn(dir: string): Promise<number> {
  const storage = await openStorage({ dataDir: dir, log: silent, mode: 'any' });
  try {
    return (await readSchema(storage.db, migrations)).found;
  } finally {
    await storage.close();
  }
}

function start(t: TestContext, process: 'bridge' | 'control-plane', more: readonly string[]): HouseProcess {
  const ports = ['listen.port=0', 'listen.host=127.0.0.1', 'admin.port=0'];
  ports.push('lameDuckMs=0');
  return startIsthmus(t, [process, ...ports.flatMap((pair) => ['--set', pair]), ...more]);
}

async function untilSaid(child: HouseProcess, text: RegExp): Promise<void> {
  await eventually(
    () => {
      if (!child.isRunning()) throw new Error(child.output());
      return text.test(child.output());
    },
    { timeoutMs: 20_000 },
  );
}

test('a bridge never migrates: it says what it finds and wants, waits for the control plane, then serves', async (t) => {
  const dir = tempDir(t);
  await (await openStorage({ dataDir: dir, log: silent, migrations: older })).close();
  const refused = start(t, 'bridge', ['--data-dir', dir, '--set', 'database.waitMsMax=0']);
  assert.equal(await refused.ended, 1);
  assert.match(
    refused.output(),
    new RegExp(`has schema 3, this version needs ${newest} .*storage\\.older_schema`),
  );
  const bridge = start(t, 'bridge', ['--data-dir', dir]);
  await untilSaid(bridge, new RegExp(`has schema 3, this version needs ${newest}.*the bridge waits`));
  assert.equal(await schemaIn(dir), 3);
  assert.doesNotMatch(bridge.output(), /bridge listening/);
  await untilSaid(start(t, 'control-plane', ['--data-dir', dir]), /control plane listening/);
  await untilSaid(bridge, /bridge listening/);
  assert.equal(await schemaIn(dir), newest);
});

test('SIGHUP renews the certificate of a bridge; one that cannot be used leaves the one before', async (t) => {
  const dir = tempDir(t);
  const authority = createAuthority(join(dir, 'ca'));
  const [certFile, keyFile] = [join(dir, 'bridge.pem'), join(dir, 'bridge.key')];
  const put = (name: string, isExpired = false): void => {
    const issued = authority.issue(name, { isExpired });
    copyFileSync(issued.certFile, certFile);
    copyFileSync(issued.keyFile, keyFile);
  };
  put('first');
  cpSync(await dataOfBridge(t), dir, { recursive: true });
  const files = ['--set', `listen.tls.certFile=${certFile}`, '--set', `listen.tls.keyFile=${keyFile}`];
  const bridge = start(t, 'bridge', ['--data-dir', dir, ...files]);
  await untilSaid(bridge, /bridge listening on/);
  const port = Number(/bridge listening on https:\/\/127\.0\.0\.1:(\d+)/.exec(bridge.output())?.[1]);
  assert.equal(await shown(port), 'first');
  put('second');
  bridge.kill('SIGHUP');
  await untilSaid(bridge, /certificates were read again/);
  assert.equal(await shown(port), 'second');
  writeFileSync(certFile, 'nothing');
  bridge.kill('SIGHUP');
  await untilSaid(bridge, /is no certificate in PEM/);
  assert.equal(await shown(port), 'second');
  put('ended', true);
  bridge.kill('SIGHUP');
  await untilSaid(bridge, /a certificate has ended and clients refuse it/);
  assert.equal(await shown(port), 'ended');
});

/** The name in the certificate that a new connection is shown. */
async function shown(port: number): Promise<unknown> {
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
  await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
  const { subject } = socket.getPeerCertificate();
  socket.destroy();
  return subject.CN;
}

test('a bridge of an older version refuses a newer schema at once', async (t) => {
  const dir = tempDir(t);
  const newer = { version: newest + 1, name: 'newer', up: async () => undefined };
  await (await openStorage({ dataDir: dir, log: silent, migrations: [...migrations, newer] })).close();
  const child = start(t, 'bridge', ['--data-dir', dir]);
  assert.equal(await child.ended, 1);
  assert.match(
    child.output(),
    new RegExp(`has schema ${newest + 1}, this version needs ${newest}.*newer_schema`),
  );
});

test('a bridge with another bucket than the control plane is refused before it listens, and makes no folder', async (t) => {
  const dir = tempDir(t);
  const other = join(tempDir(t), 'other');
  cpSync(await dataOfBridge(t), dir, { recursive: true });
  const wrong = start(t, 'bridge', ['--data-dir', dir, '--set', `blobs.dir=${other}`]);
  assert.equal(await wrong.ended, 1);
  assert.match(
    wrong.output(),
    /folder of the bucket is not there; the database belongs to.*other.*blobs.*wrong_bucket.*bucket adopt/,
  );
  assert.doesNotMatch(wrong.output(), /listening/);
  assert.ok(!existsSync(other));
  const right = start(t, 'bridge', ['--data-dir', dir]);
  await untilSaid(right, /bridge listening/);
});

test('a control plane with another bucket is refused; bucket adopt moves to it, with audit, and says what to copy', async (t) => {
  const dir = tempDir(t);
  const other = join(tempDir(t), 'other');
  const elsewhere = ['--data-dir', dir, '--set', `blobs.dir=${other}`];
  const first = start(t, 'control-plane', ['--data-dir', dir]);
  await untilSaid(first, /control plane listening/);
  first.kill('SIGTERM');
  await first.ended;
  const wrong = start(t, 'control-plane', elsewhere);
  assert.equal(await wrong.ended, 1);
  assert.match(wrong.output(), /blobs\.wrong_bucket/);
  await runIsthmus(t, ['bucket', 'show', ...elsewhere], { exitCode: 1 });
  const doctor = await runIsthmus(t, ['doctor', ...elsewhere], { exitCode: 1 });
  assert.match(doctor, /^ok +schema.*\n(?:ok .*\n){2}failed +bucket .*\n +Mount its disk, restore it/m);

  const dry = await runIsthmus(t, ['bucket', 'adopt', '--dry-run', ...elsewhere]);
  assert.match(dry, /can be adopted; nothing was changed/);
  assert.ok(!existsSync(other));
  const done = await runIsthmus(t, ['bucket', 'adopt', ...elsewhere]);
  assert.match(done, new RegExp(`copy from ${join(dir, 'blobs')}[^]*landing/[^]*lake/`));
  assert.deepEqual(readdirSync(other), ['isthmus-bucket.json']);
  const shown = JSON.parse(await runIsthmus(t, ['bucket', 'show', '--json', ...elsewhere])) as object;
  assert.equal((shown as { isSame: boolean }).isSame, true);
  await untilSaid(start(t, 'control-plane', elsewhere), /control plane listening/);
  const storage = await openStorage({ dataDir: dir, log: silent });
  t.after(() => storage.close());
  const rows = await storage.db
    .selectFrom('audit')
    .selectAll()
    .where('event', '=', 'BUCKET_ADOPTED')
    .execute();
  assert.equal(rows.length, 1);
  assert.match(rows[0]?.properties ?? '', /"FROM":"[0-9a-f-]{36}","TO":"[0-9a-f-]{36}"/);
});

test('a backup before an upgrade is not the upgrade: an older schema stays as it is', async (t) => {
  const dir = tempDir(t);
  const storage = await openStorage({ dataDir: dir, log: silent, migrations: older });
  const organization = { id: 'o', name: 'o', description: '', hrid: 'o', created_at_ms: 1, updated_at_ms: 1 };
  await storage.db.insertInto('organization').values(organization).execute();
  await storage.close();
  const file = join(dir, 'backup');
  await runIsthmus(t, ['backup', '--data-dir', dir, file]);
  assert.equal(await schemaIn(dir), 3);
  const again = await runIsthmus(t, ['backup', '--data-dir', dir, file], { exitCode: 1 });
  assert.equal(again, '');
});

test('doctor finds nothing wrong with a control plane that has started, as text and as JSON', async (t) => {
  const dir = tempDir(t);
  const names = [
    'settings',
    'database',
    'schema',
    'role',
    'keys',
    'bucket',
    'clock',
    'certificates',
    'ports',
    'disk',
    'modes',
  ];
  const inOrder = names.map((name) => `ok ${name}`);
  await untilSaid(start(t, 'control-plane', ['--data-dir', dir]), /control plane listening/);
  const ports = ['--set', 'listen.port=0', '--set', 'admin.port=0'];
  const [title, ...lines] = (await runIsthmus(t, ['doctor', '--data-dir', dir, ...ports]))
    .trimEnd()
    .split('\n');
  assert.equal(title, '# control-plane');
  assert.deepEqual(
    lines.map((line) => line.split(/ +/, 2).join(' ')),
    inOrder,
  );
  const json = await runIsthmus(t, ['doctor', 'bridge', '--json', '--data-dir', dir, ...ports]);
  const findings = JSON.parse(json) as { check: string; status: string }[];
  assert.deepEqual(
    findings.map(({ check, status }) => `${status} ${check}`),
    inOrder.filter((line) => line !== 'ok keys'),
  );
});

test(
  'doctor does not miss the folder of a bridge on PostgreSQL, which makes none',
  { skip: postgres?.skip ?? false },
  async (t) => {
    const dir = tempDir(t);
    const url = (await postgres?.create()) ?? '';
    const place = ['--set', `database.url=${url}`, '--set', `blobs.dir=${join(dir, 'bucket')}`];
    const here = ['--data-dir', join(dir, 'control-plane'), ...place];
    await untilSaid(start(t, 'control-plane', here), /control plane listening/);
    const there = join(dir, 'bridge');
    const text = await runIsthmus(t, [
      'doctor',
      'bridge',
      '--data-dir',
      there,
      ...place,
      '--set',
      'listen.port=0',
      '--set',
      'admin.port=0',
    ]);
    assert.match(text, /^ok +disk +needs none/m);
  },
);

test(
  'doctor tells a wrong password as one, and looks at disk, ports and certificates all the same',
  { skip: postgres?.skip ?? false },
  async (t) => {
    const url = new URL((await postgres?.create()) ?? '');
    url.password = 'wrong';
    const settings = { database: { url: url.href }, blobs: { dir: tempDir(t) }, dataDir: tempDir(t) };
    const any = { listen: { port: 0 }, admin: { port: 0 } };
    const load = () => ({
      config: controlPlaneProcessSchema.parse({ ...settings, ...any }),
      sources: new Map<string, string>(),
    });
    const findings = await examine({ process: 'control-plane', load }, platformChecks);
    const told = Object.fromEntries(findings.map((each) => [each.check, each]));
    assert.match(
      `${told['database']?.found} ${told['database']?.remedy}`,
      /refuses the user or.*database\.url/,
    );
    assert.deepEqual(
      findings.filter(({ status }) => status === 'skipped').map(({ check }) => check),
      ['schema', 'role', 'keys', 'bucket', 'clock'],
    );
    for (const check of ['certificates', 'ports']) assert.equal(told[check]?.status, 'ok', check);
    assert.match(told['disk']?.found ?? '', /MiB free in/);
  },
);
