import { isGrpc, type ResponseHead, type UpstreamUpgrade } from '../../http/exchange.ts';
import type { Rejection, StepPlace } from '../../policies/policy.ts';
import { type ErrorWriter, writePlainError } from '../errors/error-answer.ts';
import { grpcErrorOf } from '../errors/grpc.ts';
import { refusals } from '../errors/refusals.ts';
import { marks } from '../explain/trail.ts';
import { isFinalStatus, statusFault } from '../steps/run-steps.ts';
import { type Stream, streamKindOf } from '../streams/streams.ts';
import type { Call } from './call.ts';
import { setIds } from './forwarded.ts';
import { errorHeadOf } from './heads.ts';
import type { CallLog } from '../logs/call-log.ts';

/** The last stage: sends what is there as the answer. */
export function answer(call: Call): void {
  const { answerHead, answerBody } = call;
  if (answerHead !== undefined) respond(call, answerHead, answerBody);
}

/** Sends an answer past the stages that are left; nothing when there was one already. */
export function respond(call: Call, head: ResponseHead, body: Call['answerBody']): void {
  if (call.isAnswered) return;
  // A second wall: who says a status was asked before.
  if (!isFinalStatus(head.status)) throw statusFault(head.status);
  const { headers } = head;
  setIds(headers, call.transactionId, call.requestId);
  call.cors?.addTo(headers, call.exchange.request);
  for (const [name, value] of call.answerHeaders ?? []) headers.set(name, value);
  // Only now: until here another answer can take the place of one that threw.
  settle(call);
  call.options.onAnswer?.(head.status);
  const kind = streamKindOf(headers, body);
  const stream = kind === undefined ? undefined : streamOf(call, kind);
  if (call.trail !== undefined) call.trail.isStream = kind === 'events';
  const sent = call.log === undefined ? body : (wantedLog(call)?.answers(head, body) ?? body);
  call.exchange.respond({ status: head.status, reason: head.reason, headers }, sent);
  stream?.begin();
}

const templatesPlace: StepPlace = { kind: 'response-template', at: 'responseTemplates' };

/** Refuses, in the words that the API's publisher chose. `internal` says more, for the record alone. */
export function refuse(call: Call, refusal: Rejection, internal?: string): void {
  if (call.isAnswered) return;
  call.errorKey = refusal.key;
  call.errorMessage = internal ?? refusal.message;
  call.refusal = refusal;
  const write: ErrorWriter = call.deployed.compiled?.errors ?? writePlainError;
  const { request } = call.exchange;
  call.step = templatesPlace;
  const plain = write(refusal, request.headers.get('accept'), { scope: call, cause: internal });
  call.step = undefined;
  const error = isGrpc(request, request.headers) ? grpcErrorOf(plain, refusal.message) : plain;
  const head = errorHeadOf(call.exchange, error, call.deployed.compiled?.engine.closesAfterErrors === true);
  if (!call.isBodyTaken) call.exchange.request.body.discard();
  call.upstreamBody?.discard();
  call.backendCalls?.letGo(undefined);
  const passRefusal = call.way?.passRefusal;
  if (passRefusal === undefined) return respond(call, head, error.body);
  call.upstreamBody = undefined;
  call.answerHead = head;
  call.answerBody = error.body;
  passRefusal(call);
}

/** No flow is for the request, and one has to be. */
export function refuseUnmatched(call: Call, at: string): void {
  call.trail?.mark(marks.refused, { kind: 'flow', at });
  refuse(call, refusals.noFlow);
}

/** Joins client and backend: from here on their bytes are nobody else's. */
export function openTunnel(call: Call, upgrade: UpstreamUpgrade): void {
  settle(call);
  if (call.trail !== undefined) call.trail.isStream = true;
  call.options.onAnswer?.(101);
  const stream = streamOf(call, 'tunnel');
  call.log?.answers(upgrade.head, undefined);
  call.exchange.tunnel(upgrade);
  stream?.begin();
}

/** What is taken down of a call that is to be logged. Whoever asks first decides: from there on an unwanted log is none. */
export function wantedLog(call: Call): CallLog | undefined {
  const { log } = call;
  if (log === undefined || log.isWanted(call)) return log;
  log.release();
  call.log = undefined;
  return undefined;
}

/** Nobody answers this request any more. */
export function settle(call: Call): void {
  call.isAnswered = true;
  call.options.deadlines.remove(call);
}

/**
 * Something threw: a bug. It is told once and answered as one, in the publisher's words, or in the engine's when those are what threw.
 * Never throws.
 */
export function fail(call: Call, error: unknown): void {
  const { deployed, requestId, options } = call;
  options.onThrown(error, { api: deployed.id, requestId, at: undefined });
  if (!call.isAnswered) {
    try {
      return refuse(call, refusals.bug);
    } catch {
      options.onAnswer?.(refusals.bug.status);
    }
  }
  settle(call);
  call.exchange.giveUp();
}

/** Does work for a request outside of its first turn; what it throws fails the request. */
export function attempt(call: Call, work: () => void): void {
  try {
    work();
  } catch (error) {
    fail(call, error);
  }
}

function streamOf(call: Call, kind: Stream['kind']): Stream | undefined {
  const { plan, subscription, proof, deployed } = call;
  if (plan === undefined) return undefined;
  const owner = { deployed, plan, subscription, proof, request: call.exchange.request };
  return call.options.streams.create(call, owner, kind);
}
