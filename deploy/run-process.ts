import type { Clock } from '../proto/process/clock.ts';
import { systemClock } from '../proto/process/clock.ts';
import { collectStart } from '../proto/process/heap/old-generation.ts';
import { createLifecycle, type Lifecycle } from '../proto/process/lifecycle.ts';
import { createLog, type Log, type LogOptions } from '../proto/process/log.ts';
import { createMetrics, type Metrics } from '../proto/process/metrics.ts';
import {
  createSettingsReload,
  type ReloadableSettings,
  type SettingsReload,
} from '../proto/process/reload.ts';
import { version } from './version.ts';

/** What every process of the house is made with. */
export interface ProcessParts {
  readonly log: Log;
  readonly clock: Clock;
  readonly lifecycle: Lifecycle;
  readonly metrics: Metrics;
  readonly version: string;
}

/** Longest time for all closers of a process together; whoever stops one gives it longer. */
export const closeMsMax = 20_000;

/** What a process is run as. */
export interface ProcessWish<Settings extends ReloadableSettings> extends Pick<
  LogOptions,
  'name' | 'level' | 'secretParameters'
> {
  /** Its settings and how they are read again at a SIGHUP; without them they are not. */
  readonly reload?: Pick<SettingsReload<Settings>, 'settings' | 'read'> | undefined;
}

/**
 * Runs a process from its start to its end and says its exit code.
 *
 * Signals are listened to before anything is opened; when the start fails, what was opened is closed again.
 */
export async function runProcess<Settings extends ReloadableSettings>(
  wish: ProcessWish<Settings>,
  start: (parts: ProcessParts) => Promise<void>,
): Promise<number> {
  const log = createLog(wish);
  const lifecycle = createLifecycle({ log, clock: systemClock, closeMsMax });
  if (wish.reload !== undefined)
    lifecycle.onReload('settings', createSettingsReload({ log, ...wish.reload }));
  const ended = lifecycle.untilSignal();
  try {
    const metrics = createMetrics({ withProcess: true, build: { process: wish.name, version } });
    const started = start({ log, clock: systemClock, lifecycle, metrics, version });
    // What it waits for may have been closed under it by a signal: it then never comes to its end.
    await Promise.race([started, ended]);
    // A start that fails later than that has nobody to tell.
    started.catch(() => undefined);
    if (!lifecycle.signal.aborted) collectStart();
  } catch (error) {
    const isClosing = lifecycle.signal.aborted;
    await lifecycle.close();
    // What breaks because a signal came during the start is no failure.
    if (!isClosing) throw error;
  }
  return ended;
}
