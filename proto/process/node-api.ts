import { Hono } from 'hono';

import { answerOf, nothingHere } from '../faults/answers.ts';
import { Fault } from '../faults/fault.ts';
import { addHealth, type HealthSource } from './health.ts';
import type { Lifecycle } from './lifecycle.ts';
import type { ListenAddress } from './listen.ts';
import { startHttpListener } from './listening/http-listener.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';

/** What the node API of a process shows. */
export interface NodeApiOptions extends Omit<HealthSource, 'isClosing'> {
  /** Default: whether its life-cycle closes. */
  readonly isClosing?: HealthSource['isClosing'] | undefined;
  readonly address: ListenAddress;
  readonly metrics: Pick<Metrics, 'text' | 'contentType'>;
  /** Adds what this process has besides. */
  readonly addRoutes?: ((app: Hono) => void) | undefined;
  readonly log: Log;
  readonly lifecycle: Lifecycle;
}

/**
 * Starts the node API of a process, the same in all of them, and gives back its port; the life-cycle closes it.
 *
 * Shape:  {@link addHealth}; `/metrics`: Prometheus text; anything else 404. Refusals are as those of the management API (proto/faults/answers.ts).
 * Trust:  it asks for no credential, so it shows no secret and belongs on loopback or in the operator's own network.
 * Errors: process.port_taken, process.port_refused.
 */
export function startNodeApi(options: NodeApiOptions): Promise<number> {
  return startHttpListener({
    ...options,
    name: `node API of ${options.process}`,
    app: createApp(options),
    setting: 'admin',
    refuse: refused,
  });
}

/** What a node API answers instead of a result. */
export function refused(fault: Fault): Response {
  const { status, body } = answerOf(fault);
  return Response.json(body, { status });
}

function createApp(options: NodeApiOptions): Hono {
  const { metrics, log, lifecycle } = options;
  const app = new Hono();
  const isClosing = options.isClosing ?? (() => lifecycle.signal.aborted);
  addHealth(app, { ...options, isClosing }, 'operators');
  app.get('/metrics', async (c) =>
    c.text(await metrics.text(), 200, { 'content-type': metrics.contentType }),
  );
  options.addRoutes?.(app);
  app.notFound(() => refused(nothingHere()));
  app.onError((error, c) => {
    log.error({ err: error, path: c.req.path }, 'the node API failed');
    return refused(new Fault('platform.bug', { cause: error }));
  });
  return app;
}
