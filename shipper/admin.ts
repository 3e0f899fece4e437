import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { Fault } from '../proto/faults/fault.ts';
import type { Lifecycle } from '../proto/process/lifecycle.ts';
import type { Metrics } from '../proto/process/metrics.ts';
import type { Condition } from './condition.ts';
import type { ShipperConfig } from './config.ts';

/** Starts the node API and gives back its port. Errors: process.port_taken. */
export async function startAdmin(
  parts: {
    readonly config: Readonly<ShipperConfig>;
    readonly lifecycle: Lifecycle;
    readonly metrics: Metrics;
  },
  condition: Condition,
): Promise<number> {
  const { config, lifecycle, metrics } = parts;
  const app = new Hono();
  // 200 whatever it says: a restart mends nothing of what stands here, and an orchestrator would make one of anything else.
  app.get('/health', (context) => context.json({ ...condition.health(), output: config.output }));
  app.get('/metrics', async (context) =>
    context.body(await metrics.text(), 200, { 'content-type': metrics.contentType }),
  );
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const server = serve(
    { fetch: app.fetch, hostname: config.admin.host, port: config.admin.port },
    (address) => resolve(address.port),
  );
  server.on('error', (error: NodeJS.ErrnoException) =>
    reject(
      error.code === 'EADDRINUSE'
        ? new Fault('process.port_taken', { detail: `Port ${config.admin.port} is in use.`, cause: error })
        : error,
    ),
  );
  const port = await promise;
  lifecycle.onClose('shipper node API', () => new Promise((closed) => void server.close(() => closed())));
  return port;
}
