import { z } from 'zod';
import { checkCredentials, s3Shape } from '../../../proto/process/s3/settings.ts';
import type { BlobStore } from '../../../proto/wire/blobs.ts';
import { createFileBlobs } from './files.ts';

const s3Schema = z
  .strictObject({
    ...s3Shape,
    attemptsMax: z
      .int()
      .min(1)
      .max(10)
      .default(2)
      .describe('Attempts per call; callers retry with back-off on their own.'),
    connectMsMax: z.int().min(1).default(5_000).describe('Longest time to connect, in ms.'),
    requestMsMax: z.int().min(1).default(60_000).describe('Longest time for one call, in ms.'),
  })
  .superRefine(checkCredentials);

/** How the control plane and the bridge reach an S3-protocol store. */
export type S3BlobsSettings = z.output<typeof s3Schema>;

/** The section `blobs` of a process's configuration: an S3 bucket when `s3` is given, else a folder. */
export const blobsSettings = z
  .strictObject({
    dir: z.string().optional().describe('Folder of the embedded bucket. Default: blobs in the data folder.'),
    s3: s3Schema.optional().describe('An S3-protocol bucket; replaces the folder.'),
  })
  .prefault({});

/** See {@link blobsSettings}. */
export type BlobsSettings = z.output<typeof blobsSettings>;

/** Opens the configured store; `defaultDir` is where the embedded bucket lies when nothing is set. */
export async function openBlobs(config: BlobsSettings, defaultDir: string): Promise<BlobStore> {
  if (config.s3 === undefined) return createFileBlobs(config.dir ?? defaultDir);
  // Loaded only where there is a store: the SDK costs a start 0.1 to 0.2 s.
  const { createS3Blobs } = await import('./s3.ts');
  return createS3Blobs(config.s3);
}
