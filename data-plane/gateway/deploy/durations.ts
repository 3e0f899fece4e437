import type { HistogramMetric, LabelBound, Metrics } from '../../../proto/process/metrics.ts';
import type { Outcome, PhaseMarks } from '../../http/exchange.ts';

type Series = ReturnType<HistogramMetric['series']>;

/** What those are called that have no series of their own, and a request that no plan let in. */
const rest = 'other';
const noPlan = 'none';

/** Upper bounds in seconds: half a millisecond is what a near backend takes, a minute what nobody waits for. */
const bounds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** A status of 0 is an answer of which nothing left: the client was gone. */
const classes = ['aborted', '1xx', '2xx', '3xx', '4xx', '5xx'] as const;

/** How many series `/metrics` may have. */
export interface DurationSettings {
  /** Most pairs of API and plan with durations of their own; past it they are counted as `other`. */
  readonly plansMax: number;
}

/** Keeps what workers that have ended leave behind within the bound that each of them kept. */
export const boundOfDurations = ({ plansMax }: DurationSettings): LabelBound => ({
  label: 'api',
  valuesMax: plansMax,
  rest,
  under: ['plan'],
});

/**
 * How long requests take, by API, plan and class of status.
 *
 * An API takes its series with its first request, not when it is deployed: ten thousand APIs that nobody calls take nothing. One
 * that is withdrawn keeps them, so that no sum falls, until the bound is reached and another needs them.
 */
export class Durations {
  readonly #plansMax: number;
  readonly #requests: HistogramMetric;
  readonly #connects: HistogramMetric;
  readonly #firstBytes: HistogramMetric;
  readonly #apis = new Map<string, ApiSeries>();
  /** APIs that have series and are not served any more, the longest gone first. */
  readonly #left = new Set<ApiSeries>();
  readonly #others: ApiSeries;
  #plans = 0;

  constructor(metrics: Metrics, { plansMax }: DurationSettings) {
    this.#plansMax = plansMax;
    this.#requests = metrics.histogram(
      'isthmus_gateway_request_duration_seconds',
      'From the head of a request to the last byte of its answer; a tunnel until its end.',
      bounds,
      ['api', 'plan', 'class'],
    );
    this.#connects = metrics.histogram(
      'isthmus_gateway_upstream_connect_duration_seconds',
      'What requests waited for a connection to the backend; those that found one free are not counted.',
      bounds,
      ['api'],
    );
    this.#firstBytes = metrics.histogram(
      'isthmus_gateway_upstream_first_byte_duration_seconds',
      'From asking for a connection to the head of the answer of the backend.',
      bounds,
      ['api'],
    );
    this.#others = this.#series(rest);
  }

  /** For the requests of one revision of an API. */
  of(api: string, environment: string): ApiDurations {
    return new ApiDurations(this, api, environment);
  }

  /** An environment does not serve this API any more. */
  leave(api: string, environment: string): void {
    const known = this.#apis.get(api);
    if (known === undefined) return;
    known.environments.delete(environment);
    if (known.environments.size === 0) this.#left.add(known);
  }

  /** The series of a plan, or those of the others. */
  planOf(api: string, environment: string, plan: string): PlanSeries {
    const own = this.#apis.get(api) ?? (this.#hasRoom() ? this.#take(api) : this.#others);
    if (own !== this.#others) {
      own.environments.add(environment);
      this.#left.delete(own);
    }
    const known = own.plans.get(own === this.#others ? rest : plan);
    if (known !== undefined) return known;
    const isOther = own === this.#others || !this.#hasRoom();
    const holder = isOther ? this.#others : own;
    const name = isOther ? rest : plan;
    const made = holder.plans.get(name) ?? new PlanSeries(holder, name, this.#requests);
    if (!isOther) this.#plans += 1;
    holder.plans.set(name, made);
    return made;
  }

  #hasRoom(): boolean {
    if (this.#plans < this.#plansMax) return true;
    const [gone] = this.#left;
    if (gone === undefined) return false;
    this.#left.delete(gone);
    this.#apis.delete(gone.api);
    this.#plans -= gone.plans.size;
    this.#connects.remove(gone.connect);
    this.#firstBytes.remove(gone.firstByte);
    for (const plan of gone.plans.values()) plan.remove();
    return true;
  }

  #take(api: string): ApiSeries {
    const made = this.#series(api);
    this.#apis.set(api, made);
    return made;
  }

  #series(api: string): ApiSeries {
    return {
      api,
      plans: new Map(),
      environments: new Set(),
      connect: this.#connects.series(api),
      firstByte: this.#firstBytes.series(api),
    };
  }
}

/** The durations of one revision of an API: what a request finds without asking for labels. */
export class ApiDurations {
  readonly #all: Durations;
  readonly #api: string;
  readonly #environment: string;
  #byPlan: Map<string, PlanSeries> | undefined = undefined;

  constructor(all: Durations, api: string, environment: string) {
    this.#all = all;
    this.#api = api;
    this.#environment = environment;
  }

  /** Counts a request that has ended. */
  observe(plan: string | undefined, { status, totalUs }: Outcome, marks: PhaseMarks): void {
    const { upstreamStartUs, upstreamConnectUs, upstreamHeadUs } = marks;
    const name = plan ?? noPlan;
    const series = this.#byPlan?.get(name) ?? this.#take(name);
    series.observe(status, totalUs / 1e6);
    if (upstreamConnectUs > upstreamStartUs)
      series.api.connect.observe((upstreamConnectUs - upstreamStartUs) / 1e6);
    if (upstreamHeadUs > 0) series.api.firstByte.observe((upstreamHeadUs - upstreamStartUs) / 1e6);
  }

  #take(plan: string): PlanSeries {
    const series = this.#all.planOf(this.#api, this.#environment, plan);
    this.#byPlan ??= new Map();
    this.#byPlan.set(plan, series);
    return series;
  }
}

interface ApiSeries {
  readonly api: string;
  readonly plans: Map<string, PlanSeries>;
  /** That serve it. */
  readonly environments: Set<string>;
  readonly connect: Series;
  readonly firstByte: Series;
}

/** A series per class of status, each from the first answer of that class on. */
class PlanSeries {
  readonly api: ApiSeries;
  readonly #plan: string;
  readonly #family: HistogramMetric;
  readonly #byClass: (Series | undefined)[] = classes.map(() => undefined);

  constructor(api: ApiSeries, plan: string, family: HistogramMetric) {
    this.api = api;
    this.#plan = plan;
    this.#family = family;
  }

  observe(status: number, seconds: number): void {
    const at = Math.trunc(status / 100);
    const series = this.#byClass[at] ?? this.#make(at);
    series.observe(seconds);
  }

  remove(): void {
    for (const series of this.#byClass) if (series !== undefined) this.#family.remove(series);
  }

  #make(at: number): Series {
    const made = this.#family.series(this.api.api, this.#plan, classes[at] ?? rest);
    this.#byClass[at] = made;
    return made;
  }
}
