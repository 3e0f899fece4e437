import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import type { Fault } from '../../faults/fault.ts';
import { startNode } from '../../../test/kit/processes/processes.ts';
import { eventually } from '../../../test/kit/eventually.ts';
import { tempDir } from '../../../test/kit/temp-dir.ts';
import { foldersOf } from '../data-folder.ts';
import { holdFolder } from './folder-hold.ts';

/** A life-cycle that only remembers what to close. */
function createClosers() {
  const closers: (() => Promise<void> | void)[] = [];
  return {
    onClose: (_name: string, closer: () => Promise<void> | void) => void closers.push(closer),
    close: () => closers.splice(0).forEach((closer) => void closer()),
  };
}

const holder = `
  import { holdFolder } from ${JSON.stringify(join(import.meta.dirname, 'folder-hold.ts'))};
  holdFolder(process.argv[1], 'gateway', { onClose: () => undefined });
  process.stdout.write('held');
  setInterval(() => undefined, 1_000);
`;

test('a folder that another process holds is refused with its process id, and is free once that is killed', async (t) => {
  const dir = tempDir(t);
  const other = startNode(t, ['--input-type=module', '-e', holder, dir]);
  await eventually(() => other.stdout() === 'held');
  const closers = createClosers();
  t.after(() => closers.close());
  assert.throws(
    () => holdFolder(dir, 'gateway', closers),
    (error: Fault) =>
      error.code === 'process.folder_in_use' &&
      error.detail === `The folder ${dir} is in use by another gateway, process ${other.pid}.`,
  );
  holdFolder(dir, 'shipper', closers);
  other.kill('SIGKILL');
  await other.ended;
  holdFolder(dir, 'gateway', closers);
});

test('a folder is free after its holder has closed, and one that was made for nothing is gone', (t) => {
  const root = tempDir(t);
  const dir = join(root, 'var', 'data');
  for (let start = 0; start < 2; start += 1) {
    const closers = createClosers();
    holdFolder(dir, 'gateway', closers);
    assert.throws(() => holdFolder(dir, 'gateway', closers), { code: 'process.folder_in_use' });
    closers.close();
    assert.deepEqual(readdirSync(root), []);
  }
  const closers = createClosers();
  holdFolder(dir, 'gateway', closers);
  writeFileSync(join(dir, 'kept'), '');
  closers.close();
  assert.equal(existsSync(join(dir, 'kept')), true);
});

test('a lock file that a power cut left in halves holds nobody up', (t) => {
  const dir = tempDir(t);
  mkdirSync(dir, { recursive: true });
  writeFileSync(foldersOf(dir).lockOf('gateway'), Buffer.alloc(4_096));
  const closers = createClosers();
  holdFolder(dir, 'gateway', closers);
  closers.close();
});
