import type { Exchange, PhaseMarks, UpstreamResult } from '../../http/exchange.ts';
import type { BackendAnswer, Rejection, StepPlace, Verdict } from '../../policies/policy.ts';
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

/** What a trail needs of an exchange. */
export type TimedExchange = Pick<Exchange, 'startedMs' | 'marks'>;

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
 * clock. `told.ts` makes words of them.
 */
export class Trail {
  /** Marks that found no room. */
  left = 0;
  count = 0;
  /** It goes on for longer than it takes to answer it: an event stream, a tunnel. */
  isStream = false;
  /** What it was refused by. */
  refusal: Rejection | undefined = undefined;
  #exchange: Pick<Exchange, 'marks'> | undefined = undefined;
  #startedMs = 0;
  /** Microseconds, with what the clock says of their parts. */
  readonly #at: number[] = [];
  readonly #marks: number[] = [];
  readonly #of: Marked[] = [];
  /** Of the call of a backend whose times are not here yet: where its mark lies; -1 where there is none. */
  #open = -1;

  begin(exchange: TimedExchange): void {
    this.#exchange = exchange;
    this.#startedMs = exchange.startedMs;
  }

  /** Forgets the request, and all that it held of it. */
  end(): void {
    for (let index = 0; index < this.count; index += 1) this.#of[index] = undefined;
    this.count = 0;
    this.left = 0;
    this.isStream = false;
    this.refusal = undefined;
    this.#exchange = undefined;
    this.#open = -1;
  }

  /** Something has ended now. */
  mark(mark: Mark, of: Marked, isResponse = false): void {
    this.#add(isResponse ? mark + ofResponse : mark, of, (performance.now() - this.#startedMs) * 1_000);
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

  /** A backend is about to be asked, perhaps again; what is returned names this call to {@link Trail.heard}. */
  attempt(endpoint: Endpoint): number {
    this.take();
    this.#open = this.count < marksMax ? this.count : -1;
    this.#add(marks.attempt, endpoint, 0);
    return this.#open;
  }

  /** What came of a call; of one that nobody waited for any more nothing. */
  heard(attempt: number, result: UpstreamResult): void {
    if (attempt !== this.#open || attempt === -1) return;
    if (result.kind === 'failure') {
      this.mark(marks.failed, `${result.failure}: ${result.message}`);
      return this.take();
    }
    this.#take(result.kind === 'response' ? result.head.status : result.upgrade.head.status);
  }

  /** Takes over what the engine measured of the call of a backend, before another one begins or all is told. */
  take(): void {
    if (this.#open !== -1) this.#take(undefined);
  }

  #take(status: number | undefined): void {
    const times = this.#exchange?.marks;
    const index = this.#open;
    this.#open = -1;
    if (times === undefined || index === -1) return;
    this.#at[index] = times.upstreamStartUs;
    this.#takeOne(marks.repeated, times.upstreamRepeatUs);
    this.#takeOne(marks.dns, times.upstreamDnsUs);
    this.#takeOne(marks.tcp, times.upstreamTcpUs);
    this.#takeOne(marks.connected, times.upstreamConnectUs);
    this.#takeOne(marks.head, times.upstreamHeadUs, status);
  }

  #takeOne(mark: Mark, atUs: number, of?: Marked): void {
    if (atUs > 0) this.#add(mark, of, atUs);
  }

  #add(mark: number, of: Marked, atUs: number): void {
    const { count: index } = this;
    if (index >= marksMax) {
      this.left += 1;
      return;
    }
    this.#at[index] = atUs;
    this.#marks[index] = mark;
    this.#of[index] = of;
    this.count = index + 1;
  }

  /** What was marked, in the order in which it was; in whole microseconds. */
  *read(): Iterable<{
    readonly mark: number;
    readonly of: Marked;
    readonly atUs: number;
    readonly isResponse: boolean;
  }> {
    for (let index = 0; index < this.count; index += 1) {
      const mark = this.#marks[index] ?? 0;
      yield {
        mark: mark % ofResponse,
        of: this.#of[index],
        atUs: Math.max(0, Math.round(this.#at[index] ?? 0)),
        isResponse: mark >= ofResponse,
      };
    }
  }

  /** When the last byte of the backend's last answer was here, 0 where that was not. */
  get endUs(): PhaseMarks['upstreamEndUs'] {
    return this.#exchange?.marks.upstreamEndUs ?? 0;
  }
}
