import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { createAdaptorServer } from '@hono/node-server';
import type { HealthSource } from '../proto/process/health.ts';
import {
  type Certificates,
  followCertificates,
  openCertificates,
} from '../proto/process/listening/certificates.ts';
import { createDrain } from '../proto/process/listening/drain.ts';
import { warnBeforeEnd } from '../proto/process/listening/ending.ts';
import { boundReaders } from '../proto/process/listening/slow-readers.ts';
import { SecuredListener } from '../proto/process/listening/secured-listener.ts';
import { bindOf, listenOn, originOf } from '../proto/process/listen.ts';
import { startNodeApi } from '../proto/process/node-api.ts';
import { createPeers } from '../proto/process/peers.ts';
import { audienceOf } from '../proto/trust/assertions.ts';
import { createAdmission } from './admission/admission.ts';
import { createApp, headersMax } from './app.ts';
import { audiencesOf } from './admission/audiences.ts';
import { createClaims } from './admission/claims.ts';
import { createEvents } from './admission/events.ts';
import { createFeeds } from './changes/feeds.ts';
import { createNonces } from './admission/nonces.ts';
import { createPolls } from './endpoints/polls.ts';
import { createPresence } from './streams/presence.ts';
import { createSeats } from './streams/seats.ts';
import type { BridgeOptions, Services } from './services.ts';
import { createStrangers } from './admission/strangers.ts';
import { createStreams } from './streams/streams.ts';

export type { BridgeOptions } from './services.ts';

/** A running bridge. */
export interface Bridge {
  readonly port: number;
  /** Port of the node API. */
  readonly nodePort: number;
  /** Origin at which this machine reaches it, e.g. `http://127.0.0.1:18092`. */
  readonly url: string;
  /** What it is bound to, e.g. `http://0.0.0.0:18092`. */
  readonly bind: string;
  /** Ends streams with a close frame, lets requests finish, stops listening. Also registered with the life-cycle. */
  close(): Promise<void>;
}

const headersMsMax = 10_000;
const requestMsMax = 5 * 60_000;
/** Who takes what he asked for slower than that is cut off. */
const readers = { answerIdleMsMax: 120_000, answerBytesPerSecondMin: 1_024 };
/** For uploads, snapshots, enrolments and health beside streams and polls. */
const spareConnections = 2_000;

/**
 * Starts the service between the planes.
 *
 * It holds no signing key: what it serves comes signed out of the repository. Errors: process.port_taken, process.port_refused,
 * config.invalid for certificate files, and when nobody said what it is called (publicUrls).
 */
export async function startBridge(options: BridgeOptions): Promise<Bridge> {
  const { config, log, clock, lifecycle } = options;
  const closing = new AbortController();
  const feeds = createFeeds(options);
  const services: Services = { ...options, feeds, events: createEvents(options), signal: closing.signal };
  const presence = createPresence(services);
  const seats = createSeats(services, presence);
  const claims = createClaims(services, presence);
  const nonces = createNonces(services);
  const audiencesAt = (at: number): readonly string[] =>
    config.publicUrls.length === 0 && options.urlsOf !== undefined
      ? options.urlsOf(at).map(audienceOf)
      : audiencesOf(config, at);
  // Refuses before anything listens; the port may be known only after that.
  let audiences = (): readonly string[] => audiencesAt(config.listen.port);
  audiences();
  const certificates = await openCertificates(config.listen.tls, options);
  const admission = createAdmission(services, { nonces, audiences: () => audiences() });
  const polls = createPolls(services);
  const strangers = createStrangers({
    limits: config.limits,
    peers: createPeers(config.listen.trustedProxies),
    clock,
    metrics: options.metrics,
  });
  const streams = createStreams(services, { admission, claims, nonces, seats, strangers });
  const ending = warnBeforeEnd(options);
  const health = healthOf(services, {
    streams: () => streams.size(),
    isClosing: () => !ending.isOpen || closing.signal.aborted,
    certificates,
  });
  const app = createApp(services, { admission, claims, nonces, polls, presence, strangers, health });

  const server = createHttpServer(app.fetch, certificates, options);
  const drain = createDrain(server);
  strangers.watch(server);
  server.on('upgrade', (request, socket, head) => {
    lifecycle.task('bridge upgrade', streams.upgrade({ request, socket, head }));
  });
  // Node leaves out what is beyond it and says nothing: one more is enough to see that there were too many.
  server.maxHeadersCount = headersMax + 1;
  server.maxConnections = config.limits.streamsMax + config.limits.pollsMax + spareConnections;
  const port = await listenOn(server, { ...config.listen, setting: 'listen' });
  audiences = () => audiencesAt(port);
  const scheme = config.listen.tls === undefined ? 'http' : 'https';
  const address = { host: config.listen.host, port };
  const url = originOf(scheme, address);
  const bind = bindOf(scheme, address);

  let closed: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    closing.abort();
    const drained = drain.close(clock, ending.quietMs);
    await streams.close();
    feeds.close();
    await drained;
  };
  const closeOnce = (): Promise<void> => (closed ??= close());
  lifecycle.onClose('bridge', closeOnce);
  const nodePort = await startNodeApi({ ...options, ...health, address: config.admin });
  log.info({ bind, nodePort }, 'bridge listens');
  return {
    port,
    nodePort,
    url,
    bind,
    close: closeOnce,
  };
}

/** Ready without its bucket: definitions travel on, and shippers keep what it does not take. */
function healthOf(
  { version, clock, feeds, blobs }: Services,
  {
    streams,
    isClosing,
    certificates,
  }: {
    readonly streams: () => number;
    readonly isClosing: HealthSource['isClosing'];
    readonly certificates: Certificates;
  },
): HealthSource {
  return {
    process: 'bridge',
    version,
    clock,
    isClosing,
    health: () => {
      const problems = { certificates: certificates.problem(), bucket: blobs.trouble() };
      const met = Object.entries(problems).filter(([, problem]) => problem !== undefined);
      const degraded = [...(feeds.isHealthy() ? [] : ['repository']), ...met.map(([name]) => name)];
      return { degraded, facts: { streams: streams(), ...Object.fromEntries(met) } };
    },
    ready: () => ({ parts: { repository: feeds.isHealthy() } }),
  };
}

/** Over TLS where there are certificates, which are followed from then on. */
function createHttpServer(
  fetch: (request: Request) => Response | Promise<Response>,
  certificates: Certificates,
  options: BridgeOptions,
): Server {
  const bounds = {
    headersTimeout: headersMsMax,
    requestTimeout: requestMsMax,
    keepAliveTimeout: 65_000,
    connectionsCheckingInterval: 1_000,
  };
  const bounded = (server: Server): Server => {
    boundReaders(server, readers, options.clock);
    return server;
  };
  const tls = certificates.current();
  if (tls === undefined)
    return bounded(createAdaptorServer({ fetch, createServer, serverOptions: bounds }) as Server);
  const secured = new SecuredListener(tls);
  const serverOptions = { ...bounds, handshakeTimeout: headersMsMax, ...secured.options };
  const server = createAdaptorServer({ fetch, createServer: createTlsServer, serverOptions }) as Server;
  followCertificates(certificates, {
    ...options,
    name: 'certificates of the bridge',
    take: (next) => secured.take(server, next),
  });
  return bounded(server);
}
