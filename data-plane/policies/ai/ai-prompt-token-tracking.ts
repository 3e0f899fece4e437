import { setMetric } from '../custom-metrics.ts';
import { CONTINUE, type PolicyFactory } from '../policy.ts';
import { costOf } from './prices.ts';
import { answeredByCache } from './semantic-cache-mark.ts';
import { UsageMeter } from './usage-meter.ts';

interface Slot {
  meter: UsageMeter | undefined;
}

/** Digits behind the point of a cost: a token may cost a millionth of a millionth. */
const costDigits = 12;

/** Records what the answer of a model says of its tokens. */
export const promptTokenTracking: PolicyFactory<'ai-prompt-token-tracking', Slot> = ({
  extraction,
  pricing,
}) => ({
  slot: () => ({ meter: undefined }),
  response: {
    needs: 'stream',
    run(call, slot, passing) {
      if (call.attributes.get(answeredByCache) === true) return CONTINUE;
      const { status, headers } = call.response;
      const meter = UsageMeter.of(call, extraction, { status, headers, isEmpty: passing.isEmpty });
      if (meter !== undefined) passing.through(meter.through, passing.length);
      slot.meter = meter;
      return CONTINUE;
    },
  },
  end(call, _outcome, { meter }) {
    const { inputTokens: input, outputTokens: output, model } = meter?.finish() ?? {};
    if (input === undefined || output === undefined) return;
    setMetric(call, 'long_llm-proxy_tokens-sent', String(input));
    setMetric(call, 'long_llm-proxy_tokens-received', String(output));
    if (model !== undefined) setMetric(call, 'keyword_llm-proxy_model', model);
    if (pricing.type === 'none') return;
    const cost = costOf({ input, output }, pricing);
    setMetric(call, 'double_llm-proxy_sent-cost', plain(cost.input));
    setMetric(call, 'double_llm-proxy_received-cost', plain(cost.output));
  },
});

/** Without an exponent, which not every reader of numbers knows. */
const plain = (cost: number): string => cost.toFixed(costDigits).replace(/\.?0+$/, '');
