import type { ApiKeyPayload } from '../../../proto/wire/payloads.ts';
import {
  type Body,
  type Exchange,
  type Outcome,
  type ResponseHead,
  type UpstreamResult,
  type UpstreamUpgrade,
} from '../../http/exchange.ts';
import type {
  Answer,
  BackendAnswer,
  PolicyRequest,
  PolicyResponse,
  Rejection,
} from '../../policies/policy.ts';
import { BackendCalls, type Sendable } from '../steps/around.ts';
import { createAttributes } from './attributes.ts';
import type { CompiledApi, CompiledPlan } from '../compile/compile.ts';
import type { CallOptions } from './call-options.ts';
import { readInto } from '../steps/content.ts';
import { type Cors } from '../compile/cors.ts';
import { withoutKey } from '../../security/credentials.ts';
import type { Deadline } from './deadlines.ts';
import type { DeployedApi } from '../deploy/deployed.ts';
import { type ErrorWriter, writePlainError } from '../errors/error-answer.ts';
import { errorHeadOf, headOf, requestFor } from './heads.ts';
import { setIds, transactionIdOf } from './forwarded.ts';
import { type BrokenStep, type KeepingCall, KeptSteps } from '../steps/kept.ts';
import type { Steps } from '../compile/pipeline.ts';
import { selectPlan } from '../../security/plans.ts';
import { factsOf, type RecordedCall } from './records.ts';
import { hasNullByte, refusalOfUnread, refusals, upstreamRefusals } from '../errors/refusals.ts';
import {
  type Phase,
  type RunningCall,
  runSteps,
  type StepsResult,
  type UnreadBody,
} from '../steps/run-steps.ts';
import { sendTo } from './send.ts';
import { type Stream, streamKindOf } from '../streams/streams.ts';
import type { Subscription } from '../../security/subscriptions.ts';

/**
 * One request on its way: security, request flows, backend, response flows, record.
 *
 * It goes from one step to the next by plain calls and turns asynchronous only where a policy or the backend does, so
 * that a request without waiting costs no promise. It is answered exactly once: whoever comes late (a backend after the
 * request's deadline) finds `isAnswered` and lets go of what it holds.
 */
export class Call implements RunningCall, KeepingCall, Deadline, RecordedCall {
  readonly exchange: Exchange;
  readonly startedAtMs: number;
  readonly requestId: string;
  readonly transactionId: string;
  readonly request: PolicyRequest;
  readonly receivedMethod: string;
  readonly receivedPathInfo: string;
  response: PolicyResponse | undefined = undefined;
  mappedPath: string | undefined = undefined;
  keyHash8: string | undefined = undefined;
  endpointUrl: string | undefined = undefined;
  userAgent: string | undefined = undefined;
  errorKey: string | undefined = undefined;
  errorMessage: string | undefined = undefined;
  warnings: { readonly key: string; readonly message: string }[] | undefined = undefined;
  dueMs = 0;
  previousDeadline: Deadline | undefined = undefined;
  nextDeadline: Deadline | undefined = undefined;

  private readonly deployed: DeployedApi;
  private readonly options: CallOptions;
  private plan: CompiledPlan | undefined = undefined;
  private subscription: Subscription | undefined = undefined;
  private key: ApiKeyPayload | undefined = undefined;
  private steps: Steps | undefined = undefined;
  private cors: Cors | undefined = undefined;
  private answerHeaders: [name: string, value: string][] | undefined = undefined;
  private lazyAttributes: Map<string, unknown> | undefined = undefined;
  private lazyKept: KeptSteps | undefined = undefined;
  private isAnswered = false;
  private isBodyTaken = false;
  /** The backend's answer, until it is sent: nobody else lets go of it. */
  private upstreamBody: Body | undefined = undefined;
  /** ... while steps around the backend have it in hand. */
  private backendCalls: BackendCalls | undefined = undefined;
  /** What is answered, until a step needs it whole. */
  private answerBody: Body | Uint8Array | string = '';

  constructor(
    exchange: Exchange,
    { deployed, contextPath }: { readonly deployed: DeployedApi; readonly contextPath: string },
    options: CallOptions,
  ) {
    const { request } = exchange;
    this.exchange = exchange;
    this.deployed = deployed;
    this.options = options;
    this.startedAtMs = exchange.startedAtMs;
    this.requestId = options.nextRequestId();
    this.transactionId = transactionIdOf(request.headers, this.requestId);
    this.receivedMethod = request.method;
    this.receivedPathInfo = contextPath === '' ? request.path : request.path.slice(contextPath.length);
    const remoteAddress = options.forwarding.clientOf(request);
    this.request = requestFor(request, { contextPath, pathInfo: this.receivedPathInfo, remoteAddress });
  }

  get attributes(): Map<string, unknown> {
    const { request, plan, subscription, deployed } = this;
    return (this.lazyAttributes ??= createAttributes({ request, plan, subscription, deployed }));
  }

  get kept(): KeptSteps {
    return (this.lazyKept ??= new KeptSteps(this));
  }

  get isOver(): boolean {
    return this.isAnswered || this.exchange.isAborted;
  }

  warn(key: string, message: string): void {
    (this.warnings ??= []).push({ key, message });
  }

  setAnswerHeader(name: string, value: string): void {
    (this.answerHeaders ??= []).push([name, value]);
  }

  onDeadline(): void {
    this.attempt(() => this.refuse(refusals.requestTimeout));
  }

  /** Runs the request to its answer. */
  start(): void {
    try {
      this.admit();
    } catch (error) {
      this.fail(error);
    }
  }

  private admit(): void {
    const { exchange, deployed } = this;
    const { compiled } = deployed;
    const { request } = exchange;
    if (deployed.recorders !== undefined && compiled?.isRecorded !== false) {
      this.userAgent = request.headers.get('user-agent');
      exchange.beforeEnd = (outcome) => this.record(outcome);
    }
    if (compiled === undefined) return this.refuse(refusals.notDeployed);
    this.mappedPath = compiled.mapPath?.(this.receivedPathInfo);
    if (compiled.rejectsNullByte && hasNullByte(request.path, request.query))
      return this.refuse(refusals.nullByte);
    this.cors = compiled.corsOf(this.request.contextPath, request.host);
    if (this.cors?.isPreflight(request) === true) return this.answerPreflight(this.cors);
    this.options.forwarding.extend(request);
    setIds(request.headers, this.transactionId, this.requestId);
    const plan = this.selectPlan(compiled);
    if (plan === undefined) return;
    this.steps = plan.pipeline(this.request.pathInfo, this.request.method);
    if (this.steps === undefined) return this.refuse(refusals.noFlow);
    this.options.deadlines.add(this);
    this.runRequest(compiled, this.steps);
  }

  private selectPlan(compiled: CompiledApi): CompiledPlan | undefined {
    const { places } = this.options;
    const admission = selectPlan(compiled, this.exchange.request, {
      api: this.deployed.id,
      subscriptions: this.deployed.subscriptions,
      places,
      nowMs: this.startedAtMs,
    });
    this.keyHash8 = admission.keyHash8;
    const { query, headers } = this.exchange.request;
    if (admission.kind === 'refused') {
      this.refuse(admission.refusal);
      return undefined;
    }
    this.plan = admission.plan;
    this.subscription = admission.subscription;
    this.key = admission.key;
    if (!admission.plan.propagatesKey) this.request.query = withoutKey(headers, query, places);
    return admission.plan;
  }

  private runRequest(compiled: CompiledApi, steps: Steps): void {
    if (steps.request.length === 0) return this.callBackend(compiled, steps, undefined);
    const result = runSteps(steps.request, 'request', this);
    if (result instanceof Promise)
      this.continueWith(result, (late) => this.callBackend(compiled, steps, late));
    else this.callBackend(compiled, steps, result);
  }

  readContent(phase: Phase): Promise<void> | undefined {
    const { request, response, answerBody, exchange } = this;
    const { bodyBytesMax } = this.options;
    if (phase === 'response')
      return response === undefined ? undefined : readInto(response, answerBody, bodyBytesMax);
    this.isBodyTaken = true;
    return readInto(request, exchange.request.body, bodyBytesMax);
  }

  private callBackend(compiled: CompiledApi, { around }: Steps, result: StepsResult): void {
    if (result !== undefined) return this.answerInstead(result);
    if (around.length === 0) {
      const refusal = this.send(compiled, this, (received) => {
        try {
          this.receive(received);
        } catch (error) {
          this.fail(error);
        }
      });
      return refusal === undefined ? undefined : this.refuse(refusal);
    }
    this.backendCalls = new BackendCalls(this, (request, receive) => this.send(compiled, request, receive));
    this.continueWith(this.backendCalls.through(around), (answer) => this.receiveThrough(answer));
  }

  private send(
    { endpoints }: CompiledApi,
    request: Sendable,
    receive: (result: UpstreamResult) => void,
  ): Rejection | undefined {
    const endpoint = endpoints.next();
    if (endpoint === undefined) return refusals.noEndpoint;
    this.endpointUrl = endpoint.url;
    // Replaced by a step that did not read it.
    if (this.request.content !== undefined && !this.isBodyTaken) this.exchange.request.body.discard();
    this.isBodyTaken = true;
    sendTo(endpoint, request, receive);
    return undefined;
  }

  private receiveThrough(answer: BackendAnswer | BrokenStep): void {
    const { kind } = answer;
    if (kind === 'response' || kind === 'upgrade' || kind === 'failure') this.receive(answer);
    else this.answerInstead(answer);
  }

  /** What steps say in the backend's place. */
  private answerInstead(result: Answer | Rejection | BrokenStep | UnreadBody): void {
    switch (result.kind) {
      case 'answer':
        return this.runResponse(headOf(this.exchange, result), result.body);
      case 'reject':
        return this.refuse(result);
      case 'broken':
        this.tellBroken(result);
        return this.refuse(refusals.policyFailed);
      case 'unread':
        return this.failBody(result.error);
    }
  }

  private receive(result: UpstreamResult): void {
    if (this.isAnswered) return result.kind === 'response' ? result.body.discard() : undefined;
    switch (result.kind) {
      case 'response':
        this.upstreamBody = result.body;
        return this.runResponse(result.head, result.body);
      case 'upgrade':
        return this.openTunnel(result.upgrade);
      case 'failure':
        if (this.exchange.isAborted) return this.settle();
        return this.refuse(upstreamRefusals[result.failure], result.message);
    }
  }

  private runResponse(head: ResponseHead, body: Body | Uint8Array | string): void {
    if (this.isAnswered) return;
    const { steps } = this;
    if (steps === undefined || steps.response.length === 0) return this.respond(head, body);
    const { status, reason, headers } = head;
    const response: PolicyResponse = { status, reason, headers, content: undefined };
    this.response = response;
    this.answerBody = body;
    const finish = (result: StepsResult): void => {
      if (result !== undefined && result.kind !== 'answer') return this.answerInstead(result);
      if (response.status !== head.status && response.reason === head.reason) response.reason = undefined;
      if (result === undefined && response.content === undefined) return this.respond(response, body);
      this.upstreamBody?.discard();
      if (result === undefined) this.respond(response, response.content);
      else this.respond(headOf(this.exchange, result), result.body);
    };
    const result = runSteps(steps.response, 'response', this);
    if (result instanceof Promise) this.continueWith(result, finish);
    else finish(result);
  }

  private respond(head: ResponseHead, body: Body | Uint8Array | string | undefined): void {
    if (this.isAnswered) return;
    const { headers } = head;
    setIds(headers, this.transactionId, this.requestId);
    this.cors?.addTo(headers, this.exchange.request);
    for (const [name, value] of this.answerHeaders ?? []) headers.set(name, value);
    // Only now: until here another answer can take the place of one that threw.
    this.settle();
    this.options.onAnswer?.(head.status);
    const kind = streamKindOf(headers, body);
    const stream = kind === undefined ? undefined : this.streamOf(kind);
    this.exchange.respond({ status: head.status, reason: head.reason, headers }, body);
    stream?.begin();
  }

  private openTunnel(upgrade: UpstreamUpgrade): void {
    this.settle();
    this.options.onAnswer?.(101);
    const stream = this.streamOf('tunnel');
    this.exchange.tunnel(upgrade);
    stream?.begin();
  }

  private streamOf(kind: Stream['kind']): Stream | undefined {
    const { plan, subscription, key, deployed } = this;
    if (plan === undefined) return undefined;
    const owner = { deployed, plan, subscription, key, request: this.exchange.request };
    return this.options.streams.create(this, owner, kind);
  }

  private answerPreflight(cors: Cors): void {
    const allowed = cors.answerPreflight(this.exchange.request);
    this.cors = undefined;
    if (allowed === undefined) return this.refuse(refusals.preflight(cors.errorStatus));
    this.exchange.request.body.discard();
    this.respond(headOf(this.exchange, { status: 200, headers: allowed }), undefined);
  }

  private refuse(refusal: Rejection, internal?: string): void {
    if (this.isAnswered) return;
    this.errorKey = refusal.key;
    this.errorMessage = internal ?? refusal.message;
    const write: ErrorWriter = this.deployed.compiled?.errors ?? writePlainError;
    const answer = write(refusal, this.exchange.request.headers.get('accept'));
    const head = errorHeadOf(this.exchange, answer);
    if (!this.isBodyTaken) this.exchange.request.body.discard();
    this.upstreamBody?.discard();
    this.backendCalls?.letGo(undefined);
    this.respond(head, answer.body);
  }

  tellBroken({ at, error }: BrokenStep): void {
    this.options.onThrown(error, { api: this.deployed.id, requestId: this.requestId, at });
  }

  /** A body that a policy wanted whole did not come. */
  private failBody(error: unknown): void {
    const refused = refusalOfUnread(error, this.endpointUrl !== undefined);
    if (refused === undefined) throw error;
    return this.refuse(refused.refusal, refused.internal);
  }

  /**
   * Something threw: a bug. It is told once and answered as one, in the publisher's words, or in the engine's when those are what threw.
   * Never throws.
   */
  private fail(error: unknown): void {
    this.options.onThrown(error, { api: this.deployed.id, requestId: this.requestId, at: undefined });
    if (!this.isAnswered) {
      try {
        return this.refuse(refusals.bug);
      } catch {
        this.options.onAnswer?.(refusals.bug.status);
      }
    }
    this.settle();
    this.exchange.giveUp();
  }

  private attempt(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.fail(error);
    }
  }

  /** Goes on when a promise is there, unless the request was answered meanwhile or its client has gone. */
  private continueWith<T>(promise: Promise<T>, next: (value: T) => void): void {
    const goOn = (work: () => void): void => {
      if (this.exchange.isAborted) this.settle();
      if (!this.isAnswered) this.attempt(work);
    };
    void promise.then(
      // oxlint-disable-next-line promise/no-callback-in-promise -- the pipeline goes on by callbacks where a policy was asynchronous
      (value) => goOn(() => next(value)),
      (error: unknown) => goOn(() => this.fail(error)),
    );
  }

  private settle(): void {
    this.isAnswered = true;
    this.options.deadlines.remove(this);
  }

  private record(outcome: Outcome): Promise<void> | undefined {
    return this.deployed.recorders?.of(this.plan, this.subscription).write(factsOf(this, outcome));
  }
}
