import { z } from 'zod';

const mebibyte = 1024 * 1024;

/** The section `report` of a gateway's configuration. */
export const ReportSettings = z
  .strictObject({
    /**
     * What an answer's last bytes wait for: `written` to the operating system (survives a killed process), `synced` to disk
     * (survives a power cut), or nothing but `memory`.
     */
    durability: z.enum(['memory', 'written', 'synced']).default('written'),
    /** An answer waits at most this long for its record; past it the spool is degraded and nobody waits. */
    spoolHoldMs: z.number().int().min(1).max(1_000).default(20),
    /** How often written records are forced to disk: what a power cut may take. */
    syncEveryMs: z.number().int().min(10).max(60_000).default(100),
    segmentBytes: z
      .number()
      .int()
      .min(4_096)
      .max(1024 * mebibyte)
      .default(64 * mebibyte),
    /** All segments of a stream together; past it the oldest is dropped. */
    diskBytesMax: z
      .number()
      .int()
      .min(8_192)
      .default(2048 * mebibyte),
    /** What is kept in memory while the disk does not take it; past it the oldest is dropped. */
    memoryBytesMax: z
      .number()
      .int()
      .min(4_096)
      .default(32 * mebibyte),
    /** How often shipped segments are deleted and the bound on disk is kept. */
    upkeepEveryMs: z.number().int().min(10).max(60_000).default(1_000),
  })
  .refine((settings) => settings.diskBytesMax >= 2 * settings.segmentBytes, {
    path: ['diskBytesMax'],
    message: 'must hold at least two segments (2 x segmentBytes)',
  });
/** See {@link ReportSettings}. */
export type ReportSettings = z.infer<typeof ReportSettings>;
