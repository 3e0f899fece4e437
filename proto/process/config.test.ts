import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { z } from 'zod';

import { tempDir } from '../../test/kit/temp-dir.ts';
import { Fault } from '../faults/fault.ts';
import { httpUrl, loadConfig, secret, section, settingsOf, type ConfigOptions } from './config.ts';

const schema = z.strictObject({
  dataDir: z.string().default('./isthmus-data').describe('Where everything is kept.'),
  listen: section({
    host: z.string().default('0.0.0.0'),
    port: z.number().int().min(0).max(65_535).default(8082).describe('Port of the traffic.'),
  }),
  spoolHoldMs: z.number().int().min(0).default(20),
  isQuiet: z.boolean().default(false),
  level: z.enum(['info', 'debug']).default('info'),
  allow: z.array(z.string()).default([]),
  password: secret().optional(),
  proxy: z.strictObject({ url: secret() }).optional(),
});

const load = (options: Partial<ConfigOptions> = {}) => loadConfig(schema, { process: 'gateway', ...options });

function fileOf(t: TestContext, text: string): string {
  const file = join(tempDir(t), 'isthmus.yaml');
  writeFileSync(file, text);
  return file;
}

function faultsOf(run: () => unknown): Record<string, string> {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof Fault, String(error));
    assert.equal(error.code, 'config.invalid');
    return Object.fromEntries(error.details.map(({ path, message }) => [path, message]));
  }
  return assert.fail('nothing was refused');
}

test('an absent section means the embedded default', () => {
  const { config, sources } = load();
  assert.deepEqual(config.listen, { host: '0.0.0.0', port: 8082 });
  assert.equal(sources.get('listen.port'), 'default');
});

test('defaults give way to the file, the file to the environment, the environment to flags', (t) => {
  const file = fileOf(t, 'listen: { host: 127.0.0.1, port: 1 }\nspoolHoldMs: 5\n');
  const env = { ISTHMUS_GATEWAY__LISTEN__PORT: '2', ISTHMUS_GATEWAY__SPOOL_HOLD_MS: '6' };
  const { config, sources } = load({ file, env, flags: { 'listen.port': '3', level: undefined } });
  assert.deepEqual(config.listen, { host: '127.0.0.1', port: 3 });
  assert.equal(config.spoolHoldMs, 6);
  assert.equal(sources.get('listen.port'), '--set listen.port');
  assert.equal(sources.get('listen.host'), `file ${file}`);
  assert.equal(sources.get('spoolHoldMs'), 'env ISTHMUS_GATEWAY__SPOOL_HOLD_MS');
});

test('environment values are read by the type of the setting', () => {
  const { config } = load({
    env: {
      ISTHMUS_GATEWAY__IS_QUIET: 'true',
      ISTHMUS_GATEWAY__ALLOW: '10.0.0.1, example.com',
      ISTHMUS_GATEWAY__PASSWORD: '12345',
      ISTHMUS_GATEWAY__PROXY__URL: 'http://a',
      ISTHMUS_DATA_DIR: '/data',
      ISTHMUS_ADMIN_PASSWORD: 'not a setting of the gateway',
      ISTHMUS_SHIPPER__WHATEVER: 'not ours',
    },
  });
  assert.equal(config.isQuiet, true);
  assert.deepEqual(config.allow, ['10.0.0.1', 'example.com']);
  assert.equal(config.password, '12345');
  assert.equal(config.proxy?.url, 'http://a');
  assert.equal(config.dataDir, '/data');
});

test('all faults are reported at once, with path, what is allowed and the source', (t) => {
  const file = fileOf(t, 'listen: { port: 70000, hots: a }\nlevel: loud\nalow: []\n');
  const faults = faultsOf(() => load({ file, env: { ISTHMUS_GATEWAY__SPOOL_HOLD_MS: 'soon' } }));
  assert.match(faults['listen.port'] ?? '', /integer 0\.\.65535; got 70000 \(file /);
  assert.match(faults['listen.hots'] ?? '', /did you mean host\?/);
  assert.match(faults['alow'] ?? '', /did you mean allow\?/);
  assert.match(faults['level'] ?? '', /one of info, debug; got "loud"/);
  assert.match(
    faults['spoolHoldMs'] ?? '',
    /integer 0\.\.; got "soon" \(env ISTHMUS_GATEWAY__SPOOL_HOLD_MS\)/,
  );
  assert.equal(Object.keys(faults).length, 5);
});

test('a mistyped variable or flag names the nearest one', () => {
  const faults = faultsOf(() =>
    load({
      env: { ISTHMUS_GATEWAY__LISTN__PORT: '1', ISTHMUS_GATEWY__LISTEN__PORT: '1' },
      flags: { 'listen.prot': 1 },
    }),
  );
  assert.match(faults['ISTHMUS_GATEWAY__LISTN__PORT'] ?? '', /did you mean ISTHMUS_GATEWAY__LISTEN__PORT\?/);
  assert.match(faults['ISTHMUS_GATEWY__LISTEN__PORT'] ?? '', /did you mean ISTHMUS_GATEWAY__LISTEN__PORT\?/);
  assert.match(faults['listen.prot'] ?? '', /did you mean listen\.port\?/);
});

test('one file serves all processes by sections, and its dataDir is for all', (t) => {
  const file = fileOf(t, 'dataDir: /d\ngateway: { spoolHoldMs: 7 }\ncontrol-plane: { whatever: 1 }\n');
  assert.equal(load({ file }).config.spoolHoldMs, 7);
  assert.equal(load({ file }).config.dataDir, '/d');
  assert.equal(loadConfig(schema, { process: 'shipper', file }).config.spoolHoldMs, 20);
  assert.match(
    faultsOf(() => load({ file: fileOf(t, 'gateway: {}\nshiper: {}\n') }))['shiper'] ?? '',
    /shipper/,
  );
});

test('a section is told from a setting of the same name, and a mistyped section names the one that was meant', (t) => {
  const withBridge = z.strictObject({
    bridge: section({ url: z.string().optional() }),
    workers: z.number().default(1),
  });
  const load = (text: string) => loadConfig(withBridge, { process: 'gateway', file: fileOf(t, text) }).config;
  const sections = 'control-plane: { a: 1 }\nbridge: { publicUrls: [x] }\n';
  assert.deepEqual(load(sections), { bridge: {}, workers: 1 });
  assert.equal(load(`${sections}gateway: { bridge: { url: u } }\n`).bridge.url, 'u');
  assert.equal(load('bridge: { url: u }\n').bridge.url, 'u');
  assert.match(faultsOf(() => load('gatway: { workers: 2 }\n'))['gatway'] ?? '', /did you mean gateway\?/);
});

test('secrets print as *** wherever they stand and are not quoted by faults', (t) => {
  const file = fileOf(t, 'password: hunter2\nproxy: { url: "http://u:hunter2@p" }\n');
  const loaded = load({ file });
  assert.equal(loaded.config.password, 'hunter2');
  assert.doesNotMatch(loaded.print(), /hunter2/);
  assert.match(loaded.print(), /password = "\*\*\*" {2}# file /);
  const faults = faultsOf(() => load({ file: fileOf(t, 'password: [hunter2]\n') }));
  assert.doesNotMatch(JSON.stringify(faults), /hunter2/);
});

test('a password in any text that is a URL is not printed, and not quoted by a fault', (t) => {
  const loose = z.strictObject({
    urls: z.array(z.string()).default([]),
    named: z.record(z.string(), z.string()).default({}),
    listed: z.array(z.strictObject({ at: z.string() })).default([]),
    whole: z.unknown().optional(),
    home: httpUrl().optional(),
    count: z.number().default(1),
  });
  const url = 'https://u:hunter2@h/?apikey=hunter2';
  const loadLoose = (values: object) =>
    loadConfig(loose, { process: 'gateway', file: fileOf(t, JSON.stringify(values)) });
  const wish = { urls: [url], named: { a: url }, listed: [{ at: url }], whole: { deep: [url] } };
  const loaded = loadLoose(wish);
  assert.doesNotMatch(loaded.print(), /hunter2/);
  assert.equal(loaded.print().match(/https:\/\/u:\*\*\*@h\/\?apikey=\*\*\*/g)?.length, 4);
  assert.deepEqual(loaded.config.urls, [url]);
  for (const wrong of [
    { count: url },
    { urls: { a: url } },
    { listed: [{ at: 1 }, { no: url }] },
    { home: url },
  ])
    assert.doesNotMatch(JSON.stringify(faultsOf(() => loadLoose(wrong))), /hunter2/, JSON.stringify(wrong));
});

test('a URL that nothing sends a user or a password to must not hold one', () => {
  for (const url of ['http://h', 'https://h:1/x?y@z:1', 'http://h/u:p@x'])
    assert.equal(httpUrl().safeParse(url).success, true, url);
  for (const url of ['http://u@h', 'http://u:p@h', 'https://:p@h', 'ftp://h', 'h'])
    assert.equal(httpUrl().safeParse(url).success, false, url);
});

test('the print names the source of each value', () => {
  const text = load({ env: { ISTHMUS_GATEWAY__LISTEN__PORT: '0' } }).print();
  assert.match(text, /^listen\.port = 0 {2}# env ISTHMUS_GATEWAY__LISTEN__PORT$/m);
  assert.match(text, /^listen\.host = "0\.0\.0\.0" {2}# default$/m);
});

test('the result is frozen at every depth', () => {
  const { config } = load();
  assert.ok(Object.isFrozen(config) && Object.isFrozen(config.listen) && Object.isFrozen(config.allow));
});

test('a file that is missing, broken or no map is one clear fault', (t) => {
  for (const file of ['/nowhere/isthmus.yaml', fileOf(t, 'a: [\n'), fileOf(t, '- a\n')]) {
    assert.throws(
      () => load({ file }),
      (error) => error instanceof Fault && error.code === 'config.unreadable',
    );
  }
});

test('the reference lists path, what is taken, default and description', () => {
  const settings = new Map(settingsOf(schema).map((setting) => [setting.path, setting]));
  const port = settings.get('listen.port');
  assert.equal(port?.takes, 'integer 0..65535');
  assert.equal(port?.byDefault, '8082');
  assert.equal(port?.description, 'Port of the traffic.');
  assert.equal(settings.get('proxy.url')?.isSecret, true);
  assert.equal(settings.get('password')?.isSecret, true);
  assert.equal(settings.get('level')?.takes, 'one of info, debug');
});

test('a file whose keys are names that every object has is told that there is no such setting', (t) => {
  for (const key of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
    const file = fileOf(t, `${key}: { polluted: 1 }\nlisten: { ${key}: { port: 1 } }\n`);
    assert.throws(
      () => loadConfig(schema, { process: 'gateway', file }),
      (error) =>
        error instanceof Fault &&
        [key, `listen.${key}`].every((path) => error.details.some((detail) => detail.path === path)),
      key,
    );
  }
});

test('a file that is no YAML is told with the place, and quotes nothing of what it holds', (t) => {
  const file = fileOf(t, 'bridge: { token: TOPSECRET, url: [ }\n');
  assert.throws(
    () => loadConfig(schema, { process: 'gateway', file }),
    (error) =>
      error instanceof Fault &&
      error.code === 'config.unreadable' &&
      /line 1, column \d+/.test(error.detail ?? '') &&
      !String(error.detail).includes('TOPSECRET') &&
      !String(error.message).includes('TOPSECRET'),
  );
});
