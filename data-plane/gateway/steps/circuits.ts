import type { FailoverDefinition } from '../../../proto/model/api.ts';
import type { Clock } from '../../../proto/process/clock.ts';
import type { GaugeMetric, Metrics } from '../../../proto/process/metrics.ts';

/** Circuits of one API that are kept; beyond them the one that failed longest ago is forgotten, and so closed. */
const circuitsMax = 10_000;

/** What has failed lately for one subscription, for all that have none, or for all. No failure: it is not kept. */
interface Circuit {
  /** Requests in a row that failed. */
  failures: number;
  /** Monotonic ms until which no backend is called; afterwards one request at a time tries. */
  opensUntilMs: number;
  isTrying: boolean;
}

/** How many circuits are not closed: `open` calls nobody, `halfOpen` has waited and lets one request try. */
export interface CircuitCounts {
  readonly open: number;
  readonly halfOpen: number;
}

/** The circuits of one revision of an API, by subscription. */
export class Circuits {
  readonly #rules: Pick<FailoverDefinition, 'maxFailures' | 'openStateDuration'>;
  readonly #clock: Clock;
  readonly #byKey = new Map<string, Circuit>();

  constructor(rules: Pick<FailoverDefinition, 'maxFailures' | 'openStateDuration'>, clock: Clock) {
    this.#rules = rules;
    this.#clock = clock;
  }

  /** Whether a backend may be called; of several requests after the wait the first tries, and says `hasTried` when it is over. */
  enter(key: string): 'closed' | 'trying' | 'refused' {
    const circuit = this.#byKey.get(key);
    if (circuit === undefined || circuit.failures < this.#rules.maxFailures) return 'closed';
    if (circuit.isTrying || this.#clock.monotonicMs() < circuit.opensUntilMs) return 'refused';
    circuit.isTrying = true;
    return 'trying';
  }

  /** A request was answered: what failed before is forgotten. */
  close(key: string): void {
    this.#byKey.delete(key);
  }

  /** A request failed, however often it was sent. */
  fail(key: string): void {
    const circuit = this.#byKey.get(key) ?? { failures: 0, opensUntilMs: 0, isTrying: false };
    circuit.failures += 1;
    if (circuit.failures >= this.#rules.maxFailures)
      circuit.opensUntilMs = this.#clock.monotonicMs() + this.#rules.openStateDuration;
    this.#byKey.delete(key);
    this.#byKey.set(key, circuit);
    const [oldest] = this.#byKey.size > circuitsMax ? this.#byKey.keys() : [];
    if (oldest !== undefined) this.#byKey.delete(oldest);
  }

  /** The request that tried is over, whatever became of it. */
  hasTried(key: string): void {
    const circuit = this.#byKey.get(key);
    if (circuit !== undefined) circuit.isTrying = false;
  }

  counts(): CircuitCounts {
    const nowMs = this.#clock.monotonicMs();
    let [open, halfOpen] = [0, 0];
    for (const { failures, opensUntilMs } of this.#byKey.values()) {
      if (failures < this.#rules.maxFailures) continue;
      if (nowMs < opensUntilMs) open += 1;
      else halfOpen += 1;
    }
    return { open, halfOpen };
  }
}

/** What is shown of circuits of APIs that have no series of their own. */
const rest = 'other';

/** Shows the circuits of all APIs of a process in its metrics, as they are when somebody asks. */
export class CircuitBoard {
  readonly #gauge: GaugeMetric;
  readonly #apisMax: number;
  readonly #shown = new Set<{ readonly api: string; readonly circuits: Circuits }>();

  constructor(metrics: Pick<Metrics, 'gauge'>, { apisMax }: { readonly apisMax: number }) {
    this.#apisMax = apisMax;
    this.#gauge = metrics.gauge(
      'isthmus_gateway_circuits',
      'Circuits of failover that are not closed, by API: open ones call no backend, half-open ones let one request try.',
      ['api', 'state'],
    );
  }

  /** Shows them until the function that it returns is called. */
  show(api: string, circuits: Circuits): () => void {
    const entry = { api, circuits };
    this.#shown.add(entry);
    return () => void this.#shown.delete(entry);
  }

  /** Carries the counts over into the metrics. */
  publish(): void {
    const byApi = new Map<string, { open: number; halfOpen: number }>();
    for (const { api, circuits } of this.#shown) {
      const { open, halfOpen } = circuits.counts();
      if (open + halfOpen === 0) continue;
      const name = byApi.has(api) || byApi.size < this.#apisMax ? api : rest;
      const sum = byApi.get(name) ?? { open: 0, halfOpen: 0 };
      sum.open += open;
      sum.halfOpen += halfOpen;
      byApi.set(name, sum);
    }
    this.#gauge.reset();
    for (const [api, { open, halfOpen }] of byApi) {
      this.#gauge.set({ api, state: 'open' }, open);
      this.#gauge.set({ api, state: 'half_open' }, halfOpen);
    }
  }
}
