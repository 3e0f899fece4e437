import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';

import { nothingHere } from '../faults/answers.ts';
import { Fault } from '../faults/fault.ts';
import { healthAnswers, healthHeaders, type HealthSource } from './health.ts';
import type { Lifecycle } from './lifecycle.ts';
import type { ListenAddress } from './listen.ts';
import { refuse, startHttpListener } from './listening/http-listener.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';

/** An answer of a node API; a fault is refused as in the management API. */
export type NodeAnswer =
  | { readonly status?: number; readonly body: object; readonly headers?: Readonly<Record<string, string>> }
  | Fault;

/** One thing that a node API is asked. */
export interface NodeRoute {
  readonly method: 'GET' | 'POST';
  /** A whole path, or one that ends with `/*`: then the last segment, decoded, is `name`. */
  readonly path: string;
  answer(asked: { readonly name: string; readonly headers: IncomingMessage['headers'] }): NodeAnswer;
}

/** What the node API of a process shows. */
export interface NodeApiOptions extends Omit<HealthSource, 'isClosing'> {
  /** Default: whether its life-cycle closes. */
  readonly isClosing?: HealthSource['isClosing'] | undefined;
  readonly address: ListenAddress;
  /** The section of the settings that holds it, for what is said of a port in use. Default: `admin`. */
  readonly setting?: string | undefined;
  readonly metrics: Pick<Metrics, 'text' | 'contentType'>;
  /** What this process has besides. */
  readonly routes?: readonly NodeRoute[] | undefined;
  readonly log: Log;
  readonly lifecycle: Lifecycle;
}

/**
 * Starts the node API of a process, the same in all of them, and gives back its port; the life-cycle closes it. It stands on Node's own
 * HTTP: a framework speaks in Request and Response, with which undici is loaded (14 MiB of a gateway that has no other use for it).
 *
 * Shape:  {@link healthAnswers}; `/metrics`: Prometheus text; anything else 404. Refusals are as those of the management API (proto/faults/answers.ts).
 * Trust:  it asks for no credential, so it shows no secret and belongs on loopback or in the operator's own network.
 * Errors: process.port_taken, process.port_refused.
 */
export function startNodeApi(options: NodeApiOptions): Promise<number> {
  return startHttpListener({
    ...options,
    name: `node API of ${options.process}`,
    answer: answering(options),
    setting: options.setting ?? 'admin',
  });
}

function answering(options: NodeApiOptions): RequestListener {
  const { metrics, routes = [], log, lifecycle } = options;
  const isClosing = options.isClosing ?? (() => lifecycle.signal.aborted);
  const health = healthAnswers({ ...options, isClosing }, 'operators');
  const answer = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const path = (incoming.url ?? '').split('?', 1)[0] ?? '';
    const method = incoming.method === 'HEAD' ? 'GET' : incoming.method;
    const asked = method === 'GET' ? health.get(path) : undefined;
    if (asked !== undefined) return send(outgoing, { ...(await asked()), headers: healthHeaders });
    if (method === 'GET' && path === '/metrics')
      return void outgoing.writeHead(200, { 'content-type': metrics.contentType }).end(await metrics.text());
    for (const route of routes) {
      const name = route.method === method ? nameIn(path, route.path) : undefined;
      if (name !== undefined) return send(outgoing, route.answer({ name, headers: incoming.headers }));
    }
    refuse(outgoing, nothingHere());
  };
  return (incoming, outgoing) =>
    void answer(incoming, outgoing).catch((error: unknown) => {
      log.error({ err: error, path: incoming.url }, 'the node API failed');
      refuse(outgoing, new Fault('platform.bug', { cause: error }));
    });
}

function send(outgoing: ServerResponse, answer: NodeAnswer): void {
  if (answer instanceof Fault) return refuse(outgoing, answer);
  const { status = 200, body, headers } = answer;
  outgoing.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

/** Empty for a whole path that is this one; undefined for another path. */
function nameIn(path: string, pattern: string): string | undefined {
  if (!pattern.endsWith('/*')) return path === pattern ? '' : undefined;
  const before = pattern.slice(0, -1);
  const name = path.startsWith(before) ? path.slice(before.length) : '';
  if (name === '' || name.includes('/')) return undefined;
  try {
    return decodeURIComponent(name);
  } catch {
    return undefined;
  }
}
