import { Hono } from 'hono';

import type { Metrics } from '../../proto/process/metrics.ts';
import type { DeployedEnvironment, DeployedState } from '../gateway/deployments.ts';
import type { NodeState } from './state.ts';

/** What the node API needs. */
export interface AdminOptions {
  readonly state: () => NodeState;
  readonly metrics: Metrics;
  /** Sets the figures that are only counted, right before they are read. */
  readonly onScrape: () => void;
}

/**
 * The node API of a gateway, for its operator: health, readiness, metrics, and what is deployed.
 *
 * It listens on the loopback address and asks for no credential, so it only reads and shows no secret.
 */
export function createAdminApp({ state, metrics, onScrape }: AdminOptions): Hono {
  const app = new Hono();
  app.get('/health', (c) => c.json(healthOf(state())));
  app.get('/health/ready', (c) => {
    const now = state();
    const isReady = now.isOpen && now.source.isComplete;
    return c.json({ ready: isReady, ...readinessOf(now) }, isReady ? 200 : 503);
  });
  app.get('/metrics', async (c) => {
    onScrape();
    return c.text(await metrics.text(), 200, { 'content-type': metrics.contentType });
  });
  app.get('/apis', (c) => c.json({ data: state().deployed.flatMap(apisOf) }));
  app.get('/apis/:id', (c) => {
    const id = c.req.param('id');
    const found = state()
      .deployed.flatMap(apisOf)
      .find((api) => api.id === id);
    return found === undefined
      ? c.json({ message: `No API ${id} on this gateway.`, http_status: 404 }, 404)
      : c.json(found);
  });
  app.notFound((c) => c.json({ message: 'There is no such resource.', http_status: 404 }, 404));
  return app;
}

function healthOf({ version, source, spool, isOpen }: NodeState): object {
  // A gateway that serves is healthy; what is degraded is said, for eyes and alerts.
  const degraded = [
    ...(spool?.state === 'degraded' ? ['spool'] : []),
    ...(source.store?.mode === 'memory' ? ['store'] : []),
  ];
  return {
    status: isOpen ? 'UP' : 'STOPPING',
    version,
    degraded,
    ...(spool !== undefined && { spool }),
    ...(source.store !== undefined && { store: source.store }),
    ...(source.sync !== undefined && { sync: source.sync }),
  };
}

function readinessOf({ source, deployed, spool }: NodeState): object {
  const apis = deployed.flatMap(({ apis: all }) => all);
  return {
    source: source.kind,
    environments: source.environments,
    incomplete: source.environments.filter((each) => !each.isComplete).map(({ environment }) => environment),
    refused: apis.flatMap(({ nack }) => (nack === undefined ? [] : [nack])),
    problems: source.problems,
    apis: apis.length,
    degraded: spool?.state === 'degraded' ? ['spool'] : [],
  };
}

function apisOf({
  environment,
  apis,
}: DeployedEnvironment): readonly (DeployedState & { environment: string })[] {
  return apis.map((api) => ({ environment, ...api }));
}
