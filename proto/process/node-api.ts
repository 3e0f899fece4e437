import { Hono } from 'hono';

import type { Clock } from './clock.ts';
import type { Lifecycle } from './lifecycle.ts';
import type { ListenAddress } from './listen.ts';
import { startHttpListener } from './listening/http-listener.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';

/** How a process is; see {@link startNodeApi}. */
export interface Health {
  /** False when nothing of what it is for works. Default: true. */
  readonly isUp?: boolean | undefined;
  /** True once it has begun to end. Default: whether its life-cycle closes. */
  readonly isStopping?: boolean | undefined;
  /** What does not go as it should, e.g. ['spool']; the facts say why. A restart would mend none of it. */
  readonly degraded: readonly string[];
  /** What its room says of itself. */
  readonly facts?: object | undefined;
}

/** Whether a process can take work. */
export interface Readiness {
  /** Every part has to be true. */
  readonly parts: Readonly<Record<string, boolean>>;
  readonly facts?: object | undefined;
}

/** What the node API of a process shows. */
export interface NodeApiOptions {
  /** e.g. `gateway`. */
  readonly process: string;
  readonly version: string;
  readonly address: ListenAddress;
  readonly metrics: Pick<Metrics, 'text' | 'contentType'>;
  readonly health: () => Health | Promise<Health>;
  readonly ready: () => Readiness | Promise<Readiness>;
  /** Adds what this process has besides. */
  readonly addRoutes?: ((app: Hono) => void) | undefined;
  readonly log: Log;
  readonly clock: Clock;
  readonly lifecycle: Lifecycle;
}

/** Longest wait for what a process asks to know how it is: a database that hangs is an answer too. */
const askMsMax = 2_000;

/**
 * Starts the node API of a process, the same in all of them, and gives back its port; the life-cycle closes it.
 *
 * Shape:  `/health`: { process, version, status: UP | DOWN | STOPPING, degraded, ...facts }, 503 when DOWN. `/health/live`: 200 as long as
 *         the process answers at all. `/health/ready`: { ready, parts: { <name>: UP | DOWN }, ...facts }, 503 unless ready.
 *         `/metrics`: Prometheus text. Anything else: 404 { message, http_status }.
 * Trust:  it asks for no credential, so it shows no secret and belongs on loopback or in the operator's own network.
 * Errors: process.port_taken, process.port_refused.
 */
export function startNodeApi(options: NodeApiOptions): Promise<number> {
  return startHttpListener({
    ...options,
    name: `node API of ${options.process}`,
    app: createApp(options),
    setting: 'admin',
    refuse: ({ status, detail }) => Response.json({ message: detail, http_status: status }, { status }),
  });
}

function createApp(options: NodeApiOptions): Hono {
  const { process, version, metrics, log, clock, lifecycle } = options;
  const app = new Hono();
  app.get('/health', async (c) => {
    const health = await within(options.health, clock);
    const { isUp = true, isStopping = lifecycle.signal.aborted, degraded, facts } = health ?? hangs;
    const status = isStopping ? 'STOPPING' : isUp ? 'UP' : 'DOWN';
    return c.json({ process, version, status, degraded, ...facts }, isUp ? 200 : 503);
  });
  app.get('/health/live', (c) => c.json({ status: 'UP' }));
  app.get('/health/ready', async (c) => {
    const { parts, facts } = (await within(options.ready, clock)) ?? { parts: { answer: false } };
    const states = Object.entries({ ...parts, open: parts['open'] ?? !lifecycle.signal.aborted });
    const isReady = states.every(([, isUp]) => isUp);
    const said = Object.fromEntries(states.map(([name, isUp]) => [name, isUp ? 'UP' : 'DOWN']));
    return c.json({ ready: isReady, parts: said, ...facts }, isReady ? 200 : 503);
  });
  app.get('/metrics', async (c) =>
    c.text(await metrics.text(), 200, { 'content-type': metrics.contentType }),
  );
  options.addRoutes?.(app);
  app.notFound((c) => c.json({ message: 'There is no such resource.', http_status: 404 }, 404));
  app.onError((error, c) => {
    log.error({ err: error, path: c.req.path }, 'the node API failed');
    return c.json({ message: 'Unexpected error.', http_status: 500 }, 500);
  });
  return app;
}

const hangs: Health = { degraded: ['answer'] };

/** Undefined when there is no answer in time. */
async function within<T>(ask: () => T | Promise<T>, clock: Clock): Promise<T | undefined> {
  const late = Promise.withResolvers<undefined>();
  const cancel = clock.after(askMsMax, () => late.resolve(undefined));
  try {
    return await Promise.race([ask(), late.promise]);
  } finally {
    cancel();
  }
}
