import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
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
  const failures: unknown[] = [];
  const said: string[] = [];
  return {
    failures,
    said,
    lifecycle: {
      onClose: (_name: string, closer: () => Promise<void> | void) => void closers.push(closer),
      task: (_name: string, promise: Promise<unknown>) =>
        void promise.catch((error: unknown) => failures.push(error)),
    },
    log: {
      warn: (_: object, message?: string) => void said.push(message ?? ''),
      error: (_: object, message?: string) => void said.push(message ?? ''),
    },
    close: () => closers.splice(0).forEach((closer) => void closer()),
  };
}

const holder = `
  import { holdFolder } from ${JSON.stringify(join(import.meta.dirname, 'folder-hold.ts'))};
  const log = { warn: () => undefined, error: () => undefined };
  holdFolder(process.argv[1], 'gateway', { lifecycle: { onClose: () => undefined, task: () => undefined }, log });
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
      new RegExp(
        `^The folder ${dir} is in use by another gateway \\(process ${other.pid}, since \\d{4}-\\d\\d-\\d\\dT[\\d:]+Z\\)\\.$`,
      ).test(error.detail) &&
      error.hint?.startsWith(`Stop that one (kill ${other.pid}), or give this one a folder of its own`) ===
        true,
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

test('a lock file that somebody deletes is made and locked again, so that no second process comes in', async (t) => {
  const dir = tempDir(t);
  const closers = createClosers();
  holdFolder(dir, 'gateway', closers);
  rmSync(foldersOf(dir).lockOf('gateway'));
  await eventually(() => closers.said.some((line) => line.includes('held again')));
  assert.throws(() => holdFolder(dir, 'gateway', createClosers()), { code: 'process.folder_in_use' });
  closers.close();
  assert.deepEqual([readdirSync(dir), closers.failures], [[], []]);
});

test('a process whose lock file was deleted ends when another was faster, and takes nothing from it', async (t) => {
  const dir = tempDir(t);
  const closers = createClosers();
  holdFolder(dir, 'gateway', closers);
  rmSync(foldersOf(dir).lockOf('gateway'));
  // In the same process, since another one would have to start within the second.
  const other = createClosers();
  holdFolder(dir, 'gateway', other);
  await eventually(() => closers.failures.length > 0);
  assert.match(
    (closers.failures[0] as Fault).detail,
    /gateway\.lock was deleted, and now: .* in use by another gateway \(process \d+, since /,
  );
  closers.close();
  assert.throws(() => holdFolder(dir, 'gateway', createClosers()), { code: 'process.folder_in_use' });
  other.close();
});

test('what crashes have left half written in a data folder goes with the next start, what may be being written stays', (t) => {
  const dir = tempDir(t);
  const { secrets, checkpoints } = foldersOf(dir);
  const hoursAgo = Date.now() / 1_000 - 2 * 3_600;
  const left = [dir, secrets, checkpoints].map((folder) => {
    mkdirSync(folder, { recursive: true });
    for (const name of ['.unfinished-old.tmp', '.unfinished-young.tmp', 'whole'])
      writeFileSync(join(folder, name), 'half');
    for (const name of ['.unfinished-old.tmp', 'whole']) utimesSync(join(folder, name), hoursAgo, hoursAgo);
    return folder;
  });
  const closers = createClosers();
  holdFolder(dir, 'gateway', closers);
  for (const folder of left) {
    const names = readdirSync(folder).filter((name) => name.startsWith('.unfinished') || name === 'whole');
    assert.deepEqual(names.toSorted(), ['.unfinished-young.tmp', 'whole']);
  }
  closers.close();
});
