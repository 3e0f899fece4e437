import { appendFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { childrenCpuSeconds, writeCost } from './costs.ts';
import { endWithin } from './held.ts';

/** What a file may take in company, and each of its tests: alone each has the limit of the run, but a busy machine takes minutes for a file. */
const fileMsMax = 600_000;

/** What files may leave behind that ends by itself, such as a connection that closes in order. */
const endMsMax = 60_000;

/**
 * Runs test files one after the other in this process: each becomes a test that is named by its path and holds the file's own ones.
 *
 * A file is imported when the one before has ended, with whatever that one closes at its end.
 */
export async function runTogether(files: readonly string[]): Promise<void> {
  const list = process.env['ISTHMUS_TEST_COSTS'];
  // The first file pays for the start of the process.
  let before = { cpuSeconds: 0, seconds: 0 };
  const account = (file: string): void => {
    const { user, system } = process.cpuUsage();
    const after = {
      cpuSeconds: (user + system) / 1_000_000 + childrenCpuSeconds('self'),
      seconds: process.uptime(),
    };
    if (list !== undefined)
      appendFileSync(
        list,
        writeCost({
          file,
          cpuSeconds: after.cpuSeconds - before.cpuSeconds,
          seconds: after.seconds - before.seconds,
        }),
      );
    before = after;
  };
  const root = join(import.meta.dirname, '..');
  // A file may end with nothing but a thread or a timer that keeps no process alive. The runner would take that for the end of all tests:
  // it says how many there were, and the files behind are not counted, or the process ends with 13.
  const alive = setInterval(() => undefined, fileMsMax);
  for (const file of files) {
    await test(relative(root, file), { timeout: fileMsMax }, async () => {
      // The first of a test's own begins at once, and the others wait for it: until the whole file stands there, that is this one.
      const loaded = Promise.withResolvers<void>();
      void test('loaded', () => loaded.promise);
      try {
        await import(pathToFileURL(file).href);
      } finally {
        loaded.resolve();
      }
    });
    account(file);
  }
  clearInterval(alive);
  // The last one pays for the end.
  const last = files.at(-1);
  if (last === undefined) return;
  process.on('exit', () => account(last));
  endWithin(endMsMax, last);
}
