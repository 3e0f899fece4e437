import { z } from 'zod';

import type { FaultDetail } from '../faults/fault.ts';
import { detailsOf } from '../faults/issues.ts';
import { nearest } from '../faults/nearest.ts';
import { isResourceId, resourceCatalog, type ResourceId } from '../resources/catalog.ts';
import type { NamedResource } from '../policies/policy-schema.ts';
import type { ResourceUse } from '../resources/resource-schema.ts';
import { apiLimits } from './api-limits.ts';
import type { FlowDefinition } from './api-flows.ts';
import { expressionsLeftIn } from './deploy/fields.ts';
import { type PlanDefinition, planSchema } from './api-plans.ts';
import { policySchema } from '../policies/catalog.ts';
import { stepsInFlows } from './api/steps.ts';
import { readable } from './readable.ts';
import { elsewhere, orJsonText, section } from './sections.ts';

const resourceSchema = section({
  id: elsewhere(),
  name: z.string().max(apiLimits.nameCharsMax).default(''),
  type: z.string().max(apiLimits.pluginCharsMax).default(''),
  enabled: z.boolean().default(true),
  configuration: orJsonText(z.record(z.string(), z.unknown())).prefault({}),
});

/** What plans and policies of an API use by name. */
export const resourcesSchema = z.array(resourceSchema).max(apiLimits.resourcesMax).default([]);

/** What a definition names once and uses where it likes. */
export interface ResourceDefinition {
  readonly name: string;
  readonly type: string;
  readonly enabled: boolean;
  readonly configuration: Readonly<Record<string, unknown>>;
}

/** Checks what is enabled: types, configurations, names. */
export function checkResources(resources: readonly ResourceDefinition[]): readonly FaultDetail[] {
  const seen = new Set<string>();
  return resources.flatMap(({ name, type, enabled, configuration }, index) => {
    if (!enabled) return [];
    const at = `resources[${index}]`;
    const twice =
      name === ''
        ? [{ path: `${at}.name`, message: 'is required' }]
        : seen.has(name)
          ? [{ path: `${at}.name`, message: 'is there twice' }]
          : [];
    seen.add(name);
    return [...twice, ...checkConfiguration(type, configuration, at)];
  });
}

/** The same of resources that may not have the right form. */
export function checkReadableResources(resources: unknown): readonly FaultDetail[] {
  const parsed = resourcesSchema.safeParse(resources);
  return parsed.success ? checkResources(parsed.data) : [];
}

/** Of the reference, and of another kind than what they are spelled like. */
const foreign: ReadonlySet<string> = new Set(['oauth2-keycloak-resource', 'oauth2-auth0', 'oauth2-entra-id']);

function checkConfiguration(
  type: string,
  configuration: ResourceDefinition['configuration'],
  at: string,
): readonly FaultDetail[] {
  if (!isResourceId(type)) {
    const ids = Object.keys(resourceCatalog);
    const near = foreign.has(type) ? undefined : nearest(type, ids);
    const advice =
      near === undefined ? `allowed: ${ids.join(', ')}, or enabled: false` : `did you mean ${near}?`;
    return [{ path: `${at}.type`, message: `"${type}" is not supported by this version; ${advice}` }];
  }
  const parsed = resourceCatalog[type].config.safeParse(configuration);
  return parsed.success
    ? expressionsLeftIn(parsed.data, resourceCatalog[type].config, `${at}.configuration`)
    : detailsOf(parsed.error.issues, `${at}.configuration`);
}

/** Checks that the resources which plans and steps name are there, and serve what they are named for. */
export function checkResourcesInUse(
  { flows, plans }: { readonly flows: readonly FlowDefinition[]; readonly plans: readonly PlanDefinition[] },
  resources: readonly ResourceDefinition[],
): readonly FaultDetail[] {
  return [
    ...checkResourcesOfFlows(flows, resources, 'flows'),
    ...plans.flatMap(({ status, security, flows: own }, index) => {
      if (status === 'closed') return [];
      const at = `plans[${index}]`;
      return [
        ...checkUses(security.type, security.configuration, {
          resources,
          path: `${at}.security.configuration`,
        }),
        ...checkResourcesOfFlows(own, resources, `${at}.flows`),
      ];
    }),
  ];
}

/** The same for what secures the plans of a body in which something has not the right form. */
export function checkReadableUses(resources: unknown, plans: unknown): readonly FaultDetail[] {
  const parsed = resourcesSchema.safeParse(resources);
  if (!parsed.success || !Array.isArray(plans)) return [];
  return plans.flatMap((written: unknown, index) => {
    const plan = readable(planSchema, written).value;
    if (plan === undefined || plan.status === 'closed') return [];
    const path = `plans[${index}].security.configuration`;
    return checkUses(plan.security.type, plan.security.configuration, { resources: parsed.data, path });
  });
}

/** The same of the steps of flows that run; paths start with `at`. */
export function checkResourcesOfFlows(
  flows: readonly FlowDefinition[],
  resources: readonly ResourceDefinition[],
  at: string,
): readonly FaultDetail[] {
  return stepsInFlows(flows, at).flatMap(({ step, path }) =>
    checkUses(step.policy, step.configuration, { resources, path: `${path}.configuration` }),
  );
}

function checkUses(
  policy: string,
  configuration: Readonly<Record<string, unknown>>,
  { resources, path }: Named,
): readonly FaultDetail[] {
  const named = new Map(Object.entries(configuration));
  return (policySchema(policy)?.uses ?? []).flatMap((use) => {
    const { field } = use;
    const said = named.get(field);
    if (!Array.isArray(said)) return checkUse(said, use, { resources, path: `${path}.${field}` });
    return said.flatMap((name, index) =>
      checkUse(name, use, { resources, path: `${path}.${field}[${index}]` }),
    );
  });
}

/** Where a name stands, and among what it is looked for. */
interface Named {
  readonly resources: readonly ResourceDefinition[];
  readonly path: string;
}

function checkUse(
  name: unknown,
  { serves, faultsOf }: NamedResource,
  { resources, path }: Named,
): readonly FaultDetail[] {
  // What is no name at all is told by the policy's own schema.
  if (typeof name !== 'string' || name === '') return [];
  const found = resources.find((resource) => resource.enabled && resource.name === name);
  if (found === undefined) return [{ path, message: `"${name}" is no resource of this API that is enabled` }];
  // A type that is not known is told where it stands.
  if (!isResourceId(found.type)) return [];
  if (!servesFor(found.type).includes(serves))
    return [{ path, message: `"${name}" is of type ${found.type}, which serves no ${serves}` }];
  const faults = faultsOf?.(found.configuration) ?? [];
  return faults.map((fault) => ({ path, message: `"${name}": ${fault.path} ${fault.message}` }));
}

const servesFor = (type: ResourceId): readonly ResourceUse[] => resourceCatalog[type].serves;
