/** Makes a debug run with the backend that it is given, and waits for it. */
import { debugJob, startDebugRuns } from './debug-jobs.ts';

const [, , backend = ''] = process.argv;
const runs = startDebugRuns({ after: () => undefined }, { allow: [backend] });
await runs.run('u', debugJob(backend));
