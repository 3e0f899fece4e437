import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';

/** What a process of its own says, since it is the whole heap that is looked at. */
const script = `
  const { collectStart } = await import('${join(import.meta.dirname, 'old-generation.ts')}');
  let left = Array.from({ length: 100_000 }, (_, n) => ({ n }));
  const before = process.memoryUsage().heapUsed;
  left = undefined;
  collectStart();
  console.log(JSON.stringify({ before, after: process.memoryUsage().heapUsed, gc: typeof gc }));
`;

test('what a start has left is collected, and nobody is given the function that does it', () => {
  const text = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  const { before, after, gc } = JSON.parse(text) as Record<'before' | 'after', number> & { gc: string };
  assert.ok(after < before - 2_000_000, `${before} bytes before, ${after} after`);
  assert.equal(gc, 'undefined');
});
