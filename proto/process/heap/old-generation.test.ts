import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';

/** What a process of its own says, since it is the whole heap that is looked at. */
const script = `
  import { getHeapCodeStatistics } from 'node:v8';
  const { collectStart } = await import('${join(import.meta.dirname, 'old-generation.ts')}');
  const code = () => getHeapCodeStatistics().bytecode_and_metadata_size;
  let left = Array.from({ length: 100_000 }, (_, n) => ({ n }));
  const ran = Array.from({ length: 2_000 }, (_, n) => new Function('a', 'b', 'return a.first + b.second + ' + n));
  for (const one of ran) one({ first: 1 }, { second: 2 });
  const before = process.memoryUsage().heapUsed;
  const codeBefore = code();
  left = undefined;
  collectStart();
  const after = process.memoryUsage().heapUsed;
  const codeAfter = code();
  const again = ran[7]({ first: 1 }, { second: 2 });
  console.log(JSON.stringify({ before, after, codeBefore, codeAfter, again, gc: typeof gc }));
`;
type Told = Record<'before' | 'after' | 'codeBefore' | 'codeAfter' | 'again', number> & { gc: string };

test('what a start has left is collected, code that ran too, and nobody is given the function that does it', () => {
  const text = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  const { before, after, codeBefore, codeAfter, again, gc } = JSON.parse(text) as Told;
  assert.ok(after < before - 2_000_000, `${before} bytes before, ${after} after`);
  assert.ok(codeAfter < codeBefore / 2, `${codeBefore} bytes of code before, ${codeAfter} after`);
  assert.equal(again, 10);
  assert.equal(gc, 'undefined');
});
