import { z } from 'zod';

import type { FaultDetail } from '../../faults/fault.ts';
import { detailsOf } from '../../faults/issues.ts';
import { sharedPolicyGroupPolicy } from '../../policies/shared-policy-group-policy.ts';
import {
  checkReadableSteps,
  checkSteps,
  type FlowDefinition,
  type StepDefinition,
  stepsSchema,
} from '../api-flows.ts';
import { apiLimits } from '../api-limits.ts';
import type { ApiDefinition } from '../api-schema.ts';
import { choice, elsewhere, section } from '../sections.ts';
import { type PlacedStep, stepsInFlows, stepsOf } from './steps.ts';

/** What the console keeps of a group beside what it does. */
const consoleFields = Object.fromEntries(
  [
    'crossId',
    'hrid',
    'environmentId',
    'organizationId',
    'description',
    'prerequisiteMessage',
    'version',
    'lifecycleState',
    'originContext',
    'deployedAt',
    'createdAt',
    'updatedAt',
  ].map((key) => [key, elsewhere()]),
);

/** A group as it is written; {@link parseSharedPolicyGroup} says what of it cannot run. */
export const sharedPolicyGroupSchema = section(
  {
    id: z.string().min(1).max(apiLimits.idCharsMax),
    name: z.string().min(1).max(apiLimits.nameCharsMax),
    apiType: choice(['proxy'], 'message', 'native', 'mcp-proxy', 'llm-proxy', 'a2a-proxy').default('proxy'),
    phase: choice(['request', 'response'], 'publish', 'subscribe', 'interact', 'connect'),
    steps: stepsSchema,
    ...consoleFields,
  },
  consoleFields,
);

/** Steps that APIs of an environment share; {@link parseSharedPolicyGroup} judges them. */
export interface SharedPolicyGroupDefinition {
  readonly id: string;
  readonly name: string;
  readonly phase: 'request' | 'response';
  readonly steps: readonly StepDefinition[];
}

/** What became of a body. */
export type ParsedGroup =
  | { readonly kind: 'group'; readonly group: SharedPolicyGroupDefinition }
  | { readonly kind: 'faults'; readonly faults: readonly FaultDetail[] };

/** Reads a shared policy group: a step that could not stand in its phase is refused, and so is another group in it. */
export function parseSharedPolicyGroup(body: unknown): ParsedGroup {
  const parsed = sharedPolicyGroupSchema.safeParse(body);
  if (!parsed.success) {
    const { steps, phase } = fieldsOf(body);
    const isPhase = phase === 'REQUEST' || phase === 'RESPONSE';
    const inSteps = isPhase
      ? checkReadableSteps(steps, phase === 'REQUEST' ? 'request' : 'response', 'steps')
      : [];
    return { kind: 'faults', faults: [...detailsOf(parsed.error.issues), ...inSteps] };
  }
  const { id, name, phase, steps } = parsed.data;
  const faults = [...checkSteps(steps, phase, 'steps'), ...checkNesting(steps)];
  return faults.length > 0
    ? { kind: 'faults', faults }
    : { kind: 'group', group: { id, name, phase, steps } };
}

function checkNesting(steps: readonly StepDefinition[]): readonly FaultDetail[] {
  return steps.flatMap((step, index) =>
    step.enabled && sharedGroupOf(step) !== undefined
      ? [
          {
            path: `steps[${index}].policy`,
            message: 'is a shared policy group; a group holds no others: write the steps of that one here',
          },
        ]
      : [],
  );
}

function fieldsOf(body: unknown): Readonly<Record<string, unknown>> {
  return typeof body === 'object' && body !== null ? (body as Readonly<Record<string, unknown>>) : {};
}

/** The id of the group that a step stands for; undefined for every other step. */
export function sharedGroupOf({ policy, configuration }: StepDefinition): string | undefined {
  return policy === sharedPolicyGroupPolicy.id
    ? sharedPolicyGroupPolicy.config.safeParse(configuration).data?.sharedPolicyGroupId
    : undefined;
}

/** A step that stands for a group. */
interface GroupUse {
  readonly group: string;
  readonly phase: 'request' | 'response';
  readonly path: string;
}

/** Every step of flows that runs and stands for a group, with its place; paths start with `at`. */
export function sharedGroupsIn(flows: readonly FlowDefinition[], at: string): readonly GroupUse[] {
  return usesIn(stepsInFlows(flows, at));
}

/** The same of all flows of an API. */
export function sharedGroupsOf(api: Pick<ApiDefinition, 'flows' | 'plans'>): readonly GroupUse[] {
  return usesIn(stepsOf(api));
}

const usesIn = (steps: readonly PlacedStep[]): readonly GroupUse[] =>
  steps.flatMap(({ step, phase, path }) => {
    const group = sharedGroupOf(step);
    return group === undefined ? [] : [{ group, phase, path }];
  });
