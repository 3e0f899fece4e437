import type { Clock } from '../proto/process/clock.ts';
import type { Log } from '../proto/process/log.ts';
import type { Metrics } from '../proto/process/metrics.ts';
import type { Condition } from './condition.ts';
import type { Parcels } from './parcels.ts';
import { gapInPlaceOf, halve, unpack } from './pieces.ts';
import { QuarantineFull, type Quarantine } from './quarantine.ts';
import type { Delivery, Output, Parcel } from './topology.ts';
import type { WireSize } from './wire-size.ts';

/** What delivering works with, the same for all sources. */
export interface DeliveryOptions {
  readonly output: Output;
  readonly parcels: Parcels;
  readonly quarantine: Quarantine;
  readonly size: WireSize;
  readonly condition: Condition;
  readonly bounds: { readonly retryMsMin: number; readonly retryMsMax: number };
  readonly log: Log;
  readonly clock: Clock;
  readonly meters: DeliveryMeters;
  readonly signal: AbortSignal;
}

/** What is counted on the way. */
export type DeliveryMeters = ReturnType<typeof createDeliveryMeters>;

/** Makes the counters. */
export function createDeliveryMeters(metrics: Metrics) {
  return {
    records: metrics.counter('isthmus_shipper_records_total', 'Records delivered'),
    bytes: metrics.counter('isthmus_shipper_bytes_total', 'Compressed bytes delivered'),
    failures: metrics.counter('isthmus_shipper_failures_total', 'Deliveries that did not succeed', ['kind']),
    quarantined: metrics.counter('isthmus_shipper_quarantined_records_total', 'Records put aside'),
    delivered: metrics.gauge(
      'isthmus_shipper_last_delivery_timestamp_seconds',
      'When the last parcel arrived, since the epoch',
    ),
    size: metrics.gauge('isthmus_shipper_parcel_bytes_max', 'What a parcel may have on the wire now'),
  };
}

/** Failures in a row that may be due to the size before a parcel is cut on suspicion. */
const suspicionsMax = 3;
/** What is this small is not cut on suspicion. */
const suspectBytesMin = 64 * 1024;

/** Why the first parcel of the queue did not go, and how long to wait at least. */
interface Hindrance {
  readonly reason: string;
  readonly retryAfterMs?: number | undefined;
}

/**
 * Delivers the parcels of one spool in order, each however long it takes.
 *
 * What a hop finds too large is cut in halves, down to single records; a single record that nobody takes is set aside and a gap record
 * goes in its place. `arrived` is called when a range is settled; what is left when the signal aborts stays on disk.
 */
export async function deliverAll(
  parcels: readonly Parcel[],
  arrived: (parcel: Parcel) => void,
  options: DeliveryOptions,
): Promise<void> {
  await new Delivering(parcels, arrived, options).run();
}

class Delivering {
  readonly #queue: Parcel[];
  readonly #arrived: (parcel: Parcel) => void;
  readonly #options: DeliveryOptions;
  #suspicions = 0;
  #suspectBytes: number | undefined;

  constructor(parcels: readonly Parcel[], arrived: (parcel: Parcel) => void, options: DeliveryOptions) {
    this.#queue = [...parcels];
    this.#arrived = arrived;
    this.#options = options;
  }

  async run(): Promise<void> {
    const { clock, bounds, condition, log, signal } = this.#options;
    let pauseMs = bounds.retryMsMin;
    for (let parcel = this.#queue[0]; parcel !== undefined && !signal.aborted; parcel = this.#queue[0]) {
      const hindrance = await this.#try(parcel);
      if (hindrance === undefined) {
        pauseMs = bounds.retryMsMin;
        continue;
      }
      if (signal.aborted) return;
      const { spool, first, last } = parcel.place;
      const { reason, retryAfterMs = 0 } = hindrance;
      condition.stuck({ spool, range: { first, last }, bytes: parcel.bytes.length, reason });
      log.warn({ key: parcel.key, reason }, 'a batch was not taken; it is tried again');
      // Jitter: shippers that lost the same bridge do not come back as one. Nobody may send us away for longer than our own bound.
      const jitteredMs = pauseMs * (0.5 + Math.random() / 2);
      await clock.delay(Math.max(jitteredMs, Math.min(retryAfterMs, bounds.retryMsMax)), signal);
      pauseMs = Math.min(pauseMs * 2, bounds.retryMsMax);
    }
  }

  async #try(parcel: Parcel): Promise<Hindrance | undefined> {
    const { output, meters, condition, signal } = this.#options;
    const delivery = await output.deliver(parcel, signal);
    if (signal.aborted && delivery.kind !== 'delivered') return { reason: 'the shipper stops' };
    await condition.tried({
      isConnected: delivery.kind !== 'unavailable' && delivery.kind !== 'foreign',
      isDelivered: delivery.kind === 'delivered',
      trouble: 'trouble' in delivery ? delivery.trouble : undefined,
    });
    if (delivery.kind !== 'delivered') meters.failures.inc({ kind: delivery.kind });
    try {
      return await this.#act(parcel, delivery);
    } catch (error) {
      if (error instanceof QuarantineFull) return { reason: error.message };
      throw error;
    }
  }

  async #act(parcel: Parcel, delivery: Delivery): Promise<Hindrance | undefined> {
    const { size } = this.#options;
    switch (delivery.kind) {
      case 'delivered':
        if (this.#suspectBytes !== undefined) size.refused(this.#suspectBytes, false);
        this.#suspectBytes = undefined;
        size.passed(parcel.bytes.length);
        this.#count(parcel);
        return this.#settle(parcel);
      case 'refused':
        return this.#giveUp(parcel, delivery.reason);
      case 'tooLarge':
        size.refused(parcel.bytes.length, true);
        return (await this.#cut(parcel)) ? undefined : this.#setAside(parcel, delivery.reason);
      case 'foreign':
      case 'unavailable': {
        const isSuspect = delivery.mayBeTooLarge === true && parcel.bytes.length > suspectBytesMin;
        this.#suspicions = isSuspect ? this.#suspicions + 1 : 0;
        if (this.#suspicions >= suspicionsMax && (await this.#cut(parcel))) {
          this.#suspicions = 0;
          this.#suspectBytes = parcel.bytes.length;
        }
        return delivery;
      }
    }
  }

  #count(parcel: Parcel): void {
    const { meters, clock, size } = this.#options;
    meters.records.inc(parcel.place.last - parcel.place.first + 1);
    meters.bytes.inc(parcel.bytes.length);
    meters.delivered.set(clock.now() / 1_000);
    meters.size.set(size.bytes);
  }

  #settle(parcel: Parcel): undefined {
    const { condition, parcels } = this.#options;
    this.#suspicions = 0;
    condition.moves(parcel.place.spool);
    this.#arrived(parcel);
    parcels.remove(parcel);
    this.#queue.shift();
  }

  async #cut(parcel: Parcel): Promise<boolean> {
    const parts = await halve(parcel);
    if (parts === undefined) return false;
    this.#options.parcels.replace(parcel, parts);
    this.#queue.splice(0, 1, ...parts);
    return true;
  }

  #giveUp(parcel: Parcel, reason: string): undefined {
    const { quarantine, condition, log } = this.#options;
    const { spool, first, last } = parcel.place;
    const file = quarantine.keep(`${spool}-${first}-${last}.ndjson.zst`, parcel.bytes);
    condition.setAside(file, reason);
    log.error({ key: parcel.key, reason, file }, 'a batch was refused for good and put aside');
    return this.#settle(parcel);
  }

  /**
   * A gap record goes in the record's place, and from then on nothing but the gap: it may arrive although nobody hears of it, and the
   * record after it would be the same range with other content. Only if the gap is too large as well nobody has taken it: whoever says so
   * takes nothing at all, and nothing is set aside for him.
   */
  async #setAside(parcel: Parcel, reason: string): Promise<Hindrance | undefined> {
    const { output, quarantine, condition, log, meters, signal } = this.#options;
    const record = await unpack(parcel);
    const gap = await gapInPlaceOf(record);
    if (gap === undefined)
      return { reason: `${reason}: even for ${parcel.bytes.length} bytes; whoever says that takes nothing` };
    const { spool, first } = parcel.place;
    const file = quarantine.keep(`${spool}-${first}.line`, record.lines);
    this.#put(gap, parcel);
    const delivery = await output.deliver(gap, signal);
    if (delivery.kind === 'tooLarge') {
      this.#put(parcel, gap);
      quarantine.drop(file);
      return { reason: `${reason}; and its gap record: ${delivery.reason}` };
    }
    meters.quarantined.inc();
    condition.setAside(file, `too large even alone: ${reason}`);
    log.error({ spool, offset: first, file, reason }, 'a record is too large even alone and was set aside');
    if (delivery.kind === 'delivered') return this.#settle(gap);
    meters.failures.inc({ kind: delivery.kind });
    return this.#act(gap, delivery);
  }

  /** Puts a parcel of the same range in place of the first of the queue. */
  #put(parcel: Parcel, before: Parcel): void {
    this.#options.parcels.replace(before, [parcel]);
    this.#queue[0] = parcel;
  }
}
