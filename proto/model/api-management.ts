import type { FlowDefinition } from './api-flows.ts';
import type { PlanDefinition } from './api-plans.ts';
import type { ApiDefinition } from './api-schema.ts';

/** A part of the management API's JSON. */
export type ManagementJson = Record<string, unknown>;

const upper = (word: string): string => word.toUpperCase().replaceAll('-', '_');

/**
 * Writes a definition as the management API and exports spell it: `definitionVersion: V4`, words in UPPER_CASE.
 *
 * Plans are not in it: there they are a resource of their own, see {@link toManagementPlan}.
 */
export function toManagementApi(definition: ApiDefinition): ManagementJson {
  const { plans: _plans, gravitee: _gravitee, ...rest } = definition;
  return {
    ...rest,
    definitionVersion: 'V4',
    type: upper(definition.type),
    listeners: definition.listeners.map((listener) => ({
      ...listener,
      type: upper(listener.type),
      entrypoints: listener.entrypoints.map((entrypoint) => ({ ...entrypoint, qos: upper(entrypoint.qos) })),
    })),
    endpointGroups: definition.endpointGroups.map((group) => ({
      ...group,
      loadBalancer: { type: upper(group.loadBalancer.type) },
    })),
    flowExecution: { ...definition.flowExecution, mode: upper(definition.flowExecution.mode) },
    flows: toManagementFlows(definition.flows),
  };
}

/** Writes a plan as the management API spells it; what the console knows of it besides is the caller's. */
export function toManagementPlan(plan: PlanDefinition): ManagementJson {
  return {
    ...plan,
    definitionVersion: 'V4',
    security: { ...plan.security, type: upper(plan.security.type) },
    mode: upper(plan.mode),
    status: upper(plan.status),
    flows: toManagementFlows(plan.flows),
  };
}

/** Writes flows as the management API spells them. */
function toManagementFlows(flows: readonly FlowDefinition[]): readonly ManagementJson[] {
  return flows.map((flow) => ({
    ...flow,
    selectors: flow.selectors.map((selector) => ({ ...selector, type: upper(selector.type) })),
  }));
}
