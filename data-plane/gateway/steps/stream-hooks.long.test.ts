import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

import { startStreamBackend, upAndDown } from '../../../test/kit/engine/byte-streams.ts';
import { eventually } from '../../../test/kit/eventually.ts';
import { peakOf } from '../../../test/kit/processes/growth.ts';
import { startNode } from '../../../test/kit/processes/processes.ts';

const mebibyte = 1_048_576;
const gibibyte = 1_024 * mebibyte;
const growthBytesMax = 128 * mebibyte;

async function startScene(t: TestContext, api: string) {
  const backend = await startStreamBackend(t);
  const main = join(import.meta.dirname, '../../../test/kit/engine/transforming-main.ts');
  const child = startNode(t, [main, String(backend.port)]);
  const said = await eventually(
    () => {
      if (!child.isRunning()) throw new Error(child.output());
      return /port (\d+)/.exec(child.stdout());
    },
    { timeoutMs: 20_000 },
  );
  return { backend, url: `http://127.0.0.1:${said[1]}/${api}`, pid: child.pid };
}

for (const api of ['flipped', 'packed']) {
  for (const framing of ['length', 'chunked'] as const) {
    test(`1 GiB up and down through two transforms of policies (${api}), framed by ${framing}: nothing is lost, memory is flat`, async (t) => {
      const scene = await startScene(t, api);
      const peak = (bytes: number): Promise<number> =>
        peakOf(scene.pid, () => upAndDown(scene, { bytes, framing }));
      // Transforms allocate what they give: the allocator finds its size in the first GiB (packed: 250 MiB, then 335 for any length).
      const first = await peak(256 * mebibyte);
      const then = await peak(gibibyte);
      const inMebibytes = (bytes: number): string => (bytes / mebibyte).toFixed(1);
      t.diagnostic(`at most ${inMebibytes(first)} MiB for 256 MiB, then ${inMebibytes(then)} MiB for 1 GiB`);
      assert.ok(then - first < growthBytesMax, `grew by ${then - first} bytes`);
    });
  }
}
