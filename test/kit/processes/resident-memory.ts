import { existsSync, readFileSync } from 'node:fs';

const mebibyte = 1024 * 1024;

/** Resident memory of a process, in MiB. */
export function residentMiB(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  // One that has ended and is not reaped yet has none.
  return (Number(kib ?? 0) * 1024) / mebibyte;
}

/** Follows the resident memory of a process, from now on. */
export interface MemoryWatch {
  /** The most that was ever seen beyond what there was at the beginning, in MiB. */
  growthMiB(): number;
  stop(): void;
}

/** Begins to watch; looks every 20 ms. */
export function watchMemory(pid: number): MemoryWatch {
  const before = residentMiB(pid);
  let most = before;
  const look = (): void => {
    // Gone is no growth; whoever watches sees that the process has ended.
    if (existsSync(`/proc/${pid}/status`)) most = Math.max(most, residentMiB(pid));
  };
  const timer = setInterval(look, 20);
  return {
    growthMiB: () => (look(), most - before),
    stop: () => clearInterval(timer),
  };
}
