import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

import { soapDescription } from '../proto/definition/wsdl/fixtures.ts';
import { tempDir } from '../test/kit/temp-dir.ts';

const definition = `
id: ferries
name: Ferries
gravitee: 2.0.0
proxy:
  virtual_hosts: [{ path: /ferries }]
  groups: [{ name: main, endpoints: [{ name: one, target: "http://one.local" }] }]
`;

const convert = (t: TestContext, text: string, ...flags: readonly string[]) =>
  convertFile(t, { name: 'api.yaml', text }, ...flags);

function convertFile(
  t: TestContext,
  { name, text }: { readonly name: string; readonly text: string },
  ...flags: readonly string[]
) {
  const file = join(tempDir(t), name);
  writeFileSync(file, text);
  const args = [join(import.meta.dirname, 'cli.ts'), 'convert', file, ...flags];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  return { status, stdout, stderr };
}

test('the export goes to standard output and the report to standard error', (t) => {
  const { status, stdout, stderr } = convert(t, `${definition}execution_mode: v4-emulation-engine\n`);
  assert.equal(status, 0);
  const { api } = JSON.parse(stdout) as { readonly api: Readonly<Record<string, unknown>> };
  assert.equal(api['definitionVersion'], 'V4');
  assert.match(stderr, /^MIGRATABLE {2}.*api\.yaml\n$/);
});

test('what is converted and taken by no gateway as it is is named, written all the same, and fails', (t) => {
  const flows = `
execution_mode: v4-emulation-engine
flows:
  - path-operator: { path: /, operator: STARTS_WITH }
    pre:
      - { name: Script, policy: groovy, enabled: true, configuration: { onRequestScript: "a" } }
      - { name: Script, policy: groovy, enabled: true, configuration: { onRequestScript: "request.headers.remove 'X'" } }
      - { name: Mock, policy: mock, enabled: true, condition: "{#requst.path == '/'}", configuration: { status: "200" } }
`;
  const { status, stdout, stderr } = convert(t, `${definition}${flows}`);
  assert.equal(status, 1);
  assert.equal((JSON.parse(stdout) as { api: { definitionVersion: string } }).api.definitionVersion, 'V4');
  assert.match(stderr, /^refused {2}\S*request\[0\]\.policy .*groovy.*JavaScript/m);
  assert.match(stderr, /^note {2}\S*request\[0\] script, line 1, column 1: is not in the table: "a"/m);
  assert.match(stderr, /^note {2}\S*request\[1\] was written as JavaScript/m);
  assert.match(stdout, /"script": "request\.headers\(\)\.remove\(\\"X\\"\);"/);
  assert.match(stderr, /^refused {2}\S*request\[2\]\.condition .*requst/m);
  const { refusals } = JSON.parse(convert(t, `${definition}${flows}`, '--json').stdout) as {
    readonly refusals: readonly unknown[];
  };
  assert.equal(refusals.length, 2);
});

test('what is impossible is named with its place, writes nothing, and fails', (t) => {
  const { status, stdout, stderr } = convert(t, definition);
  assert.deepEqual([status, stdout], [1, '']);
  assert.match(stderr, /^IMPOSSIBLE {2}execution_mode is v3.*--emulate/m);
  assert.equal(convert(t, definition, '--emulate').status, 0);
});

test('a custom resource is converted; --json has report and export in one', (t) => {
  const spec = definition
    .trim()
    .split('\n')
    .map((line) => `  ${line}`)
    .join('\n');
  const resource = `apiVersion: gravitee.io/v1alpha1\nkind: ApiDefinition\nmetadata: { name: ferries }\nspec:\n${spec}\n`;
  const { status, stdout } = convert(t, resource, '--json');
  const { state, v4 } = JSON.parse(stdout) as {
    readonly state: string;
    readonly v4: { readonly plans: readonly unknown[] };
  };
  assert.deepEqual([status, state, v4.plans], [0, 'MIGRATABLE', []]);
});

test('a custom resource of version 4 in YAML is written as an export, and said to be nothing to convert', (t) => {
  const resource = `
apiVersion: gravitee.io/v1alpha1
kind: ApiV4Definition
metadata: { name: buoys, namespace: sea }
spec:
  name: Buoys
  version: "2"
  type: PROXY
  description: Out there
  listeners: [{ type: HTTP, paths: [{ path: /buoys }], entrypoints: [{ type: http-proxy }] }]
  endpointGroups: [{ name: main, type: http-proxy, endpoints: [{ name: one, type: http-proxy, configuration: { target: "http://one.local" } }] }]
  plans: { open: { name: Open, security: { type: KEY_LESS }, status: PUBLISHED } }
`;
  const { status, stdout, stderr } = convert(t, resource);
  assert.equal(status, 0, stderr);
  assert.match(stderr, /^MIGRATABLE .*\nnote {2}kind is of version 4 already: nothing is converted/);
  const { api, plans } = JSON.parse(stdout) as {
    readonly api: Readonly<Record<string, unknown>>;
    readonly plans: readonly Readonly<Record<string, unknown>>[];
  };
  assert.deepEqual(
    [api['name'], api['apiVersion'], api['description'], plans.map(({ name }) => name)],
    ['Buoys', '2', 'Out there', ['Open']],
  );
});

test('a file that holds no API, or several, is refused', (t) => {
  assert.match(convert(t, `${definition}---${definition}`).stderr, /holds 2 APIs/);
  assert.match(convert(t, 'kind: Secret\napiVersion: v1\ndata: {}\n').stderr, /holds 0 APIs/);
});

test('- is standard input, for convert as for check', () => {
  const run = (command: string, ...flags: readonly string[]) =>
    spawnSync(process.execPath, [join(import.meta.dirname, 'cli.ts'), command, '-', ...flags], {
      encoding: 'utf8',
      input: definition,
    });
  const converted = run('convert', '--emulate');
  assert.deepEqual(
    [
      converted.status,
      (JSON.parse(converted.stdout) as { readonly api: { readonly name: string } }).api.name,
    ],
    [0, 'Ferries'],
  );
  const checked = run('check');
  assert.match(checked.stdout, /^ok {7}-$/m);
});

test('a description of WSDL becomes an API with a flow for each operation, or is refused by its lines', (t) => {
  const text = soapDescription('http://backend.example/soap');
  const made = convertFile(t, { name: 'orders.wsdl', text }, '--validate');
  assert.equal(made.status, 0, made.stderr);
  assert.match(made.stderr, /^MIGRATABLE {2}.*orders\.wsdl\nnote {2}plans are not there yet/);
  const { api } = JSON.parse(made.stdout) as {
    readonly api: {
      readonly flows: readonly Record<'request' | 'response', readonly { policy: string }[]>[];
    };
  };
  const policies = api.flows.map(({ request, response }) =>
    [request, response].map((steps) => steps.map(({ policy }) => policy)),
  );
  const each = [
    ['oas-validation', 'rest-to-soap'],
    ['xml-json', 'oas-validation'],
  ];
  assert.deepEqual(policies, [[['oas-validation'], ['oas-validation']], each, each]);
  const xml = convertFile(
    t,
    { name: 'orders.xml', text },
    '--xml-answers',
    '--target',
    'https://other.example/',
  );
  assert.doesNotMatch(xml.stdout, /xml-json/);
  assert.match(xml.stdout, /"target": "https:\/\/other\.example\/"/);
  const encoded = convertFile(t, {
    name: 'orders.wsdl',
    text: text.replaceAll('use="literal"', 'use="encoded"'),
  });
  assert.deepEqual([encoded.status, encoded.stdout], [1, '']);
  assert.match(encoded.stderr, /^IMPOSSIBLE .* operation "PlaceOrder": line \d+: .*use="encoded"/m);
  const importing = text.replace(
    'urn:orders:data"/>',
    'urn:orders:data" schemaLocation="http://h/data.xsd"/>',
  );
  assert.match(
    convertFile(t, { name: 'orders.wsdl', text: importing }).stderr,
    /imports http:\/\/h\/data\.xsd, and a command fetches nothing/,
  );
});

test('a folder is converted file by file, those in it too; what is left is named, and nothing is written over', (t) => {
  const folder = tempDir(t);
  const out = join(tempDir(t), 'out');
  mkdirSync(join(folder, 'sub'));
  const emulated = `${definition}execution_mode: v4-emulation-engine\n`;
  writeFileSync(join(folder, 'a.yaml'), emulated);
  writeFileSync(join(folder, 'sub', 'b.yml'), emulated);
  writeFileSync(join(folder, 'v3.yaml'), definition);
  writeFileSync(join(folder, 'torn.json'), '{');
  writeFileSync(join(folder, 'notes.txt'), 'notes');
  const run = (...flags: readonly string[]) => {
    const args = [join(import.meta.dirname, 'cli.ts'), 'convert', folder, ...flags];
    return spawnSync(process.execPath, args, { encoding: 'utf8' });
  };
  mkdirSync(join(out, 'sub'), { recursive: true });
  writeFileSync(join(out, 'sub', 'b.v4.json'), 'mine');
  const { status, stdout, stderr } = run('--out', out);
  assert.deepEqual([status, stdout], [1, '']);
  for (const told of [
    /^converted {2}.*a\.yaml -> .*out\/a\.v4\.json$/m,
    /^left {2}.*sub\/b\.yml .*out\/sub\/b\.v4\.json is there already$/m,
    /^left {2}.*v3\.yaml execution_mode is v3/m,
    /^left {2}.*torn\.json /m,
    /^left {2}.*notes\.txt is neither JSON nor YAML$/m,
    /^1 converted, 4 left$/m,
  ])
    assert.match(stderr, told);
  assert.equal(readFileSync(join(out, 'sub', 'b.v4.json'), 'utf8'), 'mine');
  for (const name of ['v3.yaml', 'torn.json', 'notes.txt']) rmSync(join(folder, name));
  assert.equal(run().status, 0);
  assert.deepEqual(readdirSync(folder).toSorted(), ['a.v4.json', 'a.yaml', 'sub']);
  const written = JSON.parse(readFileSync(join(folder, 'sub', 'b.v4.json'), 'utf8')) as { api: object };
  assert.ok('api' in written);
});
