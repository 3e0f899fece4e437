import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

import { invariant } from '../faults/fault.ts';

/** A family of numbers that only rise. */
export type CounterMetric = Counter;
/** A family of numbers that rise and fall. */
export type GaugeMetric = Gauge;
/** A family of distributions. */
export type HistogramMetric = Histogram;

/**
 * The metrics of one process. Names are `isthmus_<room>_<what>[_<unit>][_total]`; asking for a name again gives the same
 * family, so that rooms which share a process may both name it.
 *
 * Labels come from a closed set (a status class, an API id), never from a request.
 */
export interface Metrics {
  counter(name: string, help: string, labels?: readonly string[]): CounterMetric;
  gauge(name: string, help: string, labels?: readonly string[]): GaugeMetric;
  /** Buckets are upper bounds in the unit that the name ends with. */
  histogram(name: string, ...rest: HistogramArguments): HistogramMetric;
  /** Prometheus text format. */
  text(): Promise<string>;
  /** What the text is, e.g. `text/plain; version=0.0.4; charset=utf-8`. */
  readonly contentType: string;
}

/** What describes a histogram beside its name. */
export type HistogramArguments = readonly [
  help: string,
  buckets: readonly number[],
  labels?: readonly string[],
];

const wellFormed = /^isthmus_[a-z0-9]+(_[a-z0-9]+)+$/;

/** Makes an empty registry; `withProcess` adds Node's own figures (process_*, nodejs_*). */
export function createMetrics(options: { readonly withProcess?: boolean } = {}): Metrics {
  const registry = new Registry();
  if (options.withProcess === true) collectDefaultMetrics({ register: registry });

  const once = <Family extends Counter | Gauge | Histogram>(name: string, make: () => Family): Family => {
    invariant(wellFormed.test(name), `metric ${name} is named isthmus_<room>_<what>`);
    const known = registry.getSingleMetric(name);
    return known === undefined ? make() : (known as Family);
  };
  const common = (name: string, help: string, labels: readonly string[] = []) => ({
    name,
    help,
    labelNames: [...labels],
    registers: [registry],
  });

  return {
    counter: (name, help, labels) => once(name, () => new Counter(common(name, help, labels))),
    gauge: (name, help, labels) => once(name, () => new Gauge(common(name, help, labels))),
    histogram: (name, ...[help, buckets, labels]) =>
      once(name, () => new Histogram({ ...common(name, help, labels), buckets: [...buckets] })),
    text: () => registry.metrics(),
    contentType: registry.contentType,
  };
}
