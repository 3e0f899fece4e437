import { z } from 'zod';

import { type Condition, compileCondition, type RefusedCondition } from '../../expression/condition.ts';
import { apiLimits } from '../api-limits.ts';
import { elsewhere, off, section } from '../sections.ts';

const flags = <const Name extends string>(...names: readonly Name[]) =>
  Object.fromEntries(names.map((name) => [name, z.boolean().default(false)])) as Record<
    Name,
    z.ZodDefault<z.ZodBoolean>
  >;
const messageFlags = ['messageHeaders', 'messagePayload', 'messageMetadata'] as const;

const conditionText = z.string().max(apiLimits.conditionCharsMax).default('');

/** What of a request's two sides (client and backend) is kept besides its record. */
const loggingSchema = section({
  mode: section(flags('entrypoint', 'endpoint')).prefault({}),
  phase: section(flags('request', 'response')).prefault({}),
  content: section(flags('headers', 'payload', ...messageFlags)).prefault({}),
  condition: conditionText,
  messageCondition: conditionText,
});

const tracingSchema = section({
  enabled: z.boolean().default(false),
  verbose: z.boolean().default(false),
  redaction: elsewhere(),
})
  .superRefine(({ enabled, verbose }, context) => {
    if (enabled && verbose)
      context.addIssue({
        code: 'custom',
        path: ['verbose'],
        message:
          'is not supported by this version, which passes the context of a trace on and writes no spans; allowed: false',
      });
  })
  .transform(({ enabled }) => ({ enabled }));

/** The section `analytics` of an API. */
export const analyticsSchema = section({
  enabled: z.boolean().default(true),
  // Of messages only; a proxy has none, and is not sampled in the reference either.
  messageSampling: elsewhere(),
  sampling: elsewhere(),
  logging: loggingSchema.optional(),
  tracing: tracingSchema.optional(),
  otelLogs: off('enabled: false'),
  // Of native APIs alone: the reference ignores it of any other.
  reporterMetricsEnabled: elsewhere(),
}).superRefine((analytics, context) => {
  const { logging } = analytics;
  // What is off may say what it likes.
  if (logging === undefined || !isLogged(analytics)) return;
  const refuse = (path: readonly string[], message: string): void =>
    context.addIssue({ code: 'custom', path: ['logging', ...path], message });
  const fault = conditionFault(logging.condition);
  if (fault !== undefined) refuse(['condition'], fault);
  if (logging.messageCondition.trim() !== '')
    refuse(['messageCondition'], `${ofMessages}; allowed: an empty text`);
  for (const name of messageFlags)
    if (logging.content[name]) refuse(['content', name], `${ofMessages}; allowed: false`);
});

const ofMessages = 'is about messages, which this type of API does not have';

/** What is wrong with a condition of logging. */
export function conditionFault(text: string): string | undefined {
  const compiled = compileLoggingCondition(text);
  if ('kind' in compiled) return compiled.message;
  return compiled.needs === 'buffered'
    ? 'reads a body, which has not come when it is decided whether a request is logged'
    : undefined;
}

/** What a gateway records of an API. */
export type AnalyticsDefinition = z.output<typeof analyticsSchema>;

/** Says whether anything of some request may be logged. */
export function isLogged({ enabled, logging }: AnalyticsDefinition): boolean {
  if (!enabled || logging === undefined) return false;
  const { mode, phase } = logging;
  return (mode.entrypoint || mode.endpoint) && (phase.request || phase.response);
}

/** Compiles the condition of logging; as in version 2 the braces may be left out: `#request.timestamp <= 1800000000000l`. */
export function compileLoggingCondition(text: string): Condition | RefusedCondition {
  const written = text.trim();
  return compileCondition(/^[#(]/.test(written) ? `{${written}}` : written);
}
