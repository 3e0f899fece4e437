import { Fault } from '../../../proto/faults/fault.ts';
import type { Clock } from '../../../proto/process/clock.ts';
import type { Guard } from '../../../proto/process/outbound/guard.ts';
import type { HeaderList } from '../../http/exchange.ts';
import { type Backoff, createBackoff } from '../../sync/backoff.ts';
import type { Upstreams } from '../upstreams.ts';
import type { DiscoveryBoard, Seeker, Sought } from './board.ts';
import { createConsulSource } from './consul.ts';
import { createDnsSource } from './dns.ts';
import type { Source } from './found.ts';

/** Bounds of discovery; settings of the gateway. */
export interface DiscoverySettings {
  /** Groups of all APIs whose endpoints are found. */
  readonly groupsMax: number;
  /** Least time from one question to the next, of one group. */
  readonly everyMsMin: number;
  /** Longest wait after a question that was not answered; it doubles up to this, by chance. */
  readonly retryMsMax: number;
  readonly consul: {
    /** How long Consul may wait for a change. */
    readonly waitMs: number;
    /** Largest answer. */
    readonly answerBytesMax: number;
  };
  readonly dns: {
    /** Undefined asks those of the system. */
    readonly servers: readonly string[];
    /** Longest wait for one server; each is asked twice. */
    readonly answerMsMax: number;
    /** Bounds of how long an answer is taken as it is, whatever its records say. */
    readonly ttlMsMin: number;
    readonly ttlMsMax: number;
  };
}

/** What asking needs of its process. */
export interface SeekingOptions {
  readonly settings: DiscoverySettings;
  readonly clock: Clock;
  readonly guard: Guard;
  readonly upstreams: Upstreams;
  readonly createHeaders: () => HeaderList;
  readonly onThrown: (error: unknown) => void;
  /** In [0, 1). */
  readonly random?: (() => number) | undefined;
}

const retryMsFirst = 500;

/** A group with who is asked for it. */
interface Asked {
  readonly sought: Sought;
  readonly backoff: Backoff;
  ended: AbortController;
}

/** Asks for the endpoints of a board, each group on its own, one question at a time. */
export class Seeking implements Seeker {
  readonly #board: DiscoveryBoard;
  readonly #options: SeekingOptions;
  readonly #all = new Map<string, Asked>();

  constructor(board: DiscoveryBoard, options: SeekingOptions) {
    this.#board = board;
    this.#options = options;
  }

  begin(sought: Sought): void {
    const { groupsMax, retryMsMax } = this.#options.settings;
    if (this.#all.size >= groupsMax)
      throw new Fault('request.invalid', {
        detail: `This gateway finds the endpoints of at most ${groupsMax} groups (setting discovery.groupsMax).`,
      });
    const { random = Math.random } = this.#options;
    const backoff = createBackoff({ firstMs: retryMsFirst, capMs: retryMsMax, random });
    const one: Asked = { sought, backoff, ended: new AbortController() };
    this.#all.set(sought.key, one);
    this.#start(one);
  }

  change({ key }: Sought): void {
    const one = this.#all.get(key);
    if (one === undefined) return;
    one.ended.abort();
    one.ended = new AbortController();
    one.backoff.reset();
    this.#start(one);
  }

  end({ key }: Sought): void {
    this.#all.get(key)?.ended.abort();
    this.#all.delete(key);
  }

  #start(one: Asked): void {
    void this.#follow(one, one.ended.signal).catch((error: unknown) => this.#options.onThrown(error));
  }

  async #follow({ sought, backoff }: Asked, signal: AbortSignal): Promise<void> {
    const { clock, settings } = this.#options;
    const source = this.#sourceOf(sought);
    try {
      while (!signal.aborted) {
        const startedMs = clock.monotonicMs();
        const answer = await source.ask(signal);
        if (signal.aborted) return;
        this.#board.take(sought, answer, clock.now());
        const restMs = settings.everyMsMin - (clock.monotonicMs() - startedMs);
        if (answer.kind === 'found') backoff.reset();
        const waitMs = answer.kind === 'found' ? answer.againMs : backoff.nextMs();
        await clock.delay(Math.max(0, restMs, waitMs), signal);
      }
    } finally {
      source.close();
    }
  }

  #sourceOf({ key, api, discovery }: Sought): Source {
    const { definition } = discovery;
    const { settings } = this.#options;
    switch (definition.type) {
      case 'consul-service-discovery':
        return createConsulSource(definition.configuration, {
          ...this.#options,
          settings: settings.consul,
          pool: `discovery of ${api.environment}/${api.id}/${key}`,
          optionsOf: discovery.optionsOf,
        });
      case 'dns-service-discovery':
        return createDnsSource(definition.configuration, {
          guard: this.#options.guard,
          settings: settings.dns,
        });
    }
  }
}
