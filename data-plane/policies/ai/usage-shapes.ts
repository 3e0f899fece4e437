import type { PolicyConfig } from '../../../proto/policies/catalog.ts';
import { fieldOf } from './prompts.ts';

/** What an answer of a model says of its cost. */
export interface Usage {
  readonly inputTokens: number | undefined;
  readonly outputTokens: number | undefined;
  readonly model: string | undefined;
}

/** Nothing is said. */
export const noUsage: Usage = { inputTokens: undefined, outputTokens: undefined, model: undefined };

/** Whose shapes are known. */
export type KnownProvider = Exclude<
  PolicyConfig<'token-ratelimit'>['extraction'],
  { readonly type: 'CUSTOM' }
>['type'];

/** Reads what an answer, or an event of its stream, says. */
export type ReadUsage = (value: unknown) => Usage;

/**
 * Sources: the references of the providers' APIs. OpenAI and Mistral have `usage` of chat completions with prompt_tokens, of responses with
 * input_tokens, in a stream in its last event (of responses within `response`); Anthropic has input_tokens in `message` of the first event and
 * output_tokens, counted up, in later ones; Google has usageMetadata in each event, counted up, and counts thoughts by themselves.
 */
const shapes: Readonly<Record<Exclude<KnownProvider, 'AUTO'>, ReadUsage>> = {
  GPT: openAi,
  MISTRAL: openAi,
  CLAUDE: (value) => inUsage(value, 'input_tokens', 'output_tokens'),
  GEMINI: gemini,
};

/** The reader of a provider's answers; of AUTO whichever of them has said something. */
export function usageReader(provider: KnownProvider): ReadUsage {
  if (provider !== 'AUTO') return shapes[provider];
  return (value) => merged(openAi(value), gemini(value));
}

/** What was said later counts, where it was said. */
export function merged(before: Usage, after: Usage): Usage {
  return {
    inputTokens: after.inputTokens ?? before.inputTokens,
    outputTokens: after.outputTokens ?? before.outputTokens,
    model: after.model ?? before.model,
  };
}

function openAi(value: unknown): Usage {
  return merged(
    inUsage(value, 'input_tokens', 'output_tokens'),
    inUsage(value, 'prompt_tokens', 'completion_tokens'),
  );
}

/** In `usage` of an answer, or of what an event holds of one. */
function inUsage(value: unknown, input: string, output: string): Usage {
  for (const holder of [value, fieldOf(value, 'message'), fieldOf(value, 'response')]) {
    const usage = fieldOf(holder, 'usage');
    const said = {
      inputTokens: countOf(fieldOf(usage, input)),
      outputTokens: countOf(fieldOf(usage, output)),
      model: textOf(fieldOf(holder, 'model')),
    };
    if (said.inputTokens !== undefined || said.outputTokens !== undefined || said.model !== undefined)
      return said;
  }
  return noUsage;
}

function gemini(value: unknown): Usage {
  const usage = fieldOf(value, 'usageMetadata');
  const candidates = countOf(fieldOf(usage, 'candidatesTokenCount'));
  const thoughts = countOf(fieldOf(usage, 'thoughtsTokenCount'));
  return {
    inputTokens: countOf(fieldOf(usage, 'promptTokenCount')),
    outputTokens:
      candidates === undefined && thoughts === undefined ? undefined : (candidates ?? 0) + (thoughts ?? 0),
    model: textOf(fieldOf(value, 'modelVersion')),
  };
}

/** A whole number that is none of tokens is nobody's word. */
export function countOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= tokensMax
    ? value
    : undefined;
}

/** Of one answer. */
const tokensMax = 1_000_000_000;
const modelCharsMax = 256;

const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value.slice(0, modelCharsMax) : undefined;
