import { z } from 'zod';
import { passwordSchema } from './access/passwords.ts';
import { defaultDataDir } from '../proto/process/data-folder.ts';
import { secret, section } from '../proto/process/config.ts';
import { ListenHost, ListenPort } from '../proto/process/listen.ts';
import { blobsSettings } from './storage/blobs/settings.ts';

/** Settings of the control plane. */
export const controlPlaneConfigSchema = z.strictObject({
  dataDir: z.string().default(defaultDataDir).describe('Folder of everything that is kept on disk.'),
  listen: section({
    host: ListenHost.default('0.0.0.0').describe('Address of the management API.'),
    port: ListenPort.default(8_083).describe('Port of the management API; 0 takes a free one.'),
  }),
  admin: section({
    host: ListenHost.default('127.0.0.1').describe('Address of the node API (health, metrics).'),
    port: ListenPort.default(18_083).describe('Port of the node API; 0 takes a free one.'),
  }),
  database: section({
    url: secret()
      .optional()
      .describe('postgresql://user:password@host/database; without it SQLite in dataDir.'),
    connectionsMax: z.int().min(1).max(1_000).optional().describe('Connections to PostgreSQL.'),
  }),
  blobs: blobsSettings,
  secrets: section({
    dir: z.string().optional().describe('Folder of the key-encryption key. Default: secrets in dataDir.'),
  }),
  adminPassword: secret(passwordSchema)
    .optional()
    .describe('Password of the first user "admin"; without it one is made and shown once.'),
  login: section({
    sessionMs: z.int().min(60_000).default(604_800_000).describe('How long a session lasts.'),
    windowMs: z.int().min(1_000).default(60_000).describe('Window in which wrong passwords are counted.'),
    failuresPerUserMax: z.int().min(1).default(10).describe('Wrong passwords per window for one user name.'),
    failuresPerSourceMax: z.int().min(1).default(50).describe('Wrong passwords per window from one address.'),
  }),
  publish: section({
    headRefreshEveryMs: z.int().min(1_000).default(30_000).describe('Age at which a head is signed again.'),
    headLifetimeMs: z
      .int()
      .min(2_000)
      .default(300_000)
      .describe('Age at which gateways call a head expired.'),
    tombstoneMs: z
      .int()
      .min(60_000)
      .default(2_592_000_000)
      .describe('How long a withdrawal stays for gateways that were away.'),
  }),
});

/** The control plane's settings as the room gets them. */
export type ControlPlaneConfig = z.output<typeof controlPlaneConfigSchema>;
