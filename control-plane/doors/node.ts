import { Hono } from 'hono';
import type { Metrics } from '../../proto/process/metrics.ts';

/** What the node API shows of this process. */
export interface NodeDoorOptions {
  readonly metrics: Metrics;
  /** Every part by name; a part that throws or says false is not ready. */
  readonly checks: Readonly<Record<string, () => Promise<boolean> | boolean>>;
}

/** Health, readiness and metrics of a control plane, for the operator's own network. */
export function createNodeDoor({ metrics, checks }: NodeDoorOptions): Hono {
  const app = new Hono();
  app.get('/health', (context) => context.json({ status: 'UP' }));
  app.get('/health/ready', async (context) => {
    const states = await Promise.all(
      Object.entries(checks).map(
        async ([name, check]) => [name, (await isUp(check)) ? 'UP' : 'DOWN'] as const,
      ),
    );
    const isReady = states.every(([, state]) => state === 'UP');
    return context.json(
      { status: isReady ? 'UP' : 'DOWN', parts: Object.fromEntries(states) },
      isReady ? 200 : 503,
    );
  });
  app.get('/metrics', async (context) =>
    context.text(await metrics.text(), 200, { 'Content-Type': 'text/plain; version=0.0.4; charset=utf-8' }),
  );
  return app;
}

/** Whatever a check throws means "not now"; its owner has logged why. */
async function isUp(check: () => Promise<boolean> | boolean): Promise<boolean> {
  try {
    return await check();
  } catch {
    return false;
  }
}
