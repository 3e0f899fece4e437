import type { Body, ResponseHead } from '../../http/exchange.ts';
import type { Answer, Rejection } from '../../policies/policy.ts';
import type { CompiledApi } from '../compile/compile.ts';
import { refusalOfUnread, refusals } from '../errors/refusals.ts';
import type { BrokenStep } from '../steps/kept.ts';
import type { PassingListener } from '../steps/phase-body.ts';
import type { Phase, UnreadBody } from '../steps/run-steps.ts';
import { attempt, fail, refuse, settle } from './answer.ts';
import type { Call } from './call.ts';
import { headOf } from './heads.ts';

/**
 * One stage of a request's way.
 *
 * It does its part and then sends the request on by one of these, at once or when what it waits for has come: `goOn` to the next stage,
 * `beginAnswer` or `answerInstead` to the stages of the answer, `refuse` to its end. A stage that waits for a promise uses `resume`. What
 * it throws is a bug: 500.
 */
export type Stage = (call: Call, api: CompiledApi) => void;

/** The stages of requests to one type of API; the last of `request` begins an answer, the last of `answer` sends it. */
export interface Way {
  readonly request: readonly Stage[];
  readonly answer: readonly Stage[];
  /** What a refusal passes that stands in `answerHead` and `answerBody`. Default: nothing. */
  readonly passRefusal?: (call: Call) => void;
  /** The same where the organization has flows of its own. Default: without them. */
  readonly inOrganization?: Way;
}

/**
 * Sends a request on to its next stage.
 *
 * By a plain call: a request that waits for nobody costs no promise.
 */
export function goOn(call: Call): void {
  const stage = call.stages[call.entered];
  const api = call.deployed.compiled;
  call.entered += 1;
  if (stage !== undefined && api !== undefined) stage(call, api);
}

/** There is an answer, the backend's or another in its place: it goes through the stages of answers. */
export function beginAnswer(call: Call, head: ResponseHead, body: Body | Uint8Array | string): void {
  if (call.isAnswered || call.way === undefined) return;
  call.answerHead = head;
  call.answerBody = body;
  call.stages = call.way.answer;
  call.entered = 0;
  goOn(call);
}

/** What steps say in the backend's place. */
export function answerInstead(call: Call, result: Answer | Rejection | BrokenStep | UnreadBody): void {
  switch (result.kind) {
    case 'answer':
      return beginAnswer(call, headOf(call.exchange, result), result.body);
    case 'reject':
      return refuse(call, result);
    case 'broken':
      call.tellBroken(result);
      // Its answer has begun: the record says at least what broke it off.
      if (call.isAnswered) call.errorKey ??= refusals.policyFailed.key;
      return refuse(call, refusals.policyFailed);
    case 'unread': {
      const refused = refusalOfUnread(result.error, call.endpointUrl !== undefined);
      if (refused === undefined) throw result.error;
      return refuse(call, refused.refusal, refused.internal);
    }
  }
}

/** Hears of a body on its way what comes once its step has said its verdict. */
export function listenLater(call: Call, phase: Phase, at: string): PassingListener {
  return {
    onThrown: (error) => attempt(call, () => answerInstead(call, { kind: 'broken', at, error })),
    onRefused: (refusal) =>
      attempt(call, () => {
        // Its answer has begun: the record says at least what broke it off.
        if (call.isAnswered) call.errorKey ??= refusal.key;
        refuse(call, refusal);
      }),
    onTaken: () => {
      if (phase === 'request') call.isBodyTaken = true;
    },
  };
}

/** Goes on when a promise is there, unless the request was answered meanwhile, by its deadline at the latest, or its client has gone. */
export function resume<T>(call: Call, promise: Promise<T>, next: (value: T) => void): void {
  const proceed = (work: () => void): void => {
    if (call.exchange.isAborted) settle(call);
    if (!call.isAnswered) attempt(call, work);
  };
  watch(call);
  void promise.then(
    // oxlint-disable-next-line promise/no-callback-in-promise -- the stages go on by callbacks where one was asynchronous
    (value) => proceed(() => next(value)),
    (error: unknown) => proceed(() => fail(call, error)),
  );
}

/** From here on the request waits: until its deadline at most. */
export function watch(call: Call): void {
  if (call.dueMs === 0) call.options.deadlines.add(call);
}
