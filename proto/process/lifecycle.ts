import type { Clock } from './clock.ts';
import type { Log } from './log.ts';

/** What a life-cycle needs. */
export interface LifecycleOptions {
  readonly log: Log;
  readonly clock: Clock;
  /** All closers together; what has not finished by then is named in the log and left behind. */
  readonly closeMsMax: number;
  /** Hears that something failed: for a part of a process whose whole has to end with it, and with exit code 1. */
  readonly onFailed?: (() => void) | undefined;
}

/**
 * How a process ends: a warning first, then closers in reverse order under one deadline.
 *
 * A room registers what it opened right after opening it, so that the order of closing is always right: readiness off and
 * drain were registered last and run first, the log's owner registered first and runs last.
 */
export interface Lifecycle {
  /** Aborts when closing starts; every wait of the process listens to it. */
  readonly signal: AbortSignal;
  onClose(name: string, closer: () => Promise<void> | void): void;
  /**
   * Runs a step before anything closes and before `signal` aborts, all steps at once: whoever is warned of the end goes on as
   * before until they are through. A step bounds itself; it is told the signal that asked for the end, undefined when none did.
   */
  beforeClose(name: string, step: (asked: NodeJS.Signals | undefined) => Promise<void> | void): void;
  /** Registers what is read again when the operator asks for it (SIGHUP). It says whether something was taken over, and logs what is wrong. */
  onReload(name: string, reloader: () => Promise<boolean> | boolean): void;
  /**
   * Has everything read again, one after the other, for whoever was asked to; a request that comes meanwhile follows. Resolves with the names
   * of what was taken over; what could not be read is logged, and to the operator that there was nothing. Another process, which asked this
   * one on his behalf, says that itself. Never rejects.
   */
  reload(asker?: 'operator' | 'process'): Promise<readonly string[]>;
  /**
   * Owns a promise that nobody awaits. When it rejects, that is logged and the process closes with exit code 1, unless it
   * rejects with an abort while closing.
   */
  task(name: string, promise: Promise<unknown>): void;
  /** Closes once; later calls get the same promise. Never rejects: a closer that fails is logged and the exit code is 1. */
  close(asked?: NodeJS.Signals): Promise<void>;
  /** Closes as `close` does, and the process exits with this code; a failure on the way makes a 0 a 1. */
  end(exitCode: number): Promise<void>;
  /** Listens to signals, SIGHUP among them (`reload`). Resolves with the exit code when SIGINT or SIGTERM has come, or a task has failed, and everything is closed. A second signal exits at once. */
  untilSignal(): Promise<number>;
}

/** Signals that come this soon after the first one are the same wish. */
const sameSignalMs = 300;

interface Step {
  readonly name: string;
  readonly step: Parameters<Lifecycle['beforeClose']>[1];
}

/** False when one of them failed. */
async function warnAll(
  steps: readonly Step[],
  asked: NodeJS.Signals | undefined,
  log: Log,
): Promise<boolean> {
  const results = await Promise.all(
    steps.map(async ({ name, step }) => {
      try {
        await step(asked);
        return true;
      } catch (error) {
        log.error({ step: name, err: error }, 'failed before closing');
        return false;
      }
    }),
  );
  return results.every(Boolean);
}

type Reloader = Parameters<Lifecycle['onReload']>[1];

/** Reads again what can be; nothing that goes wrong there ends a process. */
function createReloads(log: Log): Pick<Lifecycle, 'onReload' | 'reload'> & { listen(): () => void } {
  const reloaders: { readonly name: string; readonly reloader: Reloader }[] = [];
  let turn: Promise<readonly string[]> = Promise.resolve([]);
  const reloadAll = async (asker: 'operator' | 'process'): Promise<readonly string[]> => {
    const taken: string[] = [];
    for (const { name, reloader } of reloaders) {
      try {
        if (await reloader()) taken.push(name);
      } catch (error) {
        log.error({ reload: name, err: error }, 'could not be read again; what was read before stays in use');
      }
    }
    if (taken.length > 0) log.info({ taken }, 'read again');
    else if (asker === 'operator')
      log.warn('asked to read again, and there is nothing that could be taken over; all goes on as before');
    return taken;
  };
  const reload: Lifecycle['reload'] = (asker = 'operator') => (turn = turn.then(() => reloadAll(asker)));
  return {
    onReload: (name, reloader) => void reloaders.push({ name, reloader }),
    reload,
    /** From before the start: a SIGHUP that nobody listens to ends the process. */
    listen() {
      const onHangUp = (): void => void reload();
      process.on('SIGHUP', onHangUp);
      return () => void process.off('SIGHUP', onHangUp);
    },
  };
}

/** Makes the life-cycle of one process (or, in tests, of one room). */
export function createLifecycle({ log, clock, closeMsMax, onFailed }: LifecycleOptions): Lifecycle {
  const controller = new AbortController();
  const closers: { readonly name: string; readonly closer: () => Promise<void> | void }[] = [];
  const steps: Step[] = [];
  const ended = Promise.withResolvers<void>();
  let closing: Promise<void> | undefined;
  let exitCode = 0;

  const fail = (): void => {
    exitCode ||= 1;
    onFailed?.();
  };
  const closeAll = async (asked: NodeJS.Signals | undefined): Promise<void> => {
    if (steps.length > 0 && !(await warnAll(steps, asked, log))) fail();
    const deadlineMs = clock.monotonicMs() + closeMsMax;
    controller.abort();
    for (let entry = closers.pop(); entry !== undefined; entry = closers.pop()) {
      const { name, closer } = entry;
      try {
        if (!(await within(clock, deadlineMs - clock.monotonicMs(), closer()))) {
          log.error({ closer: name, closeMsMax }, 'did not close in time and was left behind');
          fail();
        }
      } catch (error) {
        log.error({ closer: name, err: error }, 'failed to close');
        fail();
      }
    }
  };
  const close = (asked?: NodeJS.Signals): Promise<void> =>
    (closing ??= closeAll(asked).finally(() => ended.resolve()));

  const reloads = createReloads(log);
  return {
    onReload: reloads.onReload,
    reload: reloads.reload,
    signal: controller.signal,
    close,
    end: (code) => ((exitCode ||= code), close()),
    onClose: (name, closer) => void closers.push({ name, closer }),
    beforeClose: (name, step) => void steps.push({ name, step }),
    task(name, promise) {
      promise.catch((error: unknown) => {
        if (controller.signal.aborted && isAbort(error)) return;
        log.fatal({ task: name, err: error }, 'a task failed; closing');
        fail();
        void close();
      });
    },
    async untilSignal() {
      let firstMs: number | undefined;
      const onSignal = (signal: NodeJS.Signals): void => {
        const nowMs = clock.monotonicMs();
        // One Ctrl-C arrives several times: from the terminal, from npm and from the launcher.
        if (firstMs !== undefined && nowMs - firstMs < sameSignalMs) return;
        firstMs ??= nowMs;
        if (closing !== undefined) process.exit(signal === 'SIGINT' ? 130 : 143);
        log.info({ signal }, 'closing; a second signal exits at once');
        void close(signal);
      };
      const ignoreHangUp = reloads.listen();
      process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
      // Closers may hold no open handle (a pending timer is unref'ed), yet the process must wait to be told.
      const keepAlive = setInterval(() => undefined, 2 ** 30);
      await ended.promise;
      clearInterval(keepAlive);
      process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
      ignoreHangUp();
      return exitCode;
    },
  };
}

/** True for what an AbortSignal throws; such an end was asked for. */
export function isAbort(error: unknown): boolean {
  return (
    error instanceof Error && (error.name === 'AbortError' || ('code' in error && error.code === 'ABORT_ERR'))
  );
}

async function within(clock: Clock, ms: number, work: Promise<void> | void): Promise<boolean> {
  if (work === undefined) return true;
  const late = Promise.withResolvers<boolean>();
  const cancel = clock.after(Math.max(0, ms), () => late.resolve(false));
  try {
    return await Promise.race([work.then(() => true), late.promise]);
  } finally {
    cancel();
  }
}
