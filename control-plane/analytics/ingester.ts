import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Fault } from '../../proto/faults/fault.ts';
import type { Clock } from '../../proto/process/clock.ts';
import type { Log } from '../../proto/process/log.ts';
import type { Metrics } from '../../proto/process/metrics.ts';
import type { BlobStore, LandingKey } from '../../proto/wire/blobs.ts';
import { parseLandingKey } from '../../proto/wire/landing.ts';
import { landingNameOf } from '../../proto/wire/parcel.ts';
import type { Duck } from './duck.ts';
import type { LakeCache } from './lake-cache.ts';
import type { FileCommit, LakeStore, PendingFile } from './lake.store.ts';
import { uncovered, type OffsetRange } from './ranges.ts';
import type { AnalyticsSettings } from './settings.ts';

/** What an ingester works with. */
export interface IngesterOptions {
  readonly store: LakeStore;
  readonly blobs: BlobStore;
  readonly cache: LakeCache;
  readonly duck: Duck;
  /** A folder of its own for what is being converted. */
  readonly workDir: string;
  readonly settings: AnalyticsSettings;
  readonly log: Log;
  readonly clock: Clock;
  readonly metrics: Metrics;
  /** Called between the steps, for tests that kill the process there. */
  readonly onStep?: ((step: IngestStep) => void) | undefined;
}

/** Where a crash can fall between two steps. */
export type IngestStep = 'named' | 'converted' | 'durable' | 'committed' | 'deleted';

/** A landing object with what its key says. */
interface Landed {
  readonly name: string;
  readonly key: LandingKey;
  readonly bytes: number;
}
/** One whose lines are wanted, all or some, as a local file. */
interface Wanted extends Landed {
  readonly path: string;
  readonly parts: readonly OffsetRange[];
}

const landingPrefix = 'landing/v1/';
const triesMax = 3;

/**
 * Moves records from the landing folder into the lake, each exactly once.
 *
 * Order of destruction: the file is named in the manifest as pending; the Parquet is durable in the bucket; ranges and manifest
 * commit in one transaction; after a grace the landing object is deleted, again and again until that succeeds. A crash
 * between any two leaves either a pending name, whose file is then removed, or a landing object that is covered already.
 */
export class Ingester {
  readonly #options: IngesterOptions;
  readonly #meters: ReturnType<typeof createMeters>;
  /** Tries by key of objects that failed together with others: from then on each is tried alone. */
  readonly #failures = new Map<string, number>();

  constructor(options: IngesterOptions) {
    this.#options = options;
    this.#meters = createMeters(options.metrics);
  }

  /** One round over the landing folder; true when something was done and more may be waiting. */
  async round(): Promise<boolean> {
    const { store, clock } = this.#options;
    if ((await store.hold()) === undefined) return false;
    await this.#removeLeftBehind();
    const done = new Map(
      (await store.doneWith()).map((object) => [object.object_key, object.delete_after_ms]),
    );
    const groups = await this.#list(new Set(done.keys()));
    for (const group of groups) {
      if ((await store.hold()) === undefined) return false;
      await this.#ingest(group);
    }
    for (const [key, deleteAfterMs] of done) if (deleteAfterMs <= clock.now()) await this.#delete(key);
    return groups.length > 0;
  }

  /** Only the holder of the lease writes, one file at a time, so every pending file at the start of a round is dead. */
  async #removeLeftBehind(): Promise<void> {
    const { store, blobs } = this.#options;
    for (const { id, key } of await store.leftBehind()) {
      await blobs.delete(key);
      await store.abandon(id);
    }
  }

  /** Objects by environment, within the bounds of one file; an object that has failed before stands alone. */
  async #list(done: ReadonlySet<string>): Promise<readonly (readonly Landed[])[]> {
    const { blobs, settings } = this.#options;
    const groups: Landed[][] = [];
    const open = new Map<string, { readonly group: Landed[]; bytes: number }>();
    for await (const { key: name, bytes } of blobs.list(landingPrefix)) {
      const key = parseLandingKey(name);
      if (key === undefined || done.has(name)) continue;
      const landed = { name, key, bytes };
      if (this.#failures.has(name)) {
        groups.push([landed]);
        continue;
      }
      const tenant = `${key.organization}/${key.environment}`;
      let current = open.get(tenant);
      const isFull =
        current !== undefined &&
        (current.group.length >= settings.objectsPerFileMax ||
          current.bytes + bytes > settings.bytesPerFileMax);
      if (current === undefined || isFull) {
        current = { group: [], bytes: 0 };
        open.set(tenant, current);
        groups.push(current.group);
      }
      current.group.push(landed);
      current.bytes += bytes;
    }
    return groups;
  }

  async #ingest(group: readonly Landed[]): Promise<void> {
    const { workDir, log } = this.#options;
    const dir = join(workDir, randomUUID());
    await mkdir(dir, { recursive: true });
    try {
      const wanted = await this.#fetch(dir, await this.#choose(group));
      if (wanted.length > 0) await this.#convert(dir, wanted);
      for (const { name } of group) this.#failures.delete(name);
    } catch (error) {
      if (!(error instanceof Fault) || error.code !== 'analytics.failed') throw error;
      this.#meters.failures.inc();
      log.warn(
        { objects: group.length, err: error },
        'landing objects were not converted; each is tried alone',
      );
      for (const landed of group) await this.#countFailure(landed, group.length === 1);
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  }

  async #countFailure(landed: Landed, isAlone: boolean): Promise<void> {
    const tries = (this.#failures.get(landed.name) ?? 0) + (isAlone ? 1 : 0);
    this.#failures.set(landed.name, tries);
    if (tries >= triesMax) await this.#quarantine(landed, 'it cannot be read');
  }

  /** Takes what is not covered yet of each object; settles repetitions and contradictions. */
  async #choose(
    group: readonly Landed[],
  ): Promise<readonly (Landed & { readonly parts: readonly OffsetRange[] })[]> {
    const { store } = this.#options;
    const chosen: (Landed & { readonly parts: readonly OffsetRange[] })[] = [];
    for (const landed of group) {
      const { key } = landed;
      const mine = chosen
        .filter((other) => other.key.spool === key.spool)
        .flatMap((other) =>
          other.parts.map((part) => ({ ...part, hash8: isWhole(other.key, part) ? other.key.hash8 : '' })),
        );
      const known = [...(await store.covered(key, key.spool, key)), ...mine];
      const twin = known.find(({ first, last }) => first === key.first && last === key.last);
      const parts = uncovered(key, known);
      if (twin !== undefined && twin.hash8 !== '' && twin.hash8 !== key.hash8)
        await this.#quarantine(landed, 'its range arrived before with other content');
      else if (parts.length === 0) await this.#settle(landed, 'duplicate');
      else chosen.push({ ...landed, parts });
    }
    return chosen;
  }

  async #fetch(
    dir: string,
    chosen: readonly (Landed & { readonly parts: readonly OffsetRange[] })[],
  ): Promise<readonly Wanted[]> {
    const wanted: Wanted[] = [];
    for (const [index, landed] of chosen.entries()) {
      const bytes = await this.#options.blobs.get(landed.name);
      if (bytes === undefined) continue;
      const hash8 = createHash('sha256').update(bytes).digest('hex').slice(0, 8);
      if (hash8 !== landed.key.hash8) {
        await this.#quarantine(landed, 'its bytes are not those that its key names');
        continue;
      }
      const named = landingNameOf(bytes);
      if (named !== landed.name) {
        const reason =
          named === undefined ? 'it does not say whose lines it holds' : `it is a copy of ${named}`;
        await this.#quarantine(landed, reason);
        continue;
      }
      const path = join(dir, `${index}.ndjson.zst`);
      await writeFile(path, bytes);
      wanted.push({ ...landed, path });
    }
    return wanted;
  }

  async #convert(dir: string, wanted: readonly Wanted[]): Promise<void> {
    const { store, blobs, duck, cache, clock, settings, log } = this.#options;
    const [sample] = wanted;
    if (sample === undefined) return;
    const { organization, environment } = sample.key;
    const id = randomUUID();
    const day = new Date(clock.now()).toISOString().slice(0, 10);
    const file: PendingFile = {
      id,
      organization,
      environment,
      key: `lake/v1/org=${organization}/env=${environment}/ingested=${day}/${id}.parquet`,
    };
    await store.begin(file, clock.now());
    this.#step('named');
    const output = join(dir, `${id}.parquet`);
    const result = await duck.convert({ organization, environment, inputs: wanted.map(toInput), output });
    if (result.kind === 'refused') {
      for (const { path, reason } of result.bad) {
        const landed = wanted.find((one) => one.path === path);
        if (landed !== undefined) await this.#quarantine(landed, reason);
      }
      return store.abandon(id);
    }
    this.#step('converted');
    const parquet = await readFile(output);
    await blobs.put(file.key, parquet);
    this.#step('durable');
    const commit: FileCommit = {
      file,
      records: result.records,
      bytes: parquet.length,
      minMs: result.minMs,
      maxMs: result.maxMs,
      covered: wanted.flatMap(({ key, parts }) =>
        // A trimmed range has no hash of its own: a later object of just that range is no contradiction.
        parts.map((part) => ({
          ...part,
          spool: key.spool,
          gateway: key.gateway,
          hash8: isWhole(key, part) ? key.hash8 : '',
        })),
      ),
      done: wanted.map(({ name }) => ({ object_key: name, outcome: 'ingested' })),
    };
    if (!(await store.commit(commit, { nowMs: clock.now(), graceMs: settings.graceMs }))) {
      log.warn({ file: file.key }, 'another ingester has taken over; nothing was committed');
      return;
    }
    this.#step('committed');
    await cache.adopt(id, output);
    this.#meters.records.inc(result.records);
    if (result.malformed > 0) {
      this.#meters.malformed.inc(result.malformed);
      log.warn(
        { file: file.key, records: result.malformed },
        'records whose type or time means nothing came in',
      );
    }
    this.#meters.objects.inc({ outcome: 'ingested' }, wanted.length);
    this.#meters.newest.set(result.maxMs / 1_000);
  }

  async #settle(landed: Landed, outcome: 'duplicate' | 'quarantined'): Promise<void> {
    const { store, clock, settings } = this.#options;
    const done = [{ object_key: landed.name, outcome }];
    await store.settle(done, { nowMs: clock.now(), graceMs: settings.graceMs });
    this.#meters.objects.inc({ outcome });
  }

  /** Copies the object aside for a human, says so, and lets the others go on. */
  async #quarantine(landed: Landed, reason: string): Promise<void> {
    const { blobs, store, log, clock } = this.#options;
    const { name, key } = landed;
    const bytes = await blobs.get(name);
    if (bytes !== undefined) await blobs.put(`quarantine/${name}`, bytes);
    log.error({ object: name, reason }, 'a landing object went to quarantine');
    const detail = `${name}: ${reason}`;
    await store.saveEvent({
      id: randomUUID(),
      organization: key.organization,
      gateway: key.gateway,
      detail,
      atMs: clock.now(),
    });
    await this.#settle(landed, 'quarantined');
    this.#failures.delete(name);
  }

  async #delete(key: string): Promise<void> {
    await this.#options.blobs.delete(key);
    this.#step('deleted');
    await this.#options.store.forget(key);
  }

  #step(step: IngestStep): void {
    this.#options.onStep?.(step);
  }
}

const isWhole = (key: OffsetRange, part: OffsetRange): boolean =>
  part.first === key.first && part.last === key.last;

function toInput({ path, key, parts }: Wanted) {
  const lines = key.last - key.first + 1;
  const [only] = parts;
  const isWhole = parts.length === 1 && only?.first === key.first && only.last === key.last;
  const keep = isWhole
    ? undefined
    : parts.map(({ first, last }) => ({ first: first - key.first, last: last - key.first }));
  return { path, lines, keep };
}

function createMeters(metrics: Metrics) {
  return {
    records: metrics.counter('isthmus_analytics_ingested_records_total', 'Records that came into the lake'),
    malformed: metrics.counter(
      'isthmus_analytics_malformed_records_total',
      'Lines that cannot be read, and records whose type or time means nothing: no question counts them',
    ),
    objects: metrics.counter('isthmus_analytics_landing_objects_total', 'Landing objects done with', [
      'outcome',
    ]),
    failures: metrics.counter(
      'isthmus_analytics_ingest_failures_total',
      'Parquet files that could not be written',
    ),
    newest: metrics.gauge(
      'isthmus_analytics_newest_record_seconds',
      'Time of the newest record that was ingested last',
    ),
  };
}
