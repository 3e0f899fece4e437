import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { tempDir } from '../test/kit/temp-dir.ts';

test('a folder in the folder that is checked is noted, since no gateway looks into it; alone it is no definition', (t) => {
  const cwd = tempDir(t);
  const check = (...args: readonly string[]) => {
    const command = [join(import.meta.dirname, 'cli.ts'), 'check', 'apis', ...args];
    const { status, stdout } = spawnSync(process.execPath, command, { cwd, encoding: 'utf8' });
    return { status, stdout };
  };
  const note = 'note     apis/billing: is a folder; definitions are read from the folder itself only\n';
  mkdirSync(join(cwd, 'apis/billing'), { recursive: true });
  mkdirSync(join(cwd, 'apis/.git'));
  writeFileSync(join(cwd, 'apis/billing/broken.json'), '{');
  assert.deepEqual(check(), { status: 1, stdout: `There is no JSON or YAML file.\n${note}` });
  writeFileSync(join(cwd, 'apis/one.yaml'), 'id: one\nname: one\nstate: STOPPED\n');
  const { status, stdout } = check('--json');
  const { files, folders } = JSON.parse(stdout) as {
    readonly files: readonly unknown[];
    readonly folders: unknown;
  };
  assert.deepEqual([status, files.length, folders], [0, 1, ['apis/billing']]);
});

test('a description of WSDL among definitions is told with the command that makes one of it, whichever command reads it', (t) => {
  const cwd = tempDir(t);
  writeFileSync(join(cwd, 'orders.wsdl'), '<?xml version="1.0"?>\n<definitions/>');
  const env = { ...process.env, ISTHMUS_URL: 'http://127.0.0.1:1', ISTHMUS_TOKEN: 'none' };
  for (const args of [
    ['check', 'orders.wsdl'],
    ['apply', '-f', 'orders.wsdl'],
  ]) {
    const command = [join(import.meta.dirname, 'cli.ts'), ...args];
    const { status, stdout, stderr } = spawnSync(process.execPath, command, { cwd, env, encoding: 'utf8' });
    assert.notEqual(status, 0);
    assert.match(
      `${stdout}${stderr}`,
      /orders\.wsdl:? is XML: of a service in WSDL `isthmus convert` makes a definition/,
    );
  }
});

test('what does nothing, or is refused, is told with its place, its line and why', (t) => {
  const cwd = tempDir(t);
  writeFileSync(
    join(cwd, 'orders.yaml'),
    `gravitee: 4.0.0
id: orders
name: Orders
listeners: [{ type: http, paths: [{ path: /orders }] }]
endpointGroups:
  - name: first
    type: http-proxy
    endpoints: [{ name: one, type: http-proxy, configuration: { target: "http://127.0.0.1:1" } }]
plans:
  - id: open
    security: { type: KEY_LESS }
resources:
  - name: kept
    type: cache
flows:
  - selectors: [{ type: http, path: /orders/new }]
`,
  );
  const check = (...args: readonly string[]) =>
    spawnSync(process.execPath, [join(import.meta.dirname, 'cli.ts'), 'check', ...args], {
      cwd,
      encoding: 'utf8',
    });
  assert.deepEqual(check('orders.yaml').stdout.split('\n'), [
    'ok       orders.yaml',
    'note     orders.yaml: resources[0] (line 13) is used by no plan and no step',
    'note     orders.yaml: flows[0].selectors[0].path (line 16) begins with the path of the API itself, and is counted from there: it fits /orders/orders/new',
    '',
  ]);
  writeFileSync(join(cwd, 'broken.json'), '{\n  "gravitee": "4.0.0",\n  "id": "b",\n  "listeners": 7\n}');
  const { status, stdout } = check('broken.json', '--json');
  const [file] = (JSON.parse(stdout) as { files: { problems: { path: string; line?: number }[] }[] }).files;
  assert.equal(status, 1);
  assert.equal(file?.problems.find(({ path }) => path === 'listeners')?.line, 4);
});

test('for a control plane each definition is judged as its import would, alone, and what is for gateways of files is noted', (t) => {
  const cwd = tempDir(t);
  const check = (...args: readonly string[]) =>
    spawnSync(process.execPath, [join(import.meta.dirname, 'cli.ts'), 'check', ...args], {
      cwd,
      encoding: 'utf8',
    });
  const api = (id: string, more: object = {}): object => ({
    gravitee: '4.0.0',
    id,
    name: id,
    listeners: [{ type: 'http', paths: [{ path: '/same' }] }],
    endpointGroups: [
      {
        name: 'first',
        type: 'http-proxy',
        endpoints: [{ name: 'one', type: 'http-proxy', configuration: { target: 'http://127.0.0.1:1' } }],
      },
    ],
    plans: [{ id: 'open', name: 'open', security: { type: 'KEY_LESS' } }],
    ...more,
  });
  const configuration = { url: 'https://properties.example/', transformation: '[]' };
  const dynamicProperty = {
    enabled: true,
    type: 'http-dynamic-properties',
    configuration: { ...configuration, schedule: '0 */5 * * * *' },
  };
  const old = {
    gravitee: '2.0.0',
    id: 'old',
    name: 'old',
    version: '1',
    proxy: {
      virtual_hosts: [{ path: '/old' }],
      groups: [{ name: 'g', endpoints: [{ name: 'e', target: 'http://127.0.0.1:1' }] }],
    },
    plans: { open: { name: 'open', security: 'key_less', status: 'published' } },
  };
  const files = {
    'fetched.json': api('fetched', { services: { dynamicProperty } }),
    'isthmus.json': { subscriptions: [] },
    'old.json': old,
    'wrong.json': api('wrong', { listeners: [{ type: 'http', pahts: [] }] }),
  };
  for (const [name, content] of Object.entries(files))
    writeFileSync(join(cwd, name), JSON.stringify(content));
  const imported = check('.', '--for', 'control-plane');
  assert.equal(imported.status, 1);
  const lines = imported.stdout.split('\n');
  assert.ok(lines.includes('ok       fetched.json'), imported.stdout);
  assert.match(imported.stdout, /^refused {2}old\.json: execution_mode .*migrate it first/m);
  assert.match(imported.stdout, /^refused {2}wrong\.json: listeners\[0\]\.pahts .*did you mean paths\?/m);
  assert.match(imported.stdout, /^note {5}isthmus\.json: is read by gateways of files alone/m);
  assert.match(check('fetched.json').stdout, /^refused {2}fetched\.json: services\.dynamicProperty/m);
  assert.equal(check('fetched.json', '--for', 'control-plane').status, 0);
  assert.match(check('.', '--for', 'somebody').stderr, /control-plane/);
});

test('with --convert each script of Groovy is shown as JavaScript, or refused with its place', (t) => {
  const cwd = tempDir(t);
  const step = (script: string): string =>
    `{ policy: groovy, configuration: { script: ${JSON.stringify(script)} } }`;
  writeFileSync(
    join(cwd, 'orders.yaml'),
    `gravitee: 4.0.0
id: orders
flows:
  - request:
      - ${step("request.headers.'X-A' = 'a'")}
      - ${step('x.y()')}
`,
  );
  const command = [join(import.meta.dirname, 'cli.ts'), 'check', 'orders.yaml', '--convert'];
  const { status, stdout } = spawnSync(process.execPath, command, { cwd, encoding: 'utf8' });
  assert.equal(status, 1);
  assert.match(stdout, /^refused .*policy .*groovy.*isthmus check --convert/m);
  assert.match(
    stdout,
    /^note {5}orders\.yaml: flows\[0\]\.request\[0\] \(line 5\) as a step of js, with \{"readContent":false,"overrideContent":false\}:\nrequest\.headers\(\)\.set\("X-A", "a"\);$/m,
  );
  assert.match(
    stdout,
    /^note .*request\[1\] \(line 6\) script, line 1, column 1: is not in the table: "x\.y\(\)"/m,
  );
});
