import { createHash } from 'node:crypto';

import type { ExpressionScope } from '../../../proto/expression/scope.ts';
import { isConstant, needsOf, type Template } from '../../../proto/expression/template.ts';
import { sourceOfAddress } from '../../../proto/process/peers.ts';
import type { PolicyConfig } from '../../../proto/policies/catalog.ts';
import type { Count, CounterRule, Counters } from '../../limits/limiter.ts';
import {
  CONTINUE,
  type Needs,
  type PolicyCall,
  type PolicyOf,
  type PolicyPlace,
  type RefusalParameters,
  type Rejection,
  type Verdict,
} from '../policy.ts';

/** What all limiters are configured with. */
type LimiterConfig = Pick<PolicyConfig<'rate-limit'>, 'errorStrategy' | 'async' | 'strategy'>;

/** A limit and its period, in the units of its limiter. */
export type LimitConfig<Unit extends string> = Omit<PolicyConfig<'rate-limit'>['rate'], 'periodTimeUnit'> & {
  readonly periodTimeUnit: Unit;
};

/** A period as it was written or worked out. */
export interface Period<Unit extends string> {
  readonly time: number;
  readonly unit: Unit;
}

/** What a limiter allows of a limit in a period. */
export interface Allowance {
  /** Counted more often than that is refused. */
  readonly limit: number;
  readonly rule: CounterRule;
  readonly parameters: RefusalParameters;
}

/** What came of counting a request. */
export interface Counted {
  /** Undefined where nobody counts. */
  readonly count: number | undefined;
  readonly remaining: number;
  /** Ms since the epoch; -1 where nobody counts. */
  readonly resetAtMs: number;
}

/** What makes a limiter of its own. */
export interface Limiting<Unit extends string> {
  readonly config: LimiterConfig;
  readonly limit: LimitConfig<Unit>;
  /** In keys, so that limiters of two kinds share no count. */
  readonly type: 'rl' | 'q' | 'sa' | 'tb' | 'tokens' | 'cost';
  /** Of dynamicPeriodTime. */
  readonly dynamicUnit: Unit;
  readonly place: PolicyPlace;
  readonly counters: Counters;
  /** How much may pass, and how it is counted; undefined where they make no limit. */
  allow(limit: number, period: Period<Unit>): Allowance | undefined;
  /** Says it in headers and attributes, refused or not. */
  tell(call: PolicyCall, allowance: Allowance, counted: Counted): void;
  readonly tooMany: (parameters: RefusalParameters) => Rejection;
  readonly blocked: Rejection;
  readonly failed: Rejection;
  /** Key of the warning that nobody counted. */
  readonly notApplied: string;
}

/** What a request is counted by, but for who calls. */
interface Plan {
  readonly allowance: Allowance;
  /** Of its counters, without the caller's plan. */
  readonly group: string;
  /** Behind the caller, or alone where the key alone counts; undefined where there is one text for all, in the group. */
  readonly text: string | undefined;
  readonly refused: Rejection;
  /** Rules with the whole group by plan, apart for callers who have a subscription and such who have an address; kept with what is constant. */
  readonly rules:
    | Readonly<Record<'subscription' | 'address', Map<string | undefined, CounterRule>>>
    | undefined;
}

/** Rules that are kept; attributes may say any plan. */
const rulesMax = 1_000;

const noAnswer = 'the counters did not answer';
const alone = 'the counters did not answer; this process counted by itself';
const unworkable = 'the limit or its period cannot be worked out';
/** Longer ones are counted by their hash. */
const keyCharsMax = 256;

/** Counts requests and refuses those past a limit: what rate limits, quotas, spike arrests and token buckets share. */
export function createLimiting<Unit extends string>(of: Limiting<Unit>): PolicyOf<undefined> {
  const { needs, run } = createCounting(of, { amount: 1, isPast: (count, limit) => count > limit });
  return { request: { needs, run: (call) => run(call) } };
}

/** Takes from a budget what a request turned out to use: a whole number. Nobody waits for it; what cannot be counted then is not. */
export type Spend = (amount: number) => void;

/** A limit of what requests use, which is known when they are over. */
export interface Budget {
  /** Of the request's body. */
  readonly needs: Needs;
  /** Refuses a request when nothing is left, else hands over by what it is to be taken from. */
  ask(call: PolicyCall, hold: (spend: Spend) => void): Verdict | Promise<Verdict>;
}

/** The same limits for what requests use: one passes as long as anything is left, and may take more than that. */
export function createBudget<Unit extends string>(of: Limiting<Unit>): Budget {
  const { needs, run } = createCounting(of, { amount: 0, isPast: (count, limit) => count >= limit });
  return { needs, ask: run };
}

/** What attributes say of who calls. */
const callerAttributes = ['plan', 'subscription-id', 'oauth.client_id', 'user-id'];

interface Counting {
  readonly amount: number;
  readonly isPast: (count: number, limit: number) => boolean;
}

function createCounting<Unit extends string>(of: Limiting<Unit>, { amount, isPast }: Counting) {
  const { config, limit } = of;
  const isKeyAlone = limit.useKeyOnly && !(limit.key.kind === 'constant' && limit.key.value.length === 0);
  const templates = [limit.key, limit.dynamicLimit, limit.dynamicPeriodTime];
  const planOf = createPlanning(of, { isKeyAlone, isFixed: isConstant(templates) });
  const take = createTaking(of, isKeyAlone);

  const judge = (call: PolicyCall, { allowance, refused }: Plan, counted: Count): Verdict => {
    const { count, resetAtMs } = counted;
    of.tell(call, allowance, { count, remaining: Math.max(0, allowance.limit - count), resetAtMs });
    if (isPast(count, allowance.limit)) return refused;
    if (counted.isEstimate === true) call.warn(of.notApplied, alone);
    return CONTINUE;
  };
  const withoutCounters = (call: PolicyCall, { allowance }: Plan): Verdict => {
    if (config.errorStrategy === 'BLOCK_ON_INTERNAL_ERROR') return of.blocked;
    of.tell(call, allowance, { count: undefined, remaining: allowance.limit, resetAtMs: -1 });
    call.warn(of.notApplied, noAnswer);
    return CONTINUE;
  };

  const spending = ({ attributes }: PolicyCall, plan: Plan): Spend => {
    // As they are now: a later step may say another plan.
    const caller = { attributes: new Map(callerAttributes.map((name) => [name, attributes.get(name)])) };
    return (used) => {
      void (async () => take(caller, plan, used))().catch(() => undefined);
    };
  };

  const run = (call: PolicyCall, hold?: (spend: Spend) => void): Verdict | Promise<Verdict> => {
    const plan = planOf(call);
    if (plan === undefined) {
      call.warn('EXPRESSION_EVALUATION_ERROR', unworkable);
      return of.failed;
    }
    hold?.(spending(call, plan));
    let count: Count | Promise<Count>;
    try {
      count = take(call, plan, amount);
    } catch {
      return withoutCounters(call, plan);
    }
    if (!(count instanceof Promise)) return judge(call, plan, count);
    return count.then(
      (counted) => judge(call, plan, counted),
      () => withoutCounters(call, plan),
    );
  };
  return { needs: needsOf(templates), run };
}

/** Says what a request is counted by; undefined where nobody can say how much may pass: what a caller sends decides that, so nothing passes. */
function createPlanning<Unit extends string>(
  of: Limiting<Unit>,
  { isKeyAlone, isFixed }: { readonly isKeyAlone: boolean; readonly isFixed: boolean },
): (scope: ExpressionScope) => Plan | undefined {
  const { limit: written, place } = of;
  // Each step counts apart; the reference knows the flow's path alone, so that two limits of one flow count each request twice.
  const step = hash(`${place.api}\n${place.plan ?? ''}\n${place.at}`, 'hex').slice(0, 16);
  const isOneText = !isKeyAlone && written.key.kind === 'constant';
  const planFor = (scope: ExpressionScope): Plan | undefined => {
    const limit = written.limit > 0 ? written.limit : numberOf(written.dynamicLimit, scope);
    const period = periodOf(of, scope);
    if (limit === undefined || period === undefined) return undefined;
    const allowance = of.allow(limit, period);
    if (allowance === undefined) return undefined;
    // A period that is changed begins anew with the next request.
    const window = `${of.type}:${period.time}${period.unit}:`;
    const text = keyOf(written.key.render(scope));
    const common = isOneText ? `${text.length}:${text}` : '';
    return {
      allowance,
      // Two names, which no text of a caller can make of each other.
      group: isKeyAlone ? `key:${window}` : `step:${window}${step}:${common}:`,
      text: isOneText ? undefined : text,
      refused: of.tooMany(allowance.parameters),
      rules: isFixed ? { subscription: new Map(), address: new Map() } : undefined,
    };
  };
  let constant: Plan | undefined;
  return isFixed ? (scope) => (constant ??= planFor(scope)) : planFor;
}

/** Takes for a request: by its key alone, else by plan and subscription; of keyless callers by plan and whose the address is; where no plan was asked by OAuth client, else API. */
function createTaking(
  of: Pick<Limiting<string>, 'counters' | 'config' | 'place'>,
  isKeyAlone: boolean,
): (call: Pick<PolicyCall, 'attributes'>, planned: Plan, amount: number) => Count | Promise<Count> {
  const counters = countersFor(of);
  if (isKeyAlone)
    return (_call, { group, text = '', allowance }, amount) =>
      counters.take(text, { ...allowance.rule, group }, amount);
  return ({ attributes }, planned, amount) => {
    const plan = textOf(attributes, 'plan');
    const subscription =
      plan === undefined
        ? (textOf(attributes, 'oauth.client_id') ?? of.place.api)
        : textOf(attributes, 'subscription-id');
    const caller = subscription ?? sourceOfAddress(textOf(attributes, 'user-id') ?? '');
    const rule = ruleIn(planned, plan, subscription === undefined ? 'address' : 'subscription');
    // Its length in front, so that the end of one is not the beginning of another.
    const key = planned.text === undefined ? caller : `${caller.length}:${caller}:${planned.text}`;
    return counters.take(key, rule, amount);
  };
}

/** A way of counting that is not the reference's, over a length of time; a limit of 0 is refused however it is counted. */
export function ruleOf(
  strategy: LimiterConfig['strategy'],
  {
    windowMs,
    fixed = { kind: 'fixed', windowMs },
  }: { readonly windowMs: number; readonly fixed?: CounterRule },
  filled: { readonly burst: number; readonly refill: number; readonly refillMs: number },
): CounterRule {
  if (strategy === 'sliding') return { kind: 'sliding', windowMs };
  return strategy === 'gcra' && filled.burst > 0 ? { kind: 'gcra', ...filled } : fixed;
}

function countersFor({ counters, config }: Pick<Limiting<string>, 'counters' | 'config'>): Counters {
  if (config.async) return counters.later ?? counters;
  return config.errorStrategy === 'FALLBACK_LOCAL_ESTIMATE' ? (counters.estimated ?? counters) : counters;
}

/** One that fails counts with all others that fail: whoever leaves out what it reads would have no limit otherwise. */
function keyOf(rendered: ReturnType<Template<string>['render']>): string {
  if (rendered.kind === 'failed') return 'failed';
  const text = rendered.kind === 'value' ? rendered.value : '';
  return text.length <= keyCharsMax ? `text:${text}` : `hash:${hash(text, 'base64url')}`;
}

const hash = (text: string, as: 'hex' | 'base64url'): string => createHash('sha256').update(text).digest(as);

/** The rule of a caller's plan; made once for each where all else is constant. */
function ruleIn(
  { allowance, group, rules }: Plan,
  plan: string | undefined,
  by: 'subscription' | 'address',
): CounterRule {
  const kept = rules?.[by];
  const known = kept?.get(plan);
  if (known !== undefined) return known;
  const ofPlan = plan === undefined ? '-' : `${plan.length}:${plan}:${by}`;
  const rule = { ...allowance.rule, group: `${group}${ofPlan}:` };
  if (kept !== undefined && kept.size < rulesMax) kept.set(plan, rule);
  return rule;
}

/** Undefined where it fails; nothing is 0. */
function numberOf(template: Template<number>, scope: ExpressionScope): number | undefined {
  const rendered = template.render(scope);
  if (rendered.kind === 'failed') return undefined;
  return rendered.kind === 'value' ? rendered.value : 0;
}

/** Undefined where its expression fails. */
function periodOf<Unit extends string>(
  { limit, dynamicUnit }: Limiting<Unit>,
  scope: ExpressionScope,
): Period<Unit> | undefined {
  const dynamic = numberOf(limit.dynamicPeriodTime, scope);
  if (dynamic === undefined) return undefined;
  return dynamic > 0
    ? { time: dynamic, unit: dynamicUnit }
    : { time: limit.periodTime, unit: limit.periodTimeUnit };
}

function textOf(attributes: PolicyCall['attributes'], name: string): string | undefined {
  const value = attributes.get(name);
  return typeof value === 'string' ? value : undefined;
}
