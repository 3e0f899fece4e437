import type { ApiDefinition, FlowDefinition } from '../../../proto/model/api.ts';
import { isEntitled } from '../../../proto/trust/entitlement.ts';

/** Where a gateway stands: its fleet's sharding tags and tenant, or in local mode those of its settings. */
export interface Standing {
  /** In the notation of {@link isEntitled}; none takes everything. */
  readonly tags: readonly string[];
  /** Undefined calls the endpoints of all tenants. */
  readonly tenant: string | undefined;
}

/** A gateway that nothing was said of. */
export const anywhere: Standing = { tags: [], tenant: undefined };

/** Says whether parts of a definition are for some gateways only. */
export function dependsOnStanding({ flows, plans, endpointGroups }: ApiDefinition): boolean {
  const isTagged = ({ tags }: { readonly tags: readonly string[] }): boolean => tags.length > 0;
  return (
    flows.some(isTagged) ||
    plans.some((plan) => isTagged(plan) || plan.flows.some(isTagged)) ||
    endpointGroups.some(
      ({ endpoints, services }) =>
        // Of what is found nobody knows before whose it is.
        services?.discovery !== undefined || endpoints.some(({ tenants }) => tenants.length > 0),
    )
  );
}

/**
 * The definition as it is on a gateway that stands there: a flow whose tags are not the gateway's is disabled, such a plan closed. Both stay
 * in their places, which faults and records name.
 */
export function seenFrom(definition: ApiDefinition, { tags }: Standing): ApiDefinition {
  const flowsHere = (flows: readonly FlowDefinition[]): FlowDefinition[] => flowsSeenFrom(flows, { tags });
  return {
    ...definition,
    flows: flowsHere(definition.flows),
    plans: definition.plans.map((plan) =>
      isHere(plan.tags, tags) ? { ...plan, flows: flowsHere(plan.flows) } : { ...plan, status: 'closed' },
    ),
  };
}

/** Flows as they are on a gateway with those tags. */
export function flowsSeenFrom(
  flows: readonly FlowDefinition[],
  { tags }: Pick<Standing, 'tags'>,
): FlowDefinition[] {
  return flows.map((flow) => (isHere(flow.tags, tags) ? flow : { ...flow, enabled: false }));
}

const isHere = (wanted: readonly string[], tags: readonly string[]): boolean =>
  wanted.length === 0 || isEntitled(tags, wanted);
