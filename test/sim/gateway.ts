import { createEngine } from '../../data-plane/http/engine.ts';
import type { EngineRefusal } from '../../data-plane/http/engine-refusal.ts';
import type {
  Exchange,
  Outcome,
  RunningServer,
  ServerLimits,
  Upstream,
  UpstreamOptions,
} from '../../data-plane/http/exchange.ts';
import type { UpstreamName } from './cases.ts';
import { idHeader } from './checking-upstream.ts';

/** One exchange as the gateway counted it. */
export interface CountedExchange {
  readonly id: string;
  readonly method: string;
  /** As forwarded. */
  readonly target: string;
  readonly version: string;
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly upstream: UpstreamName | 'hostile';
  /** When it came, by performance.now(). */
  readonly startedMs: number;
  /** One when the engine kept its promise to say once how it ended. */
  outcomes: number;
  outcome: Outcome | undefined;
  /** Why the upstream gave no answer; undefined when it gave one. */
  failure: string | undefined;
}

/** What the gateway does with the exchanges of one client connection, found by the client's port. */
export interface Visitor {
  /** Prefix of the ids of its exchanges. */
  readonly runId: string;
  readonly upstream: UpstreamName | 'hostile';
  readonly exchanges: CountedExchange[];
}

/** Where the upstreams listen; those that are missing are not there. */
export type UpstreamPorts = ReadonlyMap<UpstreamName | 'hostile', number>;

/** The header that marks answers of the gateway's own, with the failure's name. */
export const failureHeader = 'X-Gateway-Failure';

// Far above what a case sends, so that a timeout here is a hang there.
const limits: ServerLimits = {
  requestLineBytesMax: 8_192,
  headerBytesMax: 32_768,
  headersMax: 100,
  headerMsMax: 20_000,
  bodyBytesMax: 1_000_000,
  bodyBytesPerSecondMin: 0,
  idleMsMax: 20_000,
  answerIdleMsMax: 60_000,
  answerBytesPerSecondMin: 0,
  requestMsMax: 0,
  connectionsMax: 10_000,
  connectionsPerSourceMax: 10_000,
  requestsPerConnectionMax: 10_000,
  tunnelIdleMsMax: 20_000,
  eventLoopLagMsMax: 0,
};

const upstreamDefaults: Omit<UpstreamOptions, 'port' | 'readMsMax'> = {
  bodyMsMax: 250,
  scheme: 'http',
  host: '127.0.0.1',
  connectMsMax: 4_000,
  idleMsMax: 60_000,
  keepAlive: true,
  connectionsMax: 64,
  queueMax: -1,
  ageMsMax: 0,
  dnsTtlMs: 30_000,
  headerBytesMax: 32_768,
  headersMax: 100,
  tls: undefined,
  proxy: undefined,
};
/** A hostile upstream's silence is part of the game, and every silent answer costs this long. */
export const hostileReadMsMax = 400;
/** A sound upstream's silence is a hang. */
const readMsMax = 4_000;

/** The engine under test, wired as a gateway that counts. */
export class FuzzedGateway {
  readonly refusals = new Map<string, number>();
  /** Exchanges from ports that no client of ours has. */
  readonly strangers: string[] = [];
  readonly #engine = createEngine();
  readonly #ports: UpstreamPorts;
  readonly #visitors = new Map<number, Visitor>();
  #upstreams = new Map<UpstreamName | 'hostile', Upstream>();
  #server: RunningServer | undefined;

  constructor(ports: UpstreamPorts) {
    this.#ports = ports;
    this.#open();
  }

  get port(): number {
    return this.#server?.port ?? 0;
  }

  /** Client connections that the engine holds. */
  get connections(): number {
    return this.#server?.connections ?? 0;
  }

  /** Starts listening on a free port. */
  async start(): Promise<void> {
    this.#server = await this.#engine.listen({
      host: '127.0.0.1',
      port: 0,
      tls: undefined,
      limits,
      target: { mergeSlashes: false, encodedSlash: 'keep' },
      onExchange: (exchange) => this.#take(exchange),
      onRefusal: (refusal) => {
        this.#countRefusal(refusal);
        return undefined;
      },
    });
  }

  /** Says whose exchanges come from that port. */
  expect(port: number, visitor: Visitor): void {
    this.#visitors.set(port, visitor);
  }

  /** Forgets all visitors; allowed when none of them has an exchange that runs. */
  clear(): void {
    this.#visitors.clear();
    this.strangers.length = 0;
  }

  /** Makes new pools, so that what one case left in a connection cannot reach the next. */
  async renewUpstreams(): Promise<void> {
    const old = [...this.#upstreams.values()];
    this.#open();
    await Promise.all(old.map((upstream) => upstream.close(0)));
  }

  /** Stops all that listens and all pools. */
  async stop(): Promise<void> {
    await this.#server?.close(0);
    await Promise.all([...this.#upstreams.values()].map((upstream) => upstream.close(0)));
  }

  #open(): void {
    this.#upstreams = new Map(
      [...this.#ports].map(([name, port]) => [
        name,
        this.#engine.createUpstream({
          ...upstreamDefaults,
          port,
          readMsMax: name === 'hostile' ? hostileReadMsMax : readMsMax,
        }),
      ]),
    );
  }

  #countRefusal({ reason }: EngineRefusal): void {
    this.refusals.set(reason, (this.refusals.get(reason) ?? 0) + 1);
  }

  #take(exchange: Exchange): void {
    const { request } = exchange;
    const visitor = this.#visitors.get(request.remotePort);
    if (visitor === undefined) {
      // Node forgets the port of a connection that is gone; nobody waits for this one any more.
      if (request.remotePort !== 0)
        this.strangers.push(`${request.method} ${request.path} from port ${request.remotePort}`);
      exchange.respond({ status: 500, headers: exchange.createHeaders() }, undefined);
      return;
    }
    const target = request.query === undefined ? request.path : `${request.path}?${request.query}`;
    const fields: [string, string][] = [];
    request.headers.forEach((name, value) => fields.push([name, value]));
    const counted: CountedExchange = {
      id: `${visitor.runId}-${visitor.exchanges.length}`,
      method: request.method,
      target,
      version: request.httpVersion,
      fields,
      upstream: suits(visitor.upstream, request) ? visitor.upstream : 'checker',
      startedMs: performance.now(),
      outcomes: 0,
      outcome: undefined,
      failure: undefined,
    };
    visitor.exchanges.push(counted);
    exchange.beforeEnd = {
      onEnd(outcome) {
        counted.outcomes += 1;
        counted.outcome = outcome;
        return undefined;
      },
    };
    this.#forward(exchange, counted);
  }

  #forward(exchange: Exchange, counted: CountedExchange): void {
    const { method, headers, body } = exchange.request;
    headers.set(idHeader, counted.id);
    if (!headers.has('host')) headers.set('Host', 'fuzz.test');
    const upstream = this.#upstreams.get(counted.upstream);
    if (upstream === undefined) throw new Error(`no upstream ${counted.upstream}`);
    // Upgrades are answered like any other request here: what a tunnel carries is not HTTP, and nobody could count it.
    upstream.send({ method, target: counted.target, headers, body, exchange, isUpgrade: false }, (result) => {
      if (result.kind === 'response') return exchange.respond(result.head, result.body);
      counted.failure = result.kind === 'failure' ? result.failure : 'upgrade';
      const own = exchange.createHeaders();
      own.set(failureHeader, counted.failure);
      exchange.respond({ status: 502, headers: own }, counted.failure);
    });
  }
}

// RFC 3986 section 3.2.2 has more names than servers take: nginx refuses empty labels, apache2 all but letters, digits, - and _.
const ordinaryAuthority = /^(?:[a-z][\w-]*\.)*[a-z][\w-]*(?::\d{1,4})?$/i;

/**
 * Whether a server of Debian takes such requests at all; the checker takes those that it does not.
 *
 * nginx knows no `OPTIONS *` and only methods of capitals, `-` and `_` (ngx_http_parse_request_line). apache2 answers
 * `OPTIONS *` without the headers that its configuration adds.
 */
function suits(
  upstream: UpstreamName | 'hostile',
  { path, method, authority }: Exchange['request'],
): boolean {
  if (upstream === 'checker' || upstream === 'hostile') return true;
  // Without one (HTTP/1.0) this gateway sets a name of its own.
  if (authority !== '' && !ordinaryAuthority.test(authority)) return false;
  if (upstream === 'nginx') return path !== '*' && /^[A-Z_-]+$/.test(method);
  return upstream !== 'apache2' || path !== '*';
}
