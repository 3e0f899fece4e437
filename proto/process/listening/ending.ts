import { z } from 'zod';
import type { Clock } from '../clock.ts';
import type { Lifecycle } from '../lifecycle.ts';
import type { Log } from '../log.ts';

/** The setting of every process that has one. */
export const lameDuckMsSchema = z
  .int()
  .min(0)
  .max(600_000)
  .default(5_000)
  .describe(
    'After SIGTERM: how long requests are taken as before while readiness is off already, so that load balancers notice; 0 stops at once, as SIGINT (Ctrl-C) always does. `isthmus up` waits 500 ms unless told.',
  );

/** How far the end of a process has come. */
export interface Ending {
  /** Ready, as far as its end is concerned. */
  readonly isOpen: boolean;
  /** How long a connection without a request stays open when its listener closes: its next request may be on its way. */
  readonly quietMs: number;
}

/** At most: a balancer that has not noticed by then never will. */
export const quietMsMax = 3_000;

/** What it needs of the process. */
interface EndingOptions {
  readonly config: { readonly lameDuckMs: number };
  readonly clock: Clock;
  readonly log: Log;
  readonly lifecycle: Lifecycle;
}

/**
 * Readiness off, then as before for `lameDuckMs`: whoever balances load sees it before the port closes. Only where a service manager asks
 * (SIGTERM); a person at a terminal, and what fails, do not wait.
 */
export function warnBeforeEnd({ config, clock, log, lifecycle }: EndingOptions): Ending {
  const ending = { isOpen: true, quietMs: 0 };
  lifecycle.beforeClose('lame duck', async (asked) => {
    ending.isOpen = false;
    const { lameDuckMs } = config;
    if (asked !== 'SIGTERM' || lameDuckMs === 0) return;
    ending.quietMs = Math.min(quietMsMax, lameDuckMs);
    log.info({ lameDuckMs }, 'not ready any more; requests are taken for a while yet');
    await clock.delay(lameDuckMs);
  });
  return ending;
}
