import type { Template } from '../../../proto/expression/template.ts';
import type { PolicyConfig } from '../../../proto/policies/catalog.ts';
import { type Body, type Outcome, type ResponseHead, transformBody } from '../../http/exchange.ts';
import { type Budget, createBudget, type Limiting, type Spend } from '../limits/limiting.ts';
import {
  type BackendAnswer,
  CONTINUE,
  type PolicyCall,
  type PolicyHost,
  type PolicyOf,
  type PolicyPlace,
  type Verdict,
} from '../policy.ts';
import { charsPerToken, UsageMeter } from './usage-meter.ts';

type Config = Pick<PolicyConfig<'token-ratelimit'>, 'rate' | 'strategy' | 'addHeaders' | 'extraction'>;
type Unit = Config['rate']['periodTimeUnit'];

const unitMs: Readonly<Record<Unit, number>> = {
  SECONDS: 1_000,
  MINUTES: 60_000,
  HOURS: 3_600_000,
  DAYS: 86_400_000,
};

/** Tokens of one request, counted or estimated. */
export interface Tokens {
  readonly input: number;
  readonly output: number;
}

/** What makes a budget of its own. */
export interface AiBudget {
  readonly config: Config;
  readonly host: PolicyHost;
  readonly place: PolicyPlace;
  readonly type: Extract<Limiting<Unit>['type'], 'tokens' | 'cost'>;
  /** In front of `-Limit`, `-Remaining` and `-Reset`. */
  readonly header: string;
  readonly refusals: Pick<Limiting<Unit>, 'tooMany' | 'blocked' | 'failed'>;
  readonly notApplied: string;
  /** Key of the warning that usage was estimated. */
  readonly estimated: string;
  /** What tokens take from it. */
  priceOf(tokens: Tokens): number;
}

/** What is known of a request until it is over. */
export interface BudgetSlot {
  spend: Spend | undefined;
  /** One for each answer of a model: a request may be sent to it again. */
  readonly meters: UsageMeter[];
  isAnswered: boolean;
}

/**
 * A step that lets requests pass while something is left, and takes what each has used at its end. It stands around the call of the backend:
 * what steps of the answer make of it, or that they refuse it, changes nothing about what a model has worked.
 */
export function createAiBudget(of: AiBudget): PolicyOf<BudgetSlot> {
  const budget = budgetOf(of);
  return {
    slot: () => ({ spend: undefined, meters: [], isAnswered: false }),
    request: {
      needs: budget.needs,
      run(call, slot) {
        const verdict = budget.ask(call, (spend) => void (slot.spend = spend));
        return verdict instanceof Promise
          ? verdict.then((late) => refusedNothing(late, slot))
          : refusedNothing(verdict, slot);
      },
    },
    around: {
      needs: 'head',
      async run(call, next, slot) {
        const answer = await next();
        if (answer.kind !== 'failure') slot.isAnswered = true;
        // What a cache gave, or a step in front of the backend, is no work of a model.
        return answer.kind === 'response' ? metered(call, answer, { slot, of }) : answer;
      },
    },
    end(call, outcome, slot) {
      const tokens = tokensOf(call, { slot, outcome, key: of.estimated });
      if (tokens !== undefined) slot.spend?.(of.priceOf(tokens));
    },
  };
}

/** What is refused uses nothing, however it ends. */
function refusedNothing(verdict: Verdict, slot: BudgetSlot): Verdict {
  if (verdict !== CONTINUE) slot.spend = undefined;
  return verdict;
}

/** The answer, with a meter in its body where it says of usage. */
function metered(
  call: PolicyCall,
  answer: { readonly kind: 'response'; readonly head: ResponseHead; readonly body: Body },
  { slot, of }: { readonly slot: BudgetSlot; readonly of: AiBudget },
): BackendAnswer {
  const { head, body } = answer;
  const { status, headers } = head;
  const meter = UsageMeter.of(call, of.config.extraction, { status, headers, isEmpty: body.isEmpty });
  if (meter === undefined) return answer;
  slot.meters.push(meter);
  return { ...answer, body: transformBody(body, meter.through, { length: body.length }) };
}

function budgetOf({ config, host, place, type, header, refusals, notApplied }: AiBudget): Budget {
  const { strategy, rate } = config;
  return createBudget({
    config: {
      strategy: 'fixed',
      async: strategy === 'ASYNC_MODE',
      errorStrategy:
        strategy === 'BLOCK_ON_INTERNAL_ERROR' ? 'BLOCK_ON_INTERNAL_ERROR' : 'FALLBACK_PASS_TROUGH',
    },
    limit: { ...rate, dynamicPeriodTime: never },
    type,
    dynamicUnit: rate.periodTimeUnit,
    place,
    counters: host.counters,
    allow: (limit, { time, unit }) => ({
      limit,
      rule: { kind: 'fixed', windowMs: time * unitMs[unit] },
      parameters: { limit, period_time: time, period_unit: unit.toLowerCase() },
    }),
    tell(call, { limit }, { remaining, resetAtMs }) {
      if (!config.addHeaders) return;
      call.setAnswerHeader(`${header}-Limit`, String(limit));
      call.setAnswerHeader(`${header}-Remaining`, String(remaining));
      call.setAnswerHeader(`${header}-Reset`, String(resetAtMs));
    },
    ...refusals,
    notApplied,
  });
}

const never: Template<number> = { kind: 'constant', value: 0, render: () => ({ kind: 'value', value: 0 }) };

/** Tokens that a request has used; undefined of one that used none. */
function tokensOf(
  call: PolicyCall,
  { slot, outcome, key }: { readonly slot: BudgetSlot; readonly outcome: Outcome; readonly key: string },
): Tokens | undefined {
  const asked = Math.ceil(outcome.requestBytes / charsPerToken);
  if (slot.meters.length === 0) {
    // Who leaves before the answer has been worked for all the same.
    const hasLeft = outcome.kind === 'clientAborted' && !slot.isAnswered && slot.spend !== undefined;
    if (!hasLeft) return undefined;
    call.warn(key, 'the client left before the answer: tokens by the bytes of the request');
    return { input: asked, output: 0 };
  }
  const said = slot.meters.map((meter) => meter.finish());
  if (said.some(({ inputTokens, outputTokens }) => inputTokens === undefined || outputTokens === undefined))
    call.warn(key, 'the answer does not say its usage: tokens by events and bytes');
  return {
    input: sum(said.map(({ inputTokens = asked }) => inputTokens)),
    output: sum(said.map(({ outputTokens, outputGuess }) => outputTokens ?? outputGuess)),
  };
}

const sum = (counts: readonly number[]): number => counts.reduce((one, other) => one + other, 0);
