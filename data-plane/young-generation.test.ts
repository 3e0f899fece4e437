import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';

const mebibyte = 1024 * 1024;

/** What a process of its own says, since flags of V8 stay: room for new objects in bytes after a start and under load. */
const script = `
  import '${join(import.meta.dirname, '../proto/process/heap/small-start.ts')}';
  import { getHeapSpaceStatistics } from 'node:v8';
  const { growWithLoad } = await import('${join(import.meta.dirname, 'young-generation.ts')}');
  const halfBytes = () => {
    const space = getHeapSpaceStatistics().find((one) => one.space_name === 'new_space');
    return space.space_used_size + space.space_available_size;
  };
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  const kept = [];
  const allocate = () => {
    for (let n = 0; n < 20_000; n += 1) kept[n % 5_000] = { n, list: [n, n, n, n] };
  };
  for (let n = 0; n < 50; n += 1) allocate();
  const started = halfBytes();
  const stop = growWithLoad();
  let most = 0;
  for (let n = 0; n < 400; n += 1) {
    allocate();
    await turn();
    most = Math.max(most, halfBytes());
  }
  stop();
  console.log(JSON.stringify({ started, most }));
`;

test('a start takes little room for new objects, and load takes as much as the bound says and no more', () => {
  const text = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  const { started, most } = JSON.parse(text) as { readonly started: number; readonly most: number };
  assert.ok(started <= mebibyte, `${started} bytes after a start`);
  // What V8 says of itself is some hundred bytes off.
  assert.equal(Math.round(most / mebibyte), 10);
});
