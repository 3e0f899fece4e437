import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Clock } from '../proto/process/clock.ts';
import type { Metrics } from '../proto/process/metrics.ts';
import { listSegments, listSpools, segmentFile, shippedOf, type SpoolRef } from '../proto/spool/folder.ts';
import { createSpoolReader } from '../proto/spool/reader.ts';

/** What lies in the spools and has not arrived. */
export interface Backlog {
  /** Spools that hold some of it. */
  readonly spools: number;
  /** Of segments that have not arrived whole; a segment of which a part has arrived counts with all its bytes. */
  readonly bytes: number;
  /** When the request of the oldest record was answered, ISO 8601; absent when nothing waits or the record does not say. */
  readonly oldestRecord?: string | undefined;
}

/** Where the spools lie, and the bound on a look at them. */
export interface BacklogOptions {
  readonly dir: string;
  readonly checkpointDir: string;
  readonly clock: Clock;
  readonly metrics: Metrics;
}

/** One look serves everybody who asks within this time. */
const lookEveryMs = 1_000;
/** More spools than this are not looked into; a gateway has one per environment, worker and start. */
const spoolsMax = 500;
/** Enough for the first batch of a spool, of which only the first line is read. */
const chunkBytes = 64 * 1024;

/** Measures what waits, by the files alone: it needs no identity and no far end, and is right after a restart. */
export interface BacklogWatch {
  /** As it was within the last second. */
  measure(): Promise<Backlog>;
  /** Whether nothing waits now. */
  isEmpty(): Promise<boolean>;
  /** How many records wait. Cost: reads the newest segment of every spool; for once in a while. */
  records(): Promise<number>;
}

/** See {@link BacklogWatch}. */
export function createBacklog(options: BacklogOptions): BacklogWatch {
  const { clock, metrics } = options;
  const meters = {
    bytes: metrics.gauge('isthmus_shipper_backlog_bytes', 'Bytes of segments that have not arrived whole'),
    oldest: metrics.gauge(
      'isthmus_shipper_oldest_record_timestamp_seconds',
      'When the oldest record that has not arrived was made, since the epoch; 0 when none waits',
    ),
  };
  let known: { readonly atMs: number; readonly backlog: Promise<Backlog> } | undefined;
  const look = async (): Promise<Backlog> => {
    const backlog = await measure(options);
    meters.bytes.set(backlog.bytes);
    meters.oldest.set(backlog.oldestRecord === undefined ? 0 : Date.parse(backlog.oldestRecord) / 1_000);
    return backlog;
  };
  return {
    measure() {
      const nowMs = clock.monotonicMs();
      if (known === undefined || nowMs - known.atMs >= lookEveryMs) known = { atMs: nowMs, backlog: look() };
      return known.backlog;
    },
    isEmpty: async () => (await measure(options)).spools === 0,
    async records() {
      let records = 0;
      for (const ref of (await listSpools(options.dir)).slice(0, spoolsMax))
        records += await recordsIn(ref, options.checkpointDir);
      return records;
    },
  };
}

async function measure({ dir, checkpointDir }: BacklogOptions): Promise<Backlog> {
  const waiting: Waiting[] = [];
  for (const ref of (await listSpools(dir)).slice(0, spoolsMax)) {
    const found = await waitingIn(ref, checkpointDir);
    if (found !== undefined) waiting.push(found);
  }
  const times = waiting.flatMap(({ oldestMs }) => oldestMs ?? []);
  return {
    spools: waiting.length,
    bytes: waiting.reduce((sum, { bytes }) => sum + bytes, 0),
    ...(times.length > 0 && { oldestRecord: new Date(Math.min(...times)).toISOString() }),
  };
}

interface Waiting {
  readonly bytes: number;
  readonly oldestMs: number | undefined;
}

/** Undefined when all of the spool has arrived, or it is gone or cannot be read, which health says elsewhere. */
async function waitingIn(ref: SpoolRef, checkpointDir: string): Promise<Waiting | undefined> {
  const { dir, spool } = ref;
  try {
    const from = shippedOf(ref, checkpointDir);
    const reader = createSpoolReader({ dir, spool, from, chunkBytes });
    try {
      const entries = await reader.read();
      if (entries.length === 0) return undefined;
      const batch = entries.find(({ kind }) => kind === 'batch');
      const lines = batch?.kind === 'batch' ? batch.lines : new Uint8Array();
      return { bytes: await bytesFrom(dir, from), oldestMs: timeOf(lines) };
    } finally {
      await reader.close();
    }
  } catch {
    return undefined;
  }
}

/** Segments are named after their first record, so only the newest has to be read. */
async function recordsIn(ref: SpoolRef, checkpointDir: string): Promise<number> {
  const { dir, spool } = ref;
  try {
    const from = shippedOf(ref, checkpointDir);
    const newest = (await listSegments(dir)).at(-1) ?? 0;
    const reader = createSpoolReader({ dir, spool, from: Math.max(from, newest) });
    try {
      while ((await reader.read()).length > 0);
      return reader.next - from;
    } finally {
      await reader.close();
    }
  } catch {
    return 0;
  }
}

async function bytesFrom(dir: string, from: number): Promise<number> {
  const firsts = await listSegments(dir);
  const open = firsts.filter((_, index) => (firsts[index + 1] ?? Infinity) > from);
  const sizes = await Promise.all(
    open.map(async (first) => (await stat(join(dir, segmentFile(first)))).size),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

const Timed = z.object({ timestamp: z.int().min(0).max(8_640_000_000_000_000) });

function timeOf(lines: Uint8Array): number | undefined {
  const end = lines.indexOf(10);
  try {
    const line: unknown = JSON.parse(Buffer.from(lines.subarray(0, Math.max(0, end))).toString());
    return Timed.safeParse(line).data?.timestamp;
  } catch {
    return undefined;
  }
}
