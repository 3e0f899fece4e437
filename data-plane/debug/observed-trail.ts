import type { Call } from '../gateway/call/call.ts';
import { goOn, type Stage, type Way } from '../gateway/call/stage.ts';
import { ways, type Ways } from '../gateway/call/ways.ts';
import { type Mark, type Marked, marks, Trail } from '../gateway/explain/trail.ts';
import type { Attributes, StepPlace } from '../policies/policy.ts';
import type { HeaderLines } from '../report/logs/log-facts.ts';
import { answerNow, type Change, changesBetween, requestNow, type Snapshot } from './snapshot.ts';

/** The call as it is looked at. */
type ObservedCall = Pick<Call, 'request' | 'response' | 'attributes' | 'answerHead' | 'answerBody' | 'trail'>;

/** Of a copy: whoever asks for all of them has those of the call settled from then on. */
const attributesOf = ({ attributes }: ObservedCall): Attributes => attributes.with([]);

/** What steps changed, in the order in which their marks were made; see {@link ObservedTrail.changesOf}. */
type Seen = readonly Change[] | undefined;

/** A trail that looks at the request at each mark of a step. What that takes counts for the step behind. */
export class ObservedTrail extends Trail {
  readonly #call: ObservedCall;
  readonly #seen = new Map<string, Seen[]>();
  readonly #heads: HeaderLines[] = [];
  #request: Snapshot | undefined;
  #answer: Snapshot | undefined;

  /** body: the request's, as it comes. */
  constructor(call: ObservedCall, body: Uint8Array) {
    super();
    this.#call = call;
    this.#request = this.#look(requestNow(call.request, attributesOf(call), body));
  }

  override mark(mark: Mark, of: Marked, isResponse = false): void {
    super.mark(mark, of, isResponse);
    if (isStep(of)) {
      const phase = phaseOf(mark, isResponse);
      const key = keyOf(phase, of);
      const seen = this.#seen.get(key) ?? [];
      seen.push(phase === 'response' ? this.#answerChanges() : this.#requestChanges());
      this.#seen.set(key, seen);
    } else if (isResponse) this.#answerChanges();
    // A plan takes out what it was shown, and a body that was read is no change of a step.
    else this.#requestChanges();
  }

  /** What happened since the last look no step has done. */
  look(): void {
    this.#requestChanges();
  }

  /** An answer begins: what steps of the response find. */
  beginAnswer(): void {
    const { answerHead, answerBody } = this.#call;
    if (answerHead === undefined) return;
    const known =
      typeof answerBody === 'string'
        ? Buffer.from(answerBody)
        : answerBody instanceof Uint8Array
          ? answerBody
          : undefined;
    this.#answer = this.#look(answerNow(answerHead, attributesOf(this.#call), known));
  }

  /** What the next step of that name and place in that phase changed; undefined where nobody looked. */
  changesOf(phase: string, step: string, place: string | undefined): Seen {
    return this.#seen.get(keyOf(phase, { kind: step, at: place ?? '' }))?.shift();
  }

  /** All header lists that were seen. */
  get heads(): readonly HeaderLines[] {
    return this.#heads;
  }

  #requestChanges(): Seen {
    const { request } = this.#call;
    const before = this.#request;
    const now = this.#look(requestNow(request, attributesOf(this.#call), before?.content));
    this.#request = now;
    return before === undefined ? undefined : changesBetween(before, now);
  }

  #answerChanges(): Seen {
    const { response } = this.#call;
    const before = this.#answer;
    if (response === undefined) return undefined;
    const now = this.#look(answerNow(response, attributesOf(this.#call), before?.content));
    this.#answer = now;
    return before === undefined ? undefined : changesBetween(before, now);
  }

  #look(snapshot: Snapshot): Snapshot {
    this.#heads.push(snapshot.headers);
    return snapshot;
  }
}

/** Whoever looks on. */
interface Begun {
  /** Whether the call is the one that is looked at. */
  readonly isOurs: (call: Call) => boolean;
  readonly onBegun: (trail: ObservedTrail, call: Call) => void;
}

/** The ways of this version under the eyes of an observed trail; `onBegun` gets that of each call. */
export function observedWays(body: Uint8Array, { isOurs, onBegun }: Begun): Ways {
  const begin: Stage = (call) => {
    // Somebody else on this machine has found the port.
    if (!isOurs(call)) return call.exchange.giveUp();
    const trail = new ObservedTrail(call, body);
    call.trail = trail;
    onBegun(trail, call);
    goOn(call);
  };
  const beginAnswer: Stage = (call) => {
    if (call.trail instanceof ObservedTrail) call.trail.beginAnswer();
    goOn(call);
  };
  const look: Stage = (call) => {
    if (call.trail instanceof ObservedTrail) call.trail.look();
    goOn(call);
  };
  const observed = ({ request, answer, inOrganization, ...way }: Way): Way => ({
    ...way,
    request: [begin, ...request.flatMap((stage) => [look, stage])],
    answer: [beginAnswer, ...answer],
    ...(inOrganization !== undefined && { inOrganization: observed(inOrganization) }),
  });
  return { proxy: observed(ways.proxy) };
}

const isStep = (of: Marked): of is StepPlace =>
  typeof of === 'object' && 'kind' in of && of.kind !== 'endpoint';

/** As `told.ts` has it. */
function phaseOf(mark: Mark, isResponse: boolean): 'around' | 'request' | 'response' {
  if (mark === marks.asked || (mark >= marks.leftPassed && mark <= marks.leftFailed)) return 'around';
  return isResponse ? 'response' : 'request';
}

const keyOf = (phase: string, { kind, at }: StepPlace): string => `${phase} ${kind} ${at}`;
