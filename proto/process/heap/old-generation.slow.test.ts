import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';

/** Two threads that make functions, call them and collect, while the main thread collects what a start has left, again and again. */
const script = `
  import { Worker } from 'node:worker_threads';
  await import('${join(import.meta.dirname, 'small-start.ts')}');
  const { collectStart } = await import('${join(import.meta.dirname, 'old-generation.ts')}');
  const busy = \`
    const keep = [];
    setInterval(() => {
      for (let n = 0; n < 60; n += 1) {
        const made = new Function('a', 'let s = 0; for (let i = 0; i < 60; i += 1) s += a.x * i + ' + n + '; return () => s;');
        for (let call = 0; call < 8; call += 1) made({ x: 1 })();
        keep.push(made);
      }
      if (keep.length > 3_000) keep.splice(0, 1_500);
      for (let n = 0; n < 20; n += 1) keep[Math.floor(Math.random() * keep.length)]({ x: 2 })();
      keep.left = Array.from({ length: 40_000 }, (_, n) => ({ n }));
    }, 1);
  \`;
  const limits = { resourceLimits: { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 96 } };
  for (let n = 0; n < 2; n += 1) new Worker(busy, { eval: true, ...limits });
  const untilMs = performance.now() + 4_000;
  while (performance.now() < untilMs) {
    collectStart();
    await new Promise(setImmediate);
  }
  console.log('alive');
  process.exit(0);
`;

test('a thread that works while what a start has left is collected lives on, and so does the process', () => {
  const { stdout, stderr, status, signal } = spawnSync(
    process.execPath,
    ['--input-type=module', '-e', script],
    { encoding: 'utf8' },
  );
  assert.equal(stdout, 'alive\n', `${status ?? signal}: ${stderr.slice(0, 2_000)}`);
});
