import type { Guard } from '../proto/process/outbound/guard.ts';
import { openDiscovery, type OpenDiscovery } from './endpoints/discovery/open.ts';
import { type HealthOptions, openHealth, type OpenHealth } from './endpoints/health/open.ts';
import type { OutlierHost } from './endpoints/outliers.ts';
import type { Upstreams } from './endpoints/upstreams.ts';
import type { Engine } from './http/exchange.ts';
import type { Reporter } from './report/reporter.ts';
import type { ServingOptions } from './serving.ts';

/** What checks of endpoints use of a process. */
export interface CheckParts extends Pick<HealthOptions, 'onThrown'> {
  readonly engine: Pick<Engine, 'createHeaders'>;
  readonly upstreams: Upstreams;
  readonly guard: Guard;
  /** Undefined when no records are written. */
  readonly reporter: Reporter | undefined;
}

/** Has this process check the endpoints of all APIs that are deployed in it, or judged. */
export function checkEndpoints(
  { config, clock, log, metrics, gateway }: Omit<ServingOptions, 'lifecycle'>,
  { engine, reporter, ...parts }: CheckParts,
): OpenHealth {
  return openHealth({
    ...parts,
    settings: config.healthCheck,
    endpointsMax: config.metrics.endpointsMax,
    clock,
    log,
    metrics,
    gateway,
    createHeaders: () => engine.createHeaders(),
    record: reporter === undefined ? undefined : (record) => reporter.note(record),
  });
}

/** Has this process find the endpoints of all groups that say how. */
export function findEndpoints(
  { config, clock, log, metrics }: Pick<ServingOptions, 'config' | 'clock' | 'log' | 'metrics'>,
  { engine, upstreams, guard, onThrown }: Omit<CheckParts, 'reporter'>,
): OpenDiscovery {
  return openDiscovery({
    settings: config.discovery,
    clock,
    log,
    metrics,
    upstreams,
    guard,
    onThrown,
    createHeaders: () => engine.createHeaders(),
  });
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
