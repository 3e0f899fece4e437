/** One that waits for its turn. */
interface Waiting<Job> {
  readonly job: Job;
  readonly sinceMs: number;
}

/** Whose turn it is. */
export interface Turn<Job> extends Waiting<Job> {
  readonly api: string;
}

/** An API, as long as it has something that waits or runs. */
interface Claimant<Job> {
  readonly waiting: Waiting<Job>[];
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

  /** False when too many of this API wait: half of the room is the most that one may have. */
  add(api: string, job: Job, nowMs: number): boolean {
    const { waitingMax } = this.#bounds;
    const claimant = this.#byApi.get(api);
    if (this.#waiting >= waitingMax || (claimant?.waiting.length ?? 0) >= Math.ceil(waitingMax / 2))
      return false;
    const known = claimant ?? { waiting: [], running: 0, hadMs: this.#hadMs, averageMs: firstMs };
    if (claimant === undefined) this.#byApi.set(api, known);
    known.waiting.push({ job, sinceMs: nowMs });
    this.#waiting += 1;
    return true;
  }

  /** Who is next; undefined when nobody waits, or a thread is left to others. */
  take(): Turn<Job> | undefined {
    let next: readonly [string, Claimant<Job>] | undefined;
    for (const [api, claimant] of this.#byApi) {
      if (claimant.waiting.length === 0 || this.#leavesRoom(claimant)) continue;
      if (next === undefined || claimant.hadMs < next[1].hadMs) next = [api, claimant];
    }
    const first = next?.[1].waiting.shift();
    if (next === undefined || first === undefined) return undefined;
    const [api, claimant] = next;
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
      if (waiting.length === 0 && running === 0 && hadMs <= this.#hadMs) this.#byApi.delete(name);
  }

  /** Those that have waited since before that are let go. */
  expire(beforeMs: number): readonly Job[] {
    const gone: Job[] = [];
    for (const { waiting } of this.#byApi.values())
      while (waiting[0] !== undefined && waiting[0].sinceMs <= beforeMs) {
        gone.push(waiting[0].job);
        waiting.shift();
      }
    this.#waiting -= gone.length;
    return gone;
  }

  #leavesRoom({ running, averageMs }: Claimant<Job>): boolean {
    const { threadsMax } = this.#bounds;
    return threadsMax > 1 && averageMs > slowMs && running >= threadsMax - 1;
  }
}
