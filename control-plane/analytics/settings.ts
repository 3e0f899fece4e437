import { z } from 'zod';
import { section } from '../../proto/process/config.ts';

const ms = z.int().min(1);
const mebibyte = 1024 * 1024;
const keptDays = z.int().min(1).max(36_500);

/** The section `analytics` of a control plane's configuration. */
export const analyticsSettings = section({
  ingest: z
    .boolean()
    .default(true)
    .describe(
      'Move records from the landing folder into the lake; one process at a time does, under a lease.',
    ),
  ingestEveryMs: ms.default(1_000).describe('How often the landing folder is listed.'),
  graceMs: z.int().min(0).default(60_000).describe('A landing object outlives its commit by this long.'),
  unfinishedMs: z
    .int()
    .min(0)
    .default(600_000)
    .describe(
      'A landing object whose bytes are not those of its key is half of an upload that failed; when it has waited this long for the repeat it is told of.',
    ),
  mergeEveryMs: ms
    .default(10_000)
    .describe(
      'How often small files of the lake may become a larger one, one merge at a time; a question reads every file of its span.',
    ),
  recordsKeptDays: keptDays
    .default(90)
    .describe(
      'Days for which records of requests, health checks and gaps are kept where an environment says nothing else; a day (UTC) goes as a whole.',
    ),
  logsKeptDays: keptDays
    .default(30)
    .describe('The same of what is logged of calls, with headers and bodies.'),
  keptDaysMax: keptDays
    .default(3_650)
    .describe('Most days that an environment may choose; what is longer, the two above too, counts as this.'),
  lateDays: z
    .int()
    .min(1)
    .max(366)
    .default(30)
    .describe(
      'For so many days after somebody has asked for a deletion records that arrive late are deleted as well; then the request is done, and names nobody any more.',
    ),
  retireEveryMs: ms
    .default(60_000)
    .describe('How often it is looked whose time is over, and deletions go on, some files at a time.'),
  rollupRecordsMin: z
    .int()
    .min(1)
    .default(20_000)
    .describe(
      'A file of the lake of so many records gets figures of its own, one file in `mergeEveryMs`; of smaller ones questions read every record.',
    ),
  reconcileEveryMs: ms
    .default(21_600_000)
    .describe(
      'How often all files of the lake are compared with the manifest, some in each round; the newest ones at each start.',
    ),
  quarantineEventsPerHourMax: z
    .int()
    .min(1)
    .default(100)
    .describe(
      'Events about landing objects of one environment that went to quarantine; one more event counts the others.',
    ),
  leaseMs: ms.max(600_000).default(30_000).describe('A dead ingester is replaced after this time.'),
  objectBytesMax: z
    .int()
    .min(1)
    .default(64 * mebibyte)
    .describe('Compressed bytes of one landing object; what has more goes to quarantine unread.'),
  objectLineBytesMax: z
    .int()
    .min(1)
    .default(128 * mebibyte)
    .describe('Decompressed bytes of one, twice what a shipper may put in; counted, never believed.'),
  objectsPerFileMax: z
    .int()
    .min(1)
    .max(10_000)
    .default(256)
    .describe('Landing objects that go into one Parquet file.'),
  bytesPerFileMax: z
    .int()
    .min(1)
    .default(64 * mebibyte)
    .describe('Compressed bytes of them together.'),
  lineBytesPerFileMax: z
    .int()
    .min(1)
    .default(512 * mebibyte)
    .describe('Decompressed bytes of them together.'),
  linesPerFileMax: z
    .int()
    .min(1)
    .default(4_000_000)
    .describe('Lines of them together, and of one: empty ones cost nothing to send.'),
  turnMsMax: ms
    .default(10_000)
    .describe(
      "After this long in one environment's turn no more of its objects are fetched; the others wait.",
    ),
  pauseMsMax: ms
    .default(10_000)
    .describe('Longest pause of an environment whose turn failed; the first is 500 ms and doubles.'),
  ingestMsMax: ms.default(60_000).describe('One Parquet file; then the process that writes it is killed.'),
  queryMsMax: ms.default(30_000).describe('One query; then the process that runs it is killed.'),
  queriesWaitingMax: z.int().min(1).default(100).describe('Queries that wait; one more is refused.'),
  memoryBytesMax: z
    .int()
    .min(64 * mebibyte)
    .default(512 * mebibyte)
    .describe('Memory of each of the two DuckDB processes.'),
  spillBytesMax: z
    .int()
    .min(mebibyte)
    .default(1_024 * mebibyte)
    .describe('What each of them may put on disk when its memory is full; it is gone with the process.'),
  threads: z.int().min(1).max(64).default(2).describe('Threads of each of them.'),
  cacheBytesMax: z
    .int()
    .min(1)
    .default(4_096 * mebibyte)
    .describe(
      'Lake files that are kept on local disk for queries, and a fourth as much of their figures, of what says which texts they may hold, and of what is searched for texts in URIs.',
    ),
});
/** See {@link analyticsSettings}. */
export type AnalyticsSettings = z.output<typeof analyticsSettings>;
