import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { limitDefaults, upstreamDefaults } from '../../../data-plane/http/conformance/stage.ts';
import { createEngine } from '../../../data-plane/http/engine.ts';
import type { Exchange, ServerLimits, Upstream, UpstreamOptions } from '../../../data-plane/http/exchange.ts';

/**
 * The HTTP engine in a process of its own, whose memory can be looked at from outside.
 *
 * Argument: JSON of EngineWish. Prints `port <n> figures <n>`; the second port answers with EngineFigures, after a garbage collection.
 * Requests for `/local` are answered here, those below `/hostile` go to the hostile upstream, all others to the upstream.
 */
export interface EngineWish {
  readonly upstreamPort: number;
  readonly hostilePort: number;
  readonly limits: Partial<ServerLimits>;
  readonly upstream: Partial<UpstreamOptions>;
  readonly tls: { readonly certFile: string; readonly keyFile: string } | undefined;
}

/** What the process holds right now. */
export interface EngineFigures {
  readonly rssBytes: number;
  readonly heapBytes: number;
  readonly connections: number;
  /** Everything that keeps the event loop busy, by kind. */
  readonly resources: Readonly<Record<string, number>>;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly refusals: number;
}

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
const wish = JSON.parse(process.argv[2] ?? '{}') as EngineWish;
const engine = createEngine();
const settings = {
  ...upstreamDefaults,
  connectionsMax: 5_000,
  readMsMax: 10_000,
  bodyMsMax: 10_000,
  ...wish.upstream,
};
const ordinary = engine.createUpstream({ ...settings, port: wish.upstreamPort });
const hostile = engine.createUpstream({ ...settings, port: wish.hostilePort });
const outcomes: Record<string, number> = {};
let refusals = 0;

const server = await engine.listen({
  host: '127.0.0.1',
  port: 0,
  tls:
    wish.tls === undefined
      ? undefined
      : {
          certificates: [
            { cert: readFileSync(wish.tls.certFile, 'utf8'), key: readFileSync(wish.tls.keyFile, 'utf8') },
          ],
          ca: undefined,
          clientAuth: 'none',
          minVersion: 'TLSv1.2',
        },
  limits: { ...limitDefaults, ...wish.limits },
  target: { mergeSlashes: false, encodedSlash: 'keep' },
  onExchange: (exchange) => {
    exchange.beforeEnd = {
      onEnd({ kind }) {
        outcomes[kind] = (outcomes[kind] ?? 0) + 1;
        return undefined;
      },
    };
    const { path } = exchange.request;
    if (path === '/local') exchange.respond({ status: 404, headers: exchange.createHeaders() }, 'none');
    else forward(exchange, path.startsWith('/hostile') ? hostile : ordinary);
  },
  onRefusal: () => void (refusals += 1),
});

function forward(exchange: Exchange, upstream: Upstream): void {
  const { method, path, headers, body, isUpgrade } = exchange.request;
  upstream.send({ method, target: path, headers, body, exchange, isUpgrade }, (result) => {
    if (result.kind === 'response') exchange.respond(result.head, result.body);
    else if (result.kind === 'upgrade') exchange.tunnel(result.upgrade);
    else exchange.respond({ status: 502, headers: exchange.createHeaders() }, result.failure);
  });
}

const figures = createServer((_request, response) => {
  // Twice: what the first one frees lets others go.
  collect();
  collect();
  const resources: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) resources[kind] = (resources[kind] ?? 0) + 1;
  const { rss, heapUsed } = process.memoryUsage();
  const answer: EngineFigures = {
    rssBytes: rss,
    heapBytes: heapUsed,
    connections: server.connections,
    resources,
    outcomes,
    refusals,
  };
  response.setHeader('Connection', 'close');
  response.end(JSON.stringify(answer));
});
figures.listen(0, '127.0.0.1', () => {
  const address = figures.address();
  process.stdout.write(
    `port ${server.port} figures ${typeof address === 'object' ? address?.port : undefined}\n`,
  );
});
