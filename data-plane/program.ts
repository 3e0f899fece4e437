import { readdirSync, statSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { join } from 'node:path';

/**
 * Names the program that runs: its version, its runtime, and the files of its rooms as they lie on disk by name, size and time, since a
 * checkout changes without a version. What its packages are is not in it.
 *
 * Cost: a look at each file, about 10 ms.
 */
export function nameOfProgram(version: string): string {
  const named = createHash('sha256').update(JSON.stringify([version, process.version]));
  const root = join(import.meta.dirname, '..');
  for (const room of ['proto', 'data-plane'])
    for (const name of readdirSync(join(root, room), { recursive: true, encoding: 'utf8' }).toSorted()) {
      const file = statSync(join(root, room, name), { throwIfNoEntry: false });
      named.update(JSON.stringify([room, name, file?.size, file?.mtimeMs]));
    }
  return named.digest('base64url');
}
