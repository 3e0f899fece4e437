import { readFileSync } from 'node:fs';

function rssBytes(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? NaN) * 1_024;
}

/** Runs work and returns how many bytes another process had at most while it ran (VmRSS, looked at every 10 ms). */
export async function peakOf(pid: number, work: () => Promise<void>): Promise<number> {
  let most = rssBytes(pid);
  const look = setInterval(() => (most = Math.max(most, rssBytes(pid))), 10);
  try {
    await work();
  } finally {
    clearInterval(look);
  }
  return most;
}

/** ... by how many it grew at most. */
export async function growthOf(pid: number, work: () => Promise<void>): Promise<number> {
  const before = rssBytes(pid);
  return (await peakOf(pid, work)) - before;
}
