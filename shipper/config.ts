import { z } from 'zod';
import { defaultDataDir, foldersOf } from '../proto/process/data-folder.ts';
import { secret, section } from '../proto/process/config.ts';
import { ListenHost, ListenPort } from '../proto/process/listen.ts';
import { logLevels } from '../proto/process/log.ts';
import { OutboundConfig } from '../proto/process/outbound.ts';

const ms = z.int().min(1);
const mebibyte = 1024 * 1024;

/** How an S3-protocol store is reached. */
const S3Settings = section({
  endpoint: z.url().optional().describe('URL of the store; absent for AWS.'),
  region: z.string().default('us-east-1').describe('Region that requests are signed for.'),
  bucket: z.string().default('isthmus').describe('Bucket that the landing folder lies in.'),
  prefix: z
    .string()
    .regex(/^([A-Za-z0-9=._-]+\/)*$/)
    .default('')
    .describe('Put in front of every key; ends in a slash.'),
  accessKeyId: z
    .string()
    .min(1, 'must not be empty')
    .optional()
    .describe("Absent: the SDK's own chain (environment, profile, role)."),
  secretAccessKey: secret().optional().describe('Belongs to accessKeyId.'),
  pathStyle: z
    .boolean()
    .default(true)
    .describe('Bucket in the path, not in the host name; most stores but AWS want it.'),
  checksum: z
    .enum(['WHEN_REQUIRED', 'WHEN_SUPPORTED'])
    .default('WHEN_REQUIRED')
    .describe('When the SDK adds checksums; some stores refuse the newer ones.'),
  ifNoneMatch: z
    .enum(['auto', 'never'])
    .default('auto')
    .describe('auto: ask the store not to overwrite, until it says that it does not know how.'),
});

/** Settings of the shipper. */
export const shipperConfigSchema = z.strictObject({
  dataDir: z
    .string()
    .default(defaultDataDir)
    .describe(
      "The gateway's data folder: spool/, checkpoints/, identity.json, secrets/. The shipper keeps its own in shipper/.",
    ),
  output: z.enum(['bridge', 's3', 'folder']).default('bridge').describe('Where batches go.'),
  bucketIdentity: z
    .uuid()
    .optional()
    .describe(
      'Identity that the bucket of output s3 or folder must bear (isthmus bucket show); deliveries wait for another one.',
    ),
  batch: section({
    bytesMax: z
      .int()
      .min(1_024)
      .max(48 * mebibyte)
      .default(4 * mebibyte)
      .describe(
        'A batch is sent when its lines have this many bytes, before they are compressed to about a seventh.',
      ),
    wireBytesMax: z
      .int()
      .min(16 * 1_024)
      .max(48 * mebibyte)
      .default(768 * 1_024)
      .describe(
        'Most bytes of one upload. By default well below the 1 MiB that nginx lets pass as it comes; a hop that takes less is learnt.',
      ),
    growMs: ms
      .default(300_000)
      .describe('After this the shipper tries again to send twice the size that a hop refused.'),
    msMax: ms.default(5_000).describe('A batch is sent when its first line is this old.'),
  }),
  pollMs: ms.default(200).describe('How often the end of a spool is looked at.'),
  discoverMs: ms.default(1_000).describe('How often new spools are looked for.'),
  retry: section({
    msMin: ms.default(500).describe('First pause after a failure; doubles, with jitter.'),
    msMax: ms.default(60_000).describe('Longest pause. There is no last try.'),
  }),
  timeoutMs: ms.default(60_000).describe('One delivery.'),
  stuckMsMax: ms
    .default(60_000)
    .describe(
      'Health says that deliveries are degraded when a spool has not moved for this long although something is to be sent.',
    ),
  quarantine: section({
    bytesMax: z
      .int()
      // All of one batch must find room in an empty one, or its spool would wait for ever.
      .min(64 * mebibyte)
      .default(256 * mebibyte)
      .describe(
        'Most bytes set aside in shipper/quarantine; when it is full the spool concerned waits, and nothing is thrown away.',
      ),
  }),
  tenant: section({
    fleet: z.string().default('local').describe('Named in landing keys when the gateway is not enrolled.'),
  }),
  s3: S3Settings,
  folder: section({
    dir: z.string().default(foldersOf(defaultDataDir).bucket).describe('The folder that is the bucket.'),
  }),
  outbound: OutboundConfig,
  admin: section({
    host: ListenHost.default('127.0.0.1').describe('Address of the node API.'),
    port: ListenPort.default(18_084).describe('Port of the node API; 0 takes a free one.'),
  }),
  log: section({ level: z.enum(logLevels).default('info').describe('From this level on.') }),
});

/** See {@link shipperConfigSchema}. */
export type ShipperConfig = z.output<typeof shipperConfigSchema>;
