/**
 * Ends its process from a thread of its own, whatever keeps the others: when its time is over, when it has taken too much memory, and when its
 * parent is gone. The parent ends it as well; this is for a parent that was killed.
 */
import { workerData } from 'node:worker_threads';
import { closeBuiltIns } from '../../proto/process/built-ins.ts';

closeBuiltIns();

/** What is watched for. */
export interface WatchWish {
  readonly parent: number;
  readonly lifeMsMax: number;
  /** Of all memory that the process holds, heap and buffers and threads. */
  readonly memoryBytesMax: number;
}

const everyMs = 50;

const { parent, lifeMsMax, memoryBytesMax } = workerData as WatchWish;
const startedMs = performance.now();
setInterval(() => {
  const isOver =
    performance.now() - startedMs > lifeMsMax ||
    process.ppid !== parent ||
    process.memoryUsage.rss() > memoryBytesMax;
  if (isOver) process.kill(process.pid, 'SIGKILL');
}, everyMs);
