import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Fault } from '../proto/faults/fault.ts';
import { defaultDataDir } from '../proto/process/data-folder.ts';
import { tempDir } from '../test/kit/temp-dir.ts';
import { doubtsOf } from './commands/bridge-address.ts';
import { examineUp } from './doctor/up.ts';
import { explain } from './terminal.ts';
import { loadUpConfigs, reachLine } from './up-settings.ts';

const flags = { dataDir: 'data', portOffset: 0, logLevel: 'warn', set: [] } as const;

test('an address of the bridge that its settings do not know, or that is plain HTTP, is doubted before anybody enrols by it', (t) => {
  const file = join(tempDir(t), 'isthmus.yaml');
  const doubts = (address: string, bridge: object) => {
    writeFileSync(file, JSON.stringify({ 'control-plane': {}, bridge }));
    return doubtsOf(address, { config: file }).join();
  };
  const publicUrls = ['https://bridge.example.com'];
  const tls = { certFile: '/cert', keyFile: '/key' };
  assert.equal(doubts('https://bridge.example.com/', { publicUrls }), '');
  assert.match(
    doubts('https://brigde.example.com', { publicUrls }),
    /called https:.*\(publicUrls\): it refuses/,
  );
  assert.match(
    doubts('http://bridge.example.com', { publicUrls }),
    /\(publicUrls\).*is plain HTTP: machines refuse/,
  );
  assert.match(
    doubts('http://127.0.0.1:18092', { listen: { tls } }),
    /^the bridge speaks TLS \(listen\.tls\)/,
  );
  assert.equal(doubts('http://127.0.0.1:18092', {}), '');
  assert.match(doubts('http://elsewhere', {}), /^http:\/\/elsewhere is plain HTTP: machines refuse/);
  // Settings that are elsewhere, or are none, say nothing.
  assert.equal(doubts('https://any', { prot: 1 }), '');
  assert.equal(doubtsOf('https://any', {}).join(), '');
});

test('a file of up may hold the section of one process alone, whichever it is', (t) => {
  const config = join(tempDir(t), 'isthmus.yaml');
  const plain = loadUpConfigs(flags);
  for (const [text, read] of [
    ['bridge: { limits: { streamsMax: 7 } }', ({ bridge }) => bridge.limits.streamsMax],
    ['gateway: { limits: { windowsMax: 7 } }', ({ gateway }) => gateway.limits.windowsMax],
    [
      'control-plane: { login: { failuresPerUserMax: 7 } }',
      (all) => all.controlPlane.login.failuresPerUserMax,
    ],
    ['shipper: { pollEveryMs: 7 }', ({ shipper }) => shipper.pollEveryMs],
  ] as const satisfies readonly (readonly [string, (configs: typeof plain) => number])[]) {
    writeFileSync(config, text);
    assert.equal(read(loadUpConfigs({ ...flags, config })), 7, text);
    assert.notEqual(read(plain), 7);
  }
});

test("what is no section in a file of up is refused by name, one process's own keys too", (t) => {
  const config = join(tempDir(t), 'isthmus.yaml');
  for (const [text, name] of [
    ['listen: { port: 1 }', 'listen'],
    ['bridge: { limits: { streamMax: 7 } }', 'bridge.limits.streamMax|limits.streamMax'],
  ] as const) {
    writeFileSync(config, text);
    assert.throws(() => loadUpConfigs({ ...flags, config }), new RegExp(`(${name}): is not a setting`));
  }
});

test('over plain HTTP the management API of isthmus up is for this machine alone unless it is told otherwise, and who is open says so', (t) => {
  const load = (...set: readonly string[]) => loadUpConfigs({ ...flags, dataDir: tempDir(t), set });
  const hostOf = (...set: readonly string[]): string => load(...set).controlPlane.listen.host;
  assert.equal(hostOf(), '127.0.0.1');
  assert.equal(hostOf('control-plane.listen.host=0.0.0.0'), '0.0.0.0');
  assert.equal(
    hostOf('control-plane.listen.tls.certFile=a', 'control-plane.listen.tls.keyFile=b'),
    '0.0.0.0',
  );
  assert.match(
    reachLine(load()),
    /^open to others: gateway \(0\.0\.0\.0\), bridge \(0\.0\.0\.0\); --set gateway\.listen\.host=127/,
  );
  assert.match(reachLine(load('control-plane.listen.host=::')), /gateway .*, control-plane \(::\), bridge /);
  const local = ['gateway', 'bridge'].map((name) => `${name}.listen.host=127.0.0.1`);
  assert.equal(reachLine(load(...local)), '');
});

test('the gateway of isthmus up believes proxies in private networks, unless it is told whom', (t) => {
  const trusted = (...set: readonly string[]): readonly string[] =>
    loadUpConfigs({ dataDir: tempDir(t), portOffset: 0, logLevel: 'warn', set }).gateway.listen
      .trustedProxies;
  assert.ok(trusted().includes('10.0.0.0/8') && trusted().includes('::1/128'));
  assert.deepEqual(trusted('gateway.listen.trustedProxies=192.0.2.7'), ['192.0.2.7']);
  assert.deepEqual(trusted('gateway.listen.trustedProxies=[]'), []);
});

test('the folder of up is what the flag says, else ISTHMUS_DATA_DIR, else the file, and the gateway has its own in it', (t) => {
  const config = join(tempDir(t), 'isthmus.yaml');
  writeFileSync(config, 'dataDir: /of/file\n');
  const { dataDir: _dataDir, ...bare } = flags;
  const dirOf = (wish: object): string => {
    const { controlPlane, gateway, shipper } = loadUpConfigs({ ...bare, ...wish });
    for (const { dataDir } of [gateway, shipper])
      assert.equal(dataDir, join(controlPlane.dataDir, 'gateway'));
    return controlPlane.dataDir;
  };
  assert.equal(dirOf({}), defaultDataDir);
  assert.equal(dirOf({ config }), '/of/file');
  t.after(() => delete process.env['ISTHMUS_DATA_DIR']);
  process.env['ISTHMUS_DATA_DIR'] = '/of/variable';
  assert.equal(dirOf({ config }), '/of/variable');
  assert.equal(dirOf({ config, dataDir: '/of/flag' }), '/of/flag');
  process.env['ISTHMUS_DATA_DIR'] = '';
  assert.equal(dirOf({}), defaultDataDir);
});

test('a port that --port-offset moves past the last one is refused in one line, by its setting', async () => {
  const set = [
    'gateway.listen.port=40000',
    'gateway.servers=[{"id":"a","port":40000}]',
    ...['control-plane', 'bridge'].flatMap((name) => [
      `${name}.listen.port=40000`,
      `${name}.admin.port=40000`,
    ]),
    'gateway.admin.port=40000',
    'shipper.admin.port=40000',
  ];
  for (const pair of set) {
    const setting = pair.startsWith('gateway.servers') ? 'gateway.servers[0].port' : pair.split('=')[0];
    const load = (portOffset: number) => () => loadUpConfigs({ ...flags, portOffset, set: [pair] });
    assert.throws(load(30_000), (error) => {
      const { text, exitCode } = explain(error);
      const words = `isthmus: ${setting} 40000 with the port offset 30000 is 70000, and the last port is 65535. [config.invalid]`;
      assert.equal(text.split('\n').length, 1);
      return text.startsWith(words) && exitCode === 2;
    });
    assert.doesNotThrow(load(25_535));
  }
  const [control] = await examineUp({ ...flags, portOffset: 30_000, set: ['bridge.listen.port=40000'] });
  assert.match(JSON.stringify(control), /bridge\.listen\.port 40000 with the port offset 30000/);
});

test('what is wrong in the settings of several parts of up is told at once, by the names that --set and the file have for them', (t) => {
  const detailsOf = (wish: object): string => {
    try {
      loadUpConfigs({ ...flags, ...wish });
    } catch (error) {
      assert.ok(error instanceof Fault);
      return error.details.map(({ path, message }) => `${path}: ${message}`).join('\n');
    }
    return '';
  };
  const set = ['gateway.x=1', 'gateway.listen.port=a', 'shipper.admin.port=b'];
  assert.match(
    detailsOf({ set }),
    /^gateway\.x: is not[^]*^gateway\.listen\.port: .*--set gateway\.listen\.port\)$[^]*^shipper\.admin\.port: /m,
  );
  const config = join(tempDir(t), 'isthmus.yaml');
  writeFileSync(config, 'listen: {}\ngateway: { worker: 1 }\n');
  assert.deepEqual(
    detailsOf({ config })
      .split('\n')
      .map((line) => line.replace(/:.*/, '')),
    ['listen', 'gateway.worker'],
  );
});
