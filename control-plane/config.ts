import { z } from 'zod';
import { lameDuckMsSchema } from '../proto/process/listening/ending.ts';
import { passwordSchema } from './access/passwords.ts';
import { defaultDataDir } from '../proto/process/data-folder.ts';
import { httpUrl, secret, section } from '../proto/process/config.ts';
import { tenantsOutboundSettings } from '../proto/process/outbound/settings.ts';
import { ListenHost, ListenPort } from '../proto/process/listen-settings.ts';
import { ListenTls } from '../proto/process/listening/tls-settings.ts';
import { NetworkSchema } from '../proto/process/peers.ts';
import { mailSettings } from './mail/settings.ts';
import { liveLimits } from './management/live/live.ts';
import { quotaDefaults } from './management/quotas/quotas.store.ts';
import { blobsSettings } from './storage/blobs/settings.ts';
import { wrongUrl } from './storage/database-url.ts';

/** Told with all other faults of the settings, not by the first query. */
const databaseUrl = z
  .string()
  .min(1, 'must not be empty')
  .superRefine((url, context) => {
    const wrong = url === '' ? undefined : wrongUrl(url);
    if (wrong !== undefined) context.addIssue({ code: 'custom', message: wrong });
  });

const ms = z.int().min(1);
const quota = (most: number) => z.int().min(1).max(10_000_000).default(most);

/** Settings of the control plane. */
export const controlPlaneConfigSchema = z.strictObject({
  dataDir: z.string().default(defaultDataDir).describe('Folder of everything that is kept on disk.'),
  listen: section({
    host: ListenHost.default('0.0.0.0').describe('Address of the management API.'),
    port: ListenPort.default(8_083).describe('Port of the management API; 0 takes a free one.'),
    tls: ListenTls,
    trustedProxies: z
      .array(NetworkSchema)
      .default([])
      .describe(
        'Networks or addresses of proxies in front whose X-Forwarded-For and X-Forwarded-Proto are believed; behind one that is not named here, all users share the bounds of one source.',
      ),
    headerMsMax: ms.default(10_000).describe('Longest time for a request head to arrive; past it 408.'),
    headerBytesMax: z.int().min(4_096).default(32_768).describe('Largest request head; past it 431.'),
    headersMax: z.int().min(10).default(100).describe('Most header lines of a request; past it 431.'),
    bodyMsMax: ms.default(30_000).describe('Longest time for a request body to arrive; past it 408.'),
    idleMsMax: ms.default(60_000).describe('A connection without a request is closed after this time.'),
    connectionsMax: z.int().min(1).default(2_000).describe('Most open client connections.'),
    connectionsPerSourceMax: z
      .int()
      .min(1)
      .default(500)
      .describe('Most open client connections from one address (IPv6: one /64) that is no trusted proxy.'),
  }),
  publicUrl: httpUrl()
    .max(1_024)
    .optional()
    .describe(
      'URL under which browsers reach the management API, when a proxy is in front. Links are made of it; with https, cookies are Secure and the session cookie is called __Host-Auth-Graviteeio-APIM.',
    ),
  gatewaysUrl: httpUrl()
    .max(512)
    .optional()
    .describe(
      'URL under which callers reach gateways, e.g. https://api.example.com: shown with each API for which no entrypoint is named by its tags.',
    ),
  admin: section({
    host: ListenHost.default('127.0.0.1').describe('Address of the node API (health, metrics).'),
    port: ListenPort.default(18_083).describe('Port of the node API; 0 takes a free one.'),
  }),
  database: section({
    url: secret(databaseUrl)
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
    allowPasswords: z
      .boolean()
      .default(true)
      .describe(
        'Whether people come in by password; false: by identity providers alone. Personal tokens work on, and `isthmus break-glass` lets an administrator in.',
      ),
    windowMs: z.int().min(1_000).default(60_000).describe('Window in which wrong passwords are counted.'),
    failuresPerUserMax: z
      .int()
      .min(1)
      .max(10_000)
      .default(10)
      .describe('Wrong passwords per window for one user name from one address (IPv6: one /64).'),
    failuresPerSourceMax: z
      .int()
      .min(1)
      .max(10_000)
      .default(50)
      .describe('Wrong passwords per window from one address (IPv6: one /64), whatever the names.'),
  }),
  live: section({
    streamsMax: z
      .int()
      .min(0)
      .max(100_000)
      .default(liveLimits.streamsMax)
      .describe(
        'Most open streams of server-sent events (`.../_live`); past it 429. Each is a connection of `listen.connectionsMax`.',
      ),
    streamsPerOrganizationMax: z
      .int()
      .min(1)
      .max(100_000)
      .default(liveLimits.streamsPerOrganizationMax)
      .describe('Most of them of one organization, so that its users leave some to others.'),
    streamsPerUserMax: z
      .int()
      .min(1)
      .max(1_000)
      .default(liveLimits.streamsPerUserMax)
      .describe('Most of them of one user.'),
    lifeMsMax: z
      .int()
      .min(10_000)
      .max(86_400_000)
      .default(liveLimits.lifeMsMax)
      .describe('Such a stream ends after this time, and who reads it opens another one.'),
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
  quotas: section({
    apisMax: quota(quotaDefaults.apis).describe('Most APIs of one environment.'),
    applicationsMax: quota(quotaDefaults.applications).describe(
      'Most applications of one environment, without archived ones.',
    ),
    subscriptionsMax: quota(quotaDefaults.subscriptions).describe(
      'Most subscriptions of one environment, without closed and rejected ones.',
    ),
    pagesMax: quota(quotaDefaults.pages).describe(
      'Most pages and folders of documentation in one environment, with those of its APIs.',
    ),
  }),
  mail: mailSettings,
  notifications: section({
    endsSoonDays: z
      .array(z.int().min(1).max(366))
      .max(10)
      .default([90, 45, 30])
      .describe(
        'So many days before a subscription or an API key ends, the owner of its application is told by mail, and whoever asked for it; [] tells nobody.',
      ),
  }),
  outbound: tenantsOutboundSettings,
  fetches: section({
    answerMsMax: ms
      .max(60_000)
      .default(10_000)
      .describe('Longest time until the answer of who provides a dictionary or dynamic properties is read.'),
    answerBytesMax: z
      .int()
      .min(1)
      .max(4_194_304)
      .default(1_048_576)
      .describe('Largest such answer, in bytes.'),
    runningMax: z.int().min(1).max(256).default(16).describe('Most such calls at once.'),
    runningPerOrganizationMax: z
      .int()
      .min(1)
      .max(256)
      .default(4)
      .describe('Most of them at once for one organization, so that no tenant keeps others waiting.'),
  }),
  debug: section({
    runMsMax: ms
      .min(5_000)
      .max(60_000)
      .default(10_000)
      .describe('Longest time of a debug run, the start of its process included; then it is killed.'),
    runningMax: z
      .int()
      .min(1)
      .max(32)
      .default(2)
      .describe('Most debug runs at once, each a process of its own; of one user it is one.'),
    waitingMax: z
      .int()
      .min(1)
      .max(1_000)
      .default(8)
      .describe(
        'Most debug runs that wait for their turn, of one user one, of one organization half of them; past it 429.',
      ),
    memoryBytesMax: z
      .int()
      .min(268_435_456)
      .max(8_589_934_592)
      .default(536_870_912)
      .describe('Most memory of the process of a debug run, half of it heap; past it the run is killed.'),
  }),
  lameDuckMs: lameDuckMsSchema,
});

/** The control plane's settings as the room gets them. */
export type ControlPlaneConfig = z.output<typeof controlPlaneConfigSchema>;
