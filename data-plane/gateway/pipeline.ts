import type { FlowDefinition, StepDefinition } from '../../proto/model/api.ts';
import { catalog, isPolicyId, type PolicyConfig } from '../../proto/policies/catalog.ts';
import { Fault } from '../../proto/faults/fault.ts';
import { policies, type StepPolicyId } from '../policies/index.ts';
import type { Policy, PolicyHost, PolicyPlace } from '../policies/policy.ts';
import { createFlowMatcher, type FlowMatcher, isBetter, segmentsOf } from './flow-match.ts';

/** One policy at its place, built. */
export interface Step {
  readonly policy: Policy;
  readonly needsBody: boolean;
  /** Path in the definition, for the log. */
  readonly at: string;
}

/** What runs for one request, in order. */
export interface Steps {
  readonly request: readonly Step[];
  readonly response: readonly Step[];
  readonly needsRequestBody: boolean;
  readonly needsResponseBody: boolean;
}

/** Chooses the steps of a request; undefined when a flow must match and none does. */
export type Pipeline = (pathInfo: string, method: string) => Steps | undefined;

/** Builds the policy of a step; tests hand in their own. */
export type PolicyBuilder = (step: StepDefinition, host: PolicyHost, place: PolicyPlace) => Omit<Step, 'at'>;

/** Builds from the catalogue and the table of policies. Errors: request.invalid when the step cannot be built. */
export const buildPolicy: PolicyBuilder = (step, host, place) => {
  const id = step.policy;
  if (!isPolicyId(id) || id === 'api-key' || id === 'key-less') {
    throw new Fault('request.invalid', {
      details: [{ path: `${place.at}.policy`, message: `"${id}" is unknown` }],
    });
  }
  return { policy: instantiate(id, step.configuration, { host, place }), needsBody: needsBody(id) };
};

function needsBody(id: StepPolicyId): boolean {
  const schema: { readonly needsBody: 'none' | 'buffered' } = catalog[id];
  return schema.needsBody === 'buffered';
}

function instantiate<Id extends StepPolicyId>(
  id: Id,
  configuration: unknown,
  { host, place }: { readonly host: PolicyHost; readonly place: PolicyPlace },
): Policy {
  // The table's type ties the factory to the schema of the same id, which the compiler cannot see through a variable.
  const config = catalog[id].config.parse(configuration) as PolicyConfig<Id>;
  return policies[id](config, host, place);
}

interface CompiledFlow {
  readonly matcher: FlowMatcher;
  readonly request: readonly Step[];
  readonly response: readonly Step[];
}

/** What pipelines are made of. */
export interface PipelineOptions {
  readonly api: string;
  readonly mode: 'default' | 'best-match';
  /** A request that no flow of the API matches is refused. */
  readonly matchRequired: boolean;
  readonly host: PolicyHost;
  readonly build: PolicyBuilder;
}

/** Compiles flows of one level, once; they are shared by all plans of an API when they are the API's own. */
export function compileFlows(
  flows: readonly FlowDefinition[],
  level: { readonly plan: string | undefined; readonly at: string },
  options: PipelineOptions,
): readonly CompiledFlow[] {
  return flows.flatMap((flow, index) => {
    if (!flow.enabled) return [];
    const selector = flow.selectors.find((candidate) => candidate.type === 'http');
    const compile = (phase: 'request' | 'response'): readonly Step[] =>
      flow[phase].flatMap((step, number) => {
        if (!step.enabled) return [];
        const at = `${level.at}[${index}].${phase}[${number}]`;
        const place = { api: options.api, plan: level.plan, flowPath: selector?.path ?? '/', phase, at };
        return [{ ...options.build(step, options.host, place), at }];
      });
    return [{ matcher: createFlowMatcher(flow), request: compile('request'), response: compile('response') }];
  });
}

/**
 * Joins the flows of a plan and of the API: requests go through the plan's first, answers back through the API's first.
 *
 * When every flow takes every request, the steps are joined here and a request costs one call.
 */
export function createPipeline(
  planFlows: readonly CompiledFlow[],
  apiFlows: readonly CompiledFlow[],
  options: PipelineOptions,
): Pipeline {
  const needed = (flows: readonly CompiledFlow[]): readonly CompiledFlow[] =>
    flows.filter((flow) => flow.request.length + flow.response.length > 0);
  const isBestOnly = options.mode === 'best-match';
  const isStatic = [...planFlows, ...apiFlows].every(({ matcher }) => matcher.isAlways);
  if (isStatic && !isBestOnly && (!options.matchRequired || apiFlows.length > 0)) {
    const steps = join(needed(planFlows), needed(apiFlows));
    return () => steps;
  }
  // Flows without steps count for the best match and for matchRequired, so they stay.
  return (pathInfo, method) => {
    const segments = segmentsOf(pathInfo);
    const choose = (flows: readonly CompiledFlow[]): readonly CompiledFlow[] => {
      const matching = flows.filter(({ matcher }) => matcher.matches(segments, method));
      if (!isBestOnly || matching.length < 2) return matching;
      return [matching.reduce((best, flow) => (isBetter(flow.matcher, best.matcher) ? flow : best))];
    };
    const chosen = choose(apiFlows);
    if (chosen.length === 0 && options.matchRequired) return undefined;
    return join(choose(planFlows), chosen);
  };
}

const nothing: Steps = { request: [], response: [], needsRequestBody: false, needsResponseBody: false };

function join(planFlows: readonly CompiledFlow[], apiFlows: readonly CompiledFlow[]): Steps {
  if (planFlows.length === 0 && apiFlows.length === 0) return nothing;
  const request = [...planFlows, ...apiFlows].flatMap((flow) => flow.request);
  const response = [...apiFlows, ...planFlows].flatMap((flow) => flow.response);
  return {
    request,
    response,
    needsRequestBody: request.some((step) => step.needsBody),
    needsResponseBody: response.some((step) => step.needsBody),
  };
}
