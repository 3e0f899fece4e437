import type { Clock } from '../proto/process/clock.ts';
import type { Lifecycle } from '../proto/process/lifecycle.ts';
import type { Log } from '../proto/process/log.ts';

/** How far a gateway's end has come. */
export interface Ending {
  /** Ready, as far as its end is concerned. */
  readonly isOpen: boolean;
  /** Clients that keep connections get time to notice. */
  readonly isPatient: boolean;
}

/** What it needs of the gateway. */
interface EndingOptions {
  readonly config: { readonly lameDuckMs: number };
  readonly clock: Clock;
  readonly log: Log;
  readonly lifecycle: Lifecycle;
}

/**
 * Readiness off, then as before for `lameDuckMs`: whoever balances load sees it before the port closes. Only where a service manager asks
 * (SIGTERM); a person at a terminal, and a gateway that fails, do not wait.
 */
export function warnBeforeEnd({ config, clock, log, lifecycle }: EndingOptions): Ending {
  const ending = { isOpen: true, isPatient: false };
  lifecycle.beforeClose('lame duck', async (asked) => {
    ending.isOpen = false;
    const { lameDuckMs } = config;
    if (asked !== 'SIGTERM' || lameDuckMs === 0) return;
    ending.isPatient = true;
    log.info({ lameDuckMs }, 'not ready any more; requests are taken for a while yet');
    await clock.delay(lameDuckMs);
  });
  return ending;
}
