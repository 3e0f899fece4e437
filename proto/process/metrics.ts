import {
  AggregatorRegistry,
  collectDefaultMetrics,
  Counter,
  Gauge,
  type Metric,
  Registry,
} from 'prom-client';

import { invariant } from '../faults/fault.ts';
import { HistogramFamily } from './metrics/histogram.ts';

/** A family of numbers that only rise. */
export type CounterMetric = Counter;
/** A family of numbers that rise and fall. */
export type GaugeMetric = Gauge;
/** A family of distributions: series are asked for once and kept. */
export type HistogramMetric = HistogramFamily;

/**
 * The metrics of one process. Names are `isthmus_<room>_<what>[_<unit>][_total]`; asking for a name again gives the same
 * family, so that rooms which share a process may both name it.
 *
 * Labels come from a closed set (a status class, an API id), never from a request.
 */
export interface Metrics {
  counter(name: string, help: string, labels?: readonly string[]): CounterMetric;
  gauge(name: string, ...rest: GaugeArguments): GaugeMetric;
  /** Buckets are upper bounds in the unit that the name ends with. */
  histogram(name: string, ...rest: HistogramArguments): HistogramMetric;
  /** Prometheus text format. With `others` the sum over several processes, see {@link addMetrics}. */
  text(others?: readonly MetricsSnapshot[]): Promise<string>;
  /** Everything as plain data, for a message to the process that adds up. */
  snapshot(): Promise<MetricsSnapshot>;
  /** What the text is, e.g. `text/plain; version=0.0.4; charset=utf-8`. */
  readonly contentType: string;
}

/** The metrics of a process at one moment, as plain data; only this file looks inside. */
export type MetricsSnapshot = readonly { readonly name: string; readonly type: string }[];

/**
 * What describes a gauge beside its name. `across` says what several processes make of theirs: amounts add up, of states (0 or 1) the
 * highest counts, and what is the same everywhere is taken once. Default: sum.
 */
export type GaugeArguments = readonly [
  help: string,
  labels?: readonly string[],
  across?: 'sum' | 'max' | 'first',
];

/** What describes a histogram beside its name. */
export type HistogramArguments = readonly [
  help: string,
  buckets: readonly number[],
  labels?: readonly string[],
];

const wellFormed = /^isthmus_[a-z0-9]+(_[a-z0-9]+)+$/;

/** What is running, as `isthmus_build_info` says it. */
export interface Build {
  /** e.g. `gateway`. */
  readonly process: string;
  readonly version: string;
}

/**
 * Makes an empty registry, one per process: all rooms in it count into the same. `withProcess` adds Node's own figures (process_*,
 * nodejs_*), `build` a gauge that says which program this is.
 */
export function createMetrics(
  options: { readonly withProcess?: boolean; readonly build?: Build } = {},
): Metrics {
  const registry = new Registry();
  if (options.withProcess === true) collectDefaultMetrics({ register: registry });
  if (options.build !== undefined) addBuildInfo(registry, options.build);

  const once = <Family extends Counter | Gauge | HistogramFamily>(
    name: string,
    make: () => Family,
  ): Family => {
    invariant(wellFormed.test(name), `metric ${name} is named isthmus_<room>_<what>`);
    const known = registry.getSingleMetric(name);
    return known === undefined ? make() : (known as unknown as Family);
  };
  const common = (name: string, help: string, labels: readonly string[] = []) => ({
    name,
    help,
    labelNames: [...labels],
    registers: [registry],
  });

  return {
    counter: (name, help, labels) => once(name, () => new Counter(common(name, help, labels))),
    gauge: (name, ...[help, labels, across = 'sum']) =>
      once(name, () => new Gauge({ ...common(name, help, labels), aggregator: across })),
    histogram: (name, ...[help, buckets, labels]) =>
      once(name, () => {
        const family = new HistogramFamily(name, help, buckets, labels);
        // The registry reads `name` and calls `get`; its type wants one of the library's own classes.
        registry.registerMetric(family as unknown as Metric);
        return family;
      }),
    text: async (others) =>
      others === undefined
        ? registry.metrics()
        : aggregate([await snapshotOf(registry), ...others]).metrics(),
    snapshot: () => snapshotOf(registry),
    contentType: registry.contentType,
  };
}

function addBuildInfo(registry: Registry, { process: name, version }: Build): void {
  new Gauge({
    name: 'isthmus_build_info',
    help: '1; the labels say which program this is and on which Node it runs',
    labelNames: ['process', 'version', 'node'],
    registers: [registry],
    aggregator: 'first',
  }).set({ process: name, version, node: process.versions.node }, 1);
}

/**
 * Adds up the metrics of several processes: counters and histograms by name and labels, gauges as each says; Node's own averages
 * (event loop lag) stay averages.
 */
export async function addMetrics(snapshots: readonly MetricsSnapshot[]): Promise<MetricsSnapshot> {
  return snapshotOf(aggregate(snapshots));
}

/** How {@link boundMetrics} keeps the values of a label few. */
export interface LabelBound {
  readonly label: string;
  /** Most values that keep series of their own. */
  readonly valuesMax: number;
  /** What the others are called. */
  readonly rest: string;
  /** Labels that mean nothing without this one; they get the same word. */
  readonly under: readonly string[];
}

/**
 * Adds the series of all but the first so many values of a label to those of `rest`. Each process bounds its own; what many processes
 * leave behind one after another has to be bounded as well.
 */
export async function boundMetrics(
  snapshot: MetricsSnapshot,
  { label, valuesMax, rest, under }: LabelBound,
): Promise<MetricsSnapshot> {
  const kept = new Set<unknown>([rest]);
  const hasRoom = (own: string | number): boolean =>
    kept.has(own) || (kept.size <= valuesMax && kept.add(own).has(own));
  const boundOne = ({ values, ...metric }: WithValues): WithValues => {
    const bounded = values.map(({ labels, ...value }) => {
      const own = labels[label];
      if (own === undefined || hasRoom(own)) return { ...value, labels };
      const others = Object.entries(labels).map(([name, was]) => [
        name,
        name === label || under.includes(name) ? rest : was,
      ]);
      return { ...value, labels: Object.fromEntries(others) as typeof labels };
    });
    return { ...metric, values: bounded };
  };
  return addMetrics([(snapshot as readonly WithValues[]).map(boundOne)]);
}

type WithValues = MetricsSnapshot[number] & {
  readonly values: readonly { readonly labels: Readonly<Record<string, string | number>> }[];
};

/** What outlives its process: counts. What a gauge held went with it. */
export function lastingMetrics(snapshot: MetricsSnapshot): MetricsSnapshot {
  return snapshot.filter(({ type }) => type === 'counter' || type === 'histogram');
}

const aggregate = (snapshots: readonly MetricsSnapshot[]): Registry =>
  AggregatorRegistry.aggregate(snapshots.map((snapshot) => [...snapshot]));

// prom-client's type says that `type` is a number; it is `counter`, `gauge`, `histogram` or `summary`.
const snapshotOf = async (registry: Registry): Promise<MetricsSnapshot> =>
  (await registry.getMetricsAsJSON()).map((metric) => ({ ...metric, type: String(metric.type) }));
