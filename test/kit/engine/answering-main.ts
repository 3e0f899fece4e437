import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { startReporter } from '../../../data-plane/report/reporter.ts';
import { reportSettings } from '../../../data-plane/report/settings.ts';
import { createLog } from '../../../proto/process/log.ts';
import { createMetrics } from '../../../proto/process/metrics.ts';
import { systemClock } from '../../../proto/process/clock.ts';
import { factsOf } from '../gateway/access-facts.ts';

// A gateway in miniature for tests that kill it: every answer waits for its record.
const [dir = '', settings = '{}', filesModule] = process.argv.slice(2);
const reporter = await startReporter({
  dir,
  checkpointDir: `${dir}-checkpoints`,
  ledger: `${dir}-ledger.json`,
  gateway: 'g',
  settings: reportSettings.parse(JSON.parse(settings)),
  log: createLog({ name: 'answering', level: 'warn' }),
  metrics: createMetrics(),
  clock: systemClock,
  filesModule,
});
const recorder = reporter.recorder({ organization: 'o', environment: 'e', api: 'a', apiName: 'A' });
const server = createServer((request, response) => {
  const id = request.url?.slice(1) ?? '';
  void (recorder.write(factsOf({ requestId: id })) ?? Promise.resolve()).then(() => response.end(id));
});
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`port ${(server.address() as AddressInfo).port}\n`);
});
