/** What several processes sum up, in the shape in which the registry asks for a family. */
interface HistogramSample {
  readonly metricName: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

/**
 * A family of distributions whose labels are looked up once, not with every value.
 *
 * The library's own histogram makes a labels object, a key and two map look-ups per value, which on the way of a request is a hundred
 * times what counting takes; this one hands out series to be kept, and the library reads them when somebody asks.
 */
export class HistogramFamily {
  readonly name: string;
  readonly help: string;
  readonly type = 'histogram';
  readonly aggregator = 'sum';
  readonly #bounds: Float64Array;
  readonly #labels: readonly string[];
  readonly #series = new Map<string, HistogramSeries>();

  /** `bounds` rise; they are upper bounds in the unit that the name ends with. */
  constructor(
    name: string,
    ...[help, bounds, labels = []]: readonly [string, readonly number[], (readonly string[])?]
  ) {
    this.name = name;
    this.help = help;
    this.#bounds = Float64Array.from(bounds);
    this.#labels = labels;
  }

  /** The series of these values, in the order of the labels; the same one when asked again. */
  series(...values: readonly string[]): HistogramSeries {
    const key = JSON.stringify(values);
    const known = this.#series.get(key);
    if (known !== undefined) return known;
    const made = new HistogramSeries(this.#bounds, values);
    this.#series.set(key, made);
    return made;
  }

  /** Shows a series no longer; who still holds it counts for nobody. */
  remove(series: HistogramSeries): void {
    this.#series.delete(JSON.stringify(series.values));
  }

  /** Asked by the registry. A series that has counted nothing is not shown. */
  get(): object {
    const values = [...this.#series.values()].flatMap((series) => this.#samplesOf(series));
    return { name: this.name, help: this.help, type: this.type, aggregator: this.aggregator, values };
  }

  #samplesOf({ counts, values }: HistogramSeries): readonly HistogramSample[] {
    const own = Object.fromEntries(this.#labels.map((label, n) => [label, values[n] ?? '']));
    const samples: HistogramSample[] = [];
    let count = 0;
    for (let n = 0; n <= this.#bounds.length; n += 1) {
      count += counts[n] ?? 0;
      const le = this.#bounds[n] ?? '+Inf';
      samples.push({ metricName: `${this.name}_bucket`, labels: { le, ...own }, value: count });
    }
    if (count === 0) return [];
    samples.push({ metricName: `${this.name}_sum`, labels: own, value: counts.at(-1) ?? 0 });
    samples.push({ metricName: `${this.name}_count`, labels: own, value: count });
    return samples;
  }
}

/** One distribution. */
export class HistogramSeries {
  /** Per bucket what fell into it (not into those below), then what is past all bounds, then the sum of the values. */
  readonly counts: Float64Array;
  /** Of the labels. */
  readonly values: readonly string[];
  readonly #bounds: Float64Array;

  constructor(bounds: Float64Array, values: readonly string[]) {
    this.#bounds = bounds;
    this.counts = new Float64Array(bounds.length + 2);
    this.values = values;
  }

  /** Counts a value. Cost: some comparisons of numbers; nothing is allocated. */
  observe(value: number): void {
    const bounds = this.#bounds;
    const { counts } = this;
    let at = 0;
    while (at < bounds.length && value > (bounds[at] ?? 0)) at += 1;
    counts[at] = (counts[at] ?? 0) + 1;
    counts[bounds.length + 1] = (counts[bounds.length + 1] ?? 0) + value;
  }
}
