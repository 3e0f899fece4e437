import type { Template } from '../../../proto/expression/template.ts';
import type { PolicyConfig } from '../../../proto/policies/catalog.ts';
import type { Outcome } from '../../http/exchange.ts';
import { type Budget, createBudget, type Limiting, type Spend } from '../limits/limiting.ts';
import {
  type AnsweredCall,
  CONTINUE,
  type PassingBody,
  type PolicyCall,
  type PolicyHost,
  type PolicyOf,
  type PolicyPlace,
  type Verdict,
} from '../policy.ts';
import { answeredByCache } from './semantic-cache-mark.ts';
import { charsPerToken, type Extraction, UsageMeter } from './usage-meter.ts';

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
  meter: UsageMeter | undefined;
  /** Of the answer; undefined until there is one. */
  isAnswered: boolean;
}

/** A step that lets requests pass while something is left, and takes what each has used at its end. */
export function createAiBudget(of: AiBudget): PolicyOf<BudgetSlot> {
  const budget = budgetOf(of);
  return {
    slot: () => ({ spend: undefined, meter: undefined, isAnswered: false }),
    request: {
      needs: budget.needs,
      run(call, slot) {
        const verdict = budget.ask(call, (spend) => void (slot.spend = spend));
        return verdict instanceof Promise
          ? verdict.then((late) => refusedNothing(late, slot))
          : refusedNothing(verdict, slot);
      },
    },
    response: {
      needs: 'stream',
      run(call, slot, passing) {
        slot.isAnswered = true;
        slot.meter = meterOf(call, of.config.extraction, passing);
        return CONTINUE;
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

/** What a cache of this API gave used nothing. */
function meterOf(call: AnsweredCall, extraction: Extraction, passing: PassingBody): UsageMeter | undefined {
  return call.attributes.get(answeredByCache) === true ? undefined : UsageMeter.of(call, extraction, passing);
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
  if (slot.meter === undefined) {
    // Who leaves before the answer has been worked for all the same.
    const hasLeft = outcome.kind === 'clientAborted' && !slot.isAnswered && slot.spend !== undefined;
    if (!hasLeft) return undefined;
    call.warn(key, 'the client left before the answer: tokens by the bytes of the request');
    return { input: asked, output: 0 };
  }
  const { inputTokens, outputTokens, outputGuess } = slot.meter.finish();
  if (inputTokens === undefined || outputTokens === undefined)
    call.warn(key, 'the answer does not say its usage: tokens by events and bytes');
  return { input: inputTokens ?? asked, output: outputTokens ?? outputGuess };
}
