import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { createAuthority } from '../kit/servers/certificates.ts';
import { testDatabases } from '../kit/servers/databases.ts';
import { eventually } from '../kit/eventually.ts';
import { createManagementClient } from '../kit/control-plane/management-client.ts';
import { freePort, runIsthmus, startIsthmus, type HouseProcess } from '../kit/processes/processes.ts';
import { runAsOwner } from '../kit/servers/roles.ts';
import { startS3Server } from '../kit/servers/s3-server.ts';
import { tempDir } from '../kit/temp-dir.ts';
import { adminPassword } from '../kit/processes/up.ts';

const root = join(import.meta.dirname, '../..');
const readme = readFileSync(join(root, 'README.md'), 'utf8');
const chapter = readme.slice(
  readme.indexOf('## In production'),
  readme.indexOf('Every setting, with its default'),
);
const postgres = testDatabases.find((database) => database.name === 'postgres');

test(
  'the production chapter of the README works as it stands: records travel from a gateway into the lake',
  { skip: postgres?.skip ?? false },
  async (t) => {
    const scene = await layOut(t);
    writeFileSync(join(scene.dir, 'isthmus.yaml'), scene.translate(block('yaml')));
    const commands = scene.translate(block('sh')).split('\n');
    assert.equal(commands.length, 7);
    const [owner = '', migrate = '', grants = '', password = '', ...rest] = commands;
    await scene.run([owner, migrate, grants, password].join('\n'));
    const [controlPlane = '', bridge = '', doctor = ''] = rest.map((line) => line.replace(/\s+#.*$/, ''));
    // Started together, as a supervisor would: the bridge waits until the control plane has claimed the bucket.
    const started = [controlPlane, bridge].map((line) => scene.start(line));
    await eventually(() => scene.areListening(started), { timeoutMs: 20_000 });
    const examined = await scene.run(doctor);
    for (const check of ['settings', 'database', 'schema', 'role', 'bucket'])
      assert.match(examined, new RegExp(`^ok +${check}`, 'm'), examined);

    await scene.serveOneGateway(5);
    await eventually(async () => (await scene.recordsInLake()) === 5, { timeoutMs: 20_000, everyMs: 250 });

    const strange = await runIsthmus(t, ['doctor', 'bridge', '--json', ...scene.elsewhere], {
      ...scene,
      exitCode: 1,
    });
    const findings = JSON.parse(strange) as {
      check: string;
      status: string;
      found: string;
      remedy?: string;
    }[];
    const bucket = findings.find(({ check }) => check === 'bucket');
    assert.match(
      `${bucket?.status} ${bucket?.found} ${bucket?.remedy}`,
      /failed .*no identity.*isthmus bucket adopt/,
    );
    const refused = startIsthmus(t, ['bridge', ...scene.elsewhere], scene);
    assert.equal(await refused.ended, 1);
    assert.match(refused.output(), /blobs\.wrong_bucket/);
    assert.doesNotMatch(refused.output(), /listening/);
  },
);

/** The first block of a language in the chapter. */
function block(language: string): string {
  const text = new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``).exec(chapter)?.[1];
  assert.ok(text !== undefined);
  return text.trimEnd();
}

/** Everything that a reader has and a test does not: servers, names, certificates. The text differs from the README in these alone. */
async function layOut(t: TestContext) {
  const dir = tempDir(t, 'isthmus-production');
  const ownerUrl = (await postgres?.create()) ?? '';
  const role = `isthmus_test_${randomBytes(6).toString('hex')}`;
  t.after(() => runAsOwner(ownerUrl, `DROP OWNED BY ${role}; DROP ROLE ${role}`));
  const bridgeUrl = Object.assign(new URL(ownerUrl), { username: role, password: 'bridge-secret' }).href;
  const s3 = await startS3Server(t, join(dir, 's3'));
  const authority = createAuthority(join(dir, 'ca'));
  const { certFile, keyFile } = authority.issue('bridge');
  const ports = {
    management: await freePort(),
    node: await freePort(),
    bridge: await freePort(),
    bridgeNode: await freePort(),
  };
  const bridge = `https://127.0.0.1:${ports.bridge}`;
  const replacements: readonly (readonly [string, string])[] = [
    ['postgresql://isthmus:secret@db.example.com/isthmus', ownerUrl],
    ['postgresql://isthmus_bridge:bridge-secret@db.example.com/isthmus', bridgeUrl],
    ['isthmus_bridge', role],
    ['/var/lib/isthmus ', `${join(dir, 'data')} `],
    ['https://s3.example.com', s3.endpoint],
    ['accessKeyId: isthmus', `accessKeyId: ${s3.accessKeyId}`],
    ['bucket-secret', s3.secretAccessKey],
    ['https://bridge.example.com', bridge],
    ['bridge.pem', certFile],
    ['bridge.key', keyFile],
  ];
  const env = {
    PATH: `${join(dir, 'bin')}:${process.env['PATH'] ?? ''}`,
    ISTHMUS_ADMIN_PASSWORD: adminPassword,
    ISTHMUS_CONTROL_PLANE__LISTEN__PORT: String(ports.management),
    ISTHMUS_CONTROL_PLANE__ADMIN__PORT: String(ports.node),
    ISTHMUS_BRIDGE__ADMIN__PORT: String(ports.bridgeNode),
    ISTHMUS_BRIDGE__LISTEN__PORT: String(ports.bridge),
  };
  mkdirSync(join(dir, 'bin'));
  const shim = join(dir, 'bin/isthmus');
  writeFileSync(shim, `#!/bin/sh\nexec "${process.execPath}" "${join(root, 'deploy/isthmus.js')}" "$@"\n`);
  chmodSync(shim, 0o755);
  const { serveOneGateway } = customersSide(t, {
    dir,
    bridge,
    caFile: authority.caFile,
    management: ports.management,
  });
  return {
    dir,
    cwd: dir,
    env,
    /** Another prefix of the same bucket is another bucket. */
    elsewhere: ['--config', 'isthmus.yaml', '--set', 'blobs.s3.prefix=elsewhere/'],
    translate: (text: string) => replacements.reduce((done, [from, to]) => done.replaceAll(from, to), text),
    run: async (script: string) =>
      (await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', script], { cwd: dir, env })).stdout,
    start: (line: string) => startIsthmus(t, line.split(' ').slice(1), { cwd: dir, env }),
    areListening: (children: readonly HouseProcess[]) =>
      children.every((child) => {
        if (!child.isRunning()) throw new Error(child.output());
        return child.output().includes(' listening on ');
      }),
    serveOneGateway,
    recordsInLake: () => countRecords(ownerUrl),
  };
}

/** A gateway with its shipper, enrolled through the bridge; requests that no API takes have records as well. */
function customersSide(
  t: TestContext,
  wish: {
    readonly dir: string;
    readonly bridge: string;
    readonly caFile: string;
    readonly management: number;
  },
) {
  const { dir, bridge, caFile, management } = wish;
  return {
    async serveOneGateway(requests: number): Promise<void> {
      const client = createManagementClient(`http://127.0.0.1:${management}`, adminPassword);
      const fleets = await client.call<{ data: { id: string }[] }>('GET', '/v2/organizations/DEFAULT/fleets');
      const path = `/v2/organizations/DEFAULT/fleets/${fleets.data[0]?.id}/enrolment-tokens`;
      const { token } = await client.call<{ token: string }>('POST', path, { body: { bridge } });
      const ports = { gateway: await freePort(), node: await freePort(), shipper: await freePort() };
      const env = {
        ISTHMUS_GATEWAY__OUTBOUND__CA_FILE: caFile,
        ISTHMUS_SHIPPER__OUTBOUND__CA_FILE: caFile,
        ISTHMUS_GATEWAY__LISTEN__PORT: String(ports.gateway),
        ISTHMUS_GATEWAY__ADMIN__PORT: String(ports.node),
        ISTHMUS_SHIPPER__ADMIN__PORT: String(ports.shipper),
        ISTHMUS_SHIPPER__BATCH__MS_MAX: '500',
      };
      await runIsthmus(t, ['enroll', '--token', token, '--data-dir', 'gateway'], { cwd: dir, env });
      startIsthmus(t, ['gateway', '--with-shipper', '--data-dir', 'gateway'], { cwd: dir, env });
      await eventually(async () => (await fetch(`http://127.0.0.1:${ports.node}/health/ready`)).ok, {
        timeoutMs: 20_000,
      });
      for (let n = 0; n < requests; n += 1)
        assert.equal((await fetch(`http://127.0.0.1:${ports.gateway}/nowhere`)).status, 404);
    },
  };
}

async function countRecords(url: string): Promise<number> {
  const { Client } = (await import('pg')).default;
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const sum = `select coalesce(sum(record_count), 0) as count from lake_file where state = 'live'`;
    return Number((await client.query<{ count: string }>(sum)).rows[0]?.count);
  } finally {
    await client.end();
  }
}
