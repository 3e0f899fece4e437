import { appendFileSync } from 'node:fs';
import { childrenCpuSeconds, writeCost } from './costs.ts';
import { endWithin } from './held.ts';

// Imported before every test file by run.ts, which names the list and how long a process may take.
const list = process.env['ISTHMUS_TEST_COSTS'];
const file = process.argv[1];
// Other processes of Node that a test starts may have it imported too; what they cost is counted where they are waited for.
const msMax = Number(process.env['ISTHMUS_TEST_PROCESS_MS_MAX'] ?? 0);
if (list !== undefined && file?.endsWith('.test.ts') === true) {
  if (msMax > 0) endWithin(msMax, file);
  process.on('exit', () => {
    const { user, system } = process.cpuUsage();
    const cpuSeconds = (user + system) / 1_000_000 + childrenCpuSeconds('self');
    appendFileSync(list, writeCost({ file, cpuSeconds, seconds: process.uptime() }));
  });
}
