import { z } from 'zod';
import { logSettings } from './logs/log-settings.ts';
import { stepSettings } from './step-settings.ts';

const mebibyte = 1024 * 1024;
/** On Linux a folder in memory, in containers too. */
export const tallyDirDefault = '/dev/shm';

/** The section `report` of a gateway's configuration. */
export const reportSettings = z
  .strictObject({
    durability: z
      .enum(['memory', 'written', 'synced'])
      .default('written')
      .describe(
        "What an answer's last bytes wait for: written to the operating system (survives a killed process), synced to disk (survives a power cut), or nothing but memory.",
      ),
    spoolHoldMsMax: z
      .number()
      .int()
      .min(1)
      .max(1_000)
      .default(100)
      .describe(
        'An answer waits at most this long for its record, in ms in which the event loop ran: time in which the process or its machine stood still does not count. Past it the spool is degraded and nobody waits.',
      ),
    syncEveryMs: z
      .number()
      .int()
      .min(10)
      .max(60_000)
      .default(100)
      .describe('How often written records are forced to disk: what a power cut may take.'),
    segmentBytes: z
      .number()
      .int()
      .min(4_096)
      .max(1024 * mebibyte)
      .default(64 * mebibyte)
      .describe('A segment is closed at this size, in bytes.'),
    diskBytesMax: z
      .number()
      .int()
      .min(8_192)
      .default(2048 * mebibyte)
      .describe('All segments of a stream together; past it the oldest is dropped.'),
    memoryBytesMax: z
      .number()
      .int()
      .min(4_096)
      .default(32 * mebibyte)
      .describe('What is kept in memory while the disk does not take it; past it the oldest is dropped.'),
    secretParameters: z
      .array(z.string().min(1).max(128))
      .max(100)
      .default([])
      .describe(
        'Query parameters of your APIs that carry keys, besides the API key and common names (token, access_token, password, signature ...): records and logs show *** for their values.',
      ),
    logs: logSettings.prefault({}),
    steps: stepSettings.prefault({}),
    tallyDir: z
      .string()
      .min(1)
      .default(tallyDirDefault)
      .describe(
        'A folder in memory (tmpfs) that outlives this process: while the spool is degraded, it is counted there how many answers left without their record, so that a gap record tells them when the process is killed. Where the default is none, nobody tells them.',
      ),
    damagedBytesMax: z
      .number()
      .int()
      .min(0)
      .default(256 * mebibyte)
      .describe(
        'Segments with bytes that cannot be read are kept in `spool/damaged` instead of being deleted; past this many bytes the oldest goes.',
      ),
    upkeepEveryMs: z
      .number()
      .int()
      .min(10)
      .max(60_000)
      .default(1_000)
      .describe('How often shipped segments are deleted and the bound on disk is kept.'),
  })
  .refine((settings) => settings.diskBytesMax >= 2 * settings.segmentBytes, {
    path: ['diskBytesMax'],
    message: 'must hold at least two segments (2 x segmentBytes)',
  });
/** See {@link reportSettings}. */
export type ReportSettings = z.infer<typeof reportSettings>;
