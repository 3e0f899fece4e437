import { z } from 'zod';
import { secret } from '../../../proto/process/config.ts';
import type { BlobStore } from '../../../proto/wire/blobs.ts';
import { createFileBlobs } from './files.ts';
import { createS3Blobs } from './s3.ts';

const s3Schema = z.strictObject({
  endpoint: z.url().optional().describe('Origin of the store; without it AWS by region.'),
  region: z.string().default('us-east-1').describe('Region that requests are signed for.'),
  bucket: z.string().min(3).describe('Name of the bucket.'),
  prefix: z
    .string()
    .regex(/^([A-Za-z0-9=._-]+\/)*$/)
    .default('')
    .describe('In front of every key; ends with a slash.'),
  accessKeyId: z
    .string()
    .min(1, 'must not be empty')
    .optional()
    .describe('Without it the usual AWS sources: environment, profile, instance role.'),
  secretAccessKey: secret().optional().describe('Belongs to accessKeyId.'),
  forcePathStyle: z
    .boolean()
    .default(true)
    .describe('bucket in the path instead of the host name; most compatible stores need it.'),
  checksums: z
    .enum(['required', 'always'])
    .default('required')
    .describe('When the SDK adds checksums; many compatible stores refuse them.'),
  conditionalPut: z
    .boolean()
    .default(true)
    .describe('Send If-None-Match; turn it off for stores that refuse the header.'),
  attemptsMax: z
    .int()
    .min(1)
    .max(10)
    .default(2)
    .describe('Attempts per call; callers retry with back-off on their own.'),
  connectMsMax: z.int().min(1).default(5_000).describe('Longest time to connect, in ms.'),
  requestMsMax: z.int().min(1).default(60_000).describe('Longest time for one call, in ms.'),
});

/** How to reach an S3-protocol store. */
export type S3Settings = z.output<typeof s3Schema>;

/** The section `blobs` of a process's configuration: an S3 bucket when `s3` is given, else a folder. */
export const BlobsConfig = z
  .strictObject({
    dir: z.string().optional().describe('Folder of the embedded bucket. Default: blobs in the data folder.'),
    s3: s3Schema.optional().describe('An S3-protocol bucket; replaces the folder.'),
  })
  .prefault({});

/** Opens the configured store; `defaultDir` is where the embedded bucket lies when nothing is set. */
export function openBlobs(config: z.output<typeof BlobsConfig>, defaultDir: string): BlobStore {
  return config.s3 === undefined ? createFileBlobs(config.dir ?? defaultDir) : createS3Blobs(config.s3);
}
