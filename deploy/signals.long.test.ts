// SIGHUP, at each process that the short run leaves out.
import './signals.slow.test.ts';
import { lasting, testOutlivesOutput } from '../test/kit/processes/alone.ts';

for (const name of lasting)
  for (const reader of ['gone', 'on a full disk'] as const) testOutlivesOutput(name, reader);
