import { parentPort } from 'node:worker_threads';

import { invariant } from '../../../proto/faults/fault.ts';
import type { JobMessage, JobSaid } from './jobs.ts';

/** Does the jobs that a thread is given; called once, when its library is there. `work` says what came of one, and never rejects. */
export function serveJobs<Job>(work: (job: Job) => Promise<JobSaid>): void {
  const port = parentPort;
  invariant(port !== null, 'runs as a thread');
  const say = (said: JobSaid): void =>
    port.postMessage({ said, cpu: process.threadCpuUsage() } satisfies JobMessage);
  port.on('message', (job: Job) => void work(job).then(say));
  say({ kind: 'ready' });
}
