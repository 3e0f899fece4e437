import { Hono } from 'hono';

import type { DeployedEnvironment, DeployedState } from '../gateway/deploy/deployments.ts';
import type { NodeState } from './state.ts';

/** What the node API needs. */
export interface AdminOptions {
  readonly state: () => NodeState;
  /** Everything measured, of all processes, in Prometheus' text format. */
  readonly metricsText: () => Promise<string>;
  readonly contentType: string;
  /**
   * Begins to replace the workers one after another; false when that is going on already. Undefined when this process
   * serves alone.
   */
  readonly replaceWorkers: (() => boolean) | undefined;
}

/**
 * The node API of a gateway, for its operator: health, readiness, metrics, and what is deployed.
 *
 * It listens on the loopback address and asks for no credential, so it shows no secret, and all it can be told is to put
 * new workers in the place of old ones, which no request notices.
 */
export function createAdminApp({ state, metricsText, contentType, replaceWorkers }: AdminOptions): Hono {
  const app = new Hono();
  app.get('/health', (c) => {
    const now = state();
    return c.json(healthOf(now), now.workers?.serving === 0 ? 503 : 200);
  });
  app.get('/health/ready', (c) => {
    const now = state();
    const isReady = now.isOpen && now.source.isComplete && now.workers?.serving !== 0;
    return c.json({ ready: isReady, ...readinessOf(now) }, isReady ? 200 : 503);
  });
  app.get('/metrics', async (c) => c.text(await metricsText(), 200, { 'content-type': contentType }));
  app.post('/workers/_replace', (c) => {
    // Only browsers send it: a page that somebody opened on this machine must not tell the gateway anything.
    if (c.req.header('origin') !== undefined)
      return c.json({ message: 'Not for browsers.', http_status: 403 }, 403);
    if (replaceWorkers === undefined)
      return c.json({ message: 'This gateway is one process; it has no workers.', http_status: 409 }, 409);
    if (!replaceWorkers())
      return c.json({ message: 'The workers are being replaced already.', http_status: 409 }, 409);
    return c.json({ message: 'The workers are being replaced; /health shows how far it is.' }, 202);
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

function healthOf({ version, source, spool, isOpen, workers }: NodeState): object {
  // A gateway that serves is healthy; what is degraded is said, for eyes and alerts.
  const degraded = [
    ...(spool?.state === 'degraded' ? ['spool'] : []),
    ...(source.store?.mode === 'memory' ? ['store'] : []),
    ...(workers !== undefined && workers.serving < workers.wanted ? ['workers'] : []),
  ];
  return {
    status: !isOpen ? 'STOPPING' : workers?.serving === 0 ? 'DOWN' : 'UP',
    version,
    degraded,
    ...(spool !== undefined && { spool }),
    ...(source.store !== undefined && { store: source.store }),
    ...(source.sync !== undefined && { sync: source.sync }),
    ...(workers !== undefined && { workers }),
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
