/** One that waits for its turn. */
export interface Waiting<Job> {
  readonly job: Job;
  readonly sinceMs: number;
}

/** Whose turn it is. */
export interface Turn<Job> extends Waiting<Job> {
  readonly api: string;
}

/** An API, as long as it has something that waits or runs. */
interface Claimant<Job> {
  /** In the order in which they came. */
  readonly waiting: Set<Waiting<Job>>;
  running: number;
  /** Thread time that it has had, in the count that all share. */
  hadMs: number;
  /** What one run of it takes, lately. */
  averageMs: number;
}

/** A run longer than that is slow: its API never has all threads. */
const slowMs = 10;
/** What a run is taken for before there was one. */
const firstMs = 1;
/** How much the latest run says of the next. */
const newShare = 0.3;

/**
 * Whose script runs next: that of the API which has had the least of the threads, so that one with dear scripts takes nothing from the
 * others but its share. One whose scripts are slow leaves a thread to the others, as long as there are two.
 */
export class Turns<Job> {
  readonly #byApi = new Map<string, Claimant<Job>>();
  readonly #bounds: { readonly threadsMax: number; readonly waitingMax: number };
  /** What those that ran lately have had; who comes anew begins there. */
  #hadMs = 0;
  #waiting = 0;

  constructor(bounds: { readonly threadsMax: number; readonly waitingMax: number }) {
    this.#bounds = bounds;
  }

  /** How many wait. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Undefined when too many of this API wait: half of the room is the most that one may have. */
  add(api: string, job: Job, nowMs: number): Waiting<Job> | undefined {
    const { waitingMax } = this.#bounds;
    const claimant = this.#byApi.get(api);
    if (this.#waiting >= waitingMax || (claimant?.waiting.size ?? 0) >= Math.ceil(waitingMax / 2))
      return undefined;
    const known = claimant ?? { waiting: new Set(), running: 0, hadMs: this.#hadMs, averageMs: firstMs };
    if (claimant === undefined) this.#byApi.set(api, known);
    const waiting = { job, sinceMs: nowMs };
    known.waiting.add(waiting);
    this.#waiting += 1;
    return waiting;
  }

  /** It waits no longer; false when it has had its turn. */
  remove(api: string, waiting: Waiting<Job>): boolean {
    const wasWaiting = this.#byApi.get(api)?.waiting.delete(waiting) === true;
    if (wasWaiting) this.#waiting -= 1;
    return wasWaiting;
  }

  /** Who is next; undefined when nobody waits, or a thread is left to others. */
  take(): Turn<Job> | undefined {
    let next: readonly [string, Claimant<Job>] | undefined;
    for (const [api, claimant] of this.#byApi) {
      if (claimant.waiting.size === 0 || this.#leavesRoom(claimant)) continue;
      if (next === undefined || claimant.hadMs < next[1].hadMs) next = [api, claimant];
    }
    if (next === undefined) return undefined;
    const [api, claimant] = next;
    const [first] = claimant.waiting;
    if (first === undefined) return undefined;
    claimant.waiting.delete(first);
    this.#waiting -= 1;
    this.#hadMs = Math.max(this.#hadMs, claimant.hadMs);
    claimant.running += 1;
    claimant.hadMs += claimant.averageMs;
    return { api, ...first };
  }

  /** A run of it is over, after so long. */
  give(api: string, tookMs: number): void {
    const claimant = this.#byApi.get(api);
    if (claimant === undefined) return;
    claimant.running -= 1;
    claimant.hadMs += tookMs - claimant.averageMs;
    claimant.averageMs += newShare * (tookMs - claimant.averageMs);
    // Who has had more than all others is remembered until they have caught up.
    for (const [name, { waiting, running, hadMs }] of this.#byApi)
      if (waiting.size === 0 && running === 0 && hadMs <= this.#hadMs) this.#byApi.delete(name);
  }

  /** Those that have waited since before that are let go. */
  expire(beforeMs: number): readonly Job[] {
    const gone: Job[] = [];
    for (const { waiting } of this.#byApi.values())
      for (const each of waiting) {
        if (each.sinceMs > beforeMs) break;
        gone.push(each.job);
        waiting.delete(each);
      }
    this.#waiting -= gone.length;
    return gone;
  }

  #leavesRoom({ running, averageMs }: Claimant<Job>): boolean {
    const { threadsMax } = this.#bounds;
    return threadsMax > 1 && averageMs > slowMs && running >= threadsMax - 1;
  }
}
