import type { ApiDefinition, FlowDefinition, PlanDefinition } from '../model/api.ts';
import type { Json } from './opened.ts';

/**
 * Definitions in the forms of the reference. Reading what was written gives the same definition again.
 */

const upper = (word: string): string => word.toUpperCase().replaceAll('-', '_');

/** As a gateway of the reference gets it: plans by id, words in lower case. */
export function toPayload(api: ApiDefinition): Json {
  // A map keeps no order of ids that look like numbers.
  const plans = api.plans.map((plan, index) => [plan.id, { ...plan, order: index + 1 }] as const);
  return { ...api, plans: Object.fromEntries(plans) };
}

/** What the management API knows of an API beside its definition. */
export interface PortalParts {
  /** Fields of the API: description, groups, labels ... */
  readonly api?: Json;
  /** Fields of plans, by id. */
  readonly plans?: ReadonlyMap<string, Json>;
  readonly members?: readonly Json[];
  readonly pages?: readonly Json[];
  readonly metadata?: readonly Json[];
}

/** As the management API exports it: an envelope, words in UPPER_CASE, plans as a list in their order. */
export function toExport(api: ApiDefinition, portal: PortalParts = {}): Json {
  return {
    api: { ...portal.api, ...managementApi(api) },
    members: portal.members ?? [],
    metadata: portal.metadata ?? [],
    pages: portal.pages ?? [],
    plans: api.plans.map((plan, index) => ({
      order: index + 1,
      ...portal.plans?.get(plan.id),
      ...managementPlan(plan),
    })),
    apiMedia: [],
  };
}

/** Fields of portals that the operator's resource has too; it knows no API that is only CREATED. */
const resourceFields = {
  api: ['description', 'labels', 'categories', 'groups', 'state', 'visibility', 'lifecycleState'],
  plan: ['description', 'validation', 'characteristics', 'excludedGroups'],
} as const;

/** As a custom resource for the Kubernetes operator; plans by id, which is their key. */
export function toResource(
  api: ApiDefinition,
  {
    name,
    namespace,
    portal = {},
  }: { readonly name: string; readonly namespace?: string; readonly portal?: PortalParts },
): Json {
  const { apiVersion: version, definitionVersion: _version, ...spec } = managementApi(api);
  const plans = api.plans.map((plan, index) => {
    const { id, definitionVersion: _known, ...rest } = managementPlan(plan);
    const of = portal.plans?.get(plan.id) ?? {};
    const isAsked = of['commentRequired'];
    return [
      String(id),
      {
        ...picked(of, resourceFields.plan),
        ...(isAsked !== undefined && { comment_required: isAsked }),
        ...rest,
        order: of['order'] ?? index + 1,
      },
    ] as const;
  });
  const { lifecycleState, ...known } = picked(portal.api ?? {}, resourceFields.api);
  return {
    apiVersion: 'gravitee.io/v1alpha1',
    kind: 'ApiV4Definition',
    metadata: { name, ...(namespace !== undefined && { namespace }) },
    spec: {
      version,
      ...known,
      ...(lifecycleState !== undefined && lifecycleState !== 'CREATED' && { lifecycleState }),
      ...spec,
      plans: Object.fromEntries(plans),
    },
  };
}

/** Those of the fields that say something. */
const picked = (from: Json, names: readonly string[]): Json =>
  Object.fromEntries(
    names.map((name) => [name, from[name] ?? undefined] as const).filter(([, value]) => value !== undefined),
  );

function managementApi(api: ApiDefinition): Json {
  const { plans: _plans, gravitee: _gravitee, ...rest } = api;
  return {
    ...rest,
    definitionVersion: 'V4',
    type: upper(api.type),
    listeners: api.listeners.map((listener) => ({
      ...listener,
      type: upper(listener.type),
      entrypoints: listener.entrypoints.map((entrypoint) => ({ ...entrypoint, qos: upper(entrypoint.qos) })),
    })),
    endpointGroups: api.endpointGroups.map((group) => ({
      ...group,
      loadBalancer: { type: upper(group.loadBalancer.type) },
    })),
    flowExecution: { ...api.flowExecution, mode: upper(api.flowExecution.mode) },
    flows: managementFlows(api.flows),
  };
}

function managementPlan(plan: PlanDefinition): Json {
  return {
    ...plan,
    definitionVersion: 'V4',
    security: { ...plan.security, type: upper(plan.security.type) },
    mode: upper(plan.mode),
    status: upper(plan.status),
    flows: managementFlows(plan.flows),
  };
}

function managementFlows(flows: readonly FlowDefinition[]): readonly Json[] {
  return flows.map((flow) => ({
    ...flow,
    selectors: flow.selectors.map((selector) => ({ ...selector, type: upper(selector.type) })),
  }));
}
