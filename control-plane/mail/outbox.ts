import { randomUUID } from 'node:crypto';
import type { Clock } from '../../proto/process/clock.ts';
import type { Log } from '../../proto/process/log.ts';
import { keepLease, releaseLease, takeLease } from '../storage/leases.ts';
import { createRecurring, type Recurring } from '../storage/recurring.ts';
import type { Storage, Trx } from '../storage/storage.ts';
import {
  countAllWaiting,
  dueOutgoing,
  forgetOutgoing,
  type Outgoing,
  type Queue,
  updateWaiting,
} from './outbox.store.ts';

/**
 * What came of handing something over: `refused` is the receiver's word on this one, for good or for now; `trouble` is that nobody takes any.
 */
export type Delivery =
  | { readonly kind: 'sent' }
  | { readonly kind: 'refused'; readonly problem: string; readonly isForGood: boolean }
  | { readonly kind: 'trouble'; readonly problem: string };

/** What empties a queue. */
export interface OutboxOptions {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly log: Log;
  readonly queue: Queue;
  /** What of it is called in the log, e.g. `mail`. */
  readonly name: string;
  /** How long rows of what was sent or given up stay. */
  readonly keptMs: number;
  /** Tries of what is put off. */
  readonly triesMax: number;
  /** Deliveries at once, of all organizations. */
  readonly runningMax: number;
  /** Within {@link deliverMsMax}. Never rejects. */
  deliver(row: Outgoing, signal: AbortSignal): Promise<Delivery>;
  /** Told of each that was sent or given up, and how many wait. */
  readonly onEnded: (outcome: 'sent' | 'given up') => void;
  readonly onCounted: (waiting: number) => void;
}

/** A queue that is emptied until its signal. */
export interface Sending {
  readonly done: Promise<void>;
  /** Why nobody takes anything; undefined while somebody does. */
  trouble(): string | undefined;
}

/** Longest time for one. */
export const deliverMsMax = 60_000;

const leaseMs = 2 * deliverMsMax;
const lookEveryMs = 1_000;
/** Deliveries of one organization at once: who calls what never answers holds these, and nobody else's. */
const runningPerOrganizationMax = 4;
/** Of one organization in a look, and of all. */
const perOrganization = 8;
const perLook = 64;
const firstPauseMs = 15_000;
const pauseMsMax = 3_600_000;
/** How long who takes nothing is left alone, and how long waits what was not taken. */
const troublePauseMs = 5_000;
const outagePauseMs = 30_000;
const forgetEveryMs = 60_000;

/**
 * Sends what waits, until the signal; one control plane on the database at a time.
 *
 * A try is written down before it is made, with when the next one is: who is killed while he sends leaves something that is tried again after
 * its pause. It may have been taken by then: it comes once or, with the same id, twice, and not never.
 */
export function emptyOutbox(options: OutboxOptions, signal: AbortSignal): Sending {
  const outbox = new Outbox(options, signal);
  return { done: outbox.run(), trouble: () => outbox.trouble };
}

class Outbox {
  trouble: string | undefined = undefined;
  readonly #options: OutboxOptions;
  readonly #signal: AbortSignal;
  readonly #lease;
  readonly #outage: Recurring;
  readonly #queue: Recurring;
  readonly #running = new Map<string, { readonly organization: string; readonly done: Promise<void> }>();
  /** What the last look found and nobody has begun with. */
  #due: Outgoing[] = [];
  /** Whether there is more than one look finds. */
  #isCut = false;
  /** Ends the pause before the next look. */
  #wake = new AbortController();
  /** While nobody takes anything the rest waits as it is. */
  #quietUntilMs = Number.NEGATIVE_INFINITY;
  #forgottenAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: OutboxOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
    this.#lease = { name: `outbox.${options.queue}`, leaseMs, holder: randomUUID() };
    const { name } = options;
    this.#outage = createRecurring(options, {
      lasts: `each ${name} waits: nobody takes any`,
      over: `each ${name} is sent again`,
    });
    this.#queue = createRecurring(options, {
      lasts: `each ${name} waits for the database`,
      over: `each ${name} that waited for the database is looked at again`,
    });
  }

  async run(): Promise<void> {
    const { clock, storage, log } = this.#options;
    while (!this.#signal.aborted) {
      this.#wake = new AbortController();
      try {
        await this.#look();
        this.#queue.worked();
      } catch (error) {
        this.#queue.failed({ err: error });
      }
      await clock.delay(lookEveryMs, AbortSignal.any([this.#signal, this.#wake.signal]));
    }
    await Promise.all([...this.#running.values()].map(({ done }) => done));
    await releaseLease(storage.db, this.#lease.name, this.#lease.holder).catch((error: unknown) =>
      log.debug({ err: error }, 'the lease of an outbox ends by itself'),
    );
  }

  async #look(): Promise<void> {
    const { storage, clock, queue, keptMs, onCounted } = this.#options;
    this.#due = [];
    if ((await takeLease(storage, this.#lease)) === undefined) return;
    const nowMs = clock.now();
    onCounted(await countAllWaiting(storage.db, queue));
    if (clock.monotonicMs() - this.#forgottenAtMs >= forgetEveryMs) {
      await forgetOutgoing(storage.db, queue, nowMs - keptMs);
      this.#forgottenAtMs = clock.monotonicMs();
    }
    if (clock.monotonicMs() < this.#quietUntilMs) return;
    const bounds = { nowMs, pauseMsMax, each: perOrganization, limit: perLook };
    const due = await dueOutgoing(storage.db, queue, bounds);
    this.#isCut = due.length >= perOrganization;
    this.#due = due.filter(({ id }) => !this.#running.has(id));
    this.#fill();
  }

  /** Begins with what there is a place for. */
  #fill(): void {
    while (this.#running.size < this.#options.runningMax && !this.#signal.aborted) {
      const at = this.#due.findIndex(
        ({ organization }) => this.#runningOf(organization) < runningPerOrganizationMax,
      );
      const [row] = at === -1 ? [] : this.#due.splice(at, 1);
      if (row === undefined) break;
      this.#begin(row);
    }
  }

  #begin(row: Outgoing): void {
    const { clock } = this.#options;
    const done = this.#send(row)
      .then((kind) => {
        if (kind !== 'trouble') return;
        this.#due = [];
        this.#quietUntilMs = clock.monotonicMs() + troublePauseMs;
      })
      .catch((error: unknown) => this.#queue.failed({ err: error }))
      .finally(() => {
        this.#running.delete(row.id);
        this.#fill();
        if (this.#wantsMore(row.organization)) this.#wake.abort();
      });
    this.#running.set(row.id, { organization: row.organization, done });
  }

  /** Whether there is a place and nothing found to take it: a look ranks all that is due, and is not had for each that was sent. */
  #wantsMore(organization: string): boolean {
    return (
      this.#isCut &&
      this.#running.size < this.#options.runningMax &&
      !this.#due.some((row) => row.organization === organization)
    );
  }

  #runningOf(organization: string): number {
    let count = 0;
    for (const one of this.#running.values()) if (one.organization === organization) count += 1;
    return count;
  }

  async #send(row: Outgoing): Promise<Delivery['kind'] | undefined> {
    const { clock } = this.#options;
    const nowMs = clock.now();
    if (nowMs >= row.ends_at_ms) return this.#end(row, 'FAILED', row.problem ?? 'It was too old.');
    const tries = row.tries + 1;
    const isMine = await this.#update(row, { tries, due_at_ms: nowMs + pauseMsAfter(tries) });
    if (!isMine) return undefined;
    const tried = { ...row, tries };
    const delivery = await this.#options.deliver(tried, this.#signal);
    if (delivery.kind !== 'trouble') {
      this.trouble = undefined;
      this.#outage.worked();
    } else if (!this.#signal.aborted) {
      this.trouble = delivery.problem;
      this.#outage.failed({ problem: delivery.problem });
    }
    await this.#note(tried, delivery);
    return delivery.kind;
  }

  async #note(row: Outgoing, delivery: Delivery): Promise<undefined> {
    if (delivery.kind === 'sent') return this.#end(row, 'SENT', null);
    const { clock, triesMax } = this.#options;
    const isOver = delivery.kind === 'refused' && (delivery.isForGood || row.tries >= triesMax);
    if (isOver) return this.#end(row, 'FAILED', delivery.problem);
    const { problem } = delivery;
    // Who takes nothing says nothing of this one: it counts no try, and an hour of pause would outlast the outage.
    const again =
      delivery.kind === 'trouble' ? { tries: row.tries - 1, due_at_ms: clock.now() + outagePauseMs } : {};
    await this.#update(row, { problem, ...again });
    return undefined;
  }

  /** What it says is forgotten with it. */
  async #end(row: Outgoing, state: 'SENT' | 'FAILED', problem: string | null): Promise<undefined> {
    const { clock, log, name, onEnded } = this.#options;
    await this.#update(row, { state, problem, sealed: null, due_at_ms: clock.now() });
    onEnded(state === 'SENT' ? 'sent' : 'given up');
    if (state === 'SENT') return undefined;
    const { id, organization, template, tries } = row;
    log.warn({ id, organization, template, tries, problem }, `a ${name} was given up`);
    return undefined;
  }

  /** False when somebody else sends by now. */
  #update(row: Outgoing, set: Parameters<typeof updateWaiting>[2]): Promise<boolean> {
    const { storage, queue } = this.#options;
    return storage.transaction(async (trx: Trx) => {
      if (!(await keepLease(trx, storage.dialect, this.#lease))) return false;
      return updateWaiting(trx, { queue, ...row }, set);
    });
  }
}

/** 15 s, 30 s, 1 min ... an hour. */
const pauseMsAfter = (tries: number): number => Math.min(pauseMsMax, firstPauseMs * 2 ** (tries - 1));
