import type { Metrics } from '../proto/process/metrics.ts';
import type { EngineRefusal } from './http/engine-refusal.ts';
import type { RunningServer } from './http/exchange.ts';

/** What a listener has open. */
export type OpenConnections = Pick<RunningServer, 'connections' | 'http2'>;

/** Plain counts of what passes; cheaper per request than a metric, which they become when somebody reads. */
export interface Traffic {
  readonly onAnswer: (status: number) => void;
  readonly onUnrouted: () => void;
  readonly onRefusal: (refusal: EngineRefusal) => void;
  readonly onThrown: () => void;
  /** Figures for the heartbeat, since the start. */
  counters(): Readonly<Record<string, number>>;
  /** Carries the counts over into the metrics. */
  publish(open: OpenConnections): void;
}

const classes = ['1xx', '2xx', '3xx', '4xx', '5xx'] as const;

/** Starts counting at zero. */
export function createTraffic(metrics: Metrics): Traffic {
  const requests = metrics.counter(
    'isthmus_gateway_requests_total',
    'Answered requests by class of status.',
    ['class'],
  );
  const unrouted = metrics.counter(
    'isthmus_gateway_unrouted_total',
    'Requests that no context path matched.',
  );
  const refused = metrics.counter(
    'isthmus_gateway_malformed_total',
    'Requests that the engine refused, by reason.',
    ['reason'],
  );
  const thrown = metrics.counter(
    'isthmus_gateway_thrown_total',
    'Bugs that were caught on the way of a request; the log has their stacks.',
  );
  const open = metrics.gauge('isthmus_gateway_connections', 'Open client connections.');
  const http2Connections = metrics.gauge(
    'isthmus_gateway_http2_connections',
    'Open client connections that speak HTTP/2.',
  );
  const http2Streams = metrics.gauge(
    'isthmus_gateway_http2_streams',
    'Requests on connections of HTTP/2 that are being served.',
  );
  const byClass = [0, 0, 0, 0, 0];
  const published = [0, 0, 0, 0, 0];
  let unroutedCount = 0;
  const refusedBy = new Map<string, { count: number; published: number }>();
  let unroutedPublished = 0;
  return {
    onAnswer(status) {
      const index = Math.trunc(status / 100) - 1;
      byClass[index] = (byClass[index] ?? 0) + 1;
    },
    onUnrouted: () => void (unroutedCount += 1),
    onRefusal({ reason }) {
      const counted = refusedBy.get(reason) ?? { count: 0, published: 0 };
      counted.count += 1;
      refusedBy.set(reason, counted);
    },
    // So rare that it need not wait to be read.
    onThrown: () => thrown.inc(),
    counters: () => ({
      requests: byClass.reduce((sum, count) => sum + count, 0),
      errors: byClass[4] ?? 0,
      unrouted: unroutedCount,
      malformed: [...refusedBy.values()].reduce((sum, { count }) => sum + count, 0),
    }),
    publish({ connections, http2 }) {
      classes.forEach((label, index) => {
        const count = byClass[index] ?? 0;
        requests.inc({ class: label }, count - (published[index] ?? 0));
        published[index] = count;
      });
      unrouted.inc(unroutedCount - unroutedPublished);
      for (const [reason, counted] of refusedBy) {
        refused.inc({ reason }, counted.count - counted.published);
        counted.published = counted.count;
      }
      unroutedPublished = unroutedCount;
      open.set(connections);
      http2Connections.set(http2.connections);
      http2Streams.set(http2.streams);
    },
  };
}
