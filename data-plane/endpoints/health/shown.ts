import type { Log } from '../../../proto/process/log.ts';
import type { GaugeMetric, Metrics } from '../../../proto/process/metrics.ts';
import type { HealthBoard, Watched } from './board.ts';
import { type HealthState, isAvailable, stateNames } from './states.ts';

/** An endpoint as the node API shows it. */
export interface EndpointState {
  readonly environment: string;
  readonly api: string;
  readonly group: string;
  readonly endpoint: string;
  /** UP, TRANSITIONALLY_DOWN, TRANSITIONALLY_UP or DOWN. */
  readonly state: string;
  /** Since when, ISO 8601; undefined when it was never another. */
  readonly since: string | undefined;
  /** When the last check ended, ISO 8601; undefined before the first. */
  readonly checkedAt: string | undefined;
  /** Why the last check failed. */
  readonly problem: string | undefined;
}

/** What the node API shows of all endpoints that are checked. */
export function describeEndpoints(board: HealthBoard): readonly EndpointState[] {
  return [...board].map(({ api, check, standing, sinceMs, checkedMs, problem }) => ({
    environment: api.environment,
    api: api.id,
    group: check.group,
    endpoint: check.endpoint,
    state: stateNames[standing.state],
    since: isoOf(sinceMs),
    checkedAt: isoOf(checkedMs),
    problem,
  }));
}

const isoOf = (ms: number | undefined): string | undefined =>
  ms === undefined ? undefined : new Date(ms).toISOString();

/** Tells an operator of a state that is new, once: WARN when no more requests go there. */
export function tellState(log: Log, { api, check, standing: { state }, problem }: Watched): void {
  const what = {
    environment: api.environment,
    api: api.id,
    endpoint: check.endpoint,
    state: stateNames[state],
    ...(problem !== undefined && { problem }),
  };
  const words = 'an endpoint changed its state by its health check';
  if (state === 'down') log.warn(what, `${words}: it gets no requests until it is UP`);
  else log.info(what, words);
}

const shownStates: readonly HealthState[] = ['down', 'transitionallyDown', 'transitionallyUp', 'up'];

/** Shows in the metrics of a process how the endpoints are that it checks. */
export class HealthMeters {
  readonly #board: HealthBoard;
  readonly #endpointsMax: number;
  readonly #up: GaugeMetric;
  readonly #counts: GaugeMetric;

  /** endpointsMax: most that have a series of their own. */
  constructor(board: HealthBoard, metrics: Pick<Metrics, 'gauge'>, endpointsMax: number) {
    this.#board = board;
    this.#endpointsMax = endpointsMax;
    this.#up = metrics.gauge(
      'isthmus_endpoint_up',
      '1 while requests go to an endpoint that has a health check, 0 while it is down; of as many endpoints as metrics.endpointsMax says.',
      ['api', 'endpoint'],
      'first',
    );
    this.#counts = metrics.gauge(
      'isthmus_endpoints_checked',
      'Endpoints that have a health check, by state; all of them.',
      ['state'],
      'first',
    );
  }

  /** Carries the states over into the metrics. */
  publish(): void {
    const counts = new Map<HealthState, number>();
    this.#up.reset();
    let shown = 0;
    for (const { api, check, standing } of this.#board) {
      counts.set(standing.state, (counts.get(standing.state) ?? 0) + 1);
      shown += 1;
      if (shown > this.#endpointsMax) continue;
      this.#up.set({ api: api.id, endpoint: check.endpoint }, isAvailable(standing.state) ? 1 : 0);
    }
    if (shown === 0) return this.#counts.reset();
    for (const state of shownStates) this.#counts.set({ state: stateNames[state] }, counts.get(state) ?? 0);
  }
}
