import type { Metrics } from '../../proto/process/metrics.ts';
import { Fault } from '../../proto/faults/fault.ts';
import type { Health, Readiness } from '../../proto/process/health.ts';
import { type NodeApiOptions, type NodeRoute, startNodeApi } from '../../proto/process/node-api.ts';
import type { GatewayConfig } from '../config.ts';
import type { DeployedEnvironment, DeployedState } from '../gateway/deploy/deployments.ts';
import type { NodeState } from './state.ts';

/** What the node API of a gateway needs. */
export interface GatewayNodeOptions extends Pick<NodeApiOptions, 'version' | 'log' | 'clock' | 'lifecycle'> {
  readonly config: Pick<GatewayConfig, 'admin'>;
  readonly state: () => NodeState;
  /** Everything measured, of all processes. */
  readonly metrics: Pick<Metrics, 'text' | 'contentType'>;
  /**
   * Begins to replace the workers one after another; false when that is going on already. Undefined when this process
   * serves alone.
   */
  readonly replaceWorkers: (() => boolean) | undefined;
}

/**
 * Starts the node API of a gateway and gives back its port: what every process shows, and what is deployed.
 *
 * All it can be told is to put new workers in the place of old ones, which no request notices.
 */
export function startGatewayNode(options: GatewayNodeOptions): Promise<number> {
  const { state } = options;
  return startNodeApi({
    ...options,
    process: 'gateway',
    address: options.config.admin,
    health: () => healthOf(state()),
    ready: () => readinessOf(state()),
    routes: routesOf(options),
  });
}

function routesOf({ state, replaceWorkers }: GatewayNodeOptions): readonly NodeRoute[] {
  return [
    {
      method: 'POST',
      path: '/workers/_replace',
      answer({ headers }) {
        // Only browsers send it: a page that somebody opened on this machine must not tell the gateway anything.
        if (headers.origin !== undefined)
          return new Fault('request.forbidden', { detail: 'Not for browsers.' });
        if (replaceWorkers === undefined)
          return new Fault('request.conflict', { detail: 'This gateway is one process; it has no workers.' });
        if (!replaceWorkers())
          return new Fault('request.conflict', { detail: 'The workers are being replaced already.' });
        const message = 'The workers are being replaced; /health shows how far it is.';
        return { status: 202, body: { message } };
      },
    },
    { method: 'GET', path: '/apis', answer: () => ({ body: { data: state().deployed.flatMap(apisOf) } }) },
    { method: 'GET', path: '/endpoints', answer: () => ({ body: { data: state().endpoints } }) },
    { method: 'GET', path: '/discovery', answer: () => ({ body: { data: state().discovered } }) },
    {
      method: 'GET',
      path: '/apis/*',
      answer({ name }) {
        const found = state()
          .deployed.flatMap(apisOf)
          .find((api) => api.id === name);
        return found === undefined
          ? new Fault('request.not_found', { detail: `No API ${name} on this gateway.` })
          : { body: found };
      },
    },
  ];
}

/** Groups that nobody takes requests of, since no endpoint was found; all other groups of their APIs are served. */
const emptyGroupsOf = ({ discovered }: NodeState): readonly object[] =>
  discovered
    .filter(({ isEmpty }) => isEmpty)
    .map(({ environment, api, group, asked, problem }) => ({ environment, api, group, asked, problem }));

function healthOf(state: NodeState): Health {
  const { source, spool, isOpen, workers, certificates, servers } = state;
  const discovery = emptyGroupsOf(state);
  return {
    isUp: workers?.serving !== 0,
    isStopping: !isOpen,
    // A gateway that serves is healthy; what is degraded is said, for eyes and alerts.
    degraded: [
      ...(spool?.state === 'degraded' ? ['spool'] : []),
      ...(source.store?.mode === 'memory' ? ['store'] : []),
      ...(certificates === undefined ? [] : ['certificates']),
      ...(source.sync?.trouble === undefined ? [] : ['bridge']),
      ...(workers !== undefined && workers.serving < workers.wanted ? ['workers'] : []),
      ...(source.problems.length > 0 ? ['definitions'] : []),
      ...(discovery.length > 0 ? ['discovery'] : []),
    ],
    facts: {
      servers,
      ...(discovery.length > 0 && { discovery }),
      ...(spool !== undefined && { spool }),
      ...(certificates !== undefined && { certificates }),
      ...(source.store !== undefined && { store: source.store }),
      ...(source.sync !== undefined && { sync: source.sync }),
      ...(workers !== undefined && { workers }),
    },
  };
}

function readinessOf(state: NodeState): Readiness {
  const { source, deployed, spool, isOpen, workers } = state;
  const discovery = emptyGroupsOf(state);
  const apis = deployed.flatMap(({ apis: all }) => all);
  const count = (wanted: DeployedState['state']): number =>
    apis.filter(({ state }) => state === wanted).length;
  // Files of which nothing works are a slip of whoever wrote them; what a bridge sent came through a deployment, and may be mended by the next.
  const isAllBroken =
    source.kind === 'local' && apis.length === count('failed') && source.problems.length > 0;
  return {
    parts: {
      open: isOpen,
      configuration: source.isComplete && !isAllBroken,
      ...(workers !== undefined && { workers: workers.serving > 0 }),
    },
    facts: {
      source: source.kind,
      environments: source.environments,
      incomplete: source.environments
        .filter((each) => !each.isComplete)
        .map(({ environment }) => environment),
      refused: apis.flatMap(({ nack }) => (nack === undefined ? [] : [nack])),
      problems: source.problems,
      apis: {
        started: count('started'),
        outdated: count('outdated'),
        failed: count('failed'),
      },
      degraded: [
        ...(spool?.state === 'degraded' ? ['spool'] : []),
        ...(source.sync?.trouble === undefined ? [] : ['bridge']),
        ...(source.problems.length > 0 ? ['definitions'] : []),
        ...(discovery.length > 0 ? ['discovery'] : []),
      ],
      ...(discovery.length > 0 && { discovery }),
      // It serves what it has, so it is ready; what keeps it from what is new stands here too.
      ...(source.sync?.trouble !== undefined && { trouble: source.sync.trouble }),
    },
  };
}

function apisOf({
  environment,
  apis,
}: DeployedEnvironment): readonly (DeployedState & { environment: string })[] {
  return apis.map((api) => ({ environment, ...api }));
}
