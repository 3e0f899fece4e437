import { flushCompileCache } from 'node:module';
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
 * V8 lets code go that has not run for six collections; what is needed again is compiled again, a function at a time. Its flags that let go
 * of code at once are the process's: where another thread collects meanwhile, they end the process.
 */
const collections = 8;

/**
 * Collects what starting has left: code that ran once, its texts and its cache, 11 MiB of an idle gateway, which V8 would keep until
 * something else fills the heap. It takes some 200 ms. To be called once a process or a thread has started.
 */
export function collectStart(): void {
  // Written here, and not only at an orderly end: after a kill -9 the next start would compile everything again.
  flushCompileCache();
  if (process.memoryUsage().heapUsed > leftBytesMax) return;
  setFlagsFromString('--expose-gc');
  // The flag counts for contexts that are made from now on; this program's own never has the function.
  const collect = runInNewContext('gc') as NodeJS.GCFunction;
  setFlagsFromString('--no-expose-gc');
  for (let round = 0; round < collections; round += 1)
    collect({ execution: 'sync', flavor: 'last-resort', type: 'major' });
}
