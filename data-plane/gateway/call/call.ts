import type { Surroundings } from '../../../proto/expression/scope.ts';
import type { Work } from '../../../proto/expression/work.ts';
import { invariant } from '../../../proto/faults/fault.ts';
import type { Body, EndListener, Exchange, Outcome, ResponseHead } from '../../http/exchange.ts';
import type {
  Blame,
  PassingBody,
  PolicyConnection,
  PolicyRequest,
  PolicyResponse,
  Rejection,
  StepPlace,
} from '../../policies/policy.ts';
import type { Subscription } from '../../security/subscriptions.ts';
import type { CompiledPlan } from '../compile/compile.ts';
import type { Cors } from '../compile/cors.ts';
import type { OrganizationFlows } from '../compile/organization.ts';
import { paramsOf } from '../compile/path-params.ts';
import type { FlowGate, Gate } from '../compile/gate.ts';
import type { Steps } from '../compile/pipeline.ts';
import type { DeployedApi } from '../deploy/deployed.ts';
import { refusals } from '../errors/refusals.ts';
import type { BackendCalls } from '../steps/around.ts';
import { type BrokenStep, type KeepingCall, KeptSteps } from '../steps/kept.ts';
import type { Endpoint } from '../../endpoints/group.ts';
import type { Retry } from '../../endpoints/groups.ts';
import { PhaseBody } from '../steps/phase-body.ts';
import type { Phase, RunningCall } from '../steps/run-steps.ts';
import { attempt, refuse } from './answer.ts';
import { CallAttributes } from './attributes.ts';
import type { CallOptions } from './call-options.ts';
import type { Deadline } from './deadlines.ts';
import { transactionIdOf } from './forwarded.ts';
import { marks, type Trail } from '../explain/trail.ts';
import type { CallLog } from '../logs/call-log.ts';
import { requestFor } from './heads.ts';
import { waitsOn } from './patience.ts';
import { record, type RecordedCall } from './records.ts';
import { listenLater, type Stage, type Way } from './stage.ts';

const noParams: ReadonlyMap<string, readonly string[]> = new Map();

/** Whom a request is for, and by which of its paths. */
interface Addressee {
  readonly deployed: DeployedApi;
  readonly contextPath: string;
}

/**
 * The facts of one request: what it asks, whom it belongs to, how far it has come.
 *
 * What happens to it happens in stages (`stage.ts`), each of which reads some of these facts and writes others. It is answered exactly
 * once: whoever comes late (a backend after the request's deadline) finds `isAnswered` and lets go of what it holds.
 */
export class Call implements RunningCall, KeepingCall, Deadline, EndListener, RecordedCall {
  readonly exchange: Exchange;
  readonly deployed: DeployedApi;
  readonly options: CallOptions;
  readonly startedAtMs: number;
  readonly requestId: string;
  readonly transactionId: string;
  request: PolicyRequest;
  readonly receivedMethod: string;
  readonly receivedPathInfo: string;
  /** What else the path may mean to whoever stands behind. */
  otherPathInfos: readonly string[] = [];
  /** `Via` as it came: whatever policies do with it, it goes on. */
  receivedVia: string | undefined = undefined;
  userAgent: string | undefined = undefined;
  mappedPath: string | undefined = undefined;
  cors: Pick<Cors, 'addTo'> | undefined = undefined;
  /** What is said in it; undefined where nothing is logged. */
  log: CallLog | undefined = undefined;
  /** When its steps ended; undefined where nobody notes it, and when it is over. */
  trail: Trail | undefined = undefined;
  /** Of the trace that it is part of, where its API passes that on. */
  traceId: string | undefined = undefined;

  /** Its stages, those that it is at, and how many of them it has entered. */
  way: Way | undefined = undefined;
  stages: readonly Stage[] = [];
  entered = 0;

  /** Of its environment as it was when the request came; undefined where there are none. */
  readonly organizationFlows: OrganizationFlows | undefined;
  /** What of them runs for it, from the stage of its way in until its answer has passed. */
  organizationSteps: Steps | undefined = undefined;

  // Who calls: from `admit` on.
  plan: CompiledPlan | undefined = undefined;
  subscription: Subscription | undefined = undefined;
  proof: unknown = undefined;
  keyHash8: string | undefined = undefined;
  /** What runs for it. */
  steps: Steps | undefined = undefined;

  // The call of the backend.
  retry: Retry | undefined = undefined;
  /** Whom it was sent to, and last. */
  endpoint: Endpoint | undefined = undefined;
  /** Somebody has read the request's body, sends it, or has let go of it. */
  isBodyTaken = false;
  /** The backend's answer, until it is sent: nobody else lets go of it. */
  upstreamBody: Body | undefined = undefined;
  /** ... while steps around the backend have it in hand. */
  backendCalls: BackendCalls | undefined = undefined;

  // The answer: from `beginAnswer` on.
  answerHead: ResponseHead | undefined = undefined;
  answerBody: Body | Uint8Array | string | undefined = undefined;
  /** ... as steps see and change it. */
  response: PolicyResponse | undefined = undefined;
  answerHeaders: [name: string, value: string][] | undefined = undefined;
  isAnswered = false;
  errorKey: string | undefined = undefined;
  errorMessage: string | undefined = undefined;
  refusal: Rejection | undefined = undefined;
  step: StepPlace | undefined = undefined;
  decided: Map<Gate | FlowGate, boolean> | undefined = undefined;
  work: Work | undefined = undefined;
  warnings: { readonly key: string; readonly message: string }[] | undefined = undefined;
  unmasked: RunningCall['unmasked'] = undefined;
  customMetrics: Map<string, string> | undefined = undefined;

  /** Its deadline has passed: nothing more is waited for. */
  isLate = false;
  /** Of its body, when its deadline had passed and it waited on. */
  uploadedBytes = 0;
  dueMs = 0;
  previousDeadline: Deadline | undefined = undefined;
  nextDeadline: Deadline | undefined = undefined;

  #attributes: CallAttributes | undefined = undefined;
  #pathParams: ReadonlyMap<string, readonly string[]> | undefined = undefined;
  #kept: KeptSteps | undefined = undefined;
  /** Its path is another reading of what was sent: nobody is warned of what fails then. */
  #isSupposed = false;
  #requestBody: PhaseBody | undefined = undefined;
  #responseBody: PhaseBody | undefined = undefined;

  constructor(exchange: Exchange, { deployed, contextPath }: Addressee, options: CallOptions) {
    const { request } = exchange;
    this.exchange = exchange;
    this.deployed = deployed;
    this.options = options;
    this.organizationFlows = deployed.around.organizationFlows?.compiled;
    this.startedAtMs = exchange.startedAtMs;
    this.requestId = options.nextRequestId();
    this.transactionId = transactionIdOf(request.headers, this.requestId);
    this.receivedMethod = request.method;
    this.receivedPathInfo = contextPath === '' ? request.path : request.path.slice(contextPath.length);
    const remoteAddress = options.forwarding.clientOf(request);
    this.request = requestFor(request, {
      id: this.requestId,
      transactionId: this.transactionId,
      contextPath,
      pathInfo: this.receivedPathInfo,
      remoteAddress,
    });
  }

  get attributes(): CallAttributes {
    return (this.#attributes ??= new CallAttributes(this));
  }

  /** Asks something with attributes that are there as long as it is asked. */
  withAttributes<Answer>(
    added: Iterable<readonly [name: string, value: unknown]>,
    ask: () => Answer,
  ): Answer {
    const before = this.#attributes;
    this.#attributes = before?.with(added) ?? new CallAttributes(this, added);
    try {
      return ask();
    } finally {
      this.#attributes = before;
    }
  }

  withPathInfo<Answer>(pathInfo: string, ask: () => Answer): Answer {
    const { request, plan } = this;
    const params = this.#pathParams;
    this.#isSupposed = true;
    this.request = { ...request, path: `${request.contextPath}${pathInfo}`, pathInfo };
    this.#pathParams = plan?.pathParams(pathInfo, this.receivedMethod);
    try {
      return ask();
    } finally {
      this.request = request;
      this.#pathParams = params;
      this.#isSupposed = false;
    }
  }

  get endpointUrl(): string | undefined {
    return this.endpoint?.url;
  }

  /** Where a step has routed it. */
  get route(): string | undefined {
    const route = this.#attributes?.whatWasSet('request.endpoint');
    return typeof route === 'string' && route !== '' ? route : undefined;
  }

  get connection(): PolicyConnection {
    return this.exchange.request;
  }

  get pathParams(): ReadonlyMap<string, readonly string[]> {
    const { plan, organizationFlows, receivedPathInfo, receivedMethod } = this;
    const first = organizationFlows?.pathParams;
    // Before the caller is known there is no flow of the API that could match.
    if (plan === undefined) return first?.(receivedPathInfo, receivedMethod) ?? noParams;
    return (this.#pathParams ??= paramsOf(first, plan.pathParams)(receivedPathInfo, receivedMethod));
  }

  get surroundings(): Surroundings {
    const { surroundings } = this.deployed;
    invariant(surroundings !== undefined, 'expressions belong to an API that compiled');
    return surroundings;
  }

  get kept(): KeptSteps {
    return (this.#kept ??= new KeptSteps(this));
  }

  get over(): AbortSignal {
    return this.kept.over;
  }

  /** Steps of the answer run from here on: those of the API, then those of the organization. */
  beginResponse(response: PolicyResponse): void {
    this.response = response;
    this.#responseBody = undefined;
  }

  /** The caller is known: attributes that flows of the organization have asked for say so from now on. */
  nameCaller(): void {
    this.#attributes?.nameCaller();
  }

  get isOver(): boolean {
    return this.isAnswered || this.exchange.isAborted;
  }

  /** The exchange has ended: it is measured and recorded. */
  onEnd(outcome: Outcome): Promise<void> | undefined {
    return record(this, outcome);
  }

  readContent(phase: Phase): Promise<void> | undefined {
    if (phase === 'request') this.isBodyTaken = true;
    return this.#phaseBody(phase).read(this.options.bodyBytesMax);
  }

  passing(phase: Phase, at: string): PassingBody {
    return this.#phaseBody(phase).passing(listenLater(this, phase, at));
  }

  /** The request's, as it comes. */
  get receivedBody(): Body {
    return this.log?.requestBody ?? this.exchange.request.body;
  }

  /** The request's, as its steps left it; what is in `request.content` goes before it. */
  get body(): Body {
    return this.#requestBody?.transformed ?? this.receivedBody;
  }

  /** The answer's, once a step transforms it; what is in `response.content` goes before it. */
  get transformedAnswer(): Body | undefined {
    return this.#responseBody?.transformed;
  }

  #phaseBody(phase: Phase): PhaseBody {
    if (phase === 'request')
      return (this.#requestBody ??= new PhaseBody(this.request, this.receivedBody, false));
    const { response, answerBody = '' } = this;
    invariant(response !== undefined, 'an answer is there before its steps run');
    return (this.#responseBody ??= new PhaseBody(response, answerBody, true));
  }

  warn(key: string, message: string, { step = this.step, isCallers = false }: Blame = {}): void {
    if (this.#isSupposed) return;
    (this.warnings ??= []).push({ key, message });
    const { kind = 'plan', at } = step ?? {};
    this.options.onWarning({ api: this.deployed.id, step: kind, at, key, message, isCallers });
  }

  setAnswerHeader(name: string, value: string): void {
    (this.answerHeaders ??= []).push([name, value]);
  }

  tellBroken({ at, error }: BrokenStep): void {
    this.options.onThrown(error, { api: this.deployed.id, requestId: this.requestId, at });
  }

  onDeadline(): void {
    if (waitsOn(this)) return;
    this.isLate = true;
    this.trail?.mark(marks.unfinished, this.step);
    attempt(this, () => refuse(this, refusals.requestTimeout));
  }
}
