import type { StepList } from '../../../proto/model/records/step-list.ts';
import type { Exchange, Outcome, PhaseMarks } from '../../http/exchange.ts';
import type { AccessFacts, RecordPrefix } from '../../report/facts.ts';
import type { LogFacts } from '../../report/logs/log-facts.ts';
import type { CompiledPlan } from '../compile/compile.ts';
import { engineRefusalKey } from '../errors/refusals.ts';
import type { Subscription } from '../../security/subscriptions.ts';
import { masksOf } from '../logs/masking.ts';
import { wantedLog } from './answer.ts';
import type { Call } from './call.ts';

/** Where access records go; data-plane/report is one. */
export interface RecordTarget {
  recorder(prefix: RecordPrefix): {
    write(facts: AccessFacts): Promise<void> | undefined;
    /** What was said, for calls that are logged; nobody waits for it. */
    log(facts: LogFacts): void;
  };
  /** Readies the place of an environment's records; undefined when it is. Never rejects, and never waits for ever. */
  prepare(tenant: Pick<RecordPrefix, 'organization' | 'environment'>): Promise<void> | undefined;
}

/** Writes the records of one subscription; see {@link RecordTarget}. */
export type Recorder = ReturnType<RecordTarget['recorder']>;

/** Chooses the recorder of a request: the static part of its line is built once per subscription. */
export interface Recorders {
  of(plan: CompiledPlan | undefined, subscription: Subscription | undefined): Recorder;
}

/**
 * Makes the recorders of one deployed revision.
 *
 * Recorders hang on the subscription's object, so that they go when it goes; nothing has to be swept.
 */
export function createRecorders(target: RecordTarget, prefix: RecordPrefix): Recorders {
  const bySubscription = new WeakMap<Subscription, Recorder>();
  const byPlan = new WeakMap<CompiledPlan, Recorder>();
  let plain: Recorder | undefined;
  return {
    of(plan, subscription) {
      if (plan === undefined) return (plain ??= target.recorder(prefix));
      if (subscription === undefined) {
        let recorder = byPlan.get(plan);
        if (recorder === undefined) {
          recorder = target.recorder({
            ...prefix,
            plan: plan.id,
            application: '1',
            securityType: plan.securityType,
          });
          byPlan.set(plan, recorder);
        }
        return recorder;
      }
      let recorder = bySubscription.get(subscription);
      if (recorder === undefined) {
        const { id, application } = subscription;
        const own = { plan: plan.id, application, subscription: id, securityType: plan.securityType };
        recorder = target.recorder({ ...prefix, ...own });
        bySubscription.set(subscription, recorder);
      }
      return recorder;
    },
  };
}

/** What the gateway knows of a request beside what the engine measured. */
export interface RecordedCall {
  readonly exchange: Exchange;
  readonly request: { readonly remoteAddress: string };
  readonly requestId: string;
  readonly transactionId: string;
  readonly keyHash8: string | undefined;
  readonly receivedMethod: string;
  readonly receivedPathInfo: string;
  readonly mappedPath: string | undefined;
  readonly endpointUrl: string | undefined;
  readonly userAgent: string | undefined;
  readonly errorKey: string | undefined;
  readonly errorMessage: string | undefined;
  readonly warnings: readonly { readonly key: string; readonly message: string }[] | undefined;
  readonly customMetrics: ReadonlyMap<string, string> | undefined;
}

/** The exchange has ended: it is measured and recorded. */
export function record(call: Call, outcome: Outcome): Promise<void> | undefined {
  const { deployed, plan, subscription, exchange, traceId } = call;
  deployed.durations?.observe(plan?.id, outcome, exchange.marks);
  if (deployed.compiled?.isRecorded === false) return undefined;
  const recorder = deployed.recorders?.of(plan, subscription);
  const facts = factsOf(call, outcome, stepsOf(call, outcome));
  const log = wantedLog(call);
  if (log !== undefined) recorder?.log(log.facts(facts, traceId, masksOf(call)));
  return recorder?.write(facts);
}

function stepsOf(call: Call, outcome: Outcome): StepList | undefined {
  const { trail } = call;
  if (trail === undefined) return undefined;
  call.trail = undefined;
  return call.options.trails?.end(trail, call, outcome);
}

/** Gathers the facts of a request whose answer ends. */
export function factsOf(call: RecordedCall, outcome: Outcome, steps?: StepList): AccessFacts {
  const { request, marks, startedAtMs } = call.exchange;
  const wasCalled = call.endpointUrl !== undefined;
  const endedUs = marks.upstreamEndUs > 0 ? marks.upstreamEndUs : outcome.totalUs;
  return {
    timestampMs: startedAtMs,
    requestId: call.requestId,
    transactionId: call.transactionId,
    keyHash8: call.keyHash8,
    method: call.receivedMethod,
    host: request.authority,
    uri: request.query === undefined ? request.path : `${request.path}?${request.query}`,
    pathInfo: call.receivedPathInfo,
    mappedPath: call.mappedPath,
    status: outcome.status,
    requestBytes: outcome.requestBytes,
    responseBytes: outcome.responseBytes,
    totalUs: outcome.totalUs,
    endpoint: call.endpointUrl,
    endpointUs: wasCalled ? Math.max(0, endedUs - marks.upstreamStartUs) : 0,
    endpointConnectUs: wasCalled ? Math.max(0, marks.upstreamConnectUs - marks.upstreamStartUs) : 0,
    endpointTtfbUs: wasCalled ? Math.max(0, marks.upstreamHeadUs - marks.upstreamStartUs) : 0,
    remoteAddress: call.request.remoteAddress,
    localAddress: request.localAddress,
    userAgent: call.userAgent,
    errorKey: call.errorKey ?? abortKeyOf(outcome, marks),
    errorMessage: call.errorMessage ?? outcome.refusal,
    warnings: call.warnings === undefined ? undefined : JSON.stringify(call.warnings),
    customMetrics: call.customMetrics,
    steps,
    outcome: isRefused(call, outcome) ? 'refused' : outcome.kind,
  };
}

function isRefused({ errorKey, endpointUrl }: RecordedCall, { kind, refusal, status }: Outcome): boolean {
  if (refusal !== undefined) return status >= 400;
  return kind === 'complete' && errorKey !== undefined && endpointUrl === undefined;
}

/** What an exchange that was not answered whole died of, in the reference's words; a refusal's own key says more. */
function abortKeyOf({ kind, refusal }: Outcome, { upstreamHeadUs }: PhaseMarks): string | undefined {
  if (refusal !== undefined) return engineRefusalKey(refusal);
  if (kind === 'complete') return undefined;
  if (kind === 'upstreamAborted') return 'GATEWAY_CLIENT_CONNECTION_ERROR';
  return upstreamHeadUs > 0 ? 'CLIENT_ABORTED_DURING_RESPONSE_ERROR' : 'CLIENT_ABORTED_DURING_REQUEST_ERROR';
}
