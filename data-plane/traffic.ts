import type { CounterMetric, Metrics } from '../proto/process/metrics.ts';
import type { EngineRefusal } from './http/engine-refusal.ts';
import type { RunningServer } from './http/exchange.ts';

/** What the servers of a process have open. */
export interface OpenConnections extends Pick<RunningServer, 'connections' | 'http2'> {
  /** By id of the server. */
  connectionsOf(): ReadonlyMap<string, number>;
}

/** What passes on one server. */
export interface ServerTraffic {
  readonly onAnswer: (status: number) => void;
  readonly onUnrouted: () => void;
  readonly onRefusal: (refusal: EngineRefusal) => void;
}

/** Plain counts of what passes; cheaper per request than a metric, which they become when somebody reads. */
export interface Traffic {
  /** Where a server counts. */
  on(server: string): ServerTraffic;
  readonly onThrown: () => void;
  /** Figures for the heartbeat, since the start. */
  counters(): Readonly<Record<string, number>>;
  /** Carries the counts over into the metrics. */
  publish(open: OpenConnections): void;
}

const classes = ['1xx', '2xx', '3xx', '4xx', '5xx'] as const;

/** Starts counting at zero. isLabelled: there are several servers, and series of each. */
export function createTraffic(
  metrics: Metrics,
  { isLabelled = false }: { readonly isLabelled?: boolean } = {},
): Traffic {
  const labels = isLabelled ? ['server'] : [];
  const families: Families = {
    requests: metrics.counter('isthmus_gateway_requests_total', 'Answered requests by class of status.', [
      'class',
      ...labels,
    ]),
    unrouted: metrics.counter(
      'isthmus_gateway_unrouted_total',
      'Requests that no context path matched.',
      labels,
    ),
    refused: metrics.counter(
      'isthmus_gateway_malformed_total',
      'Requests that the engine refused, by reason.',
      ['reason', ...labels],
    ),
  };
  const thrown = metrics.counter(
    'isthmus_gateway_thrown_total',
    'Bugs that were caught on the way of a request; the log has their stacks.',
  );
  const open = metrics.gauge('isthmus_gateway_connections', 'Open client connections.', labels);
  const http2Connections = metrics.gauge(
    'isthmus_gateway_http2_connections',
    'Open client connections that speak HTTP/2.',
  );
  const http2Streams = metrics.gauge(
    'isthmus_gateway_http2_streams',
    'Requests on connections of HTTP/2 that are being served.',
  );
  const labelsOf = (server: string): Labels => (isLabelled ? { server } : {});
  const servers = new Map<string, Counts>();
  const sum = (count: (counts: Counts) => number): number =>
    [...servers.values()].reduce((total, counts) => total + count(counts), 0);
  return {
    on(server) {
      const counts = servers.get(server) ?? new Counts(families, labelsOf(server));
      servers.set(server, counts);
      return counts;
    },
    // So rare that it need not wait to be read.
    onThrown: () => thrown.inc(),
    counters: () => ({
      requests: sum(({ requests }) => requests),
      errors: sum(({ errors }) => errors),
      unrouted: sum(({ unrouted }) => unrouted),
      malformed: sum(({ malformed }) => malformed),
    }),
    publish(opened) {
      for (const counts of servers.values()) counts.publish();
      if (isLabelled) for (const [server, count] of opened.connectionsOf()) open.set({ server }, count);
      else open.set(opened.connections);
      http2Connections.set(opened.http2.connections);
      http2Streams.set(opened.http2.streams);
    },
  };
}

type Labels = Readonly<Record<string, string>>;

interface Families {
  readonly requests: CounterMetric;
  readonly unrouted: CounterMetric;
  readonly refused: CounterMetric;
}

/** Of one server. Functions are handed out alone. */
class Counts implements ServerTraffic {
  readonly #families: Families;
  readonly #labels: Labels;
  readonly #byClass = [0, 0, 0, 0, 0];
  readonly #published = [0, 0, 0, 0, 0];
  readonly #refusedBy = new Map<string, { count: number; published: number }>();
  #unroutedPublished = 0;
  unrouted = 0;

  constructor(families: Families, labels: Labels) {
    this.#families = families;
    this.#labels = labels;
    // A family without labels says 0 from the start; one of a server does so too.
    families.unrouted.inc(labels, 0);
  }

  readonly onAnswer = (status: number): void => {
    const index = Math.trunc(status / 100) - 1;
    this.#byClass[index] = (this.#byClass[index] ?? 0) + 1;
  };

  readonly onUnrouted = (): void => void (this.unrouted += 1);

  readonly onRefusal = ({ reason }: EngineRefusal): void => {
    const counted = this.#refusedBy.get(reason) ?? { count: 0, published: 0 };
    counted.count += 1;
    this.#refusedBy.set(reason, counted);
  };

  get requests(): number {
    return this.#byClass.reduce((sum, count) => sum + count, 0);
  }

  get errors(): number {
    return this.#byClass[4] ?? 0;
  }

  get malformed(): number {
    return [...this.#refusedBy.values()].reduce((sum, { count }) => sum + count, 0);
  }

  publish(): void {
    const { requests, unrouted, refused } = this.#families;
    classes.forEach((label, index) => {
      const count = this.#byClass[index] ?? 0;
      requests.inc({ class: label, ...this.#labels }, count - (this.#published[index] ?? 0));
      this.#published[index] = count;
    });
    unrouted.inc(this.#labels, this.unrouted - this.#unroutedPublished);
    for (const [reason, counted] of this.#refusedBy) {
      refused.inc({ reason, ...this.#labels }, counted.count - counted.published);
      counted.published = counted.count;
    }
    this.#unroutedPublished = this.unrouted;
  }
}
