import type { FaultDetail } from '../../faults/fault.ts';
import { z } from 'zod';

import { detailsOf } from '../../faults/issues.ts';
import { checkFlows, checkReadableFlows, type FlowDefinition, flowsSchema } from '../api-flows.ts';
import { checkResourcesOfFlows } from '../api-resources.ts';
import { choice, section } from '../sections.ts';
import { sharedGroupsIn } from './shared-policy-group.ts';

const organizationFlowsSchema = section({
  flowMode: choice(['default', 'best-match']).default('default'),
  matchRequired: z.boolean().default(false),
  flows: flowsSchema,
});

/** What every request of an organization's environments passes, before and after the flows of its API. */
export interface OrganizationFlowsDefinition {
  readonly flowMode: 'default' | 'best-match';
  /** A request that none of them matches is refused. */
  readonly matchRequired: boolean;
  readonly flows: readonly FlowDefinition[];
}

/** What became of a body. */
export type ParsedOrganizationFlows =
  | { readonly kind: 'flows'; readonly definition: OrganizationFlowsDefinition }
  | { readonly kind: 'faults'; readonly faults: readonly FaultDetail[] };

/** Reads an organization's flows in words of version 4. */
export function parseOrganizationFlows(body: Readonly<Record<string, unknown>>): ParsedOrganizationFlows {
  const parsed = organizationFlowsSchema.safeParse(body);
  if (!parsed.success)
    return {
      kind: 'faults',
      faults: [...detailsOf(parsed.error.issues), ...checkReadableFlows(body['flows'], 'flows')],
    };
  const definition = parsed.data;
  const groups = sharedGroupsIn(definition.flows, 'flows').map(({ path }) => ({
    path: `${path}.policy`,
    message: 'is a shared policy group, which belongs to an environment; write its steps here',
  }));
  const faults = [
    ...checkFlows(definition.flows, 'flows'),
    ...groups,
    // An organization has none.
    ...checkResourcesOfFlows(definition.flows, [], 'flows'),
  ];
  return faults.length > 0 ? { kind: 'faults', faults } : { kind: 'flows', definition };
}
