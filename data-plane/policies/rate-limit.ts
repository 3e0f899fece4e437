import { createHash } from 'node:crypto';

import { isConstant, needsOf } from '../../proto/expression/template.ts';
import type { ExpressionScope } from '../../proto/expression/scope.ts';
import { sourceOfAddress } from '../../proto/process/peers.ts';
import type { PolicyConfig } from '../../proto/policies/catalog.ts';
import type { Count, CounterRule } from '../limits/limiter.ts';
import { CONTINUE, type PolicyCall, type PolicyFactory, type Rejection, type Verdict } from './policy.ts';

type Rate = PolicyConfig<'rate-limit'>['rate'];

/** What a request is counted by. */
interface Plan {
  readonly limit: number;
  readonly rule: CounterRule;
  /** What is behind the caller, or all of it where the key alone counts. */
  readonly key: string;
  readonly refused: Rejection;
}

const noAnswer = 'the counters did not answer';
/** Longer ones are counted by their hash. */
const keyCharsMax = 256;

const unitMs = { SECONDS: 1_000, MINUTES: 60_000 } as const;

/**
 * Counts requests in fixed windows and refuses those past the limit with 429.
 *
 * Source: headers and texts of the reference, and its key but for the step; a window starts with its first hit, refused requests count too.
 */
export const rateLimit: PolicyFactory<'rate-limit'> = (config, { refuse, host, place }) => {
  const { rate } = config;
  // Each step counts apart; the reference knows the flow's path alone, so that two limits of one flow count each request twice.
  const step = createHash('sha256')
    .update(`${place.api}\n${place.plan ?? ''}\n${place.at}`)
    .digest('hex')
    .slice(0, 16);
  const templates = [rate.key, rate.dynamicLimit, rate.dynamicPeriodTime];
  const blocked = refuse('RATE_LIMIT_BLOCK_ON_INTERNAL_ERROR');

  /** Undefined where nobody can say how much may pass: what a caller sends decides that, so nothing passes. */
  const planFor = (scope: ExpressionScope): Plan | undefined => {
    const limit = rate.limit > 0 ? rate.limit : numberOf(rate.dynamicLimit, scope);
    const period = periodOf(rate, scope);
    if (limit === undefined || period === undefined) return undefined;
    const text = keyOf(rate.key.render(scope));
    // A window that is changed begins anew with the next request.
    const ofWindow = `:${period.windowMs}`;
    const parameters = { limit, period_time: period.time, period_unit: period.unit };
    return {
      limit,
      rule: { kind: 'fixed', windowMs: period.windowMs },
      // Two names, which no text of a caller can make of each other.
      key: rate.useKeyOnly ? `key${ofWindow}:${text}` : `step${ofWindow}:${step}:${text}`,
      refused: refuse('RATE_LIMIT_TOO_MANY_REQUESTS', { parameters }),
    };
  };
  let constant: Plan | undefined;
  const planOf = isConstant(templates) ? (call: PolicyCall) => (constant ??= planFor(call)) : planFor;

  const judge = (call: PolicyCall, { limit, refused }: Plan, { count, resetAtMs }: Count): Verdict => {
    if (config.addHeaders) sayHow(call, { limit, remaining: Math.max(0, limit - count), resetAtMs });
    return count <= limit ? CONTINUE : refused;
  };
  const withoutCounters = (call: PolicyCall, limit: number, why: string): Verdict => {
    if (config.errorStrategy === 'BLOCK_ON_INTERNAL_ERROR') return blocked;
    if (config.addHeaders) sayHow(call, { limit, remaining: limit, resetAtMs: -1 });
    call.warn('RATE_LIMIT_NOT_APPLIED', why);
    return CONTINUE;
  };

  const run = (call: PolicyCall): Verdict | Promise<Verdict> => {
    const plan = planOf(call);
    if (plan === undefined) {
      call.warn('EXPRESSION_EVALUATION_ERROR', 'the limit or its period cannot be worked out');
      return blocked;
    }
    const key = rate.useKeyOnly ? plan.key : withCaller(plan.key, callerOf(call, place.api));
    let count: Count | Promise<Count>;
    try {
      count = host.counters.take(key, plan.rule, 1);
    } catch {
      return withoutCounters(call, plan.limit, noAnswer);
    }
    if (!(count instanceof Promise)) return judge(call, plan, count);
    return count.then(
      (counted) => judge(call, plan, counted),
      () => withoutCounters(call, plan.limit, noAnswer),
    );
  };
  return { request: { needs: needsOf(templates), run } };
};

/** One that fails counts with all others that fail: whoever leaves out what it reads would have no limit otherwise. */
function keyOf(rendered: ReturnType<Rate['key']['render']>): string {
  if (rendered.kind === 'failed') return 'failed';
  const text = rendered.kind === 'value' ? rendered.value : '';
  return text.length <= keyCharsMax
    ? `text:${text}`
    : `hash:${createHash('sha256').update(text).digest('base64url')}`;
}

/** Its length in front, so that the end of one is not the beginning of another. */
const withCaller = (key: string, caller: string): string => `${caller.length}:${caller}:${key}`;

/** Undefined where it fails; nothing is 0. */
function numberOf(template: Rate['dynamicLimit'], scope: ExpressionScope): number | undefined {
  const rendered = template.render(scope);
  if (rendered.kind === 'failed') return undefined;
  return rendered.kind === 'value' ? rendered.value : 0;
}

/** Undefined where there is none. */
function periodOf(
  { periodTime, periodTimeUnit, dynamicPeriodTime }: Rate,
  scope: ExpressionScope,
): { readonly time: number; readonly unit: string; readonly windowMs: number } | undefined {
  if (periodTime > 0)
    return {
      time: periodTime,
      unit: periodTimeUnit.toLowerCase(),
      windowMs: periodTime * unitMs[periodTimeUnit],
    };
  const seconds = numberOf(dynamicPeriodTime, scope);
  return seconds === undefined || seconds === 0
    ? undefined
    : { time: seconds, unit: 'seconds', windowMs: seconds * 1_000 };
}

/** Plan and subscription; for keyless callers application 1 and whose the address is; the API where no plan was asked. */
function callerOf({ attributes }: PolicyCall, api: string): string {
  const text = (name: string): string | undefined => {
    const value = attributes.get(name);
    return typeof value === 'string' ? value : undefined;
  };
  const plan = text('plan');
  return plan === undefined
    ? api
    : `${plan}${text('subscription-id') ?? `1${sourceOfAddress(text('user-id') ?? '')}`}`;
}

function sayHow(
  call: PolicyCall,
  {
    limit,
    remaining,
    resetAtMs,
  }: { readonly limit: number; readonly remaining: number; readonly resetAtMs: number },
): void {
  call.setAnswerHeader('X-Rate-Limit-Limit', String(limit));
  call.setAnswerHeader('X-Rate-Limit-Remaining', String(remaining));
  call.setAnswerHeader('X-Rate-Limit-Reset', String(resetAtMs));
}
