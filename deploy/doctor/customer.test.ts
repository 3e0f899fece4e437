import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
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
import { startNode } from '../../test/kit/processes/node.ts';
import { freePort } from '../../test/kit/processes/processes.ts';
import { startUpstream } from '../../test/kit/servers/upstream.ts';
import { createAuthority } from '../../test/kit/servers/certificates.ts';
import { tempDir } from '../../test/kit/temp-dir.ts';
import type { ConfigFlags } from '../command.ts';
import { doctorCommand, type DoctorFlags } from '../commands/doctor.ts';
import { customerChecks, type CustomerSubject } from './customer.ts';
import { examine, type NamedFinding } from './doctor.ts';
import { customerDoctors } from './doctors.ts';

type Settings = Readonly<Record<string, unknown>> & { readonly listen?: object };

interface Scene {
  readonly bridge: TestBridge;
  readonly gateway: MemoryGateway;
  readonly dir: string;
  examined(wish?: {
    readonly process?: CustomerSubject['process'];
    readonly settings?: Settings;
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
      const load = () => ({
        config: schema.parse({ dataDir: dir, ...withFreePorts(process, settings) }),
        sources: new Map(),
      });
      const findings = await examine({ process, clock, load }, customerChecks);
      return Object.fromEntries(findings.map((finding) => [finding.check, finding]));
    },
  };
}

/** Ports that the system chooses, unless a test says which: somebody else may have the usual ones. */
function withFreePorts(process: CustomerSubject['process'], settings: Settings): Settings {
  const any = { port: 0 };
  const listen = process === 'gateway' ? { listen: { ...any, ...settings.listen } } : {};
  return { admin: any, ...settings, ...listen };
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
        'ok ports',
        'ok disk',
        'ok modes',
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
  assert.match(withToken['enrolment']?.found ?? '', /needs what is not there yet above/);
  const dialled = await scene.examined({ settings: { bridge: { token: 'ist1.x', url: scene.bridge.url } } });
  assert.equal(dialled['bridge']?.status, 'ok');
});

test('what dials no bridge has no line of seat, bridge, clock and enrolment, and a folder that its first start makes is none that fails', async (t) => {
  const scene = await open(t);
  const local = join(tempDir(t), 'apis');
  mkdirSync(local);
  writeFileSync(join(local, 'a.yaml'), 'id: a\nname: a\nstate: STOPPED\n');
  const alone = await scene.examined({ settings: { local } });
  assert.match(`${alone['identity']?.status} ${alone['identity']?.found}`, /ok needs none/);
  const own = await scene.examined({ process: 'shipper', settings: { output: 'folder' } });
  assert.match(`${own['identity']?.status} ${own['identity']?.found}`, /ok needs none: output is folder/);
  for (const findings of [alone, own])
    assert.deepEqual(
      Object.keys(findings).filter((check) => check !== 'definitions'),
      ['settings', 'certificates', 'ports', 'disk', 'modes', 'identity'],
    );

  const dataDir = join(scene.dir, 'new', 'gateway');
  for (const settings of [{ local: './apis' }, { bridge: { token: 'ist1.x' } }]) {
    const { disk } = await scene.examined({ settings: { dataDir, ...settings } });
    assert.notEqual(disk?.status, 'failed');
    assert.match(disk?.found ?? '', new RegExp(`free in ${scene.dir};.*the first start makes ${dataDir}$`));
  }
  const slip = await scene.examined({ settings: { dataDir } });
  assert.match(`${slip['disk']?.status} ${slip['disk']?.found}`, /^failed there is no folder/);
  assert.ok(!existsSync(join(scene.dir, 'new')));
});

test('a folder of definitions that is not there fails, an empty one warns, and of files those are named that cannot be served', async (t) => {
  const scene = await open(t);
  const definitions = async (local: string) => {
    const { status, found, remedy } = (await scene.examined({ settings: { local } }))['definitions'] ?? {};
    return `${status} ${found} ${remedy}`;
  };
  const local = join(tempDir(t), 'apis');
  assert.match(await definitions(local), /^failed There is no file or folder .*apis/);
  mkdirSync(local);
  assert.match(await definitions(local), /^warning 0 files/);
  writeFileSync(join(local, 'off.yaml'), 'id: a\nname: a\nstate: STOPPED\n');
  assert.match(await definitions(local), /^ok 1 files in/);
  writeFileSync(join(local, 'broken.json'), '{');
  assert.match(await definitions(local), /^warning 2 files.*1 cannot be served.*broken\.json isthmus check/);
});

test('what the system says of one folder ends no examination: every other check has its line', async (t) => {
  const scene = await open(t);
  // A loop is what nobody can read, root neither.
  symlinkSync('spool', join(scene.dir, 'spool'));
  const findings = await scene.examined();
  assert.match(
    `${findings['disk']?.status} ${findings['disk']?.found}`,
    /^failed .*spool.* is a link that leads back/,
  );
  assert.equal(findings['enrolment']?.status, 'ok', 'the last of them');
});

test('a port that somebody else has fails with its setting; one that the process itself has, which runs, does not', async (t) => {
  const scene = await open(t);
  const ports = async (process: CustomerSubject['process'], settings: Settings) =>
    (await scene.examined({ process, settings }))['ports'];
  const taken = await startUpstream(t);
  const listen = { host: '127.0.0.1', port: taken.port };
  assert.match(
    JSON.stringify(await ports('gateway', { listen })),
    new RegExp(`"failed","found":"in use by somebody else: listen\\.port ${taken.port} on 127`),
  );
  assert.match(
    JSON.stringify(await ports('shipper', { admin: listen })),
    new RegExp(`"failed".*somebody else: admin\\.port ${taken.port} on`),
  );
  const running = await startNode(t, 'gateway');
  const lock = foldersOf(scene.dir).lockOf('gateway');
  writeFileSync(lock, '');
  const admin = { host: '127.0.0.1', port: running };
  assert.match(
    JSON.stringify(await ports('gateway', { admin, listen })),
    /"ok","found":"in use by the gateway that runs: listen\.port \d+ on 127.0.0.1, admin\.port/,
  );
  assert.match(
    JSON.stringify(await ports('shipper', { admin })),
    /"failed","found":"in use by a gateway: admin/,
  );
  rmSync(lock);
  assert.match(
    JSON.stringify(await ports('gateway', { admin, listen })),
    /"failed","found":"in use by a gateway of another folder than .*dataDir for a slip.*For a second gateway on this machine, set ports of its own: listen\.port, admin\.port\./,
  );
  const foreign = await ports('gateway', { listen: { host: '203.0.113.1', port: taken.port } });
  assert.match(JSON.stringify(foreign), /"failed".*no address of this machine \(listen\.host\)/);
});

test('without a name the doctor examines whom the file is for, and says whom', async (t) => {
  const examined: string[] = [];
  const examiner = (process: string) => async (flags: ConfigFlags) => {
    examined.push(process);
    const fits = flags.config?.endsWith('own.yaml') !== true || process === 'shipper';
    return [{ check: 'settings', status: fits ? 'ok' : 'failed', found: '' } as const];
  };
  const doctors = new Map(
    ['control-plane', 'bridge', 'gateway', 'shipper'].map((process) => [process, examiner(process)]),
  );
  const dir = tempDir(t);
  const codes: number[] = [];
  const run = async (content?: string, name = 'isthmus.yaml'): Promise<readonly string[]> => {
    examined.length = 0;
    if (content !== undefined) writeFileSync(join(dir, name), content);
    const args = content === undefined ? [] : ['--config', join(dir, name)];
    await doctorCommand(doctors, (code) => codes.push(code)).parseAsync(args, { from: 'user' });
    return [...examined];
  };
  assert.deepEqual(await run(), ['control-plane']);
  assert.deepEqual(await run('shipper: {}\ngateway: { listen: { port: 0 } }\n'), ['gateway', 'shipper']);
  assert.deepEqual(await run('controlPlane: {}\n'), ['control-plane']);
  // The keys of one process at the top: whoever refuses them is not meant.
  await run('output: folder\n', 'own.yaml');
  assert.equal(examined.at(-1), 'shipper');
  assert.deepEqual(codes, [0, 0, 0, 0]);
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
  assert.match(JSON.stringify(none), /"failed".*nothing\.pem is not there \(ENOENT\).*Check/);
  const keyless = JSON.stringify(await certificates({ ...good, keyFile: join(scene.dir, 'nothing.key') }));
  assert.match(keyless, /"failed".*nothing\.key is not there \(ENOENT\).*Check keyFile/);
  assert.match(
    JSON.stringify(await certificates({ ...good, keyFile: good.certFile })),
    /"failed".*Give the private key in PEM/,
  );
});

test('a spool that may grow past what the disk has is a warning; an identity that is broken fails by name', async (t) => {
  const scene = await open(t);
  const { disk } = await scene.examined({ settings: { report: { diskBytesMax: Number.MAX_SAFE_INTEGER } } });
  assert.match(`${disk?.status} ${disk?.found}`, /^warning .*MiB free.*report\.diskBytesMax/);
  writeFileSync(join(scene.dir, 'identity.json'), '{');
  const { identity } = await scene.examined();
  assert.match(`${identity?.status} ${identity?.found}`, /failed .*identity\.json.*config\.unreadable/);
});

test('what others on the machine may read is named with its mode, however deep a secret lies', async (t) => {
  const scene = await open(t);
  const { secrets } = foldersOf(scene.dir);
  chmodSync(join(secrets, 'kek'), 0o640);
  chmodSync(scene.dir, 0o711);
  const { certFile, keyFile } = createAuthority(tempDir(t)).issue('gateway');
  chmodSync(keyFile, 0o640);
  const settings = { listen: { tls: { certFile, keyFile } } };
  const { modes } = await scene.examined({ settings });
  assert.equal(modes?.status, 'warning');
  assert.ok(modes.found.includes(`${scene.dir} (0711), ${join(secrets, 'kek')} (0640)`), modes.found);
  assert.doesNotMatch(modes.found, /gateway\.key|and \d+ more/, 'a group may read a private key');
  assert.match(modes.remedy ?? '', /chmod -R go-rwx/);
  chmodSync(scene.dir, 0o700);
  chmodSync(join(secrets, 'kek'), 0o600);
  assert.equal((await scene.examined({ settings })).modes?.status, 'ok');
  chmodSync(keyFile, 0o644);
  assert.ok((await scene.examined({ settings })).modes?.found.includes(`${keyFile} (0644)`));
});

test('doctor --port-offset looks at the ports that isthmus up takes with it', async (t) => {
  const { dir } = await open(t);
  const [holder, offset] = [createServer(), 700];
  await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
  t.after(() => holder.close());
  const { port } = holder.address() as AddressInfo;
  const wish = { dataDir: dir, set: [`admin.port=${port - offset}`, 'listen.port=0'] };
  const portsOf = async (flags: DoctorFlags) =>
    (await customerDoctors.get('gateway')?.(flags))?.find(({ check }) => check === 'ports');
  assert.match(
    (await portsOf({ ...wish, portOffset: offset }))?.found ?? '',
    new RegExp(`admin.port ${port} `),
  );
  assert.match((await portsOf(wish))?.found ?? '', new RegExp(`free: .*admin.port ${port - offset} `));
});
