import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** How much the room for old objects may grow until they are collected too; V8 would let it double, and more. */
const growthPercent = 20;

/** Collects old objects sooner than V8 would by itself: some more work for much less memory. To be called once a process has started. */
export function collectOldSooner(): void {
  setFlagsFromString(`--heap-growing-percent=${growthPercent}`);
}

/** A larger heap is not collected at once: the pause grows with it, and V8 comes by itself soon. */
const leftBytesMax = 64 * 1024 * 1024;

/**
 * Collects what starting has left: code that ran once and its texts, 7 MiB of an idle gateway, which V8 would keep until something else
 * fills the heap. It takes some 60 ms. To be called once a process has started.
 */
export function collectStart(): void {
  if (process.memoryUsage().heapUsed > leftBytesMax) return;
  setFlagsFromString('--expose-gc');
  // The flag counts for contexts that are made from now on; this program's own never has the function.
  const collect = runInNewContext('gc') as NodeJS.GCFunction;
  setFlagsFromString('--no-expose-gc');
  collect({ execution: 'sync', flavor: 'last-resort', type: 'major' });
}
