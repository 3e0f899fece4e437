import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { runIsthmus } from '../../test/kit/processes/processes.ts';
import { tempDir } from '../../test/kit/temp-dir.ts';
import { loadConfig } from '../../proto/process/config.ts';
import { processNames, processSchemas, type ProcessName } from '../processes.ts';

const fileOf = (name: ProcessName): string => join(import.meta.dirname, `${name}.yaml`);
const load = (name: ProcessName) => loadConfig(processSchemas[name], { process: name, file: fileOf(name) });

test('isthmus config accepts each production file, and names it as the source', async (t) => {
  for (const name of processNames) {
    const printed = await runIsthmus(t, ['config', name, '--print', '--config', fileOf(name)]);
    assert.match(printed, new RegExp(`# file .*${name}\\.yaml`), name);
    assert.doesNotMatch(printed, /:CHANGE-ME@/, 'a secret is printed');
  }
});

test('the settings that stand in comments are settings too', (t) => {
  const dir = tempDir(t);
  const counts = processNames.map((name) => {
    const text = readFileSync(fileOf(name), 'utf8');
    const commented = /^( *)# ( *)([a-z]\w*:(?: \S+)?)(?: +#.*)?$/gm;
    const file = join(dir, `${name}.yaml`);
    writeFileSync(file, text.replaceAll(commented, '$1$2$3'));
    loadConfig(processSchemas[name], { process: name, file });
    return [...text.matchAll(commented)].length;
  });
  assert.deepEqual(counts, [5, 2, 6, 1]);
});

test('no group of settings stands there without a reason', () => {
  for (const name of processNames) {
    const groups = readFileSync(fileOf(name), 'utf8')
      .split(/\n\n/)
      .filter((group) => /^ {2}[a-z]/m.test(group));
    assert.ok(groups.length > 4, name);
    for (const group of groups) assert.match(group, /# \S/, group);
  }
});

test('both sides of what two processes share are the same', () => {
  const controlPlane = load('control-plane').config as { readonly blobs: unknown };
  const bridge = load('bridge').config as { readonly blobs: unknown };
  assert.deepEqual(controlPlane.blobs, bridge.blobs);
  const gateway = load('gateway').config as { readonly dataDir: string; readonly outbound: unknown };
  const shipper = load('shipper').config as { readonly dataDir: string; readonly outbound: unknown };
  assert.deepEqual([gateway.dataDir, gateway.outbound], [shipper.dataDir, shipper.outbound]);
});
