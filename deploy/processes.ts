import { z } from 'zod';
import { bridgeConfigSchema } from '../bridge/config.ts';
import { AnalyticsSettings } from '../control-plane/analytics/settings.ts';
import { controlPlaneConfigSchema } from '../control-plane/config.ts';
import { gatewayConfigSchema } from '../data-plane/config.ts';
import { section } from '../proto/process/config.ts';
import { logLevels } from '../proto/process/log.ts';
import { shipperConfigSchema } from '../shipper/config.ts';

const log = section({ level: z.enum(logLevels).default('info').describe('From this level on.') });
const { dataDir, database, blobs } = controlPlaneConfigSchema.shape;

/** A bridge in a process of its own reads the control plane's database and bucket; it never opens a key. */
export const bridgeProcessSchema = bridgeConfigSchema.extend({ dataDir, database, blobs, log });

/** The control plane with its analytics and how it logs. */
export const controlPlaneProcessSchema = controlPlaneConfigSchema.extend({
  analytics: AnalyticsSettings,
  log,
});

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
