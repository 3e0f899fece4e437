import type { GapReason } from '../../proto/model/gap-reasons.ts';
import type { Clock } from '../../proto/process/clock.ts';
import type { Log } from '../../proto/process/log.ts';
import type { Metrics } from '../../proto/process/metrics.ts';
import type { Rescue } from '../../proto/spool/writer.ts';
import type { DamagedSegment } from './upkeep.ts';

const logEveryMs = 10_000;

/** Counts and says what was lost, and what would have been. */
export class Losses {
  /** Records since the start: from memory and from disk. */
  dropped = 0;
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #meters;
  #loggedAtMs = -logEveryMs;
  #unsaid = 0;

  constructor({
    log,
    clock,
    metrics,
  }: {
    readonly log: Log;
    readonly clock: Clock;
    readonly metrics: Metrics;
  }) {
    this.#log = log;
    this.#clock = clock;
    this.#meters = {
      dropped: metrics.counter('isthmus_report_dropped_records_total', 'Access records dropped', ['reason']),
      rescued: metrics.counter(
        'isthmus_report_rescued_records_total',
        'Records that were written again because their segment was deleted or moved',
      ),
      damaged: metrics.counter(
        'isthmus_report_damaged_segments_total',
        'Segments set aside because they hold bytes that cannot be read',
      ),
    };
  }

  count(records: number, reason: GapReason): void {
    this.dropped += records;
    this.#meters.dropped.inc({ reason }, records);
    this.#unsaid += records;
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#loggedAtMs < logEveryMs) return;
    this.#loggedAtMs = nowMs;
    this.#log.error({ reason, dropped: this.#unsaid }, 'access records were dropped');
    this.#unsaid = 0;
  }

  rescued({ spool, saved, lost }: Rescue & { readonly spool: string }): void {
    this.#meters.rescued.inc(saved);
    this.#log.error(
      { spool, saved, lost },
      'the segment that was being written was deleted or moved; it has been written again in its place',
    );
  }

  damaged({ path, spool, segment, isForeign, damages }: DamagedSegment): void {
    this.#meters.damaged.inc();
    const what = { spool, segment, path, damages };
    if (isForeign) this.#log.error(what, 'a segment that is another than its name says was set aside unread');
    // What looks like a write that did not come to its end nearly always is one; nobody was told that it had.
    else if (damages.every(({ kind }) => kind === 'torn'))
      this.#log.warn(what, 'the end of a dead spool is not whole; its segment was set aside');
    else this.#log.error(what, 'bytes of a segment cannot be read; it was set aside');
  }
}
