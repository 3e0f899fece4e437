import { z } from 'zod';

import { compileSelectionRule } from '../expression/condition.ts';
import type { FaultDetail } from '../faults/fault.ts';
import { policySchema } from '../policies/catalog.ts';
import { apiLimits } from './api-limits.ts';
import { readable } from './readable.ts';
import { checkFlows, checkReadableFlows, flowsSchema, planSecuritySchema } from './api-flows.ts';
import { detailsOf } from '../faults/issues.ts';
import { choice, elsewhere, names, off, section } from './sections.ts';

/** What the console keeps of a plan beside what a gateway needs. */
export const planConsoleFields = Object.fromEntries(
  [
    'definitionVersion',
    'description',
    'apiId',
    'apiType',
    'environmentId',
    'referenceId',
    'referenceType',
    'crossId',
    'hrid',
    'validation',
    'order',
    'characteristics',
    'excludedGroups',
    'commentRequired',
    'comment_required',
    'commentMessage',
    'generalConditions',
    'generalConditionsHrid',
    'type',
    'createdAt',
    'updatedAt',
    'publishedAt',
    'closedAt',
    'needRedeployAt',
  ].map((key) => [key, elsewhere()]),
);

/** A plan as a gateway needs it; what else an export says of one belongs to the console. */
export const planSchema = section(
  {
    id: z.string().min(1).max(apiLimits.idCharsMax),
    name: z.string().max(apiLimits.nameCharsMax).default(''),
    security: planSecuritySchema,
    mode: choice(['standard'], 'push').default('standard'),
    status: choice(['staging', 'published', 'deprecated', 'closed']).default('published'),
    selectionRule: z
      .string()
      .max(apiLimits.conditionCharsMax)
      .nullish()
      .transform((rule) => rule ?? ''),
    tags: names(),
    flows: flowsSchema,
    // Where callers of native Kafka APIs reach brokers.
    bootstrapPort: off('none'),
    brokerRangeStart: off('none'),
    brokerRangeEnd: off('none'),
    ...planConsoleFields,
  },
  planConsoleFields,
);

/** A plan as a gateway needs it. */
export interface PlanDefinition {
  readonly id: string;
  readonly name: string;
  readonly security: {
    readonly type: 'key-less' | 'api-key' | 'jwt' | 'oauth2' | 'mtls';
    readonly configuration: Readonly<Record<string, unknown>>;
  };
  readonly mode: 'standard';
  readonly status: 'staging' | 'published' | 'deprecated' | 'closed';
  /** Sharding tags of the gateways that serve it; none: of all. */
  readonly tags: readonly string[];
  /** Whose requests it is for; empty: everybody's. */
  readonly selectionRule: string;
  readonly flows: z.output<typeof flowsSchema>;
}

/** Checks what runs of a plan; closed ones are not looked at. */
export function checkPlan(plan: PlanDefinition, at: string): readonly FaultDetail[] {
  if (plan.status === 'closed') return [];
  const parsed = policySchema(plan.security.type)?.config.safeParse(plan.security.configuration);
  const security =
    parsed === undefined || parsed.success
      ? []
      : detailsOf(parsed.error.issues, `${at}.security.configuration`);
  return [
    ...security,
    ...checkRule(plan.selectionRule, `${at}.selectionRule`),
    ...checkFlows(plan.flows, `${at}.flows`),
  ];
}

function checkRule(text: string, path: string): readonly FaultDetail[] {
  const rule = compileSelectionRule(text);
  if ('kind' in rule) return [{ path, message: rule.message }];
  return rule.needs === 'buffered'
    ? [
        {
          path,
          message:
            'reads the body, which is not there yet when a plan is chosen; allowed: all but the content',
        },
      ]
    : [];
}

/** The same of plans of which not all have the right form. */
export function checkReadablePlans(plans: unknown): readonly FaultDetail[] {
  if (!Array.isArray(plans)) return [];
  return plans.flatMap((plan: unknown, index) => {
    const at = `plans[${index}]`;
    const { value, faulty } = readable(planSchema, plan);
    const flows = typeof plan === 'object' && plan !== null && 'flows' in plan ? plan.flows : [];
    // Without what says whom it lets in, its flows are all that can be judged.
    const inFlows =
      faulty.has('flows') || value === undefined ? checkReadableFlows(flows, `${at}.flows`) : [];
    return [...(value === undefined ? [] : checkPlan(value, at)), ...inFlows];
  });
}
