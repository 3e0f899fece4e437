import { z } from 'zod';

import { template } from '../../expression/template.ts';
import type { PolicyError } from '../policy-schema.ts';

/** Of requests that may pass. */
export const limitMax = 1_000_000_000_000;
/** As long as a header may be; long ones are counted by their hash. */
const keyCharsMax = 65_536;

/** What requests are counted by beside who calls. */
export const limiterKey = template(z.string().max(keyCharsMax)).prefault('');
const periodTimeMax = 100_000;

/** Of a period that is worked out: 11,415 years of hours, so that a window's end is a date, and a number that Redis counts with. */
const dynamicPeriodTimeMax = 100_000_000;

const numberText = z
  .string()
  .regex(/^\d{0,12}$/, 'must be a whole number')
  .transform(Number);

/** A number that an expression may give; nothing written is 0. */
export const wholeNumber = template(numberText).prefault('');

const dynamicPeriodTime = template(
  numberText.refine((time) => time <= dynamicPeriodTimeMax, `may be at most ${dynamicPeriodTimeMax}`),
).prefault('');

/**
 * What a limiter does when its counters cannot be reached: the reference's spelling, with and without its slip, and counting by what
 * this gateway knows, which is ours.
 */
const errorStrategySchema = z.preprocess(
  (value) => (value === 'FALLBACK_PASS_THROUGH' ? 'FALLBACK_PASS_TROUGH' : value),
  z
    .enum(['FALLBACK_PASS_TROUGH', 'BLOCK_ON_INTERNAL_ERROR', 'FALLBACK_LOCAL_ESTIMATE'])
    .default('FALLBACK_PASS_TROUGH'),
);

/** Fields that all limiters have beside their limit, which a form shows after it. */
export const limiterFields = {
  /** How requests are counted: in windows, as the reference does, or evenly. */
  strategy: z
    .preprocess(
      (value) => (typeof value === 'string' ? value.toLowerCase() : value),
      z.enum(['fixed', 'sliding', 'gcra']),
    )
    .default('fixed')
    .meta({
      title: 'Way of counting',
      description:
        'Fixed windows begin with their first call; of a sliding one the window before counts by its share.',
      words: { fixed: 'In fixed windows', sliding: 'In a sliding window', gcra: 'Evenly (GCRA)' },
    }),
  errorStrategy: errorStrategySchema.meta({
    title: 'When the counters cannot be reached',
    description: 'Let calls pass, refuse them, or count by what this gateway knows',
    words: {
      FALLBACK_PASS_TROUGH: 'Let calls pass',
      BLOCK_ON_INTERNAL_ERROR: 'Refuse calls',
      FALLBACK_LOCAL_ESTIMATE: 'Count by what each gateway knows',
    },
  }),
  async: z.boolean().default(false).meta({
    title: 'Count without waiting',
    description: 'Faster, and less exact: gateways tell each other what they counted every few seconds',
  }),
};

/** The switch of the headers that tell callers of their limit. */
export const headersSwitch = (byDefault: boolean) =>
  z.boolean().default(byDefault).meta({
    title: 'Tell callers in headers',
    description: 'Of their limit, of what is left of it, and when it begins anew',
  });

/** A limit and its period, in the units that a limiter knows; the first of them is its default. */
export function limitOf<const Unit extends string>(units: readonly [Unit, ...Unit[]], title: string) {
  return z
    .strictObject({
      limit: z.int().min(0).max(limitMax).default(0).meta({
        title: 'Limit',
        description: 'Calls that pass in one period; 0 lets none pass',
        begin: 100,
      }),
      /** Less than 1 is 1. */
      periodTime: z
        .int()
        .max(periodTimeMax)
        .default(1)
        .overwrite((time) => Math.max(1, time))
        .meta({ title: 'Period', description: 'In the unit below; less than 1 is 1', begin: 1 }),
      periodTimeUnit: z
        .enum(units)
        .default(() => units[0])
        .meta({ title: 'Unit of the period', description: 'What the period is counted in' }),
      key: template(z.string().max(keyCharsMax)).prefault('').meta({
        title: 'Key',
        description: 'Calls of one key are counted together; empty: those of one subscription',
      }),
      useKeyOnly: z.boolean().default(false).meta({
        title: 'Count by the key alone',
        description: 'Whatever the plan, subscription and API',
      }),
      dynamicLimit: wholeNumber.meta({
        title: 'Limit by an expression',
        description: 'Counts where the limit above is 0',
      }),
      dynamicPeriodTime: dynamicPeriodTime.meta({
        title: 'Period by an expression',
        description: 'Wins over the period above; at most 100,000,000',
      }),
    })
    .meta({ title });
}

/** How limiters refuse. */
export function limiterErrors<const Prefix extends string>(prefix: Prefix, message: string) {
  const errors = {
    [`${prefix}_TOO_MANY_REQUESTS`]: { status: 429, message },
    [`${prefix}_BLOCK_ON_INTERNAL_ERROR`]: {
      status: 429,
      message: 'The limit cannot be checked at the moment',
    },
    [`${prefix}_SERVER_ERROR`]: { status: 500, message: 'The limit cannot be worked out' },
  };
  // What a template literal makes of a name is a text for the compiler.
  return errors as Record<
    `${Prefix}_${'TOO_MANY_REQUESTS' | 'BLOCK_ON_INTERNAL_ERROR' | 'SERVER_ERROR'}`,
    PolicyError
  >;
}

/** What is to be said of every limiter, behind what its windows and headers are. */
export const limiterDocs = [
  '**Limit and period**: `limit` wins over `dynamicLimit`; 0, or one that comes to nothing, lets nothing pass. `dynamicPeriodTime` wins over `periodTime` and its unit, unless it comes to nothing or 0; a period below 1 is 1. A limit or period whose expression fails, or is no whole number from 0 to 999,999,999,999 (a period: 100,000,000), is answered with 500. A changed limit or period holds from the next request on; another period is another window.',
  '**Counted together** are requests of one plan, subscription, key and step. Every request counts, refused ones too (but for `gcra`).',
  [
    'Without a plan it is the OAuth client, else the API; on a keyless plan the address of the client, of IPv6 per /64, all of which one subscriber has.',
    'Each step of a definition counts apart, wherever it stands (the reference shares one count between those on the same flow path).',
    'A key whose expression fails counts with all others that fail.',
    '`useKeyOnly` counts by `key` alone, for all APIs of the environment that use the same kind of policy, key and period, never across environments; with no `key` it does nothing.',
  ],
  '**Ways of counting**: `strategy` is ours.',
  [
    '`fixed` counts in windows that begin with their first request, as the reference does.',
    '`sliding` counts the window that runs and of the one before the share that the last period still reaches: at most the limit within one window (they follow one another since 1970), at most twice the limit in any period.',
    '`gcra` is a bucket of the limit that is filled again evenly, and what is refused takes nothing of it: at most the limit at once, at most twice the limit in any period.',
  ],
  '**Where the Redis that keeps counts does not answer in time**, `errorStrategy` decides. What passes so has the warning `..._NOT_APPLIED` in its record.',
  [
    '`FALLBACK_PASS_TROUGH` lets pass.',
    '`BLOCK_ON_INTERNAL_ERROR` refuses.',
    '`FALLBACK_LOCAL_ESTIMATE`, which is ours, counts on from what this process last knew, so that at most limit x processes pass in a window. A process is a gateway, or a worker of one.',
  ],
  '**Without waiting**: with `async` each process counts by itself and tells Redis every 5 s, or as the gateway is set, what it has counted, and hears what others have; `errorStrategy` has nothing to do then. At most limit x processes pass in a window: what a process lets pass too much is what the others did since it last heard of them. Without Redis counts are near anyway, and `async` changes nothing.',
]
  .map((part) => (typeof part === 'string' ? part : part.map((item) => `- ${item}`).join('\n')))
  .join('\n\n');
