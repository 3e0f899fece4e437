import type { Clock } from '../../proto/process/clock.ts';
import type { Take } from './by-turn.ts';
import type { Count, Counters } from './limiter.ts';
import type { MemoryCounters, MemoryCounterStore } from './memory.ts';

/** Whom to ask, and how often he is told. */
export interface NearOptions {
  /** Undefined when he is not asked. */
  readonly ask: (take: Take) => Promise<Count> | undefined;
  /** Counts of this process, which learn what he answers. */
  readonly local: MemoryCounterStore;
  readonly mergeMs: number;
  /** Most keys that wait to be told; what is past it stays untold. */
  readonly waitingMax: number;
  readonly clock: Pick<Clock, 'now' | 'after'>;
  /** What was counted here alone, and nobody will hear of. */
  readonly onUntold: () => void;
}

/** What was counted here and not told yet. */
interface Untold {
  readonly take: Take;
  readonly own: MemoryCounters;
  amount: number;
  /** Then it is over: what would be told is of a window that has ended. */
  readonly resetAtMs: number;
}

/** Most that is told at once, so that who waits for an answer does not wait behind it. */
const toldAtOnceMax = 500;
const nextMs = 10;

/** Counters of this process that learn what those know that somebody else keeps: for when he does not answer, and for not waiting for him. */
export class NearCounters {
  readonly #options: NearOptions;
  readonly #untold = new Map<string, Untold>();
  #isArmed = false;
  #isClosed = false;
  /** What was told last did not arrive. */
  #isAlone = false;

  constructor(options: NearOptions) {
    this.#options = options;
  }

  /** Asks; what is not answered is counted here. `asked` is what the environment is called there. */
  estimated(environment: string, asked: string): Counters {
    const own = this.#options.local.within(environment);
    return {
      take: (key, rule, amount) => {
        const alone = (): Count => estimateOf(own.take(key, rule, amount));
        const answer = this.#options.ask({ environment: asked, key, rule, amount });
        const learnt = (count: Count): Count => {
          own.learn(key, rule, count);
          return count;
        };
        return answer?.then(learnt, alone) ?? alone();
      },
    };
  }

  /** Counts here, and tells later; what is not heard then is not told again, since it may have been counted. */
  later(environment: string, asked: string): Counters {
    const own = this.#options.local.within(environment);
    return {
      take: (key, rule, amount) => {
        const count = own.take(key, rule, amount);
        const take = { environment: asked, key, rule, amount };
        if (isTaken(take, count)) this.#keep({ take, own, amount, resetAtMs: count.resetAtMs });
        return this.#isAlone ? estimateOf(count) : count;
      },
    };
  }

  close(): void {
    this.#isClosed = true;
    this.#untold.clear();
  }

  #keep(untold: Untold): void {
    const name = nameOf(untold.take);
    const known = this.#untold.get(name);
    if (known !== undefined) known.amount += untold.amount;
    else if (this.#untold.size < this.#options.waitingMax) this.#untold.set(name, untold);
    else this.#options.onUntold();
    this.#arm(this.#options.mergeMs);
  }

  #arm(ms: number): void {
    if (this.#isArmed || this.#untold.size === 0) return;
    this.#isArmed = true;
    this.#options.clock.after(ms, () => {
      this.#isArmed = false;
      if (!this.#isClosed) this.#tellSome();
    });
  }

  #tellSome(): void {
    let told = 0;
    let isHeard = true;
    for (const [name, untold] of this.#untold) {
      if (told >= toldAtOnceMax || !isHeard) break;
      told += 1;
      isHeard = this.#tell(name, untold);
    }
    this.#arm(isHeard ? nextMs : this.#options.mergeMs);
  }

  /** False when he is not asked; then it is told another time. */
  #tell(name: string, { take, own, amount, resetAtMs }: Untold): boolean {
    const { ask, clock, onUntold } = this.#options;
    if (clock.now() >= resetAtMs) return this.#untold.delete(name);
    const answer = ask({ ...take, amount });
    this.#isAlone = answer === undefined;
    if (answer === undefined) return false;
    this.#untold.delete(name);
    answer.then(
      ({ count, resetAtMs: endsAtMs }) => {
        const since = this.#untold.get(name)?.amount ?? 0;
        own.learn(take.key, take.rule, { count: count + since, resetAtMs: endsAtMs });
      },
      () => {
        this.#isAlone = true;
        onUntold();
      },
    );
    return true;
  }
}

/** Names what it counts. */
export const nameOf = ({ environment, key, rule }: Take): string =>
  `${rule.kind}\n${environment}\n${rule.group ?? ''}${key}`;

/** Whether there is something to tell of what was counted here: a bucket takes nothing that does not fit. */
export const isTaken = ({ rule, amount }: Take, { count }: Count): boolean =>
  amount > 0 && (rule.kind !== 'gcra' || count <= rule.burst);

/** The same count as one that others do not know. */
export const estimateOf = ({ count, resetAtMs }: Count): Count => ({ count, resetAtMs, isEstimate: true });
