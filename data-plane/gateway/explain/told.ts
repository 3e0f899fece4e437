import type { RecordedStep, StepList } from '../../../proto/model/records/step-list.ts';
import { stepLists } from '../../../proto/model/records/step-list.ts';
import type { Exchange, Outcome } from '../../http/exchange.ts';
import type { Rejection } from '../../policies/policy.ts';
import type { Subscription } from '../../security/subscriptions.ts';
import type { CompiledPlan } from '../compile/compile.ts';
import { type Marked, marks, type Trail } from './trail.ts';

/** A request whose steps are told. */
export interface ToldCall {
  readonly deployed: { readonly name: string };
  readonly request: { readonly contextPath: string; readonly host: string };
  readonly plan: CompiledPlan | undefined;
  readonly subscription: Subscription | undefined;
  readonly keyHash8: string | undefined;
  readonly errorKey: string | undefined;
  readonly errorMessage: string | undefined;
  /** What it was refused by. */
  readonly refusal: Rejection | undefined;
  readonly exchange: Pick<Exchange, 'startedMs' | 'marks'>;
}

type Told = Pick<RecordedStep, 'phase' | 'step' | 'decision'> & {
  readonly place?: string | undefined;
  readonly said?: string | undefined;
  /** When it ended; it began when the one before did. */
  readonly atUs: number;
  /** How many calls of backends had begun: of what ended in the same microsecond this comes first. */
  readonly after?: number | undefined;
};

/** One call of a backend. */
interface Attempt {
  readonly endpoint: Marked;
  readonly startUs: number;
  repeatedUs: number;
  dnsUs: number;
  tcpUs: number;
  connectedUs: number;
  headUs: number;
  status: Marked;
  failedUs: number;
  why: Marked;
  /** When nobody waited for it any more; 0 as long as nobody knows. */
  leftUs: number;
}

/**
 * Makes words of the marks of a request that is over.
 *
 * Each step begins where the one before it ended, so that what they took makes the whole. Texts are as they are: who writes them hides keys
 * and cuts them.
 */
export function tell(
  trail: Trail,
  call: ToldCall,
  { outcome, why }: { readonly outcome: Outcome; readonly why: StepList['for'] },
): StepList {
  const { marks: times } = call.exchange;
  trail.take(times);
  const { told, attempts } = gather(trail, call, outcome);
  attempts.forEach((attempt, index) => {
    const isLast = index === attempts.length - 1;
    const rows = toldOf(attempt, {
      number: index + 1,
      outcome,
      endUs: isLast ? times.upstreamEndUs : undefined,
    });
    told.push(...rows.map((row) => ({ ...row, after: index + 0.5 })));
  });
  told.push(answerOf(call, outcome));
  const steps: RecordedStep[] = [];
  let fromUs = 0;
  for (const { atUs, after: _, place, said, ...step } of told.toSorted(inOrder)) {
    const endUs = Math.max(fromUs, Math.min(atUs, outcome.totalUs));
    steps.push({
      ...step,
      ...(place !== undefined && place !== '' && { place }),
      from_us: fromUs,
      took_us: endUs - fromUs,
      ...(said !== undefined && { said }),
    });
    fromUs = endUs;
  }
  return cut(why, steps, trail.left);
}

const inOrder = (one: Told, other: Told): number =>
  one.atUs - other.atUs || (one.after ?? Infinity) - (other.after ?? Infinity);

/** What stands first and last says most. */
function cut(why: StepList['for'], steps: readonly RecordedStep[], left: number): StepList {
  const { stepsMax } = stepLists;
  const tail = Math.floor(stepsMax / 4);
  const kept =
    steps.length > stepsMax ? [...steps.slice(0, stepsMax - tail), ...steps.slice(-tail)] : [...steps];
  const leftOut = left + steps.length - kept.length;
  return { for: why, steps: kept, ...(leftOut > 0 && { left_out: leftOut }) };
}

function gather(
  trail: Trail,
  call: ToldCall,
  outcome: Outcome,
): { readonly told: Told[]; readonly attempts: readonly Attempt[] } {
  const told: Told[] = [];
  const attempts: Attempt[] = [];
  const refusal = call.refusal === undefined ? undefined : refusalWords(call.refusal, call);
  for (const { mark, of, atUs, isResponse } of trail.read(call.exchange.startedMs)) {
    const attempt = attempts.at(-1);
    if (attempt !== undefined && takesIn(attempt, mark, of, atUs)) continue;
    if (attempt !== undefined && attempt.leftUs === 0) attempt.leftUs = atUs;
    if (mark === marks.attempt) attempts.push(attemptAt(of, atUs));
    else if (mark === marks.matched) told.push(matchOf(call, atUs));
    else if (mark === marks.admitted) told.push(...admissionOf(call, atUs));
    else if (mark !== marks.unfinished || !isEndpoint(of)) {
      const step = mark === marks.bodyRead ? bodyOf(isResponse) : stepOf(mark, of, isResponse);
      told.push({ ...step, atUs, after: attempts.length, ...(isRefusal(mark) && { said: refusal }) });
    }
  }
  // Refused before anybody asked for a plan.
  if (told.length === 0 && refusal !== undefined)
    told.push({ ...matchOf(call, outcome.totalUs), decision: 'refused', said: refusal });
  return { told, attempts };
}

/** How long a backend was waited for stands with its call. */
const isEndpoint = (of: Marked): boolean => typeof of === 'object' && 'kind' in of && of.kind === 'endpoint';

/** A step needed it whole. */
const bodyOf = (isResponse: boolean): Omit<Told, 'atUs'> =>
  isResponse
    ? { phase: 'response', step: 'response-body', decision: 'passed' }
    : { phase: 'request', step: 'request-body', decision: 'passed' };

const isRefusal = (mark: number): boolean => mark === marks.refused || mark === marks.leftRefused;

function refusalWords({ key, status, message }: Rejection, { errorMessage }: ToldCall): string {
  return `${key} ${status}: ${errorMessage ?? message}`;
}

const matchOf = ({ deployed, request }: ToldCall, atUs: number): Told => ({
  phase: 'entry',
  step: 'match',
  decision: 'passed',
  said: `${request.contextPath === '' ? '/' : request.contextPath} on ${request.host}: ${deployed.name}`,
  atUs,
  after: 0,
});

/** A plan is found together with the subscription, so all the time is the plan's. */
function admissionOf({ plan, subscription, keyHash8 }: ToldCall, atUs: number): readonly Told[] {
  const entry = { phase: 'entry', decision: 'passed', atUs, after: 0 } as const;
  const found = { ...entry, step: 'plan', said: plan && `${plan.id}, ${plan.securityType}` };
  if (subscription === undefined) return [found];
  const key = keyHash8 === undefined ? '' : `, key ${keyHash8}`;
  const said = `${subscription.id} of application ${subscription.application}${key}`;
  return [found, { ...entry, step: 'subscription', said }];
}

const decisions: ReadonlyMap<number, RecordedStep['decision']> = new Map([
  [marks.skipped, 'skipped'],
  [marks.answered, 'answered'],
  [marks.refused, 'refused'],
  [marks.broken, 'failed'],
  [marks.unfinished, 'unfinished'],
  [marks.leftAnswered, 'answered'],
  [marks.leftRefused, 'refused'],
  [marks.leftFailed, 'failed'],
]);

const words: ReadonlyMap<number, string> = new Map([
  [marks.skipped, 'its condition does not hold'],
  [marks.broken, 'it threw, which the log of the gateway tells'],
  [marks.unfinished, 'it was not done when the time was over'],
  [marks.asked, 'asks the backend'],
]);

function stepOf(mark: number, of: Marked, isResponse: boolean): Omit<Told, 'atUs'> {
  const isAround = mark === marks.asked || (mark >= marks.leftPassed && mark <= marks.leftFailed);
  const decision = decisions.get(mark) ?? 'passed';
  const said = words.get(mark);
  // Nobody could be let in.
  if (typeof of !== 'object' || !('kind' in of)) return { phase: 'entry', step: 'plan', decision, said };
  if (of.kind === 'endpoint') return { phase: 'backend', step: of.kind, decision, said };
  const phase = isAround ? 'around' : isResponse ? 'response' : 'request';
  return { phase, step: of.kind, decision, place: of.at, said };
}

const attemptAt = (endpoint: Marked, startUs: number): Attempt => ({
  endpoint,
  startUs,
  repeatedUs: 0,
  dnsUs: 0,
  tcpUs: 0,
  connectedUs: 0,
  headUs: 0,
  status: undefined,
  failedUs: 0,
  why: undefined,
  leftUs: 0,
});

/** Whether a mark tells of the call that was last begun. */
// oxlint-disable-next-line max-params -- the parts of a mark
function takesIn(attempt: Attempt, mark: number, of: Marked, atUs: number): boolean {
  switch (mark) {
    case marks.repeated:
      attempt.repeatedUs = atUs;
      return true;
    case marks.dns:
      attempt.dnsUs = atUs;
      return true;
    case marks.tcp:
      attempt.tcpUs = atUs;
      return true;
    case marks.connected:
      attempt.connectedUs = atUs;
      return true;
    case marks.head:
      attempt.headUs = atUs;
      attempt.status = of;
      return true;
    case marks.failed:
      attempt.failedUs = atUs;
      attempt.why = of;
      return true;
    default:
      return false;
  }
}

const goneConnection = 'one that was kept had gone; the request was sent again';

/** endUs: when its body was whole, 0 for never; undefined for a call whose answer nobody took. */
function toldOf(
  attempt: Attempt,
  {
    number,
    outcome,
    endUs,
  }: { readonly number: number; readonly outcome: Outcome; readonly endUs: number | undefined },
): readonly Told[] {
  const { startUs, repeatedUs, dnsUs, tcpUs, connectedUs, headUs, failedUs } = attempt;
  const { name, url } = namesOf(attempt.endpoint);
  const backend = { phase: 'backend', decision: 'passed' } as const;
  const again = number === 1 ? '' : `, call ${number}`;
  const told: Told[] = [{ ...backend, step: 'endpoint', said: `${name}, ${url}${again}`, atUs: startUs }];
  if (repeatedUs > 0)
    told.push({
      phase: 'backend',
      step: 'connection',
      decision: 'failed',
      said: goneConnection,
      atUs: repeatedUs,
    });
  if (dnsUs > 0) told.push({ ...backend, step: 'dns', atUs: dnsUs });
  if (tcpUs > 0) told.push({ ...backend, step: 'connect', said: 'a new connection', atUs: tcpUs });
  if (connectedUs > 0 && tcpUs > 0 && url.startsWith('https:'))
    told.push({ ...backend, step: 'tls', atUs: connectedUs });
  if (connectedUs > startUs && tcpUs === 0)
    told.push({ ...backend, step: 'connect', said: 'waited for a connection', atUs: connectedUs });
  if (headUs === 0) {
    const step = connectedUs > 0 ? 'first-byte' : tcpUs > 0 ? 'tls' : dnsUs > 0 ? 'connect' : 'dns';
    const atUs = failedUs > 0 ? failedUs : attempt.leftUs > 0 ? attempt.leftUs : outcome.totalUs;
    const why = failedUs > 0 ? textOf(attempt.why) : 'nobody waited for it any longer';
    return [
      ...told,
      { phase: 'backend', step, decision: failedUs > 0 ? 'failed' : 'abandoned', said: why, atUs },
    ];
  }
  const kept = connectedUs === startUs ? ', on a connection that was open' : '';
  told.push({ ...backend, step: 'first-byte', said: `${textOf(attempt.status)}${kept}`, atUs: headUs });
  if (endUs === undefined || endUs === headUs || attempt.status === 101) return told;
  if (endUs > 0) told.push({ ...backend, step: 'body', atUs: endUs });
  else told.push({ phase: 'backend', step: 'body', decision: 'unfinished', atUs: outcome.totalUs });
  return told;
}

const textOf = (of: Marked): string => (typeof of === 'object' ? '' : String(of));

const namesOf = (endpoint: Marked): { readonly name: string; readonly url: string } =>
  typeof endpoint === 'object' && 'url' in endpoint ? endpoint : { name: 'endpoint', url: '' };

function answerOf({ errorKey }: ToldCall, { kind, status, responseBytes, totalUs, refusal }: Outcome): Told {
  const decision = { complete: 'passed', clientAborted: 'abandoned', upstreamAborted: 'failed' } as const;
  const key = errorKey ?? refusal;
  const ended = {
    complete: '',
    clientAborted: '; the client went away',
    upstreamAborted: '; the backend broke off',
  };
  const said = `${status === 0 ? 'nothing' : status}${key === undefined ? '' : ` ${key}`}, ${responseBytes} bytes${ended[kind]}`;
  return { phase: 'answer', step: 'answer', decision: decision[kind], said, atUs: totalUs };
}
