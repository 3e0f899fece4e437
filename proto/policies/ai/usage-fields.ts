import { z } from 'zod';

import { template } from '../../expression/template.ts';

const pointerCharsMax = 8_192;
const priceMax = 1_000_000_000;

const pointer = template(z.string().min(1).max(pointerCharsMax));
const custom = z.strictObject({
  type: z.literal('CUSTOM'),
  inputTokenPointer: pointer,
  outputTokenPointer: pointer,
  modelPointer: template(z.string().max(pointerCharsMax)).prefault(''),
});

const providers = ['GPT', 'GEMINI', 'CLAUDE', 'MISTRAL'] as const;

/** Where usage stands in answers: as a provider has it, or where pointers say. */
export const extraction = z.discriminatedUnion('type', [z.strictObject({ type: z.enum(providers) }), custom]);

/** The same for who need not say whose answers they are: AUTO looks for each provider's, which is ours. */
export const extractionOrAny = z
  .discriminatedUnion('type', [z.strictObject({ type: z.enum(['AUTO', ...providers]) }), custom])
  .prefault({ type: 'AUTO' });

const price = z.number().gt(0).max(priceMax);
/** Providers say their prices for a million. */
const perTokens = price.meta({ begin: 1_000_000, description: 'For so many tokens' });

/** What tokens cost: a value for so many of them. */
export const prices = {
  inputPriceValue: price,
  inputPriceUnit: perTokens,
  outputPriceValue: price,
  outputPriceUnit: perTokens,
};

/** What is to be said of usage wherever it is read. */
export const usageDocs = [
  '**Usage** is what the answer says: `GPT` and `MISTRAL` `usage.prompt_tokens` and `usage.completion_tokens` (or `input_tokens`, `output_tokens`) and `model`; `CLAUDE` `usage.input_tokens`, `usage.output_tokens`, `model`; `GEMINI` `usageMetadata.promptTokenCount`, `candidatesTokenCount` with `thoughtsTokenCount`, `modelVersion`; `CUSTOM` what the pointers give, expressions over `#response`. Answers of the status 200 to 299 count whose Content-Type is of JSON or `text/event-stream`.',
  '**Streams** go on event by event as they come, and are read beside that: what an event says later counts, whether it stands at its top, in `message` or in `response`. Pointers are asked about the first 4 and the last 8 events, each as if it were the answer. Other answers are copied while they pass, up to 8 MiB each, and so are streams that are packed; with the events that are kept for pointers 64 MiB together, past which nothing is read. A provider of the GPT kind says the usage of a stream only when `stream_options.include_usage` asks for it.',
].join('\n\n');
