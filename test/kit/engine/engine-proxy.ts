import type { TestContext } from 'node:test';

import { limitDefaults, upstreamDefaults } from '../../../data-plane/http/conformance/stage.ts';
import { createEngine } from '../../../data-plane/http/engine.ts';
import type {
  Body,
  Exchange,
  Outcome,
  RunningServer,
  ServerHttp2,
  ServerLimits,
  ServerOptions,
  UpstreamOptions,
} from '../../../data-plane/http/exchange.ts';
import type { TlsOptions } from '../../../proto/process/listening/tls.ts';

/** The engine without a gateway: every request goes to one upstream as it came. */
export interface EngineProxy {
  readonly port: number;
  readonly running: RunningServer;
  /** How each exchange ended, in order of the ends. */
  readonly outcomes: readonly Outcome[];
}

/** What a test may choose; the rest is as in the conformance tests, with patience. */
export interface EngineProxyWish {
  readonly upstream: Partial<UpstreamOptions> & { readonly port: number };
  readonly limits?: Partial<ServerLimits>;
  readonly tls?: TlsOptions;
  readonly http2?: ServerHttp2;
  readonly onRefusal?: ServerOptions['onRefusal'];
  readonly onExchange?: (exchange: Exchange) => void;
  /** What bodies pass through, up and down. */
  readonly through?: (body: Body) => Body;
}

/** Starts one on a free port; failures of the upstream are answered 502 with their name. */
export async function startEngineProxy(
  t: Pick<TestContext, 'after'>,
  wish: EngineProxyWish,
): Promise<EngineProxy> {
  const engine = createEngine();
  const upstream = engine.createUpstream({
    ...upstreamDefaults,
    readMsMax: 30_000,
    bodyMsMax: 30_000,
    connectionsMax: 2_000,
    ...wish.upstream,
  });
  const outcomes: Outcome[] = [];
  const running = await engine.listen({
    host: '127.0.0.1',
    port: 0,
    tls: wish.tls,
    http2: wish.http2,
    limits: {
      ...limitDefaults,
      bodyBytesMax: 2 ** 40,
      connectionsMax: 5_000,
      connectionsPerSourceMax: 5_000,
      ...wish.limits,
    },
    target: { mergeSlashes: false, encodedSlash: 'keep' },
    onRefusal: wish.onRefusal,
    onExchange(exchange) {
      exchange.beforeEnd = { onEnd: (outcome) => void outcomes.push(outcome) };
      wish.onExchange?.(exchange);
      const { method, path, query, headers, isUpgrade } = exchange.request;
      const through = wish.through ?? ((body: Body) => body);
      const body = through(exchange.request.body);
      const target = query === undefined ? path : `${path}?${query}`;
      upstream.send({ method, target, headers, body, exchange, isUpgrade }, (result) => {
        if (result.kind === 'upgrade') exchange.tunnel(result.upgrade);
        else if (result.kind === 'response') exchange.respond(result.head, through(result.body));
        else if (!exchange.isAborted)
          exchange.respond({ status: 502, headers: exchange.createHeaders() }, result.failure);
      });
    },
  });
  t.after(async () => {
    await running.close(0);
    await upstream.close(0);
  });
  return { port: running.port, running, outcomes };
}
