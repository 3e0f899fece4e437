import type { Clock } from '../proto/process/clock.ts';
import type { Log } from '../proto/process/log.ts';
import type { Metrics } from '../proto/process/metrics.ts';
import { formatLandingKey } from '../proto/wire/landing.ts';
import { sealParcel } from '../proto/wire/parcel.ts';
import { BatchBuilder, landingKeyOf, type BadRecord } from './batch.ts';
import type { Intent, Intents } from './intents.ts';
import type { Filter, Input, Output, Parcel, Source } from './topology.ts';

/** The nodes and bounds of a running shipper. */
export interface ShipmentOptions {
  readonly input: Input;
  readonly filters: readonly Filter[];
  readonly output: Output;
  readonly intents: Intents;
  /** What landing keys name beside the source. */
  readonly identity: { readonly fleet: string; readonly gateway: string | undefined };
  readonly bounds: {
    readonly batchBytesMax: number;
    readonly batchMsMax: number;
    readonly pollMs: number;
    readonly discoverMs: number;
    readonly retryMsMin: number;
    readonly retryMsMax: number;
  };
  readonly log: Log;
  readonly clock: Clock;
  readonly meters: ShipmentMeters;
  readonly signal: AbortSignal;
}

/** What a shipper counts. */
export type ShipmentMeters = ReturnType<typeof createMeters>;

/** Makes the counters. */
export function createMeters(metrics: Metrics) {
  return {
    records: metrics.counter('isthmus_shipper_records_total', 'Records delivered'),
    bytes: metrics.counter('isthmus_shipper_bytes_total', 'Compressed bytes delivered'),
    failures: metrics.counter('isthmus_shipper_failures_total', 'Deliveries that did not succeed', ['kind']),
    gaps: metrics.counter(
      'isthmus_shipper_gap_records_total',
      'Offsets that were lost before they were shipped',
    ),
    quarantined: metrics.counter('isthmus_shipper_quarantined_records_total', 'Records put aside'),
    delivered: metrics.gauge(
      'isthmus_shipper_last_delivery_seconds',
      'When the last parcel arrived, since the epoch',
    ),
    failing: metrics.gauge('isthmus_shipper_failing', '1 while deliveries fail'),
  };
}

/** Ships every source that the input finds until the signal aborts; each at its own pace, so that one that is refused stops no other. */
export async function shipAll(options: ShipmentOptions): Promise<void> {
  const { input, signal, clock } = options;
  const running = new Map<string, { readonly stop: AbortController; readonly done: Promise<void> }>();
  // A source's fault that is not the far end's (its disk is broken) ends the shipper; others go on until then.
  let broken: unknown;
  while (!signal.aborted && broken === undefined) {
    const found = await input.discover();
    for (const id of found) {
      if (running.has(id)) continue;
      const stop = new AbortController();
      const done = shipSource(id, options, AbortSignal.any([signal, stop.signal]))
        .catch((error: unknown) => void (broken ??= error))
        .finally(() => running.delete(id));
      running.set(id, { stop, done });
    }
    for (const [id, task] of running) {
      if (found.has(id)) continue;
      task.stop.abort();
      await task.done;
      input.forget(id);
    }
    await clock.delay(options.bounds.discoverMs, signal);
  }
  for (const task of running.values()) task.stop.abort();
  await Promise.all([...running.values()].map((task) => task.done));
  if (broken !== undefined) throw broken;
}

async function shipSource(id: string, options: ShipmentOptions, signal: AbortSignal): Promise<void> {
  await finishInterrupted(id, options, signal);
  if (signal.aborted) return;
  const source = await options.input.open(id);
  if (source === undefined) return;
  try {
    await new SourceShipment(source, options, signal).run();
  } finally {
    await source.close();
  }
}

/** Delivers what a crash interrupted, before the source is read: under the same name, with the same bytes. */
async function finishInterrupted(id: string, options: ShipmentOptions, signal: AbortSignal): Promise<void> {
  const interrupted = options.intents.load(id);
  if (interrupted === undefined) return;
  const source = await options.input.open(id);
  if (source === undefined) return options.intents.remove(id);
  try {
    const { intent, parcel } = interrupted;
    if (source.acknowledged() <= intent.last)
      await deliver(source, { intent, parcel }, { ...options, signal });
    else options.intents.remove(id);
  } finally {
    await source.close();
  }
}

/** Gathers, delivers, acknowledges, one batch after the other. */
class SourceShipment {
  readonly #source: Source;
  readonly #options: ShipmentOptions;
  readonly #signal: AbortSignal;
  #batch: BatchBuilder;
  #openedAtMs = 0;

  constructor(source: Source, options: ShipmentOptions, signal: AbortSignal) {
    this.#source = source;
    this.#options = options;
    this.#signal = signal;
    this.#batch = new BatchBuilder(options.filters);
  }

  async run(): Promise<void> {
    const { clock, bounds } = this.#options;
    while (!this.#signal.aborted) {
      const entries = await this.#source.read();
      for (const entry of entries) {
        if (!this.#batch.continues(entry) || this.#batch.bytes >= bounds.batchBytesMax) await this.#flush();
        if (entry.kind === 'gap') this.#reportGap(entry);
        else {
          if (this.#batch.isEmpty) this.#openedAtMs = clock.monotonicMs();
          for (const bad of this.#batch.add(entry)) this.#quarantine(bad);
        }
        if (this.#signal.aborted) return;
      }
      const isDue = clock.monotonicMs() - this.#openedAtMs >= bounds.batchMsMax;
      if (this.#batch.bytes >= bounds.batchBytesMax || (isDue && !this.#batch.isEmpty)) await this.#flush();
      if (entries.length === 0) await clock.delay(bounds.pollMs, this.#signal);
    }
    // What is gathered and not sent stays in the spool; the next start reads it again.
  }

  async #flush(): Promise<void> {
    if (this.#batch.isEmpty) return;
    const { intents, filters, identity } = this.#options;
    const { spool, stream, organization, environment, gateway } = this.#source;
    const { range } = this.#batch;
    const lines = await this.#batch.compressed();
    const place = {
      spool,
      stream,
      organization,
      environment,
      fleet: identity.fleet,
      gateway: identity.gateway ?? gateway,
    };
    const bytes = sealParcel({ ...place, ...range }, lines);
    const key = formatLandingKey(landingKeyOf(place, range, bytes));
    const intent: Intent = { spool, ...range, key, filters: filters.map((filter) => filter.hash).join('+') };
    this.#batch = new BatchBuilder(filters);
    intents.save(intent, bytes);
    await deliver(
      this.#source,
      { intent, parcel: { key, bytes } },
      { ...this.#options, signal: this.#signal },
    );
  }

  #reportGap(gap: { readonly first: number; readonly last: number; readonly reason: string }): void {
    this.#options.meters.gaps.inc(gap.last - gap.first + 1);
    this.#options.log.error(
      { spool: this.#source.spool, ...gap },
      'records were lost before they were shipped',
    );
  }

  #quarantine(bad: BadRecord): void {
    this.#options.meters.quarantined.inc();
    this.#options.intents.quarantineRecord(this.#source.spool, bad);
    this.#options.log.error(
      { spool: this.#source.spool, offset: bad.offset, reason: bad.reason },
      'a bad record was put aside',
    );
  }
}

/** Delivers one parcel, however long it takes; returns early, with the intent kept, only when the signal aborts. */
async function deliver(
  source: Source,
  { intent, parcel }: { readonly intent: Intent; readonly parcel: Parcel },
  options: ShipmentOptions,
): Promise<void> {
  const { output, intents, bounds, clock, log, meters, signal } = options;
  let pauseMs = bounds.retryMsMin;
  for (let attempt = 1; !signal.aborted; attempt++) {
    const delivery = await output.deliver(parcel, signal);
    switch (delivery.kind) {
      case 'delivered':
        meters.records.inc(intent.last - intent.first + 1);
        meters.bytes.inc(parcel.bytes.length);
        meters.delivered.set(clock.now() / 1_000);
        meters.failing.set(0);
        return settle(source, intent, intents);
      case 'refused':
        meters.failures.inc({ kind: 'refused' });
        log.error({ key: parcel.key, reason: delivery.reason }, 'a batch was refused for good and put aside');
        intents.quarantineParcel(intent, parcel.bytes, delivery.reason);
        return settle(source, intent, intents);
      case 'unavailable': {
        if (signal.aborted) return;
        meters.failures.inc({ kind: 'unavailable' });
        meters.failing.set(1);
        log.warn(
          { key: parcel.key, reason: delivery.reason, attempt },
          'a batch was not taken; it is tried again',
        );
        // Jitter: shippers that lost the same bridge do not come back as one.
        const jitteredMs = pauseMs * (0.5 + Math.random() / 2);
        await clock.delay(Math.max(jitteredMs, delivery.retryAfterMs ?? 0), signal);
        pauseMs = Math.min(pauseMs * 2, bounds.retryMsMax);
      }
    }
  }
}

function settle(source: Source, intent: Intent, intents: Intents): void {
  source.acknowledge(intent.last + 1);
  intents.remove(intent.spool);
}
