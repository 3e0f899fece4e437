import type { z } from 'zod';

import type { FaultDetail } from '../faults/fault.ts';
import { checkFlows, checkReadableFlows } from './api-flows.ts';
import { checkPlan, checkReadablePlans } from './api-plans.ts';
import {
  checkReadableResources,
  checkReadableUses,
  checkResources,
  checkResourcesInUse,
} from './api-resources.ts';
import { type ApiDefinition, apiSchema } from './api-schema.ts';
import { detailsOf } from '../faults/issues.ts';

export { compileLoggingCondition, isLogged } from './api/analytics.ts';
import { shareServer } from './api-listeners.ts';

export type { CorsDefinition } from './api-listeners.ts';
export type {
  EndpointDefinition,
  EndpointGroupDefinition,
  FailoverDefinition,
  SharedConfiguration,
} from './api-endpoints.ts';
export { configurationOf, sharedConfigurationSchema } from './api-endpoints.ts';
export { type DiscoveryDefinition, discoveredPathSchema, discoverySchema } from './api/discovery.ts';
export {
  assertionPlaces,
  checkBodySchema,
  checkTargetSchema,
  type HealthCheckDefinition,
  healthCheckOf,
} from './api/health-check.ts';
export { readSchedule } from './api/schedule.ts';
export { type ChosenHost, judgeOfTargets, targetSchema } from './api/target.ts';
export type { FlowDefinition, StepDefinition } from './api-flows.ts';
export type { PlanDefinition } from './api-plans.ts';
export { errorPlaces, type ResponseTemplate } from './api-templates.ts';
export type { ApiDefinition } from './api-schema.ts';

/** What became of a body: the definition, or everything that is wrong with it. */
export type ParsedApi =
  | { readonly kind: 'api'; readonly api: ApiDefinition }
  | { readonly kind: 'faults'; readonly faults: readonly FaultDetail[] };

/**
 * Reads an API in words of version 4 into the one canonical shape; proto/definition is the door that gives any input this form.
 *
 * Shape: `gravitee: '4.0.0'`, words in any spelling, plans as a list in their order, each with an id, no null.
 */
export function parseApi(body: Readonly<Record<string, unknown>>): ParsedApi {
  const parsed = apiSchema.safeParse(body);
  if (!parsed.success) {
    const faults = [
      ...detailsOf(parsed.error.issues),
      ...checkReadableFlows(body['flows'], 'flows'),
      ...checkReadablePlans(body['plans']),
      ...checkReadableResources(body['resources']),
      ...checkReadableUses(body['resources'], body['plans']),
    ];
    return { kind: 'faults', faults };
  }
  const api = canonical(parsed.data);
  const faults = [
    ...checkPaths(api),
    ...checkNames(api),
    ...checkFlows(api.flows, 'flows'),
    ...api.plans.flatMap((plan, index) => checkPlan(plan, `plans[${index}]`)),
    ...checkResources(api.resources),
    ...checkResourcesInUse(api, api.resources),
  ];
  return faults.length > 0 ? { kind: 'faults', faults } : { kind: 'api', api };
}

/** Drops what the parser made `undefined`, so that the same definition always is the same JSON. */
function canonical(parsed: z.output<typeof apiSchema>): ApiDefinition {
  return JSON.parse(JSON.stringify(parsed)) as ApiDefinition;
}

/** On one server, which two listeners share when they name it both, or one of them names none. */
function checkPaths(definition: ApiDefinition): readonly FaultDetail[] {
  const seen = new Map<string, (readonly string[])[]>();
  return definition.listeners.flatMap(({ paths, servers }, l) =>
    paths.flatMap((entry, p) => {
      const key = `${entry.host ?? ''} ${entry.path}`;
      const before = seen.get(key) ?? [];
      seen.set(key, [...before, servers]);
      return before.some((others) => shareServer(servers, others))
        ? [{ path: `listeners[${l}].paths[${p}]`, message: 'is there twice' }]
        : [];
    }),
  );
}

function checkNames(definition: ApiDefinition): readonly FaultDetail[] {
  const groups = definition.endpointGroups.map(({ name }, g) => ({
    name,
    path: `endpointGroups[${g}].name`,
  }));
  const endpoints = definition.endpointGroups.flatMap((group, g) =>
    group.endpoints.map(({ name }, e) => ({ name, path: `endpointGroups[${g}].endpoints[${e}].name` })),
  );
  const plans = definition.plans.map(({ id }, index) => ({ name: id, path: `plans[${index}].id` }));
  const properties = definition.properties.map(({ key }, index) => ({
    name: key,
    path: `properties[${index}].key`,
  }));
  // Of two properties one would be read by nobody.
  return [...twice(groups), ...twice(endpoints), ...twice(plans), ...twice(properties)];
}

function twice(names: readonly { readonly name: string; readonly path: string }[]): readonly FaultDetail[] {
  const seen = new Set<string>();
  return names.flatMap(({ name, path }) => {
    if (!seen.has(name)) {
      seen.add(name);
      return [];
    }
    return [{ path, message: `"${name}" is there twice; names are unique within an API` }];
  });
}
