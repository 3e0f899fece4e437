import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

const made: string[] = [];
// Hooks run in the order in which they were registered, so a folder's own comes before those that end the processes
// working in it; what those wrote meanwhile goes when the test process does.
process.once('exit', () =>
  made.forEach((dir) => rmSync(dir, { recursive: true, force: true, maxRetries: 3 })),
);

/** A fresh folder that is removed when the test ends. */
export function tempDir(t: Pick<TestContext, 'after'>, name = 'isthmus'): string {
  const dir = mkdtempSync(join(tmpdir(), `${name}-`));
  made.push(dir);
  t.after(() => {
    try {
      rmSync(dir, { recursive: true, force: true });
    } catch {
      // Somebody still writes there.
    }
  });
  return dir;
}
