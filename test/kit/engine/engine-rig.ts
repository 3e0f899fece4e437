import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { openPeer, type Peer, startBackend } from './raw-peer.ts';
import { limitDefaults, upstreamDefaults } from '../../../data-plane/http/conformance/stage.ts';
import { createEngine } from '../../../data-plane/http/engine.ts';
import type { EngineRefusal } from '../../../data-plane/http/engine-refusal.ts';
import type {
  Exchange,
  OnThrown,
  Outcome,
  ServerHttp2,
  ServerLimits,
  Upstream,
  UpstreamFailure,
  UpstreamOptions,
} from '../../../data-plane/http/exchange.ts';
import type { TlsOptions } from '../../../proto/process/listening/tls.ts';

/** What a rig may have otherwise. */
export interface RigWish {
  readonly limits?: Partial<ServerLimits>;
  readonly upstream?: Partial<UpstreamOptions>;
  /** Clients shake hands before they say anything. */
  readonly tls?: TlsOptions | undefined;
  readonly http2?: ServerHttp2;
  /** Instead of passing every exchange on. */
  readonly onExchange?: (exchange: Exchange, upstream: Upstream) => void;
  readonly onRefusal?: () => void;
  /** Hears what was thrown; without it that ends the test. */
  readonly onThrown?: OnThrown;
}

/** The engine between a client and a backend that the test plays, with everything that it said. */
export async function startRig(t: Pick<TestContext, 'after'>, wish: RigWish = {}) {
  const engine = createEngine(wish.onThrown);
  const backend = await startBackend(t);
  const upstream = engine.createUpstream({
    ...upstreamDefaults,
    // One only: a slot that is not given back stops the next request.
    connectionsMax: 1,
    readMsMax: 5_000,
    bodyMsMax: 5_000,
    port: backend.port,
    ...wish.upstream,
  });
  const outcomes: Outcome[] = [];
  const failures: UpstreamFailure[] = [];
  const refusals: EngineRefusal[] = [];
  const running = await engine.listen({
    host: '127.0.0.1',
    port: 0,
    tls: wish.tls,
    http2: wish.http2,
    limits: { ...limitDefaults, ...wish.limits },
    target: { mergeSlashes: false, encodedSlash: 'keep' },
    onExchange: (exchange) => {
      exchange.beforeEnd = { onEnd: (outcome) => void outcomes.push(outcome) };
      if (wish.onExchange === undefined) forward(exchange, upstream, (failure) => failures.push(failure));
      else wish.onExchange(exchange, upstream);
    },
    onRefusal: (refusal) => {
      refusals.push(refusal);
      wish.onRefusal?.();
    },
  });
  t.after(async () => {
    await running.close(0);
    await upstream.close(0);
  });
  return {
    backend,
    upstream,
    running,
    outcomes,
    failures,
    refusals,
    open: (first: string, from = '127.0.0.1') =>
      openPeer(t, { port: running.port, from, isTls: wish.tls !== undefined }, first),
  };
}

/** Passes an exchange on as the gateway does; a failure is 502 or 504 with its name. */
// oxlint-disable-next-line max-params -- a test's own shorthand
export function forward(
  exchange: Exchange,
  upstream: Upstream,
  onFailure: (failure: UpstreamFailure) => void = () => undefined,
): void {
  const { method, path, headers, body, isUpgrade } = exchange.request;
  upstream.send({ method, target: path, headers, body, exchange, isUpgrade }, (result) => {
    if (result.kind === 'response') return exchange.respond(result.head, result.body);
    if (result.kind === 'upgrade') return exchange.tunnel(result.upgrade);
    onFailure(result.failure);
    const status = result.failure === 'readTimeout' || result.failure === 'queueTimeout' ? 504 : 502;
    exchange.respond({ status, headers: exchange.createHeaders() }, result.failure);
  });
}

/** A rig that answers at once, without an upstream. */
export const answering = {
  onExchange: (exchange: Exchange): void =>
    exchange.respond({ status: 200, headers: exchange.createHeaders() }, 'ok'),
};

/** How much later than its time something may happen on a busy machine. */
const lateMsMax = 10_000;

/** Ms until the other side ends the connection. */
export async function endOf(peer: Peer, sinceMs: number): Promise<number> {
  await peer.ended;
  return (peer.endedAtMs ?? Infinity) - sinceMs;
}

/** A wait was not shorter than it should be, and not much longer. */
export function assertBetween(ms: number, least: number): void {
  assert.ok(ms >= least && ms <= least + lateMsMax, `${ms} ms, not ${least} to ${least + lateMsMax}`);
}
