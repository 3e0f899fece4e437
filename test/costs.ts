import { existsSync, readFileSync } from 'node:fs';
import { relative } from 'node:path';

/** A short test file above this is named: whatever is added to it goes to a file of its own or becomes cheaper. */
const fileCpuSecondsMax = 5;

/** CPU time of the children that a process has waited for, and of theirs; 0 where the system does not say. */
export function childrenCpuSeconds(pid: number | 'self'): number {
  if (process.platform !== 'linux') return 0;
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The second field is the program's name in brackets, which may hold anything; cutime and cstime are the 16th and 17th, in ticks of 10 ms.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[13]) + Number(fields[14])) / 100;
}

/** What one test file cost: its CPU time with that of the processes that it started, and the time from its start to its end. */
export interface Cost {
  readonly file: string;
  readonly cpuSeconds: number;
  readonly seconds: number;
}

/** A line of the list that all files of a run append to, e.g. `1.25 3.80 /isthmus/proto/spool/spool.test.ts`. */
export function writeCost({ file, cpuSeconds, seconds }: Cost): string {
  return `${cpuSeconds.toFixed(2)} ${seconds.toFixed(2)} ${file}\n`;
}

/** Costs out of such a list, in all for a file with several lines; none when no file came to its end. */
export function readCosts(list: string): readonly Cost[] {
  if (!existsSync(list)) return [];
  const costs = new Map<string, Cost>();
  for (const line of readFileSync(list, 'utf8').split('\n').filter(Boolean)) {
    const [cpuSeconds, seconds, ...words] = line.split(' ');
    const file = words.join(' ');
    const before = costs.get(file);
    costs.set(file, {
      file,
      cpuSeconds: Number(cpuSeconds) + (before?.cpuSeconds ?? 0),
      seconds: Number(seconds) + (before?.seconds ?? 0),
    });
  }
  return [...costs.values()];
}

/** Says what a run cost in all, and which files cost much, or the `dearest` so many. A busy machine makes CPU time dearer too, by up to a half. */
export function describeCosts(
  costs: readonly Cost[],
  of: { readonly root: string; readonly databaseCpuSeconds: number; readonly dearest?: number },
): string {
  const all = costs.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0) + of.databaseCpuSeconds;
  const total = `${all.toFixed(0)} s of CPU (${of.databaseCpuSeconds.toFixed(0)} s of them PostgreSQL) in ${costs.length} files`;
  const sorted = costs.toSorted((a, b) => b.cpuSeconds - a.cpuSeconds);
  const dear = sorted
    .filter(({ cpuSeconds }, at) =>
      of.dearest === undefined ? cpuSeconds > fileCpuSecondsMax : at < of.dearest,
    )
    .map(
      ({ file, cpuSeconds, seconds }) =>
        `${cpuSeconds.toFixed(1).padStart(7)} s ${`(${seconds.toFixed(0)} s long)`.padEnd(12)} ${relative(of.root, file)}`,
    );
  if (dear.length === 0) return `${total}\n`;
  const which = of.dearest === undefined ? `more than ${fileCpuSecondsMax} s each` : 'the dearest';
  return `${total}; ${which}:\n${dear.join('\n')}\n`;
}
