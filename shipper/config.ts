import { z } from 'zod';
import { defaultDataDir, foldersOf } from '../proto/process/data-folder.ts';
import { httpUrl, section } from '../proto/process/config.ts';
import { ListenHost, ListenPort } from '../proto/process/listen-settings.ts';
import { logLevels } from '../proto/process/log.ts';
import { checkCredentials, s3Shape } from '../proto/process/s3/settings.ts';
import { outboundSettings } from '../proto/process/outbound/settings.ts';

const ms = z.int().min(1);
const mebibyte = 1024 * 1024;

/** The bucket of output s3. */
const S3Section = z
  .strictObject({
    ...s3Shape,
    bucket: s3Shape.bucket.default('isthmus').describe('Bucket that the landing folder lies in.'),
  })
  .superRefine(checkCredentials)
  .prefault({});

/** Settings of the shipper. */
export const shipperConfigSchema = z.strictObject({
  dataDir: z
    .string()
    .default(defaultDataDir)
    .describe(
      "The gateway's data folder: spool/, checkpoints/, identity.json, secrets/. The shipper keeps its own in shipper/.",
    ),
  output: z.enum(['bridge', 's3', 'folder']).default('bridge').describe('Where batches go.'),
  bridge: section({
    url: httpUrl()
      .optional()
      .describe('The bridge of output bridge. Default: the one that the gateway enrolled at.'),
  }),
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
    growEveryMs: ms
      .default(300_000)
      .describe('After this the shipper tries again to send twice the size that a hop refused.'),
    msMax: ms.default(5_000).describe('A batch is sent when its first line is this old.'),
  }),
  pollEveryMs: ms.default(200).describe('How often the end of a spool is looked at.'),
  discoverEveryMs: ms.default(1_000).describe('How often new spools are looked for.'),
  retry: section({
    msMin: ms.default(500).describe('First pause after a failure; doubles, with jitter.'),
    msMax: ms.default(60_000).describe('Longest pause. There is no last try.'),
  }),
  deliveryMsMax: ms.default(60_000).describe('Longest time for one delivery.'),
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
  s3: S3Section,
  folder: section({
    dir: z.string().default(foldersOf(defaultDataDir).bucket).describe('The folder that is the bucket.'),
  }),
  outbound: outboundSettings,
  admin: section({
    host: ListenHost.default('127.0.0.1').describe('Address of the node API.'),
    port: ListenPort.default(18_084).describe('Port of the node API; 0 takes a free one.'),
  }),
  log: section({ level: z.enum(logLevels).default('info').describe('From this level on.') }),
});

/** See {@link shipperConfigSchema}. */
export type ShipperConfig = z.output<typeof shipperConfigSchema>;
