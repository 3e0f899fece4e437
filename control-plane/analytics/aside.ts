import { LRUCache } from 'lru-cache';
import type { IngesterOptions } from './ingester.ts';
import type { Landed } from './landed.ts';
import type { IngestMeters } from './meters.ts';
import type { Refused } from './duck-jobs.ts';
import { saveAside } from './quarantine.store.ts';

const rememberedMax = 10_000;

/** Landing objects that do not come into the lake, or not yet. */
export class Aside {
  readonly #options: IngesterOptions;
  readonly #meters: IngestMeters;
  /** Unfinished ones: how many bytes they had and since when. */
  readonly #unfinished = new LRUCache<string, { readonly bytes: number; readonly sinceMs: number }>({
    max: rememberedMax,
  });

  constructor(options: IngesterOptions, meters: IngestMeters) {
    this.#options = options;
    this.#meters = meters;
  }

  /** Whether an unfinished one need not be read again yet. */
  isWaiting({ name, bytes }: Landed): boolean {
    const known = this.#unfinished.peek(name);
    return (
      known !== undefined && known.bytes === bytes && this.#ageMs(known) < this.#options.settings.unfinishedMs
    );
  }

  /** It is read, and finished. */
  finished({ name }: Landed): void {
    if (this.#unfinished.delete(name)) this.#meters.unfinished.set(this.#unfinished.size);
  }

  /**
   * Half of a put that failed is not what its shipper has to say: it stays for the repeat, and covers nothing.
   *
   * After the wait it is copied aside and told of, once, and stays all the same: the whole one may come under the same key at any time,
   * and a store deletes whatever lies there by then.
   */
  async unfinished(landed: Landed): Promise<void> {
    const { log, clock, settings } = this.#options;
    const { name, bytes } = landed;
    const known = this.#unfinished.get(name) ?? { bytes, sinceMs: clock.monotonicMs() };
    if (!this.#unfinished.has(name))
      log.warn({ object: name, bytes }, 'a landing object is not what its key says; it waits for the repeat');
    this.#unfinished.set(name, { ...known, bytes });
    this.#meters.unfinished.set(this.#unfinished.size);
    if (this.#ageMs(known) < settings.unfinishedMs) return;
    this.#unfinished.set(name, { bytes, sinceMs: clock.monotonicMs() });
    if (await this.#isAside(landed)) return;
    await this.#copyAside(landed, 'its bytes are not those that its key names');
    this.#meters.objects.inc({ outcome: 'unfinished' });
  }

  /** Whether it was copied aside as it is, by whichever process. */
  async #isAside({ name, bytes }: Landed): Promise<boolean> {
    const key = asideOf(name);
    for await (const listed of this.#options.blobs.list(key))
      if (listed.key === key && listed.bytes === bytes) return true;
    return false;
  }

  /** Copies the object aside for a human, says so, and lets the others go on. */
  async quarantine(landed: Landed, reason: string): Promise<void> {
    await this.#copyAside(landed, reason);
    await this.settle(landed, 'quarantined');
  }

  /** Tells of records that are in the lake and refused, by number and by what is wrong with them. */
  async refused({ name, key }: Landed, { records, fields }: Refused): Promise<void> {
    const { storage, log, clock, settings } = this.#options;
    for (const each of fields) this.#meters.refusedRecords.inc({ field: each.field }, each.records);
    const which = fields.map((each) => `${each.field} ${each.records}`).join(', ');
    const reason = `${records} of its records say what its gateway may not (${which})`;
    log.error(
      { object: name, reason },
      'records were refused; they are in the lake, and no question counts them',
    );
    const eventsPerHourMax = settings.quarantineEventsPerHourMax;
    const told = { kind: 'records.refused', name, key, reason } as const;
    await saveAside(storage, told, { nowMs: clock.now(), eventsPerHourMax });
  }

  async settle({ name }: Landed, outcome: 'duplicate' | 'quarantined'): Promise<void> {
    const { store, clock, settings } = this.#options;
    const done = [{ object_key: name, outcome }];
    await store.settle(done, { nowMs: clock.now(), graceMs: settings.graceMs });
    this.#meters.objects.inc({ outcome });
  }

  async #copyAside({ name, key }: Landed, reason: string): Promise<void> {
    const { blobs, storage, log, clock, settings } = this.#options;
    await blobs.copy(name, asideOf(name));
    log.error({ object: name, reason }, 'a landing object went to quarantine');
    const eventsPerHourMax = settings.quarantineEventsPerHourMax;
    const told = { kind: 'records.quarantined', name, key, reason } as const;
    await saveAside(storage, told, { nowMs: clock.now(), eventsPerHourMax });
  }

  #ageMs({ sinceMs }: { readonly sinceMs: number }): number {
    return this.#options.clock.monotonicMs() - sinceMs;
  }
}

const asideOf = (name: string): string => `quarantine/${name}`;
