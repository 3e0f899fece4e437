import { randomUUID } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LRUCache } from 'lru-cache';
import { Fault } from '../../proto/faults/fault.ts';
import type { LandingKey } from '../../proto/wire/blobs.ts';
import { landingFolder, parseLandingKey } from '../../proto/wire/landing.ts';
import type { EnvironmentRef } from '../../proto/wire/published.ts';
import { Aside } from './aside.ts';
import type { ConvertResult, Refused } from './duck-jobs.ts';
import type { IngesterOptions, IngestStep } from './ingester.ts';
import { verify, type Landed } from './landed.ts';
import { lakeFileKey, type PendingFile } from './lake.store.ts';
import { createIngestMeters, type IngestMeters } from './meters.ts';
import { Origins, rootOf, type Sender } from './origins/origins.ts';
import { OriginStore } from './origins/origins.store.ts';
import { inFolder } from './own-folder.ts';
import { coveredBy } from './proof.ts';
import { uncovered, type OffsetRange } from './ranges.ts';

/** Where an environment stands in the rotation. */
export interface Turn {
  readonly stream: LandingKey['stream'];
  readonly at: EnvironmentRef;
  /** The last key of the listing that was looked at; absent to begin anew. */
  after?: string | undefined;
  /** Turns that failed, one after the other. */
  failures: number;
  notBeforeMs: number;
}

/** One that was read and is what its key says, as a local file. */
interface Sound extends Landed {
  readonly path: string;
  readonly isOdd: boolean;
}
/** One whose lines are wanted, all or some. */
interface Wanted extends Sound {
  readonly parts: readonly OffsetRange[];
  readonly sender: Sender;
}
type Converted = Extract<ConvertResult, { kind: 'converted' }>;

const listedMax = 1_000;
const triesMax = 3;
const triedMax = 10_000;
/** Objects that cannot be read one after the other, until the bucket counts as away. */
const unreadableMax = 3;

/** What one environment gets done before the next one has its turn: at most one file of the lake. */
export class Turns {
  readonly #options: IngesterOptions;
  readonly meters: IngestMeters;
  readonly #aside: Aside;
  readonly #origins: Origins;
  /** Tries by key of objects that failed together with others: from then on each is tried alone. */
  readonly #tries = new LRUCache<string, number>({ max: triedMax });

  constructor(options: IngesterOptions) {
    this.#options = options;
    this.meters = createIngestMeters(options.metrics);
    this.#aside = new Aside(options, this.meters);
    this.#origins = new Origins(new OriginStore(options.storage));
  }

  /** Reads and proves first, then chooses, then converts; true when more is waiting. */
  async take(turn: Turn): Promise<boolean> {
    const picked = await this.#pick(turn);
    if (picked.length === 0) return turn.after !== undefined;
    return inFolder(this.#options.workDir, async (dir) => {
      const sound = await this.#read(dir, picked, turn);
      const chosen = await this.#choose(sound);
      if (chosen.length > 0) await this.#tryToConvert(dir, chosen, turn);
      return turn.after !== undefined || chosen.length < sound.length;
    });
  }

  /** Objects within the bounds of one file; one that has failed before stands alone. */
  async #pick(turn: Turn): Promise<readonly Landed[]> {
    const { blobs, store, settings } = this.#options;
    const { organization, environment } = turn.at;
    const prefix = `${landingFolder(turn.stream)}org=${organization}/env=${environment}/`;
    const listed: Landed[] = [];
    let seen = 0;
    let last: string | undefined;
    const after = turn.after === undefined ? {} : { after: turn.after };
    turn.after = undefined;
    for await (const { key: name, bytes } of blobs.list(prefix, after)) {
      if (seen === listedMax) {
        turn.after = last;
        break;
      }
      seen += 1;
      last = name;
      const key = parseLandingKey(name);
      if (key !== undefined) listed.push({ name, key, bytes });
    }
    const done = await store.doneAmong(listed.map(({ name }) => name));
    const fresh = listed.filter((landed) => !done.has(landed.name) && !this.#aside.isWaiting(landed));
    const picked: Landed[] = [];
    let bytes = 0;
    for (const landed of fresh) {
      const isAlone = this.#tries.has(landed.name);
      const isFull =
        picked.length >= settings.objectsPerFileMax || bytes + landed.bytes > settings.bytesPerFileMax;
      if (picked.length > 0 && (isFull || isAlone)) {
        turn.after = picked.at(-1)?.name;
        break;
      }
      picked.push(landed);
      bytes += landed.bytes;
      if (isAlone && fresh.length > 1) {
        turn.after = landed.name;
        break;
      }
    }
    return picked;
  }

  async #read(dir: string, picked: readonly Landed[], turn: Turn): Promise<readonly Sound[]> {
    const { blobs, clock, settings } = this.#options;
    const sound: Sound[] = [];
    const startedMs = clock.monotonicMs();
    let lines = 0;
    let lineBytes = 0;
    let unreadable = 0;
    for (const [index, landed] of picked.entries()) {
      const own = landed.key.last - landed.key.first + 1;
      const isFull =
        lineBytes >= settings.lineBytesPerFileMax ||
        lines + own > settings.linesPerFileMax ||
        clock.monotonicMs() - startedMs > settings.turnMsMax;
      if (sound.length > 0 && isFull) {
        turn.after = picked[index - 1]?.name;
        break;
      }
      const found = await verify(blobs, landed, settings).catch((error: unknown) => {
        if (!(error instanceof Fault) || (unreadable += 1) >= unreadableMax) throw error;
        return { kind: 'gone' as const };
      });
      if (found.kind === 'unfinished') await this.#aside.unfinished(landed);
      else if (found.kind === 'bad') await this.#aside.quarantine(landed, found.reason);
      else if (found.kind === 'sound') {
        this.#aside.finished(landed);
        const path = join(dir, `${index}.ndjson.zst`);
        await writeFile(path, Buffer.concat(found.frames));
        sound.push({ ...landed, path, isOdd: found.isOdd });
        lines += own;
        lineBytes += found.lineBytes;
        unreadable = 0;
      }
    }
    return sound;
  }

  /**
   * Takes what is not covered yet of each object; settles repetitions and contradictions.
   *
   * Only what is committed settles others: one that overlaps with another of the same turn waits for the next.
   */
  async #choose(sound: readonly Sound[]): Promise<readonly Wanted[]> {
    const { store } = this.#options;
    const chosen: Wanted[] = [];
    for (const landed of sound) {
      const { key } = landed;
      const sender = await this.#origins.sender(key);
      if (sender.kind === 'lying') {
        await this.#aside.quarantine(landed, 'its gateway is not of the fleet that its key names');
        continue;
      }
      const known = await store.covered(key, { spool: key.spool, gateway: rootOf(sender) }, key);
      const twin = known.find(({ first, last }) => first === key.first && last === key.last);
      const parts = uncovered(key, known);
      if (twin !== undefined && twin.hash8 !== '' && twin.hash8 !== key.hash8)
        await this.#aside.quarantine(landed, 'its range arrived before with other content');
      else if (parts.length === 0) await this.#aside.settle(landed, 'duplicate');
      else if (!chosen.some((other) => overlap(other, landed))) chosen.push({ ...landed, parts, sender });
    }
    return chosen;
  }

  async #tryToConvert(dir: string, wanted: readonly Wanted[], turn: Turn): Promise<void> {
    try {
      await this.#convert(dir, wanted, turn);
      for (const { name } of wanted) this.#tries.delete(name);
    } catch (error) {
      if (!(error instanceof Fault) || error.code !== 'analytics.failed') throw error;
      this.meters.failures.inc();
      for (const landed of wanted) {
        const tries = (this.#tries.get(landed.name) ?? 0) + (wanted.length === 1 ? 1 : 0);
        this.#tries.set(landed.name, tries);
        if (tries < triesMax) continue;
        await this.#aside.quarantine(landed, 'it cannot be read');
        this.#tries.delete(landed.name);
      }
      throw error;
    }
  }

  async #convert(dir: string, wanted: readonly Wanted[], { stream, at }: Turn): Promise<void> {
    const { store, duck, clock } = this.#options;
    const id = randomUUID();
    const key = lakeFileKey(at, { id, stream, atMs: clock.now() });
    const file: PendingFile = { id, ...at, key };
    await store.begin(file, clock.now());
    await this.#step('named');
    const output = join(dir, `${id}.parquet`);
    const { judged, grants } = await this.#origins.judgement(at, wanted);
    const inputs = judged.map(({ item, origin }) => ({
      path: item.path,
      isOdd: item.isOdd,
      key: spoolKeyOf(item),
      parts: item.parts,
      origin,
    }));
    const result = await duck.convert({ file: id, stream, ...at, inputs, grants, output });
    const reasons = new Map(result.bad.map(({ path, reason }) => [path, reason]));
    const good = wanted.filter(({ path }) => !reasons.has(path));
    if (result.kind === 'refused') await store.abandon(id);
    else {
      await this.#step('converted');
      if (!(await this.#commit(file, { output, good, result }))) return;
    }
    for (const landed of wanted) {
      const reason = reasons.get(landed.path);
      if (reason !== undefined) await this.#aside.quarantine(landed, reason);
    }
  }

  /** Says which objects held records that are refused: those are in the lake, and no question counts them. */
  async #tellRefused(good: readonly Wanted[], refused: readonly Refused[]): Promise<void> {
    for (const landed of good)
      for (const each of refused.filter(({ path }) => path === landed.path))
        await this.#aside.refused(landed, each);
  }

  async #commit(
    file: PendingFile,
    made: { readonly output: string; readonly good: readonly Wanted[]; readonly result: Converted },
  ): Promise<boolean> {
    const { store, blobs, cache, clock, settings, log } = this.#options;
    const { output, good, result } = made;
    const parquet = await readFile(output);
    await blobs.put(file.key, parquet);
    await this.#step('durable');
    const { records, malformed, minMs, maxMs } = result;
    const committingMs = clock.monotonicMs();
    const isCommitted = await store.commit(
      {
        file,
        records,
        bytes: parquet.length,
        minMs,
        maxMs,
        covered: good.flatMap((each) => coveredBy(spoolKeyOf(each), each.parts)),
        done: good.map(({ name }) => ({ object_key: name, outcome: 'ingested' })),
      },
      { nowMs: clock.now(), graceMs: settings.graceMs },
    );
    if (!isCommitted) {
      // Whoever named it decides; who sleeps here as well leaves it to the next comparison, which may have taken it in.
      const isNamed = (await store.namedAmong([file.id])).has(file.id);
      if (!isNamed && clock.monotonicMs() - committingMs < settings.leaseMs) await blobs.delete(file.key);
      this.meters.refused.inc();
      log.warn({ file: file.key }, 'another ingester has taken over; nothing was committed');
      return false;
    }
    await this.#step('committed');
    await this.#tellRefused(good, result.refused);
    await cache.adopt(file.id, output).catch(() => undefined);
    this.meters.records.inc(records);
    if (Object.values(malformed).some((lines) => lines > 0)) {
      for (const [field, lines] of Object.entries(malformed)) this.meters.malformed.inc({ field }, lines);
      log.warn(
        { file: file.key, malformed },
        'lines came in that are no record, or whose type or time means nothing',
      );
    }
    this.meters.objects.inc({ outcome: 'ingested' }, good.length);
    this.meters.newest.set(maxMs / 1_000);
    return true;
  }

  async #step(step: IngestStep): Promise<void> {
    await this.#options.onStep?.(step);
  }
}

/** As its spool is counted: under the first name of its gateway. */
const spoolKeyOf = ({ key, sender }: Wanted): Wanted['key'] => ({
  ...key,
  gateway: rootOf(sender) ?? key.gateway,
});

const overlap = ({ key: a }: Landed, { key: b }: Landed): boolean =>
  a.spool === b.spool && a.first <= b.last && b.first <= a.last;
