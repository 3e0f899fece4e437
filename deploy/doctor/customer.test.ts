import assert from 'node:assert/strict';
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { gatewayConfigSchema } from '../../data-plane/config.ts';
import { type Clock, systemClock } from '../../proto/process/clock.ts';
import { foldersOf } from '../../proto/process/data-folder.ts';
import { openKeyring } from '../../proto/process/secrets.ts';
import { saveIdentity } from '../../proto/trust/identity.ts';
import { shipperConfigSchema } from '../../shipper/config.ts';
import type { MemoryGateway } from '../../test/kit/bridge/memory-repository.ts';
import { startTestBridge, type TestBridge, type TestBridgeWish } from '../../test/kit/bridge/test-bridge.ts';
import { identityOf } from '../../test/kit/gateway/sync-gateway.ts';
import { freePort } from '../../test/kit/processes/processes.ts';
import { createAuthority } from '../../test/kit/servers/certificates.ts';
import { tempDir } from '../../test/kit/temp-dir.ts';
import { customerChecks, type CustomerSubject } from './customer.ts';
import { examine, type NamedFinding } from './doctor.ts';

interface Scene {
  readonly bridge: TestBridge;
  readonly gateway: MemoryGateway;
  readonly dir: string;
  examined(wish?: {
    readonly process?: CustomerSubject['process'];
    readonly settings?: object;
    readonly clock?: Clock;
  }): Promise<Readonly<Record<string, NamedFinding>>>;
}

/** A machine that has enrolled at a bridge that is there. */
async function open(t: TestContext, wish: TestBridgeWish = {}): Promise<Scene> {
  const bridge = await startTestBridge(t, wish);
  const gateway = bridge.repository.addGateway();
  const dir = tempDir(t);
  saveIdentity(
    dir,
    identityOf(bridge.repository, gateway, bridge.url),
    openKeyring({ dir: foldersOf(dir).secrets }),
  );
  return {
    bridge,
    gateway,
    dir,
    async examined({ process = 'gateway', settings = {}, clock = systemClock } = {}) {
      const schema = process === 'gateway' ? gatewayConfigSchema : shipperConfigSchema;
      const load = () => ({ config: schema.parse({ dataDir: dir, ...settings }), sources: new Map() });
      const findings = await examine({ process, clock, load }, customerChecks);
      return Object.fromEntries(findings.map((finding) => [finding.check, finding]));
    },
  };
}

const statusOf = (findings: Readonly<Record<string, NamedFinding>>): readonly string[] =>
  Object.values(findings).map(({ check, status }) => `${status} ${check}`);

test('an enrolled machine whose bridge is there is well, gateway and shipper, and nothing is made or claimed', async (t) => {
  const scene = await open(t);
  const before = readdirSync(scene.dir).toSorted();
  for (const process of ['gateway', 'shipper'] as const) {
    const findings = await scene.examined({ process });
    assert.deepEqual(
      statusOf(findings).map((line) => line.replace(/^warning disk$/, 'ok disk')),
      [
        'ok settings',
        'ok certificates',
        'ok disk',
        'ok identity',
        'ok seat',
        'ok bridge',
        'ok clock',
        'ok enrolment',
      ],
    );
    assert.match(findings['bridge']?.found ?? '', /answers in \d+ ms/);
  }
  assert.deepEqual(readdirSync(scene.dir).toSorted(), before);
  assert.ok(!existsSync(foldersOf(scene.dir).gatewaySeat));
});

test('a revoked gateway is told so, and what to do', async (t) => {
  const scene = await open(t);
  scene.bridge.repository.revoke(scene.gateway.identity.id);
  const { enrolment } = await scene.examined();
  assert.equal(enrolment?.status, 'failed');
  assert.match(enrolment.found, /bridge\.revoked/);
  assert.match(enrolment.remedy ?? '', /enrol with a new token/);
});

test('a bridge that is dialled by a name that it does not know says which setting is missing there', async (t) => {
  const scene = await open(t);
  const url = scene.bridge.url.replace('127.0.0.1', 'localhost');
  const { enrolment } = await scene.examined({ settings: { bridge: { url } } });
  assert.match(`${enrolment?.status} ${enrolment?.found}`, /failed .*trust\.wrong_audience/);
  assert.match(enrolment?.remedy ?? '', /publicUrls/);
});

test('a bridge that is away fails once, and what needs it is skipped', async (t) => {
  const scene = await open(t);
  const url = `http://127.0.0.1:${await freePort()}`;
  const findings = await scene.examined({ settings: { bridge: { url } } });
  assert.match(findings['bridge']?.found ?? '', /cannot be reached.*outbound\.unreachable/);
  assert.match(findings['bridge']?.remedy ?? '', /firewall/);
  assert.deepEqual(statusOf(findings).slice(-2), ['skipped clock', 'skipped enrolment']);
});

test('somebody who answers in the place of the bridge is named', async (t) => {
  const scene = await open(t);
  const findings = await scene.examined({ settings: { bridge: { url: scene.bridge.nodeApi } } });
  assert.match(findings['bridge']?.found ?? '', /is not the bridge: 404 application\/json/);
});

test("a clock that is off by a minute is a warning, with the bridge's as the measure", async (t) => {
  const scene = await open(t);
  const clock = { ...systemClock, now: () => systemClock.now() - 60_000 };
  const findings = await scene.examined({ clock });
  assert.match(`${findings['clock']?.status} ${findings['clock']?.found}`, /^warning (59|60|61) s behind/);
  assert.match(findings['clock']?.remedy ?? '', /NTP/);
  assert.equal(findings['enrolment']?.status, 'ok');
});

test('a machine that has not enrolled is told how; one with a token in its settings enrols by itself', async (t) => {
  const scene = await open(t);
  rmSync(join(scene.dir, 'identity.json'));
  const bare = await scene.examined();
  assert.match(`${bare['identity']?.status} ${bare['identity']?.remedy}`, /failed .*isthmus enroll/);
  assert.deepEqual(statusOf(bare).slice(-4), [
    'skipped seat',
    'skipped bridge',
    'skipped clock',
    'skipped enrolment',
  ]);
  const withToken = await scene.examined({ settings: { bridge: { token: 'ist1.x' } } });
  assert.equal(withToken['identity']?.status, 'warning');
  const alone = await scene.examined({ settings: { local: './apis' } });
  assert.match(`${alone['identity']?.status} ${alone['identity']?.found}`, /ok needs none/);
  const own = await scene.examined({ process: 'shipper', settings: { output: 'folder' } });
  assert.match(`${own['identity']?.status} ${own['identity']?.found}`, /ok needs none: output is folder/);
});

test('certificates that ended, end soon, or have another key are told of by setting and file', async (t) => {
  const scene = await open(t);
  const authority = createAuthority(join(tempDir(t), 'ca'));
  const good = authority.issue('good');
  const ended = authority.issue('ended', { isExpired: true });
  const certificates = async (tls: object) =>
    (await scene.examined({ settings: { listen: { tls } } }))['certificates'];
  // The test's authority signs for a day.
  assert.match(JSON.stringify(await certificates(good)), /"warning".*listen\.tls: .*good.*ends in \d days/);
  assert.match(JSON.stringify(await certificates(ended)), /"failed".*ended .*SIGHUP/);
  const mixed = await certificates({ certFile: good.certFile, keyFile: ended.keyFile });
  assert.match(JSON.stringify(mixed), /"failed".*is not the key of/);
  const second = await certificates({ ...good, certificates: [ended] });
  assert.match(JSON.stringify(second), /"failed".*listen\.tls\.certificates\[0\]/);
  const none = await certificates({ ...good, certFile: join(scene.dir, 'nothing.pem') });
  assert.match(JSON.stringify(none), /"failed".*nothing\.pem.*ENOENT/);
});

test('a spool that may grow past what the disk has is a warning; an identity that is broken fails by name', async (t) => {
  const scene = await open(t);
  const { disk } = await scene.examined({ settings: { report: { diskBytesMax: Number.MAX_SAFE_INTEGER } } });
  assert.match(`${disk?.status} ${disk?.found}`, /^warning .*MiB free.*report\.diskBytesMax/);
  writeFileSync(join(scene.dir, 'identity.json'), '{');
  const { identity } = await scene.examined();
  assert.match(`${identity?.status} ${identity?.found}`, /failed .*identity\.json.*config\.unreadable/);
});
