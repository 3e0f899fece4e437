/**
 * The process of one debug run: `debug-runs.ts` starts it for one request, and it ends after that.
 *
 * It is told what to run on its standard input, which stays open as long as its parent lives, and says what came of it on a pipe of its own:
 * whatever writes to standard output meanwhile reaches nobody.
 */
import { Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import type { RunWish } from '../../data-plane/debug/run.ts';
import type { DebugWords } from '../../proto/model/records/debug-run.ts';
import { closeBuiltIns } from '../../proto/process/built-ins.ts';
import { outliveReaders } from '../../proto/process/log.ts';
import type { WatchWish } from './watch-thread.ts';

closeBuiltIns();
outliveReaders();

/** Where the parent listens. */
const wordsDescriptor = 3;

const watch = JSON.parse(process.argv[2] ?? '') as WatchWish;
const file = import.meta.url.endsWith('.ts') ? './watch-thread.ts' : './watch-thread.js';
new Worker(new URL(file, import.meta.url), { workerData: watch, env: {}, name: 'watch' }).unref();

async function run(wish: RunWish): Promise<DebugWords> {
  const { runDebug } = await import('../../data-plane/debug/run.ts');
  try {
    return await runDebug(wish);
  } catch (error) {
    return {
      kind: 'refused',
      reason: (error instanceof Error ? error.message : String(error)).slice(0, 4_096),
    };
  }
}

function say(words: DebugWords): void {
  const pipe = new Socket({ fd: wordsDescriptor, readable: false, writable: true });
  pipe.on('error', () => process.exit(1));
  pipe.end(JSON.stringify(words), () => process.exit(0));
}

let told = '';
process.stdin.setEncoding('utf8');
process.stdin.on('data', (piece: string) => {
  told += piece;
  if (!piece.endsWith('\n')) return;
  // The parent is this very program: what it says needs no second look.
  void run(JSON.parse(told) as RunWish).then(say);
});
// Nobody waits for it any more.
process.stdin.once('end', () => process.exit(1));
