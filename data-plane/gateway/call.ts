import type { ApiKeyPayload } from '../../proto/wire/payloads.ts';
import type { Endpoint } from '../endpoints/groups.ts';
import {
  type Body,
  BodyAborted,
  BodyTooLarge,
  type Exchange,
  type Outcome,
  type ResponseHead,
  type UpstreamResult,
  type UpstreamUpgrade,
} from '../http/exchange.ts';
import type { PolicyContext, PolicyRequest, PolicyResponse, Rejection, Verdict } from '../policies/policy.ts';
import { createAttributes } from './attributes.ts';
import type { CompiledApi, CompiledPlan } from './compile.ts';
import type { CallOptions } from './call-options.ts';
import { type Cors } from './cors.ts';
import { withoutKey } from './credentials.ts';
import type { Deadline } from './deadlines.ts';
import type { DeployedApi } from './deployed.ts';
import { type ErrorWriter, writePlainError } from './error-answer.ts';
import { setIds, transactionIdOf } from './forwarded.ts';
import type { Steps } from './pipeline.ts';
import { selectPlan } from './plans.ts';
import { factsOf, type RecordedCall } from './records.ts';
import { hasNullByte, refusals, upstreamRefusals } from './refusals.ts';
import { type BrokenStep, runSteps } from './run-steps.ts';
import { type Stream, streamKindOf } from './streams.ts';
import type { Subscription } from './subscriptions.ts';

/**
 * One request on its way: security, request flows, backend, response flows, record.
 *
 * It goes from one step to the next by plain calls and turns asynchronous only where a policy or the backend does, so
 * that a request without waiting costs no promise. It is answered exactly once: whoever comes late (a backend after the
 * request's deadline) finds `isAnswered` and lets go of what it holds.
 */
export class Call implements PolicyContext, Deadline, RecordedCall {
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
  private isAnswered = false;
  private isBodyTaken = false;
  /** The backend's answer, until it is sent: nobody else lets go of it. */
  private upstreamBody: Body | undefined = undefined;

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
    this.request = {
      method: request.method,
      path: request.path,
      pathInfo: this.receivedPathInfo,
      query: request.query,
      headers: request.headers,
      host: request.host,
      scheme: request.scheme,
      remoteAddress: options.forwarding.clientOf(request),
      contextPath,
      content: undefined,
    };
  }

  get attributes(): Map<string, unknown> {
    const { request, plan, subscription, deployed } = this;
    return (this.lazyAttributes ??= createAttributes({ request, plan, subscription, deployed }));
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
    if (!this.steps.needsRequestBody) return this.runRequest(compiled, this.steps);
    this.isBodyTaken = true;
    this.continueWith(request.body.buffer(this.options.bodyBytesMax), (content) => {
      this.request.content = content;
      if (this.steps !== undefined) this.runRequest(compiled, this.steps);
    });
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
    if (steps.request.length === 0) return this.callBackend(compiled, undefined);
    const verdict = runSteps(steps.request, 'onRequest', this);
    if (verdict instanceof Promise) this.continueWith(verdict, (late) => this.callBackend(compiled, late));
    else this.callBackend(compiled, verdict);
  }

  private callBackend(compiled: CompiledApi, verdict: Verdict | BrokenStep): void {
    if (verdict !== undefined) {
      if (verdict.kind === 'reject') return this.refuse(verdict);
      if (verdict.kind === 'broken') return this.failStep(verdict);
      const headers = this.exchange.createHeaders();
      for (const [name, value] of verdict.headers) headers.append(name, value);
      return this.runResponse({ status: verdict.status, headers }, verdict.body);
    }
    const endpoint = compiled.endpoints.next();
    if (endpoint === undefined) return this.refuse(refusals.noEndpoint);
    this.prepare(endpoint);
    const { request } = this;
    const isUpgrade = this.exchange.request.isUpgrade;
    this.isBodyTaken = true;
    endpoint.upstream.send(
      {
        method: request.method,
        target: endpoint.target.line(request.pathInfo, request.query),
        headers: request.headers,
        body: isUpgrade ? undefined : (request.content ?? this.exchange.request.body),
        exchange: this.exchange,
        isUpgrade,
      },
      (result) => {
        try {
          this.receive(result);
        } catch (error) {
          this.fail(error);
        }
      },
    );
  }

  private prepare(endpoint: Endpoint): void {
    const { headers } = this.request;
    this.endpointUrl = endpoint.url;
    for (const { name, value } of endpoint.headers) headers.set(name, value);
    headers.set(
      'Host',
      endpoint.propagatesHost ? this.exchange.request.authority : endpoint.target.authority,
    );
  }

  private receive(result: UpstreamResult): void {
    if (this.isAnswered) {
      if (result.kind === 'response') result.body.discard();
      return;
    }
    switch (result.kind) {
      case 'response':
        this.upstreamBody = result.body;
        return this.runResponse(result.head, result.body);
      case 'upgrade':
        return this.openTunnel(result.upgrade);
      case 'failure':
        if (result.failure === 'aborted') return this.settle();
        return this.refuse(upstreamRefusals[result.failure], result.message);
    }
  }

  private runResponse(head: ResponseHead, body: Body | Uint8Array | string): void {
    if (this.isAnswered) return;
    const { steps } = this;
    if (steps === undefined || steps.response.length === 0) return this.respond(head, body);
    if (!steps.needsResponseBody) return this.runResponseSteps(steps, head, body);
    const buffered =
      typeof body === 'string'
        ? Promise.resolve(Buffer.from(body))
        : body instanceof Uint8Array
          ? Promise.resolve(body)
          : body.buffer(this.options.bodyBytesMax);
    this.continueWith(buffered, (content) => this.runResponseSteps(steps, head, content));
  }

  private runResponseSteps(steps: Steps, head: ResponseHead, body: Body | Uint8Array | string): void {
    const content = steps.needsResponseBody && body instanceof Uint8Array ? body : undefined;
    const response: PolicyResponse = {
      status: head.status,
      reason: head.reason,
      headers: head.headers,
      content,
    };
    this.response = response;
    const finish = (verdict: Verdict | BrokenStep): void => {
      if (verdict?.kind === 'reject') return this.refuse(verdict);
      if (verdict?.kind === 'broken') return this.failStep(verdict);
      if (response.status !== head.status && response.reason === head.reason) response.reason = undefined;
      this.respond(response, response.content ?? body);
    };
    const verdict = runSteps(steps.response, 'onResponse', this);
    if (verdict instanceof Promise) this.continueWith(verdict, finish);
    else finish(verdict);
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
    const headers = this.exchange.createHeaders();
    for (const [name, value] of allowed) headers.set(name, value);
    this.exchange.request.body.discard();
    this.respond({ status: 200, headers }, undefined);
  }

  private refuse(refusal: Rejection, internal?: string): void {
    if (this.isAnswered) return;
    this.errorKey = refusal.key;
    this.errorMessage = internal ?? refusal.message;
    const write: ErrorWriter = this.deployed.compiled?.errors ?? writePlainError;
    const answer = write(refusal, this.exchange.request.headers.get('accept'));
    const headers = this.exchange.createHeaders();
    for (const [name, value] of answer.headers) headers.set(name, value);
    // As the reference: who was refused for his own request may go on, after anything else the connection is not trusted.
    if (answer.status < 400 || answer.status >= 500) headers.set('Connection', 'close');
    if (!this.isBodyTaken) this.exchange.request.body.discard();
    this.upstreamBody?.discard();
    this.respond({ status: answer.status, headers }, answer.body);
  }

  private failStep({ at, error }: BrokenStep): void {
    this.options.onThrown(error, { api: this.deployed.id, requestId: this.requestId, at });
    this.refuse(refusals.policyFailed);
  }

  /** A body that a policy wanted whole did not come. */
  private failBody(error: unknown): void {
    if (error instanceof BodyTooLarge) {
      return this.refuse(this.endpointUrl === undefined ? refusals.bodyTooLarge : refusals.responseTooLarge);
    }
    // The backend's, since a client that breaks off its own has gone.
    if (error instanceof BodyAborted) return this.refuse(upstreamRefusals.closed, error.message);
    throw error;
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
      (error: unknown) => goOn(() => this.failBody(error)),
    );
  }

  private settle(): void {
    this.isAnswered = true;
    this.options.deadlines.remove(this);
  }

  private record(outcome: Outcome): Promise<void> | undefined {
    const recorder = this.deployed.recorders?.of(this.plan, this.subscription);
    return recorder?.write(factsOf(this, outcome));
  }
}
