import { z } from 'zod';

import type { FaultDetail } from '../faults/fault.ts';
import { insteadOf } from '../policies/foreign-policies.ts';
import { policyIds, policySchema } from '../policies/catalog.ts';
import { placeOf, type PolicyPhase } from '../policies/policy-schema.ts';
import { apiLimits } from './api-limits.ts';
import { stepPhases } from './api/steps.ts';
import { readable } from './readable.ts';
import { httpMethods, namedMethods } from './access-record.ts';
import { methodSchema } from './head-text.ts';
import { detailsOf } from '../faults/issues.ts';
import { nearest } from '../faults/nearest.ts';
import { choice, names, off, orJsonText, section } from './sections.ts';
import { compileCondition } from '../expression/condition.ts';
import { expressionsLeftIn } from './deploy/fields.ts';

/** Whatever else somebody asks by, OTHER stands for: a slip would choose no request, and switch off what the flow is to refuse. */
const selectedMethodSchema = methodSchema.toUpperCase().superRefine((method, context) => {
  if (method === 'OTHER' || (httpMethods.includes(method) && method !== '')) return;
  const near = nearest(method, httpMethods);
  const advice = near === undefined ? '' : `did you mean ${near}? `;
  context.addIssue({
    code: 'custom',
    message: `"${method}" is no method that is known here; ${advice}OTHER stands for all that have no name of their own`,
  });
});

const httpSelectorSchema = section({
  type: z.literal('http'),
  path: z
    .string()
    .max(apiLimits.pathCharsMax)
    .transform((path) => (path === '' ? '/' : path))
    .refine((path) => path.startsWith('/'), 'must start with /')
    // No request has such a path: a flow that is to refuse something would refuse nothing.
    .refine((path) => !/[\p{Cc}\\?#]/u.test(path), 'must not hold \\, ?, # or control characters')
    .refine((path) => !/\/\.\.?(?:\/|$)/.test(path), 'must not hold . or .. as a segment')
    .default('/'),
  pathOperator: z
    .preprocess(
      (value) => {
        const word = typeof value === 'string' ? value.toUpperCase().replaceAll('-', '_') : value;
        return word === 'START_WITH' ? 'STARTS_WITH' : word;
      },
      z.enum(['STARTS_WITH', 'EQUALS'], { error: () => 'must be one of STARTS_WITH, EQUALS' }),
    )
    .default('STARTS_WITH'),
  methods: z.array(selectedMethodSchema).max(apiLimits.methodsMax).default([]),
});

const conditionText = z.string().max(apiLimits.conditionCharsMax).default('');

const selectorSchema = z.preprocess(
  (value) =>
    typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'
      ? { ...value, type: value.type.toLowerCase() }
      : value,
  z.discriminatedUnion(
    'type',
    [httpSelectorSchema, section({ type: z.literal('condition'), condition: conditionText })],
    { error: () => 'is not supported by this version; allowed: http, condition' },
  ),
);

const stepSchema = section({
  name: z.string().max(apiLimits.nameCharsMax).default(''),
  description: z.string().max(4_096).default(''),
  enabled: z.boolean().default(true),
  policy: z.string().min(1).max(apiLimits.pluginCharsMax),
  configuration: orJsonText(z.record(z.string(), z.unknown())).prefault({}),
  condition: conditionText,
  messageCondition: conditionText,
});

/** One policy at its place in a flow; its configuration is valid for its policy when step and flow are enabled. */
export type StepDefinition = z.output<typeof stepSchema>;

/** The steps of one phase, as they are written; {@link checkSteps} says what of them cannot run. */
export const stepsSchema = z.array(stepSchema).max(apiLimits.stepsPerPhaseMax).default([]);

/** A flow as it is written; {@link checkFlows} says what of it cannot run. */
export const flowSchema = section({
  id: z.string().max(apiLimits.idCharsMax).optional(),
  name: z.string().max(apiLimits.nameCharsMax).default(''),
  enabled: z.boolean().default(true),
  tags: names(),
  // As flows of version 2 have it: one more selector.
  condition: conditionText,
  selectors: z.array(selectorSchema).max(apiLimits.selectorsMax).default([]),
  request: stepsSchema,
  response: stepsSchema,
  subscribe: off('an empty list'),
  publish: off('an empty list'),
  connect: off('an empty list'),
  entrypointConnect: off('an empty list'),
  interact: off('an empty list'),
  // Left over from version 2 in many definitions; the selector's methods are what counts.
  methods: z.array(methodSchema.toUpperCase()).max(apiLimits.methodsMax).optional(),
  pre: off('request'),
  post: off('response'),
})
  .superRefine((flow, context) => {
    const selected = flow.selectors.find((selector) => selector.type === 'http')?.methods ?? [];
    if (
      flow.enabled &&
      takenBy(flow.methods ?? []) !== takenBy(selected) &&
      takenBy(flow.methods ?? []) !== ''
    )
      context.addIssue({ code: 'custom', path: ['methods'], message: leftOverMessage });
  })
  .transform(({ methods: _leftOver, condition, ...flow }) =>
    condition.trim() === ''
      ? flow
      : { ...flow, selectors: [...flow.selectors, { type: 'condition' as const, condition }] },
  );

const leftOverMessage =
  'is of version 2 and chooses nothing here; allowed: an empty list, or the same as in the HTTP selector';

/** The same text for the same methods; empty when none is left out. */
function takenBy(methods: readonly string[]): string {
  const taken = new Set(methods);
  return namedMethods.every((method) => taken.has(method)) ? '' : [...taken].toSorted().join(' ');
}

/** What happens to requests that a selector chooses. */
export type FlowDefinition = z.output<typeof flowSchema>;

/** Where in `body` a path of what was read of it stands: the condition of a flow itself is read as its last selector. */
export function placeOfCondition(body: unknown, path: string): string {
  const [, flowAt = '', selector] = /^(.*flows\[\d+\])\.selectors\[(\d+)\](?:\.condition)?$/.exec(path) ?? [];
  if (selector === undefined) return path;
  const flow = flowAt
    .split(/[.[\]]+/)
    .reduce((value, name) => (name === '' ? value : fieldOf(value, name)), body);
  const written = fieldOf(flow, 'selectors');
  const count = Array.isArray(written) ? written.length : 0;
  return Number(selector) >= count && fieldOf(flow, 'condition') !== undefined ? `${flowAt}.condition` : path;
}

/** A list of flows. */
export const flowsSchema = z.array(flowSchema).max(apiLimits.flowsMax).default([]);

/**
 * Checks what runs: policies, their configurations, conditions. What is disabled is not looked at.
 *
 * Returns every fault, with paths that start with `at`.
 */
export function checkFlows(flows: readonly FlowDefinition[], at: string): readonly FaultDetail[] {
  return flows.flatMap((flow, index) => (flow.enabled ? checkFlow(flow, `${at}[${index}]`) : []));
}

/**
 * The same of flows of which not all have the right form: of each whatever has it is checked, to the single step, so that every fault is told
 * at once.
 */
export function checkReadableFlows(flows: unknown, at: string): readonly FaultDetail[] {
  if (!Array.isArray(flows)) return [];
  return flows.flatMap((flow: unknown, index) => {
    const { value, faulty } = readable(flowSchema, flow);
    if (value?.enabled !== true) return [];
    const inFlow = `${at}[${index}]`;
    const steps = stepPhases.flatMap((phase) =>
      faulty.has(phase) ? checkReadableSteps(fieldOf(flow, phase), phase, `${inFlow}.${phase}`) : [],
    );
    return [...checkFlow(value, inFlow), ...steps];
  });
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null
    ? Object.getOwnPropertyDescriptor(value, name)?.value
    : undefined;
}

/** Of steps of which not all have the right form, what is wrong with those that have it. */
export function checkReadableSteps(steps: unknown, phase: PolicyPhase, at: string): readonly FaultDetail[] {
  if (!Array.isArray(steps)) return [];
  return steps.flatMap((step: unknown, index) => {
    const { value, faulty } = readable(stepSchema, step);
    if (value?.enabled !== true) return [];
    const inStep = `${at}[${index}]`;
    const faults = checkStep(value, phase, inStep);
    // A configuration that cannot be read is told as that, not as one in which everything is missing.
    return faulty.has('configuration')
      ? faults.filter(({ path }) => !path.startsWith(`${inStep}.configuration`))
      : faults;
  });
}

function checkFlow(flow: FlowDefinition, at: string): readonly FaultDetail[] {
  const isHttp = flow.selectors.filter((selector) => selector.type === 'http');
  const details: FaultDetail[] = flow.selectors.flatMap((selector, index) =>
    selector.type === 'condition'
      ? checkCondition(selector.condition, `${at}.selectors[${index}].condition`)
      : [],
  );
  if (isHttp.length > 1) {
    details.push({ path: `${at}.selectors`, message: 'holds several HTTP selectors; allowed: one' });
  }
  for (const phase of stepPhases) details.push(...checkSteps(flow[phase], phase, `${at}.${phase}`));
  return details;
}

/** Checks the steps of one phase; disabled ones are not looked at. Paths start with `at`. */
export function checkSteps(
  steps: readonly StepDefinition[],
  phase: 'request' | 'response',
  at: string,
): readonly FaultDetail[] {
  return steps.flatMap((step, index) => (step.enabled ? checkStep(step, phase, `${at}[${index}]`) : []));
}

/** What is wrong with a condition. */
function checkCondition(text: string, path: string): readonly FaultDetail[] {
  const compiled = compileCondition(text);
  return 'kind' in compiled ? [{ path, message: compiled.message }] : [];
}

const messageConditionMessage =
  'conditions on messages are not supported by this version; allowed: an empty text';

function checkStep(step: StepDefinition, phase: PolicyPhase, at: string): readonly FaultDetail[] {
  const details: FaultDetail[] = [...checkCondition(step.condition, `${at}.condition`)];
  if (step.messageCondition.trim() !== '') {
    details.push({ path: `${at}.messageCondition`, message: messageConditionMessage });
  }
  const schema = policySchema(step.policy);
  if (schema === undefined) {
    const near = nearest(step.policy, policyIds(phase));
    const advice =
      insteadOf(step.policy) ??
      (near === undefined ? 'docs/policies/README.md lists those there are' : `did you mean ${near}?`);
    const message = `"${step.policy}" is not supported by this version; ${advice}`;
    details.push({ path: `${at}.policy`, message });
    return details;
  }
  if (!schema.phases.includes(phase)) {
    const message = `"${step.policy}" cannot stand in the ${phase} phase: it is ${placeOf(schema.phases)}`;
    details.push({ path: `${at}.policy`, message });
    return details;
  }
  const parsed = schema.config.safeParse(step.configuration);
  if (parsed.success) {
    // A field that may hold an expression is no text any more.
    details.push(...expressionsLeftIn(parsed.data, schema.config, `${at}.configuration`));
    const faults = schema.faultsIn?.(parsed.data, phase) ?? [];
    details.push(...faults.map(({ path, message }) => ({ path: `${at}.configuration.${path}`, message })));
  } else details.push(...detailsOf(parsed.error.issues, `${at}.configuration`));
  return details;
}

/** Security types of plans by the spelling of policies. */
export const planSecuritySchema = section({
  type: choice(['key-less', 'api-key', 'jwt', 'oauth2', 'mtls']),
  configuration: orJsonText(z.record(z.string(), z.unknown())).prefault({}),
});
