import { z } from 'zod';

import type { FaultDetail } from '../faults/fault.ts';
import { detailsOf } from '../faults/issues.ts';
import { nearest } from '../faults/nearest.ts';
import { isResourceId, resourceCatalog } from '../resources/catalog.ts';
import type { ResourceUse } from '../resources/resource-schema.ts';
import { apiLimits } from './api-limits.ts';
import { expressionsIn } from '../expression/find.ts';
import type { PlanDefinition } from './api-plans.ts';
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

function checkConfiguration(
  type: string,
  configuration: ResourceDefinition['configuration'],
  at: string,
): readonly FaultDetail[] {
  if (!isResourceId(type)) {
    const ids = Object.keys(resourceCatalog);
    const near = nearest(type, ids);
    const advice =
      near === undefined ? `allowed: ${ids.join(', ')}, or enabled: false` : `did you mean ${near}?`;
    return [{ path: `${at}.type`, message: `"${type}" is not supported by this version; ${advice}` }];
  }
  const parsed = resourceCatalog[type].config.safeParse(configuration);
  return parsed.success
    ? expressionsIn(parsed.data, `${at}.configuration`)
    : detailsOf(parsed.error.issues, `${at}.configuration`);
}

/** Checks that the resources which plans name are there, and serve what they are named for. */
export function checkResourcesOfPlans(
  plans: readonly PlanDefinition[],
  resources: readonly ResourceDefinition[],
): readonly FaultDetail[] {
  return plans.flatMap(({ status, security }, index) => {
    if (status === 'closed' || security.type !== 'oauth2') return [];
    const at = `plans[${index}].security.configuration`;
    const { oauthResource, oauthCacheResource } = security.configuration;
    return [
      ...checkUse(oauthResource, 'introspection', { resources, path: `${at}.oauthResource` }),
      ...checkUse(oauthCacheResource, 'cache', { resources, path: `${at}.oauthCacheResource` }),
    ];
  });
}

function checkUse(
  name: unknown,
  use: ResourceUse,
  { resources, path }: { readonly resources: readonly ResourceDefinition[]; readonly path: string },
): readonly FaultDetail[] {
  // What is no name at all is told by the policy's own schema.
  if (typeof name !== 'string' || name === '') return [];
  const found = resources.find((resource) => resource.enabled && resource.name === name);
  if (found === undefined) return [{ path, message: `"${name}" is no resource of this API that is enabled` }];
  // A type that is not known is told where it stands.
  if (!isResourceId(found.type) || resourceCatalog[found.type].serves === use) return [];
  return [{ path, message: `"${name}" is of type ${found.type}, which serves no ${use}` }];
}
