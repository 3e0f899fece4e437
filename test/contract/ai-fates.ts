import { all, type FieldFate, idle, observed } from './field-fate.ts';

const semantic = observed('data-plane/policies/ai/ai-semantic-caching.test.ts');
const pii = observed('data-plane/policies/ai/pii/pii-filtering.test.ts');
const guardRails = observed('data-plane/policies/ai/ai-prompt-guard-rails.test.ts');

/** What limits tokens and what they cost have in common. */
const budget =
  'rate.limit rate.dynamicLimit rate.periodTime rate.periodTimeUnit rate.key rate.useKeyOnly strategy addHeaders extraction.type extraction.inputTokenPointer extraction.outputTokenPointer extraction.modelPointer';
const budgets = observed('data-plane/policies/ai/token-ratelimit.test.ts');

/** Fields of a service that is asked about a prompt. */
const service = 'url headers[].name headers[].value body timeoutMs maxConcurrentConnections';

/** Fields of the policies of the family `ai/`; see `definition-fields.ts`. */
export const aiFates: readonly (readonly [string, FieldFate])[] = [
  ...all(
    'ai-prompt-guard-rails.',
    'promptPreset promptLocation rules.words[] rules.patterns[].name rules.patterns[].regex rules.patterns[].caseSensitive rules.promptCharsMax contentChecks sensitivityThreshold requestPolicy resourceName',
    guardRails,
  ),
  ...all('ai-prompt-guard-rails.classifier.', service, guardRails),
  ...all(
    'pii-filtering.',
    'categories[] threshold skipResponsePayloadFiltering patterns[].name patterns[].regex action replacement resourceName customMapping',
    pii,
  ),
  ...all('token-ratelimit.', budget, budgets),
  ...all('cost-ratelimit.', budget, budgets),
  ...all(
    'cost-ratelimit.pricing.',
    'inputPriceValue inputPriceUnit outputPriceValue outputPriceUnit',
    observed('data-plane/policies/ai/cost-ratelimit.test.ts'),
  ),
  ...all(
    'ai-prompt-token-tracking.',
    'extraction.type extraction.inputTokenPointer extraction.outputTokenPointer extraction.modelPointer pricing.type pricing.inputPriceValue pricing.inputPriceUnit pricing.outputPriceValue pricing.outputPriceUnit',
    observed('data-plane/policies/ai/ai-prompt-token-tracking.test.ts'),
  ),
  ...all(
    'ai-semantic-caching.',
    'modelName vectorStoreName promptExpression cacheCondition parameters[].key parameters[].value threshold scope timeToLiveSeconds entriesMax',
    semantic,
  ),
  ['ai-semantic-caching.parameters[].encode', idle('every parameter is kept as a hash')],
  ...all('ai-semantic-caching.embeddings.', service, semantic),
];
