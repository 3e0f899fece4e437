import type { Log } from '../../../proto/process/log.ts';
import type { CounterMetric, GaugeMetric, Metrics } from '../../../proto/process/metrics.ts';
import { DiscoveryBoard, type Novelty, type Sought, type ToldEndpoints } from './board.ts';
import type { FoundEndpoint } from './found.ts';
import { Seeking, type SeekingOptions } from './seeking.ts';

/** What finding the endpoints of a gateway needs. */
export interface OpenDiscoveryOptions extends SeekingOptions {
  readonly metrics: Metrics;
  readonly log: Log;
}

/** The endpoints of a gateway that are found, by this process. */
export interface OpenDiscovery {
  readonly board: DiscoveryBoard;
  /** From now on this one hears of what is found, to tell other processes. */
  onFound(hear: (told: ToldEndpoints) => void): void;
  /** For the node API. */
  describe(): readonly FoundState[];
  /** Carries what is known over into the metrics. */
  publish(): void;
}

/** A group whose endpoints are found, as the node API shows it. */
export interface FoundState {
  readonly environment: string;
  readonly api: string;
  readonly group: string;
  readonly type: string;
  /** The service, or the name, that is asked for. */
  readonly asked: string;
  /** Undefined until there was an answer. */
  readonly endpoints: readonly FoundEndpoint[] | undefined;
  /** Nobody takes requests of the group: it has no endpoint of its own, and none was found. */
  readonly isEmpty: boolean;
  /** When the last answer came, ISO 8601. */
  readonly answeredAt: string | undefined;
  /** Why the last question was not answered, or what of the answer is left out. */
  readonly problem: string | undefined;
}

/** Begins: nobody is asked before a deployed API says so, and nobody after the last one has gone. */
export function openDiscovery({ metrics, log, ...seeking }: OpenDiscoveryOptions): OpenDiscovery {
  const board = new DiscoveryBoard();
  const meters = new Meters(board, metrics);
  let hearing: (told: ToldEndpoints) => void = () => undefined;
  board.seekBy(new Seeking(board, seeking), (sought, novelty) => {
    tell(log, sought, novelty);
    if (novelty.isFoundNew) hearing({ key: sought.key, endpoints: sought.found ?? [] });
    if (novelty.isProblemNew && sought.problem !== undefined) meters.problems.inc();
  });
  return {
    board,
    onFound: (hear) => void (hearing = hear),
    describe: () => [...board].map(describe),
    publish: () => meters.publish(),
  };
}

function describe({ api, discovery, found, answeredMs, problem }: Sought): FoundState {
  return {
    environment: api.environment,
    api: api.id,
    group: discovery.group,
    type: discovery.definition.type,
    asked: askedOf(discovery.definition),
    endpoints: found,
    isEmpty: discovery.isAlone && (found ?? []).length === 0,
    answeredAt: answeredMs === undefined ? undefined : new Date(answeredMs).toISOString(),
    problem,
  };
}

function askedOf(definition: Sought['discovery']['definition']): string {
  return definition.type === 'consul-service-discovery'
    ? definition.configuration.service
    : definition.configuration.host;
}

/** Tells an operator once of what is new: which endpoints there are, and what goes wrong. */
function tell(
  log: Log,
  { api, discovery, found, problem }: Sought,
  { isFoundNew, isProblemNew }: Novelty,
): void {
  const what = {
    environment: api.environment,
    api: api.id,
    group: discovery.group,
    asked: askedOf(discovery.definition),
  };
  if (isFoundNew)
    log.info({ ...what, endpoints: found?.map(({ name }) => name) }, 'the endpoints of a group were found');
  if (!isProblemNew) return;
  if (problem === undefined) log.info(what, 'endpoints of a group are found again without a problem');
  else
    log.warn(
      { ...what, problem },
      'endpoints of a group could not be found, or not all; what was known stays',
    );
}

class Meters {
  readonly problems: CounterMetric;
  readonly #board: DiscoveryBoard;
  readonly #groups: GaugeMetric;
  readonly #endpoints: GaugeMetric;

  constructor(board: DiscoveryBoard, metrics: Metrics) {
    this.#board = board;
    this.problems = metrics.counter(
      'isthmus_discovery_problems_total',
      'How often finding endpoints began to go wrong, or to go wrong in another way; the log says how.',
    );
    this.#groups = metrics.gauge(
      'isthmus_discovery_groups',
      'Groups whose endpoints are found, by whether the last question was answered without a problem.',
      ['state'],
      'first',
    );
    this.#endpoints = metrics.gauge(
      'isthmus_discovery_endpoints',
      'Endpoints that were found and are in use, of all groups.',
      [],
      'first',
    );
  }

  publish(): void {
    const all = [...this.#board];
    if (all.length === 0) {
      this.#groups.reset();
      this.#endpoints.reset();
      return;
    }
    const wrong = all.filter(({ problem }) => problem !== undefined).length;
    const waiting = all.filter(({ found, problem }) => found === undefined && problem === undefined).length;
    this.#groups.set({ state: 'problem' }, wrong);
    this.#groups.set({ state: 'waiting' }, waiting);
    this.#groups.set({ state: 'found' }, all.length - wrong - waiting);
    this.#endpoints.set(all.reduce((sum, { found }) => sum + (found?.length ?? 0), 0));
  }
}
