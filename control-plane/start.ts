import { foldersOf } from '../proto/process/data-folder.ts';
import type { Clock } from '../proto/process/clock.ts';
import type { Lifecycle } from '../proto/process/lifecycle.ts';
import { type Ending, warnBeforeEnd } from '../proto/process/listening/ending.ts';
import { bindOf, originOf } from '../proto/process/listen.ts';
import { startHttpListener } from '../proto/process/listening/http-listener.ts';
import { answerByApp } from '../proto/process/listening/web-app.ts';
import { type Certificates, openCertificates } from '../proto/process/listening/certificates.ts';
import {
  createOutbound,
  createTlsReload,
  type Outbound,
  toOutboundOptions,
} from '../proto/process/outbound/outbound.ts';
import { createPeers } from '../proto/process/peers.ts';
import type { Log } from '../proto/process/log.ts';
import type { Metrics } from '../proto/process/metrics.ts';
import type { DebugRuns } from '../proto/model/records/debug-run.ts';
import type { HealthSource } from '../proto/process/health.ts';
import { startNodeApi } from '../proto/process/node-api.ts';
import type { Keyring } from '../proto/process/secrets.ts';
import type { UsedBucket } from '../proto/wire/blobs.ts';
import type { PublishedRepository } from '../proto/wire/published.ts';
import { createOidc } from './access/identity/oidc.ts';
import { readPassword } from './access/passwords.ts';
import { boot, type BootResult } from './boot.ts';
import type { ControlPlaneConfig } from './config.ts';
import { createManagementDoor } from './doors/management.ts';
import { type Sending, sendMails } from './mail/sending.ts';
import { openSmtp, type Smtp } from './mail/smtp.ts';
import { sendWebhooks } from './mail/webhooks.ts';
import type { Desk } from './management/desk.ts';
import { tellRivals } from './management/applications/clients.ts';
import { fetchers } from './management/index.ts';
import { tellRaised } from './management/notifications/telling.ts';
import { pollFetches } from './management/fetches/polling.ts';
import { sealStored } from './management/definitions/seal-stored.ts';
import { openDesk } from './open-desk.ts';
import type { Publisher } from './publish/publisher.ts';
import { createPublishedRepository } from './publish/repository.ts';
import { openKeyringOf, opensNewest, requireKeyring } from './publish/sealed.ts';
import { openBucket } from './storage/bucket.ts';
import { openStorage, type Storage } from './storage/storage.ts';

/** What a control plane needs to start; see {@link startControlPlane}. */
export interface ControlPlaneOptions {
  readonly config: ControlPlaneConfig;
  readonly log: Log;
  readonly clock: Clock;
  readonly lifecycle: Lifecycle;
  readonly metrics: Metrics;
  /** Password of the first user when the configuration has none (ISTHMUS_ADMIN_PASSWORD). */
  readonly adminPassword?: string | undefined;
  /** Backend of the demo APIs of a first boot; without it there are none. */
  readonly demoTarget?: string | undefined;
  /** All of the samples, and not only the demo APIs. */
  readonly hasSamples?: boolean | undefined;
  /** Told what the boot made or found, also when the process is asked to end meanwhile: what is shown once must have been. */
  readonly onBoot?: ((made: BootResult) => void) | undefined;
  /** Starts the ingester and opens queries; without it analytics answer 503 with a hint. */
  readonly openAnalytics?: ((parts: OpenParts) => Promise<NonNullable<Desk['analytics']>>) | undefined;
  /** Makes what runs requests through drafts; without it that answers 503. */
  readonly openDebug?:
    | ((parts: Pick<ControlPlaneOptions, 'config' | 'log' | 'clock' | 'lifecycle'>) => DebugRuns)
    | undefined;
  /** This program's version. */
  readonly version: string;
}

/** What is open when analytics start. */
export interface OpenParts extends Pick<
  ControlPlaneOptions,
  'config' | 'log' | 'clock' | 'lifecycle' | 'metrics'
> {
  readonly storage: Storage;
  readonly blobs: UsedBucket;
}

/** A control plane that serves. */
export interface ControlPlane {
  readonly port: number;
  /** Origin at which this machine reaches the management API, e.g. http://127.0.0.1:8083. */
  readonly url: string;
  /** What it is bound to, e.g. http://0.0.0.0:8083. */
  readonly bind: string;
  /** Port of the node API. */
  readonly nodePort: number;
  /** What a bridge serves. */
  readonly repository: PublishedRepository;
  readonly blobs: UsedBucket;
  readonly storage: Storage;
  readonly publisher: Publisher;
  readonly desk: Desk;
  readonly boot: BootResult;
  /** Makes a token with which gateways enrol in the first fleet by dialling that bridge. */
  enrolmentToken(bridge: string, usesMax?: number): Promise<string>;
}

/** Names the password of the first user. */
export const adminPasswordVariable = 'ISTHMUS_ADMIN_PASSWORD';
/** Air for a body that nobody reads. */
const unreadMsMax = 5_000;
const tokenLifeMs = 24 * 3_600_000;

/**
 * Starts a control plane: database, keys, first boot, publisher's chores, management API and node API.
 *
 * Everything it opens is closed by the life-cycle. Errors: storage.unavailable, storage.newer_schema,
 * secrets.no_key, blobs.wrong_bucket, blobs.unavailable, process.port_taken, process.port_refused.
 */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const { config, log, clock, lifecycle } = options;
  // Before anything is made: a password that is refused must leave nothing behind.
  const adminPassword = config.adminPassword ?? readPassword(options.adminPassword, adminPasswordVariable);
  const certificates = await openCertificates(config.listen.tls, options);
  const smtp = openSmtp(config.mail);
  const { storage, blobs, keyring, publisher, desk } = await openParts(options);
  lifecycle.task('publisher upkeep', publisher.upkeep(lifecycle.signal));
  lifecycle.task('fetches', startFetches(desk, options));
  lifecycle.signal.throwIfAborted();
  const booting = boot(desk, {
    adminPassword,
    demoTarget: options.demoTarget,
    hasSamples: options.hasSamples,
  });
  const told = booting.then(options.onBoot);
  // A demo that is half made would never be made whole: whoever ends the process meanwhile waits for it.
  lifecycle.onClose('first boot', () => told.catch(() => undefined));
  await told;
  const made = await booting;
  // Two that make a database together would each make a key: the one whose key sealed nothing ends here.
  await requireKeyring(storage.db, keyring, secretsOf(config));
  await tellRivals(storage.db, log);
  await sealStored(desk, made.admin, log);
  startNotifications(options, { desk, storage, keyring });
  const mails = smtp === undefined ? undefined : startMails(options, { storage, keyring, smtp });
  const ending = warnBeforeEnd(options);
  const health = healthOf(options, { storage, blobs, keyring, ending, certificates, mails });
  const port = await listen(desk, options, { ending, health, certificates });
  // Before the listener, which waits for answers that are under way.
  lifecycle.onClose('streams', () => desk.live.close());
  const nodePort = await startNodeApi({ ...options, ...health, address: config.admin });
  const scheme = config.listen.tls === undefined ? 'http' : 'https';
  const address = { host: config.listen.host, port };
  const bind = bindOf(scheme, address);
  log.info({ bind, nodePort, database: storage.dialect }, 'the control plane serves');
  return {
    port,
    url: originOf(scheme, address),
    bind,
    nodePort,
    repository: createPublishedRepository({ storage, clock }),
    blobs,
    storage,
    publisher,
    desk,
    boot: made,
    async enrolmentToken(bridge, usesMax) {
      const { token } = await storage.transaction((trx) =>
        desk.fleets.createToken(trx, made.at.organization, {
          fleet: made.fleet,
          bridge,
          expiresAtMs: clock.now() + tokenLifeMs,
          usesMax,
          actor: made.admin.id,
        }),
      );
      return token;
    },
  };
}

async function openParts(options: ControlPlaneOptions) {
  const { config, log, clock, lifecycle } = options;
  const lost = Promise.withResolvers<never>();
  lifecycle.task('hold on the database', lost.promise);
  const storage = await openStorage({
    url: config.database.url,
    dataDir: config.dataDir,
    log,
    hold: { onLost: lost.reject },
    ...(config.database.connectionsMax === undefined
      ? {}
      : { bounds: { connectionsMax: config.database.connectionsMax } }),
  });
  lifecycle.onClose('storage', () => storage.close());
  const blobs = await openBucket({ storage, config, mayClaim: true, clock, log, lifecycle });
  const keyring = await openKeyringOf(storage.db, { dir: secretsOf(config), mayMake: true });
  const { publisher, desk } = openDesk({ ...options, storage, keyring });
  const analytics = await options.openAnalytics?.({ ...options, storage, blobs });
  const outbound = openOutbound(options);
  return {
    storage,
    blobs,
    keyring,
    publisher,
    desk: { ...desk, analytics, outbound, oidc: createOidc(outbound), debug: options.openDebug?.(options) },
  };
}

/** What asks URLs of tenants; it reaches public addresses, and what `outbound.allow` names. */
function openOutbound({ config, lifecycle }: ControlPlaneOptions): Outbound {
  const settings = { ...config.outbound, responseBytesMax: config.fetches.answerBytesMax };
  const outbound = createOutbound(toOutboundOptions(settings, 'public'));
  lifecycle.onReload('authorities of outbound calls', createTlsReload(outbound, settings));
  lifecycle.onClose('outbound calls', () => outbound.close());
  return outbound;
}

/** Polls what dictionaries and APIs have fetched. */
function startFetches(
  desk: Desk & { readonly outbound: Outbound },
  { config, log, lifecycle }: ControlPlaneOptions,
): Promise<void> {
  const { outbound } = desk;
  const polling = pollFetches({ desk, log, outbound, fetchers, ...config.fetches }, lifecycle.signal);
  lifecycle.onClose('fetches', () => polling);
  return polling;
}

/** Tells what happened, and calls the webhooks that are to know. */
function startNotifications(
  { config, log, clock, metrics, lifecycle }: ControlPlaneOptions,
  {
    desk,
    ...parts
  }: {
    readonly desk: Desk & { readonly outbound: Outbound };
    readonly storage: Storage;
    readonly keyring: Keyring;
  },
): void {
  const telling = tellRaised({ desk, log, ...config.notifications }, lifecycle.signal);
  lifecycle.task('notifications', telling);
  lifecycle.onClose('notifications', () => telling);
  const { outbound } = desk;
  const calling = sendWebhooks({ ...parts, log, clock, metrics, outbound }, lifecycle.signal);
  lifecycle.task('webhooks', calling.done);
  lifecycle.onClose('webhooks', () => calling.done);
}

/** Sends the mails that wait. */
function startMails(
  options: ControlPlaneOptions,
  parts: { readonly storage: Storage; readonly keyring: Keyring; readonly smtp: Smtp },
): Sending {
  const { config, lifecycle } = options;
  const sending = sendMails({ ...options, ...parts, settings: config.mail }, lifecycle.signal);
  lifecycle.task('mails', sending.done);
  lifecycle.onReload('password and authorities of mail', () => parts.smtp.reload());
  lifecycle.onClose('mails', () => sending.done);
  return sending;
}

const secretsOf = ({ secrets, dataDir }: ControlPlaneConfig): string =>
  secrets.dir ?? foldersOf(dataDir).secrets;

interface HealthParts {
  readonly storage: Storage;
  readonly blobs: UsedBucket;
  readonly keyring: Keyring;
  readonly ending: Ending;
  readonly certificates: Certificates;
  readonly mails: Pick<Sending, 'trouble'> | undefined;
}

/**
 * Without its database a control plane answers nothing, and without the key that sealed what lies there it deploys nothing. What is
 * wrong with the database the storage has logged; while it is away nobody knows of the keys, and they are not spoken of. Without its
 * bucket it deploys, and only analytics stand still, without its mail server only mails wait: it stays ready.
 */
function healthOf(
  { lifecycle, clock, version }: ControlPlaneOptions,
  { storage, blobs, keyring, ending, certificates, mails }: HealthParts,
): HealthSource {
  const look = (): Promise<{ readonly database: boolean; readonly keys?: boolean }> =>
    opensNewest(storage.db, keyring).then(
      (keys) => ({ database: true, keys }),
      () => ({ database: false }),
    );
  return {
    process: 'control-plane',
    version,
    clock,
    isClosing: () => !ending.isOpen || lifecycle.signal.aborted,
    health: async () => {
      const parts = Object.entries(await look());
      const degraded = parts.filter(([, isWell]) => !isWell).map(([name]) => name);
      const problems = {
        certificates: certificates.problem(),
        bucket: blobs.trouble(),
        mail: mails?.trouble(),
      };
      const met = Object.entries(problems).filter(([, problem]) => problem !== undefined);
      return { degraded: [...degraded, ...met.map(([name]) => name)], facts: Object.fromEntries(met) };
    },
    ready: async () => ({ parts: { ...(await look()) } }),
  };
}

function listen(
  desk: Desk,
  options: ControlPlaneOptions,
  {
    ending,
    health,
    certificates,
  }: { readonly ending: Ending; readonly health: HealthSource; readonly certificates: Certificates },
): Promise<number> {
  const { config, log, metrics } = options;
  const { headerMsMax, bodyMsMax } = config.listen;
  const peers = createPeers(config.listen.trustedProxies);
  const refused = metrics.counter(
    'isthmus_management_connections_refused_total',
    'Connections to the management listener that were refused, by the bound that they met: of all, or of one source.',
    ['bound'],
  );
  const door = createManagementDoor({
    desk,
    log,
    metrics,
    peers,
    publicUrl: config.publicUrl,
    bodyMsMax,
    health,
  });
  return startHttpListener({
    ...options,
    name: 'management listener',
    answer: answerByApp(door, log),
    address: config.listen,
    setting: 'listen',
    certificates,
    // The door itself ends a slow body, with an answer; this is for one that it does not read.
    limits: { ...config.listen, requestMsMax: headerMsMax + bodyMsMax + unreadMsMax },
    peers,
    quietMs: () => ending.quietMs,
    onRefused: (bound) => refused.inc({ bound }),
  });
}
