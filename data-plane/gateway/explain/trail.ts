import type { PhaseMarks, UpstreamResult } from '../../http/exchange.ts';
import type { BackendAnswer, StepPlace, Verdict } from '../../policies/policy.ts';
import type { Endpoint } from '../../endpoints/group.ts';
import type { Step } from '../compile/step.ts';

/** What a mark says: that something ended there. */
export const marks = {
  matched: 0,
  admitted: 1,
  passed: 2,
  skipped: 3,
  answered: 4,
  refused: 5,
  broken: 6,
  unfinished: 7,
  bodyRead: 8,
  asked: 9,
  leftPassed: 10,
  leftAnswered: 11,
  leftRefused: 12,
  leftFailed: 13,
  attempt: 14,
  dns: 15,
  tcp: 16,
  connected: 17,
  head: 18,
  failed: 19,
  repeated: 20,
} as const;
/** One of {@link marks}. */
export type Mark = (typeof marks)[keyof typeof marks];

/** Whose a mark is; for `head` the status, for `failed` what the engine says. */
export type Marked = StepPlace | Endpoint | string | number | undefined;

/** Marks of one request at most; what comes later is counted. */
const marksMax = 256;
/** Added to a mark of the response. */
const ofResponse = 32;

/**
 * When the steps of one request ended: one number for each, and whose it is.
 *
 * Nothing is made for a mark, and trails are used again, so that a request whose steps nobody will read costs a few stores and looks at the
 * clock. They are old and requests are young: nothing that was made for one request is kept in one, since the collector would hear of each.
 * `told.ts` makes words of them.
 */
export class Trail {
  /** Marks that found no room. */
  left = 0;
  count = 0;
  /** It goes on for longer than it takes to answer it: an event stream, a tunnel. */
  isStream = false;
  /** What `performance.now()` said; of what the engine measured, microseconds behind the beginning, as a negative number less 1. */
  readonly #at: number[] = [];
  readonly #marks: number[] = [];
  readonly #of: Marked[] = [];
  /** Of the call of a backend whose times are not here yet: where its mark lies; -1 where there is none. */
  #open = -1;
  /** What it was answered with; 0 as long as nobody knows. */
  #status = 0;

  /** Forgets the request. */
  end(): void {
    for (let index = 0; index < this.count; index += 1) this.#of[index] = undefined;
    this.count = 0;
    this.left = 0;
    this.isStream = false;
    this.#open = -1;
    this.#status = 0;
  }

  /** Something has ended now. */
  mark(mark: Mark, of: Marked, isResponse = false): void {
    this.#put(isResponse ? mark + ofResponse : mark, performance.now(), of);
  }

  /** A step has; of one that has nothing to do in this phase and no condition nothing is said. */
  step(step: Step, phase: 'request' | 'response', verdict: Verdict | 'skipped' | 'broken'): void {
    const isResponse = phase === 'response';
    const { gate, policy } = step;
    if (gate === undefined && (isResponse ? policy.response : policy.request) === undefined) return;
    if (verdict === undefined) return this.mark(marks.passed, step, isResponse);
    if (verdict === 'skipped') return this.mark(marks.skipped, step, isResponse);
    if (verdict === 'broken') return this.mark(marks.broken, step, isResponse);
    this.mark(verdict.kind === 'reject' ? marks.refused : marks.answered, step, isResponse);
  }

  /** A step around the backend has; undefined when it threw. */
  leave(step: Step, answer: BackendAnswer | undefined): void {
    const { kind } = answer ?? { kind: 'failure' };
    if (kind === 'failure') this.mark(marks.leftFailed, step);
    else if (kind === 'reject') this.mark(marks.leftRefused, step);
    else this.mark(kind === 'answer' ? marks.leftAnswered : marks.leftPassed, step);
  }

  /** A backend is about to be asked, perhaps again; what is returned names this call to {@link Trail.heard}. `times` are still those of the call before. */
  attempt(endpoint: Endpoint, times: PhaseMarks): number {
    this.take(times);
    const { count: index } = this;
    this.#engineMark(marks.attempt, 0, endpoint);
    if (this.count > index) this.#open = index;
    return this.#open;
  }

  /** What came of a call; of one that nobody waited for any more nothing. */
  heard(attempt: number, result: UpstreamResult): void {
    if (attempt === -1 || attempt !== this.#open) return;
    if (result.kind === 'response') this.#status = result.head.status;
    else if (result.kind === 'upgrade') this.#status = result.upgrade.head.status;
    else this.mark(marks.failed, `${result.failure}: ${result.message}`);
  }

  /** Takes over what the engine measured of the call of a backend, before another one begins or all is told. */
  take(times: PhaseMarks): void {
    const index = this.#open;
    if (index === -1) return;
    this.#at[index] = -times.upstreamStartUs - 1;
    this.#engineMark(marks.repeated, times.upstreamRepeatUs);
    this.#engineMark(marks.dns, times.upstreamDnsUs);
    this.#engineMark(marks.tcp, times.upstreamTcpUs);
    this.#engineMark(marks.connected, times.upstreamConnectUs);
    this.#engineMark(marks.head, times.upstreamHeadUs, this.#status);
    this.#open = -1;
    this.#status = 0;
  }

  /** 0 is a time that was not: only of the call itself, whose time comes later, it counts. */
  #engineMark(mark: Mark, atUs: number, of?: Marked): void {
    if (atUs !== 0 || mark === marks.attempt) this.#put(mark, -atUs - 1, of);
  }

  #put(mark: number, at: number, of: Marked): void {
    const { count: index } = this;
    if (index >= marksMax) {
      this.left += 1;
      return;
    }
    this.#at[index] = at;
    this.#marks[index] = mark;
    this.#of[index] = of;
    this.count = index + 1;
  }

  /** What was marked, in the order in which it was; whole microseconds since `startedMs`. */
  *read(startedMs: number): Iterable<{
    readonly mark: number;
    readonly of: Marked;
    readonly atUs: number;
    readonly isResponse: boolean;
  }> {
    for (let index = 0; index < this.count; index += 1) {
      const mark = this.#marks[index] ?? 0;
      const at = this.#at[index] ?? 0;
      yield {
        mark: mark % ofResponse,
        of: this.#of[index],
        atUs: at < 0 ? -at - 1 : Math.max(0, Math.round((at - startedMs) * 1_000)),
        isResponse: mark >= ofResponse,
      };
    }
  }
}
