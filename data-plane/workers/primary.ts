import { randomUUID } from 'node:crypto';

import { tryAddress } from '../../proto/process/listen.ts';
import { levelOf } from '../../proto/process/log.ts';
import type { Nack } from '../../proto/wire/published.ts';
import { startGatewayNode } from '../admin/node.ts';
import type { NodeState } from '../admin/state.ts';
import { workerCount } from '../config.ts';
import { warnBeforeEnd } from '../../proto/process/listening/ending.ts';
import type {
  ApplyChange,
  ConfirmChange,
  HearRefusedLate,
  HearTakenLate,
  JudgedOf,
  SetRecord,
} from '../gateway/deploy/change.ts';
import {
  createDeployments,
  type DeployedEnvironment,
  type Deployments,
} from '../gateway/deploy/deployments.ts';
import { createFreedTaker } from '../gateway/deploy/freed.ts';
import { createThrownTeller } from '../gateway/errors/thrown.ts';
import { noCallouts } from '../callouts.ts';
import { type WatchedEndpoints, watchEndpoints } from '../endpoint-checks.ts';
import { guardOf } from '../endpoints/guard.ts';
import { createUpstreams } from '../endpoints/upstreams.ts';
import { createMemoryCounters } from '../limits/memory.ts';
import type { Reporter } from '../report/reporter.ts';
import { upkeepNeverMs } from '../report/messages.ts';
import { boundOfDurations } from '../gateway/deploy/durations.ts';
import { ownFigures } from '../own-figures.ts';
import { openServerCertificates, type ServerCertificates } from '../servers/certificates.ts';
import { describeServers, firstPort, portFacts, serversOf } from '../servers/settings.ts';
import { policyPartsOf } from '../policy-ground.ts';
import { createEngine, expressionHostOf, openReporter, securityHostOf } from '../serving.ts';
import { openSource } from '../source.ts';
import type { GuardedOptions, RunningGateway } from '../start.ts';
import { growWithLoad } from '../young-generation.ts';
import { Crew } from './crew.ts';
import { createFigures, type Figures } from './figures.ts';
import { openListeners, type SharedListeners } from './listener.ts';
import type { WorkerStart } from './messages.ts';
import { createServedSet, type ServedSet } from './served-set.ts';

const startMsMax = 60_000;
const applyMsMax = 30_000;
const answerMsMax = 10_000;
const changesMax = 1_000;
/** After the deadline of requests: pools and the spool's last lines. */
const endMsMax = 8_000;

/**
 * Starts a gateway whose requests are taken by several processes. This one, the primary, follows the source, proves and
 * stores it, compiles it to judge it, keeps the listening socket, deletes shipped segments and serves the node API.
 *
 * Errors: as startGateway; process.not_ready when a worker does not start.
 */
export async function startPrimary(options: GuardedOptions): Promise<RunningGateway> {
  const { config, log, lifecycle } = options;
  const certificates = await openServerCertificates(config, options);
  const source = await openSource(options);
  // This process writes no access records: it deletes what was shipped, keeps the bound on disk, and says in a gap record what it cost.
  const reporter = config.report.enabled
    ? await openReporter({ ...options, gateway: source.gateway })
    : undefined;
  const { deployments, endpoints } = openJudge(options, { gateway: source.gateway, reporter });
  const served = createServedSet();
  const figures = createFigures(boundOfDurations(config.metrics));
  const listeners = await openListeners(config);
  lifecycle.onClose('listening sockets', () => listeners.close());
  await tryAddress({ ...config.admin, setting: 'admin' });
  const crew = openCrew(options, {
    gateway: source.gateway,
    certificates,
    served,
    figures,
    listeners,
    endpoints,
  });
  const handing = createHanding({ deployments, crew, served });
  const running = await source.follow({
    deployments: handing,
    counters: () => ({
      ...figures.counters(crew.stats()),
      ...(reporter !== undefined && { spoolBytes: reporter.health().bytes }),
      ...ownFigures({ spool: figures.spool(reporter?.health(), crew.stats()), certificates }),
    }),
  });
  await crew.open();
  lifecycle.onClose('room for new objects', growWithLoad());
  lifecycle.onClose('workers', async () => {
    const closed = crew.close();
    // With the last worker's duplicate the port is closed: who comes later is refused, and does not wait for nobody.
    listeners.close();
    await closed;
  });
  const ending = warnBeforeEnd(options);
  const adminPort = await openNodeApi(options, {
    crew,
    endpoints,
    figures,
    state: () => ({
      isOpen: ending.isOpen,
      certificates: certificates.problem(),
      source: running.state(),
      deployed: handing.state(),
      ...endpoints.describe(),
      spool: figures.spool(reporter?.health(), crew.stats()),
      servers: describeServers(config, listeners.ports),
      workers: crew.state(),
    }),
  });
  options.doors.add(adminPort);
  certificates.follow({ ...options, take: (server, tls) => crew.reloadTls(server, tls) });
  lifecycle.onReload('what workers read', () => crew.reload());
  lifecycle.onReload('log level of the workers', () => (crew.setLogLevel(levelOf(log)), false));
  const workers = workerCount(config);
  const { ports } = listeners;
  log.info({ ...portFacts(config, ports), adminPort, workers, source: source.kind }, 'listening');
  return {
    port: firstPort(ports),
    ports,
    adminPort,
    deployments,
    sync: running.sync,
    reporter,
    replaceWorkers: () => crew.replace(),
  };
}

function openNodeApi(
  options: GuardedOptions,
  parts: {
    readonly crew: Crew;
    readonly endpoints: WatchedEndpoints;
    readonly figures: Figures;
    readonly state: () => NodeState;
  },
): Promise<number> {
  const { crew, endpoints, figures, state } = parts;
  return startGatewayNode({
    ...options,
    metrics: {
      contentType: options.metrics.contentType,
      async text() {
        await crew.refresh();
        endpoints.publish();
        return options.metrics.text(await figures.metrics(crew.stats()));
      },
    },
    state,
    replaceWorkers: () => {
      if (crew.isReplacing) return false;
      void crew.replace();
      return true;
    },
  });
}

interface Judge {
  readonly deployments: Deployments;
  readonly endpoints: WatchedEndpoints;
}

/**
 * Compiles everything as the workers do: what it refuses they refuse. Nothing of it serves; what it opens are the health checks of
 * endpoints, and the search for them, for all workers.
 */
function openJudge(
  options: GuardedOptions,
  parts: {
    readonly gateway: string;
    readonly reporter: Reporter | undefined;
  },
): Judge {
  const { config, clock, log, lifecycle, doors } = options;
  const { gateway, reporter } = parts;
  const tellThrown = createThrownTeller({ log, clock, count: () => undefined });
  const guard = guardOf(config, doors);
  const engine = createEngine(tellThrown);
  const upstreams = createUpstreams(engine, config, guard);
  lifecycle.onClose('connections of health checks and discovery', () => upstreams.close(0));
  const own = { ...options, gateway };
  const endpoints = watchEndpoints(own, { engine, upstreams, guard, reporter, onThrown: tellThrown });
  const deployments = createDeployments({
    guard,
    upstreams: undefined,
    health: endpoints.health,
    discovery: endpoints.discovery,
    expressions: expressionHostOf(own),
    host: {
      clock,
      counters: createMemoryCounters({ windowsMax: 1, clock }),
      outbound: noCallouts,
      ...policyPartsOf(config, clock),
    },
    records: undefined,
    servers: serversOf(config).map(({ id }) => id),
    log,
    security: securityHostOf(config, { clock, log, outbound: noCallouts }),
    keysSeenMax: 1,
    streamMsMax: 0,
    onThrown: tellThrown,
  });
  lifecycle.onClose('deployments', () => deployments.close());
  return { deployments, endpoints };
}

interface CrewParts {
  readonly gateway: string;
  readonly certificates: ServerCertificates;
  readonly served: ServedSet;
  readonly figures: Figures;
  readonly listeners: SharedListeners;
  readonly endpoints: WatchedEndpoints;
}

function openCrew({ config, clock, log, lifecycle, version, doors }: GuardedOptions, parts: CrewParts): Crew {
  const {
    dataDir,
    listen,
    servers,
    request,
    upstream,
    healthCheck,
    outbound,
    apiKey,
    jwt,
    limits,
    metrics,
    closeMsMax,
  } = config;
  const { secretReferences, cache, policy, discovery } = config;
  // One process deletes segments; were all to do it, each would count the others' bytes and drop for them.
  const report = { ...config.report, upkeepEveryMs: upkeepNeverMs };
  const hopSecret = randomUUID();
  const start = (): WorkerStart => ({
    config: {
      dataDir,
      listen,
      servers,
      request,
      upstream,
      healthCheck,
      discovery,
      outbound,
      apiKey,
      jwt,
      secretReferences,
      limits,
      cache,
      policy,
      metrics,
      report,
      closeMsMax,
    },
    gateway: parts.gateway,
    version,
    hopSecret,
    workers: workerCount(config),
    logLevel: levelOf(log),
    tls: parts.certificates.current(),
    doors: doors.ports,
  });
  const bounds = { startMsMax, applyMsMax, answerMsMax, changesMax, drainMsMax: closeMsMax + endMsMax };
  const counters = createMemoryCounters({ windowsMax: config.limits.windowsMax, clock });
  const wanted = workerCount(config);
  const { endpoints } = parts;
  const known = () => endpoints.known();
  const crew = new Crew({ ...parts, counters, known, wanted, start, bounds, clock, log });
  doors.onAdded((port) => crew.addDoor(port));
  endpoints.onNews((news) => crew.tell(news));
  // A second signal ends this process at once, and them with it.
  const killAll = (): void => crew.kill();
  process.once('exit', killAll);
  lifecycle.onClose('exit hook', () => void process.off('exit', killAll));
  return crew;
}

interface Handing {
  readonly apply: ApplyChange;
  readonly confirm: ConfirmChange;
  readonly judged: JudgedOf;
  onRefusedLate(hear: HearRefusedLate): void;
  onTakenLate(hear: HearTakenLate): void;
  /** What every worker has applied. */
  state(): readonly DeployedEnvironment[];
}

/** Hands changes on to the workers, and shows a change once all of them serve it. */
function createHanding({
  deployments,
  crew,
  served,
}: {
  readonly deployments: Deployments;
  readonly crew: Crew;
  readonly served: ServedSet;
}): Handing {
  let unconfirmed = 0;
  let before: readonly DeployedEnvironment[] = [];
  /** By environment, kind and id: what a worker refused alone. */
  const refusedByWorkers = new Map<string, Nack>();
  const keyOf = (environment: string, { kind, id }: { readonly kind: string; readonly id: string }): string =>
    `${environment}\0${kind}\0${id}`;
  /** A worker that starts later finds its places and compiles it when somebody asks for it. */
  const withJudged =
    (environment: string) =>
    (record: SetRecord): SetRecord =>
      record.kind === 'api' && record.judged === undefined
        ? { ...record, judged: deployments.judged(environment, record) }
        : record;
  const taker = createFreedTaker({
    freed: deployments.freed,
    apply(change) {
      for (const each of [...change.set, ...change.removed])
        refusedByWorkers.delete(keyOf(change.environment, each));
      const nacks = deployments.apply(change);
      served.take({ ...change, set: change.set.map(withJudged(change.environment)) }, nacks);
      crew.apply(change, nacks);
      return nacks;
    },
  });
  return {
    apply(change) {
      if (unconfirmed === 0 && crew.isOpen) before = deployments.state();
      if (crew.isOpen) unconfirmed += 1;
      return taker.apply(change);
    },
    onTakenLate: taker.onTakenLate,
    judged: deployments.judged,
    onRefusedLate(hear) {
      crew.onRefusedLate((environment, nack) => {
        refusedByWorkers.set(keyOf(environment, nack), nack);
        hear(environment, nack);
      });
    },
    async confirm(environment) {
      const nacks = await crew.confirm(environment);
      for (const nack of nacks) refusedByWorkers.set(keyOf(environment, nack), nack);
      unconfirmed = Math.max(0, unconfirmed - 1);
      return nacks;
    },
    state() {
      const shown = unconfirmed > 0 ? before : deployments.state();
      if (refusedByWorkers.size === 0) return shown;
      return shown.map(({ environment, apis, ...rest }) => ({
        ...rest,
        environment,
        apis: apis.map((api) => {
          const nack = refusedByWorkers.get(keyOf(environment, { kind: 'api', id: api.id }));
          return nack === undefined ? api : { ...api, state: 'outdated', nack };
        }),
      }));
    },
  };
}
