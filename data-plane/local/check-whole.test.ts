import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { apiDefinition } from '../../test/kit/gateway/gateway.ts';
import { tempDir } from '../../test/kit/temp-dir.ts';
import { gatewayConfigSchema } from '../config.ts';
import { checkFiles } from './check.ts';

const config = gatewayConfigSchema.parse({});
const backend = 'http://127.0.0.1:1';
const forbidden = 'http://169.254.169.254';
const listeners = [{ type: 'http', paths: [{ path: '/taken' }], entrypoints: [{ type: 'http-proxy' }] }];

test('all that is wrong with a file is told at once: that another has its path or its id, and what is in it', async (t) => {
  const dir = tempDir(t);
  const write = (name: string, definition: object): void =>
    writeFileSync(join(dir, `${name}.json`), JSON.stringify(definition));
  write('a', apiDefinition('a', backend, { listeners }));
  write('b', apiDefinition('b', forbidden, { listeners }));
  write('c', apiDefinition('a', forbidden));
  write('d', apiDefinition('a', forbidden, { nonsense: 1 }));
  write('e', apiDefinition('e', backend));
  write(
    'f',
    apiDefinition('a', `${forbidden}/2`, { listeners: [{ ...listeners[0], paths: [{ path: '/e' }] }] }),
  );
  const files = await checkFiles([dir], config);
  const found = files.map(({ file, problems }) => [
    file.slice(dir.length + 1),
    problems.map(({ path, message }) => `${path} ${message}`.replaceAll(`${dir}/`, '')),
  ]);
  const target = (to: string): string =>
    ` endpointGroups[0].endpoints[0].configuration.target leads to ${to}, which this gateway may not call (settings upstream.allow, upstream.deny)`;
  assert.deepEqual(found.slice(0, 3), [
    ['a.json', []],
    [
      'b.json',
      [
        target('169.254.169.254:80'),
        ' The context path /taken is taken by API a of environment DEFAULT (a.json).',
      ],
    ],
    ['c.json', ['id api "a" is in a.json already', target('169.254.169.254:80')]],
  ]);
  const [name, problems] = found[3] as [string, string[]];
  assert.deepEqual([name, problems[0], problems.length], ['d.json', 'id api "a" is in a.json already', 2]);
  assert.match(problems[1] ?? '', /^nonsense is unknown/);
  assert.deepEqual(found.slice(4), [
    ['e.json', []],
    ['f.json', ['id api "a" is in a.json already', target('169.254.169.254:80')]],
  ]);
});

test('words that YAML 1.1 took for booleans are texts, which is said with what to write; a version is known in any case', async (t) => {
  const file = join(tempDir(t), 'a.yaml');
  const definition = (version: string, flag: string, more = ''): string => `
id: a
name: a
definitionVersion: ${version}
type: PROXY
listeners: [{ type: HTTP, paths: [{ path: /a }] }]
endpointGroups: [{ name: g, type: http-proxy, endpoints: [{ name: e, type: http-proxy, configuration: { target: "${backend}" } }] }]
plans: [{ id: p, name: p, security: { type: KEY_LESS }, status: PUBLISHED }]
analytics: { enabled: ${flag} }
${more}`;
  const problemsOf = async (text: string): Promise<readonly string[]> => {
    writeFileSync(file, text);
    const [checked] = await checkFiles([file], config);
    return (checked?.problems ?? []).map(({ path, line, message }) => `${path} (${line}) ${message}`);
  };
  for (const version of ['v4', 'V4', '4.0.0'])
    assert.deepEqual(await problemsOf(definition(version, 'true')), []);
  assert.deepEqual(await problemsOf(definition('v5', 'true')), [
    'definitionVersion (4) is not supported by this version; allowed: V4, 4.0.0, V2, 2.0.0',
  ]);
  for (const [word, meant] of [
    ['on', true],
    ['Yes', true],
    ['no', false],
    ['OFF', false],
  ] as const)
    assert.deepEqual(await problemsOf(definition('V4', word)), [
      `analytics.enabled (9) must be true or false, not the text "${word}"; write ${meant}`,
    ]);
  const version2 = `
id: a
name: a
gravitee: 2.0.0
version: '1'
execution_mode: v4-emulation-engine
proxy:
  virtual_hosts: [{ path: /a }]
  groups: [{ name: g, endpoints: [{ name: e, target: "${backend}", backup: yes }] }]
plans: [{ id: p, name: p, security: key_less, status: published }]
`;
  assert.deepEqual(await problemsOf(version2), [
    'proxy.groups[0].endpoints[0].backup (9) must be true or false, not the text "yes"; write true',
  ]);
});

test('manifests that no gateway reads are noted, those that APIs refer to and foreign ones are not', async (t) => {
  const manifest = (kind: string, apiVersion = 'gravitee.io/v1alpha1'): string =>
    `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: { name: x }\nspec: {}\n`;
  const dir = tempDir(t);
  const all = [
    ...['Subscription', 'Application', 'ApiResource', 'Group', 'Portal'].map((kind) => manifest(kind)),
    manifest('Dictionary').replace('{}', '{ deployed: true, type: MANUAL, manual: { properties: {} } }'),
    manifest('Dictionary').replace('{}', '{ deployed: true, type: DYNAMIC, dynamic: {} }'),
  ].join('---\n');
  writeFileSync(join(dir, 'all.yaml'), all);
  writeFileSync(join(dir, 'foreign.yaml'), manifest('Subscription', 'example.com/v1'));
  const notes = (await checkFiles([dir], config)).flatMap((each) => each.notes);
  assert.deepEqual(
    notes.map(({ document, message }) => [document, message.split(',')[0]]),
    [
      [1, 'is a manifest of the kind Subscription'],
      [2, 'is a manifest of the kind Application'],
      [4, 'is a manifest of the kind Group'],
      [5, 'is a manifest of the kind Portal'],
      [7, 'is a dictionary of the type DYNAMIC'],
    ],
  );
});
