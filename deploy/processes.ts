import { z } from 'zod';
import { bridgeConfigSchema } from '../bridge/config.ts';
import { analyticsSettings } from '../control-plane/analytics/settings.ts';
import { controlPlaneConfigSchema } from '../control-plane/config.ts';
import { gatewayConfigSchema } from '../data-plane/config.ts';
import { section } from '../proto/process/config.ts';
import { logLevels } from '../proto/process/log.ts';
import { shipperConfigSchema } from '../shipper/config.ts';

const log = section({ level: z.enum(logLevels).default('info').describe('From this level on.') });
const { dataDir, database, blobs } = controlPlaneConfigSchema.shape;

/**
 * Several processes share a database that has a url, on machines of their own perhaps. A folder under each one's data folder
 * would then be as many buckets, and what a bridge takes in would be seen by nobody.
 */
function requireBucket(
  config: {
    readonly database: { readonly url?: string | undefined };
    readonly blobs: { readonly dir?: string | undefined; readonly s3?: unknown };
  },
  context: z.core.$RefinementCtx,
): void {
  if (config.database.url === undefined || config.blobs.dir !== undefined || config.blobs.s3 !== undefined)
    return;
  context.addIssue({
    code: 'custom',
    path: ['blobs'],
    message:
      'database.url is set and no bucket is; set blobs.s3 (or blobs.dir, a folder that all processes of this database see), the same for control-plane and bridge',
  });
}

/** A bridge in a process of its own reads the control plane's database and bucket; it never opens a key. */
export const bridgeProcessSchema = bridgeConfigSchema
  .extend({
    dataDir,
    database: database
      .unwrap()
      .extend({
        waitMsMax: z
          .int()
          .min(0)
          .default(60_000)
          .describe(
            'How long a start waits for a control plane that has yet to migrate the database, in ms.',
          ),
      })
      .prefault({}),
    blobs,
    log,
  })
  .superRefine(requireBucket);

/** What commands read that open the control plane's database and not its bucket. */
export const databaseCommandSchema = controlPlaneConfigSchema.extend({ analytics: analyticsSettings, log });

/** The control plane with its analytics and how it logs. */
export const controlPlaneProcessSchema = databaseCommandSchema.superRefine(requireBucket);

/** Every process with its configuration, in the order of the reference. */
export const processSchemas = {
  'control-plane': controlPlaneProcessSchema,
  bridge: bridgeProcessSchema,
  gateway: gatewayConfigSchema,
  shipper: shipperConfigSchema,
} as const satisfies Readonly<Record<string, z.ZodObject>>;

/** Name of a process. */
export type ProcessName = keyof typeof processSchemas;

/** Their names. */
export const processNames = Object.keys(processSchemas) as readonly ProcessName[];
