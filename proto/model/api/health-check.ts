import { z } from 'zod';

import { compileCondition } from '../../expression/condition.ts';
import { apiLimits } from '../api-limits.ts';
import { choice, isOff, orJsonText, section, withExpressions } from '../sections.ts';
import { scheduleSchema } from './schedule.ts';
import { endpointHeadersSchema, targetSchema } from './target.ts';

/** What assertions may name beside what all expressions may: how long the answer took, in ms. */
export const assertionPlaces = ['responseTime'] as const;

const bodyCharsMax = 65_536;
const thresholdMax = 1_000;

/** Where a check goes: a URL, or a path with its query at the endpoint. */
export const checkTargetSchema = z
  .string()
  .max(apiLimits.targetCharsMax)
  .refine(
    (target) => targetSchema.safeParse(target).success || /^(?!\w+:\/\/)[!"$-~]*$/.test(target),
    'must be a path such as /health, or an http:// or https:// URL without user information and fragment',
  );

/** The body of a check. */
export const checkBodySchema = z.string().max(bodyCharsMax);

/** What a health check asks, and what it takes for an answer. */
export const healthCheckConfigurationSchema = section({
  schedule: scheduleSchema.meta({
    title: 'When it is asked',
    description: 'Second, minute, hour, day, month, weekday: */30 * * * * * is every 30 seconds',
  }),
  method: z
    .enum(['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS', 'TRACE'])
    .default('GET')
    .meta({ title: 'Method' }),
  target: withExpressions(checkTargetSchema, { charsMax: apiLimits.targetCharsMax, readsBody: false }).meta({
    title: 'What is asked',
    description: 'A path at the endpoint such as /health, or a whole URL',
  }),
  /** Whether a path stands in place of the endpoint's own, or behind it. */
  overrideEndpointPath: z.boolean().default(true).meta({
    title: 'The path stands in place of that of the endpoint',
    description: 'Otherwise it is added to it',
  }),
  headers: endpointHeadersSchema.meta({ title: 'Headers' }),
  body: withExpressions(checkBodySchema, { charsMax: bodyCharsMax, readsBody: false })
    .default('')
    .meta({ title: 'Body' }),
  assertion: z
    .string()
    .max(apiLimits.conditionCharsMax)
    .default('{#response.status == 200}')
    .superRefine((text, context) => {
      const compiled = compileCondition(text, assertionPlaces);
      if ('kind' in compiled) context.addIssue({ code: 'custom', message: compiled.message });
    })
    .meta({
      title: 'It is well where',
      description: 'A condition on #response, and #responseTime in ms, e.g. {#response.status == 200}',
    }),
  /** Checks in a row that succeed until an endpoint that was down is up. */
  successThreshold: z
    .int()
    .min(1)
    .max(thresholdMax)
    .default(2)
    .meta({ title: 'Up after so many good answers in a row' }),
  /** Checks in a row that fail until it is down. */
  failureThreshold: z
    .int()
    .min(1)
    .max(thresholdMax)
    .default(2)
    .meta({ title: 'Down after so many bad ones in a row' }),
});

/** How an endpoint is checked. */
export type HealthCheckDefinition = z.output<typeof healthCheckConfigurationSchema>;

const serviceSchema = section({
  enabled: z.boolean().default(true),
  type: choice(['http-health-check']),
  overrideConfiguration: z.boolean().default(false),
  configuration: orJsonText(healthCheckConfigurationSchema).optional(),
});

/** The health check of a group. */
export const groupHealthCheckSchema = z.preprocess(
  (value) => (isOff(value) ? undefined : value),
  serviceSchema
    .refine(({ configuration }) => configuration !== undefined, {
      path: ['configuration'],
      message: 'is required',
    })
    .optional(),
);

/** The health check of an endpoint: its own, none, or its group's. */
export const endpointHealthCheckSchema = z.preprocess((value) => {
  if (!isOff(value)) return value;
  const isOwn = typeof value === 'object' && value !== null && 'overrideConfiguration' in value;
  return isOwn && value.overrideConfiguration === true
    ? { enabled: false, type: 'http-health-check', overrideConfiguration: true }
    : undefined;
}, serviceSchema.optional());

interface Checked {
  readonly services?: { readonly healthCheck?: z.output<typeof serviceSchema> | undefined } | undefined;
}

/**
 * How an endpoint is checked: as it says itself where it overrides, or where its group says nothing; else as its group says. Undefined:
 * not at all.
 */
export function healthCheckOf(group: Checked, endpoint: Checked): HealthCheckDefinition | undefined {
  const own = endpoint.services?.healthCheck;
  const inherited = group.services?.healthCheck?.configuration;
  if (own?.overrideConfiguration === true) return own.enabled ? own.configuration : undefined;
  return inherited ?? own?.configuration;
}
