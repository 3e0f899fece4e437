import type { Clock } from '../../proto/process/clock.ts';

const ticks = 10;
/** A tick that comes later than this says that the event loop stood still. */
const lateMsMin = 10;
/** What a late tick counts: little, but something, so that a loop that is always late holds nobody for ever. */
const lateTick = 0.1;

/**
 * Calls back after ms of time in which the event loop ran; returns a function that cancels.
 *
 * A process that was stopped, swapped out, frozen with its machine, or collecting garbage did not give its spool thread that time
 * either: a timer alone would fire at its first breath, before the thread could write. So time counts in ticks, and a late
 * one counts hardly anything, whatever a clock says about the time between.
 */
export function holdFor(clock: Clock, ms: number, onElapsed: () => void): () => void {
  const tickMs = Math.max(1, ms / ticks);
  let left = ms / tickMs;
  let cancel = (): void => undefined;
  const arm = (): void => {
    const armedAtMs = clock.monotonicMs();
    cancel = clock.after(tickMs, () => {
      const lateMs = clock.monotonicMs() - armedAtMs - tickMs;
      left -= lateMs > Math.max(lateMsMin, tickMs) ? lateTick : 1;
      if (left > lateTick / 2) arm();
      else onElapsed();
    });
  };
  arm();
  return () => cancel();
}
