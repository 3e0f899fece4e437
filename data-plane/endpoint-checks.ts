import type { Guard } from '../proto/process/outbound/guard.ts';
import type { NodeState } from './admin/state.ts';
import type { DiscoveryBoard } from './endpoints/discovery/board.ts';
import { openDiscovery } from './endpoints/discovery/open.ts';
import type { HealthBoard } from './endpoints/health/board.ts';
import { type HealthOptions, openHealth } from './endpoints/health/open.ts';
import type { OutlierHost } from './endpoints/outliers.ts';
import type { Upstreams } from './endpoints/upstreams.ts';
import type { Engine } from './http/exchange.ts';
import type { Reporter } from './report/reporter.ts';
import type { ServingOptions } from './serving.ts';
import type { KnownEndpoints } from './workers/messages.ts';

/** What the node API shows of endpoints. */
export type DescribedEndpoints = Pick<NodeState, 'endpoints' | 'discovered'>;

/** What checks of endpoints use of a process. */
export interface CheckParts extends Pick<HealthOptions, 'onThrown'> {
  readonly engine: Pick<Engine, 'createHeaders'>;
  readonly upstreams: Upstreams;
  readonly guard: Guard;
  /** Undefined when no records are written. */
  readonly reporter: Reporter | undefined;
}

/** What a process knows of endpoints beside their definitions: which were found, and how they are. */
export interface WatchedEndpoints {
  readonly health: HealthBoard;
  readonly discovery: DiscoveryBoard;
  /** What a process that begins has to be told. */
  known(): KnownEndpoints;
  /** From now on this one hears of what is new, to tell other processes. */
  onNews(hear: (news: KnownEndpoints) => void): void;
  /** For the node API. */
  describe(): DescribedEndpoints;
  /** Carries what is known over into the metrics. */
  publish(): void;
}

/** Has this process check the endpoints of all APIs that are deployed in it, or judged, and find those that are to be found. */
export function watchEndpoints(
  { config, clock, log, metrics, gateway }: Omit<ServingOptions, 'lifecycle'>,
  { engine, reporter, ...parts }: CheckParts,
): WatchedEndpoints {
  const own = { ...parts, clock, log, metrics, createHeaders: () => engine.createHeaders() };
  const checks = openHealth({
    ...own,
    settings: config.healthCheck,
    endpointsMax: config.metrics.endpointsMax,
    gateway,
    record: reporter === undefined ? undefined : (record) => reporter.note(record),
  });
  const finding = openDiscovery({ ...own, settings: config.discovery });
  return {
    health: checks.board,
    discovery: finding.board,
    known: () => ({ found: finding.board.states, health: checks.board.states }),
    onNews(hear) {
      checks.onState((told) => hear({ found: [], health: [told] }));
      finding.onFound((told) => hear({ found: [told], health: [] }));
    },
    describe: () => ({ endpoints: checks.describe(), discovered: finding.describe() }),
    publish() {
      checks.publish();
      finding.publish();
    },
  };
}

/** Takes endpoints out for what requests find there, as the settings say; each time is in the log, and counted. */
export function outlierHostOf({
  config,
  clock,
  log,
  metrics,
}: Pick<ServingOptions, 'config' | 'clock' | 'log' | 'metrics'>): OutlierHost {
  const settings = config.upstream.outlierDetection;
  const ejections = metrics.counter(
    'isthmus_endpoint_ejections_total',
    'How often endpoints were taken out for what requests found there (upstream.outlierDetection).',
  );
  return {
    settings,
    clock,
    onEjected(ejected) {
      ejections.inc();
      const { consecutive5xx } = settings;
      log.warn(
        { ...ejected, consecutive5xx },
        'an endpoint failed so often in a row that it gets no requests',
      );
    },
  };
}
