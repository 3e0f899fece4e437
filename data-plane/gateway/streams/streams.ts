import type { Clock } from '../../../proto/process/clock.ts';
import type { Body, Exchange, HeaderList, Outcome, StreamEnding } from '../../http/exchange.ts';
import { Deadlines, type Deadline } from '../call/deadlines.ts';

/** Whose a stream is, as it was let in: what has to hold for it to go on. */
export interface StreamOwner {
  readonly deployed: { readonly environment: string; readonly id: string };
  readonly plan: { readonly id: string; readonly securityType: string };
  /** Undefined for a plan without. */
  readonly subscription: { readonly id: string } | undefined;
  /** What its plan's security wants to know when it is asked again. */
  readonly proof: unknown;
  readonly request: { readonly host: string; readonly path: string; readonly server?: string | undefined };
}

/** What an owner's claim is worth. */
export type Claim =
  /** untilMs: wall clock, when the key or the subscription ends; Infinity for never. */
  { readonly kind: 'holds'; readonly untilMs: number } | { readonly kind: 'over'; readonly why: StreamOver };

/** Why a stream is ended, for its reader and for its record. */
export interface StreamOver {
  readonly ending: StreamEnding;
  /** What a new request would be refused with; undefined when it would not. */
  readonly errorKey: string | undefined;
}

/** The record of the request that the stream answers. */
interface StreamCall {
  readonly exchange: Exchange;
  errorKey: string | undefined;
  errorMessage: string | undefined;
}

/** Ends of the gateway's own. */
const streamEnds = {
  stopping: { ending: { code: 1001, reason: 'the gateway stops' }, errorKey: undefined },
  tooOld: { ending: { code: 1001, reason: 'the longest life of a stream has passed' }, errorKey: undefined },
} as const satisfies Readonly<Record<string, StreamOver>>;

/** An answer without a length that lives so long is taken for endless; most are short and cost no more than a place in a queue. */
const youngMs = 500;
/** Between two looks at ends that lie in time. */
const lookMs = 250;
/** Streams that are ended in one turn of the event loop; each costs some system calls. */
const endsPerTurn = 100;

/**
 * A tunnel, or an answer that need not have an end.
 *
 * kind: `events` ends properly, since its reader takes what came for whole; of `unknown` only the sender knows whether it would
 * have ended (or it has a length and has not come to it), so it is cut off.
 */
export class Stream implements Deadline {
  readonly call: StreamCall;
  readonly owner: StreamOwner;
  readonly kind: 'tunnel' | 'events' | 'unknown';
  /** When its owner's claim ends, wall clock. */
  untilMs = Infinity;
  /** When its longest life ends, monotonic. */
  oldMs = Infinity;
  isOver = false;
  dueMs = 0;
  previousDeadline: Deadline | undefined = undefined;
  nextDeadline: Deadline | undefined = undefined;
  readonly #streams: Streams;

  // oxlint-disable-next-line max-params -- made by Streams alone
  constructor(call: StreamCall, owner: StreamOwner, kind: Stream['kind'], streams: Streams) {
    this.call = call;
    this.owner = owner;
    this.kind = kind;
    this.#streams = streams;
  }

  /** It flows; it may be over already. */
  begin(): void {
    this.#streams.add(this);
  }

  /** An answer is no longer young. */
  onDeadline(): void {
    this.#streams.keep(this);
  }
}

/**
 * Everything that flows for longer than a request takes, by API and by subscription, so that it ends with them.
 *
 * A change looks at the streams of what it changed and at no others. What is not looked at yet (an upgrade that the backend has
 * not answered, a young answer) is judged when it comes here. Answers of a known length are not here, event streams excepted: they
 * run to their end.
 */
export class Streams {
  readonly #clock: Clock;
  readonly #lifeMsMax: number;
  readonly #judge: (owner: StreamOwner, nowMs: number) => Claim;
  readonly #onThrown: (error: unknown) => void;
  readonly #young: Deadlines;
  readonly #all = new Set<Stream>();
  readonly #byOwner = new Map<string, Set<Stream>>();
  readonly #ending: { readonly stream: Stream; readonly why: StreamOver }[] = [];
  #isTimed = false;
  #stopping: StreamOver | undefined = undefined;

  /** lifeMsMax: 0 is no bound. */
  constructor(options: {
    readonly clock: Clock;
    readonly lifeMsMax: number;
    readonly judge: (owner: StreamOwner, nowMs: number) => Claim;
    readonly onThrown: (error: unknown) => void;
  }) {
    this.#clock = options.clock;
    this.#lifeMsMax = options.lifeMsMax;
    this.#judge = options.judge;
    this.#young = new Deadlines({ ...options, afterMs: youngMs, graceMs: 0 });
    this.#onThrown = options.onThrown;
  }

  get size(): number {
    return this.#all.size;
  }

  /** Prepares for an answer that is about to begin; `Stream.begin` follows when it has. */
  create(call: StreamCall, owner: StreamOwner, kind: Stream['kind']): Stream {
    const stream = new Stream(call, owner, kind, this);
    const { exchange } = call;
    const before = exchange.beforeEnd;
    exchange.beforeEnd = {
      onEnd: (outcome: Outcome) => {
        this.#remove(stream);
        return before?.onEnd(outcome);
      },
    };
    return stream;
  }

  /** See Stream.begin. */
  add(stream: Stream): void {
    if (stream.isOver) return;
    if (stream.kind === 'unknown') this.#young.add(stream);
    else this.keep(stream);
  }

  /** Judges again what hangs on these APIs and subscriptions of an environment; undefined: on any. */
  review(
    environment: string,
    of: { readonly apis: Iterable<string>; readonly subscriptions: Iterable<string> } | undefined,
  ): void {
    if (this.#all.size === 0) return;
    const nowMs = this.#clock.now();
    if (of === undefined) {
      for (const stream of this.#all)
        if (stream.owner.deployed.environment === environment) this.#judgeAgain(stream, nowMs);
      return;
    }
    for (const [kind, ids] of [['api', of.apis] as const, ['subscription', of.subscriptions] as const])
      for (const id of ids)
        for (const stream of this.#byOwner.get(ownerKey(environment, kind, id)) ?? [])
          this.#judgeAgain(stream, nowMs);
  }

  /** The gateway stops: all end, and who comes later ends at once. */
  stop(): void {
    this.#stopping = streamEnds.stopping;
    for (const stream of this.#all) this.#end(stream, streamEnds.stopping);
  }

  /** From now on it is looked at. */
  keep(stream: Stream): void {
    if (this.#stopping !== undefined) return this.#end(stream, this.#stopping);
    this.#all.add(stream);
    for (const key of keysOf(stream.owner)) {
      const siblings = this.#byOwner.get(key);
      if (siblings === undefined) this.#byOwner.set(key, new Set([stream]));
      else siblings.add(stream);
    }
    if (this.#lifeMsMax > 0) {
      const ageMs = stream.kind === 'unknown' ? youngMs : 0;
      stream.oldMs = this.#clock.monotonicMs() + this.#lifeMsMax - ageMs;
    }
    this.#judgeAgain(stream, this.#clock.now());
    if (!this.#isTimed) this.#schedule();
  }

  #remove(stream: Stream): void {
    stream.isOver = true;
    this.#young.remove(stream);
    if (!this.#all.delete(stream)) return;
    for (const key of keysOf(stream.owner)) {
      const siblings = this.#byOwner.get(key);
      siblings?.delete(stream);
      if (siblings?.size === 0) this.#byOwner.delete(key);
    }
  }

  #judgeAgain(stream: Stream, nowMs: number): void {
    const claim = this.#judge(stream.owner, nowMs);
    if (claim.kind === 'over') this.#end(stream, claim.why);
    else stream.untilMs = claim.untilMs;
  }

  #schedule(): void {
    this.#isTimed = true;
    this.#clock.after(lookMs, () => this.#look());
  }

  #look(): void {
    this.#isTimed = false;
    const nowMs = this.#clock.now();
    const monotonicMs = this.#clock.monotonicMs();
    for (const stream of this.#all) {
      try {
        if (stream.untilMs <= nowMs) this.#judgeAgain(stream, nowMs);
      } catch (error) {
        // The next look asks again; the others are asked now.
        this.#onThrown(error);
      }
      if (stream.oldMs <= monotonicMs) this.#end(stream, streamEnds.tooOld);
    }
    if (this.#all.size > 0) this.#schedule();
  }

  /** Some in this turn, the others in the next ones, so that an API with 10,000 sockets does not keep everybody waiting. */
  #end(stream: Stream, why: StreamOver): void {
    if (this.#ending.push({ stream, why }) === 1) setImmediate(() => this.#endSome());
  }

  #endSome(): void {
    for (const { stream, why } of this.#ending.splice(0, endsPerTurn)) {
      if (stream.isOver) continue;
      const { call, kind } = stream;
      call.errorKey ??= why.errorKey;
      call.errorMessage ??= why.ending.reason;
      call.exchange.end(why.ending, kind === 'events');
    }
    if (this.#ending.length > 0) setImmediate(() => this.#endSome());
  }
}

/**
 * What an answer is to be ended as when its owner's claim ends; undefined for one that runs to its end.
 *
 * An event stream takes its time whether or not its head gives a length; with one it cannot end before that.
 */
export function streamKindOf(
  headers: HeaderList,
  body: Body | Uint8Array | string | undefined,
): Stream['kind'] | undefined {
  if (body === undefined || typeof body === 'string' || body instanceof Uint8Array) return undefined;
  const isEvents = eventStream.test(headers.get('content-type') ?? '');
  if (body.length === undefined) return isEvents ? 'events' : 'unknown';
  return isEvents ? 'unknown' : undefined;
}

const eventStream = /^text\/event-stream(?:$|[;\s])/i;

const ownerKey = (environment: string, kind: 'api' | 'subscription', id: string): string =>
  `${environment}\0${kind}\0${id}`;

function keysOf({ deployed: { environment, id }, subscription }: StreamOwner): readonly string[] {
  const key = ownerKey(environment, 'api', id);
  return subscription === undefined ? [key] : [key, ownerKey(environment, 'subscription', subscription.id)];
}
