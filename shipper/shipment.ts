import type { Metrics } from '../proto/process/metrics.ts';
import { BatchBuilder, type BadRecord } from './batch.ts';
import { createDeliveryMeters, deliverAll, type DeliveryOptions } from './delivery.ts';
import { pack, readdress } from './pieces.ts';
import type { Filter, Input, Parcel, Source } from './topology.ts';

/** The nodes and bounds of a running shipper. */
export interface ShipmentOptions extends DeliveryOptions {
  readonly input: Input;
  readonly filters: readonly Filter[];
  /** What landing keys name beside the source. */
  readonly identity: { readonly fleet: string; readonly gateway: string | undefined };
  readonly bounds: DeliveryOptions['bounds'] & {
    readonly batchBytesMax: number;
    readonly batchMsMax: number;
    readonly pollEveryMs: number;
    readonly discoverEveryMs: number;
  };
  readonly meters: ShipmentMeters;
  /** When hurried, a batch goes as soon as nothing more lies behind it. */
  readonly pace: { readonly isHurried: boolean };
}

/** What a shipper counts. */
export type ShipmentMeters = ReturnType<typeof createMeters>;

/** Makes the counters. */
export function createMeters(metrics: Metrics) {
  return {
    ...createDeliveryMeters(metrics),
    gaps: metrics.counter(
      'isthmus_shipper_gap_records_total',
      'Offsets that were lost before they were shipped',
    ),
  };
}

/** Ships every source that the input finds until the signal aborts; each at its own pace, so that one that is refused stops no other. */
export async function shipAll(options: ShipmentOptions): Promise<void> {
  const { input, parcels, signal, clock, bounds, condition } = options;
  const running = new Map<string, { readonly stop: AbortController; readonly done: Promise<void> }>();
  const known = new Set<string>();
  const start = (id: string): void => {
    const stop = new AbortController();
    const signals = AbortSignal.any([signal, stop.signal]);
    const done = keepShipping(id, { ...options, signal: signals }).finally(() => running.delete(id));
    running.set(id, { stop, done });
  };
  while (!signal.aborted) {
    const found = await trying('looking for spools', options, async () => {
      // A spool may be gone while something of it is on its way.
      return new Set([...(await input.discover()), ...parcels.spools()]);
    });
    for (const id of found ?? []) {
      known.add(id);
      if (!running.has(id)) start(id);
    }
    for (const id of known) {
      if (found === undefined || found.has(id)) continue;
      const task = running.get(id);
      task?.stop.abort();
      await task?.done;
      condition.moves(id);
      await trying('forgetting a spool', options, async () => input.forget(id));
      known.delete(id);
    }
    await clock.delay(bounds.discoverEveryMs, signal);
  }
  for (const task of running.values()) task.stop.abort();
  await Promise.all([...running.values()].map((task) => task.done));
}

/** A fault of the shipper's own disk, or of one spool, ends neither the process nor another spool: it is said, and tried again. */
async function keepShipping(id: string, options: ShipmentOptions): Promise<void> {
  const { clock, bounds, signal } = options;
  let pauseMs = bounds.retryMsMin;
  while (!signal.aborted) {
    const startedAtMs = clock.monotonicMs();
    const isDone = await trying(id, options, async () => {
      await shipSource(id, options);
      return true;
    });
    if (isDone === true) return;
    if (clock.monotonicMs() - startedAtMs > bounds.retryMsMax) pauseMs = bounds.retryMsMin;
    await clock.delay(pauseMs, signal);
    pauseMs = Math.min(pauseMs * 2, bounds.retryMsMax);
  }
}

/** Undefined when the work failed, which is then logged and stands in health until something moves. */
async function trying<Result>(
  what: string,
  { log, condition }: ShipmentOptions,
  work: () => Promise<Result>,
): Promise<Result | undefined> {
  try {
    const result = await work();
    condition.moves(what);
    return result;
  } catch (error) {
    log.error({ what, err: error }, 'shipping failed here; it is tried again');
    condition.stuck({ spool: what, reason: error instanceof Error ? error.message : String(error) });
    return undefined;
  }
}

async function shipSource(id: string, options: ShipmentOptions): Promise<void> {
  await finishInterrupted(id, options);
  if (options.signal.aborted) return;
  const source = await options.input.open(id);
  if (source === undefined) return;
  try {
    await new SourceShipment(source, options).run();
  } finally {
    await source.close();
  }
}

/** Delivers what a crash interrupted, before the source is read: under the same names, with the same bytes. */
async function finishInterrupted(id: string, options: ShipmentOptions): Promise<void> {
  const { parcels, input } = options;
  const loaded = parcels.load(id);
  if (loaded.length === 0) return;
  const source = await input.open(id);
  try {
    const shipped = source?.acknowledged() ?? 0;
    for (const parcel of loaded) if (parcel.place.last < shipped) parcels.remove(parcel);
    const left = loaded.filter(({ place }) => place.last >= shipped);
    await deliverAll(
      await Promise.all(left.map((parcel) => underOurName(parcel, options))),
      ({ place }) => {
        // Where a damaged parcel left a hole the range before this one is still to come, so nothing is acknowledged across it.
        if (source !== undefined && place.first <= source.acknowledged()) source.acknowledge(place.last + 1);
      },
      options,
    );
  } finally {
    await source?.close();
  }
}

/** The far end takes nothing under the name that the gateway had before it enrolled again. Ranges are counted under the first name that it had, so none counts twice. */
async function underOurName(parcel: Parcel, { identity, parcels }: ShipmentOptions): Promise<Parcel> {
  const { hash8: _, ...place } = parcel.place;
  const ours = { ...place, fleet: identity.fleet, gateway: identity.gateway ?? place.gateway };
  if (ours.fleet === place.fleet && ours.gateway === place.gateway) return parcel;
  const renamed = await readdress(parcel, ours);
  parcels.replace(parcel, [renamed]);
  return renamed;
}

/** Gathers, delivers, acknowledges, one batch after the other. */
class SourceShipment {
  readonly #source: Source;
  readonly #options: ShipmentOptions;
  #batch: BatchBuilder;
  #openedAtMs = 0;
  /** Bytes of lines that become one byte on the wire, as seen last. */
  #ratio: number | undefined;

  constructor(source: Source, options: ShipmentOptions) {
    this.#source = source;
    this.#options = options;
    this.#batch = new BatchBuilder(options.filters);
  }

  async run(): Promise<void> {
    const { clock, bounds, condition, pace, signal } = this.#options;
    while (!signal.aborted) {
      const entries = await this.#source.read();
      // Nothing is under way here: what hindered it before is over.
      if (entries.length === 0) condition.moves(this.#source.spool);
      for (const entry of entries) {
        if (!this.#batch.continues(entry) || this.#isFull()) await this.#flush();
        if (signal.aborted) return;
        if (entry.kind === 'gap') this.#reportGap(entry);
        else {
          if (this.#batch.isEmpty) this.#openedAtMs = clock.monotonicMs();
          for (const bad of this.#batch.add(entry)) this.#quarantine(bad);
        }
      }
      const isOld = clock.monotonicMs() - this.#openedAtMs >= bounds.batchMsMax;
      const isDue = isOld || (pace.isHurried && entries.length === 0);
      if (this.#isFull() || (isDue && !this.#batch.isEmpty)) await this.#flush();
      if (entries.length === 0) await clock.delay(bounds.pollEveryMs, signal);
    }
    // What is gathered and not sent stays in the spool; the next start reads it again.
  }

  /** Lines are gathered until they fill a parcel as large as may go, so that hardly any has to be cut. */
  #isFull(): boolean {
    const { bounds, size } = this.#options;
    const fitting = this.#ratio === undefined ? Infinity : size.bytes * this.#ratio * 0.9;
    return this.#batch.bytes >= Math.min(bounds.batchBytesMax, fitting);
  }

  async #flush(): Promise<void> {
    if (this.#batch.isEmpty) return;
    const { parcels, filters, identity, size } = this.#options;
    const { spool, stream, organization, environment, gateway } = this.#source;
    const place = {
      spool,
      stream,
      organization,
      environment,
      fleet: identity.fleet,
      gateway: identity.gateway ?? gateway,
      ...this.#batch.range,
    };
    const lines = this.#batch.lines();
    this.#batch = new BatchBuilder(filters);
    const packed = await pack({ place, lines }, size.bytes);
    this.#ratio = lines.length / packed.reduce((sum, parcel) => sum + parcel.bytes.length, 0);
    parcels.save(packed);
    await deliverAll(packed, (parcel) => this.#source.acknowledge(parcel.place.last + 1), this.#options);
  }

  #reportGap(gap: { readonly first: number; readonly last: number; readonly reason: string }): void {
    this.#options.meters.gaps.inc(gap.last - gap.first + 1);
    this.#options.log.error(
      { spool: this.#source.spool, ...gap },
      'records were lost before they were shipped',
    );
  }

  #quarantine({ offset, reason, line }: BadRecord): void {
    const { meters, quarantine, condition, log } = this.#options;
    const { spool } = this.#source;
    const file = quarantine.keep(`${spool}-${offset}.line`, line);
    meters.quarantined.inc();
    condition.setAside(file, reason);
    log.error({ spool, offset, reason, file }, 'a bad record was put aside');
  }
}
