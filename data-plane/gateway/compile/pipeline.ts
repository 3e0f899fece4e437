import type { FlowDefinition } from '../../../proto/model/api.ts';
import { mayRefuse } from '../../../proto/policies/catalog.ts';
import { createFlowMatcher, type FlowMatcher, isBetter, segmentsOf } from './flow-match.ts';
import { normalise, type Readings } from './readings.ts';
import type { Step, StepCompiler } from './step.ts';

/** What runs for one request, in order. */
export interface Steps {
  readonly request: readonly Step[];
  readonly response: readonly Step[];
  /** Around the backend, the outermost first. */
  readonly around: readonly Step[];
}

/**
 * Chooses the steps of a request by its path below the context path and what else that may mean ({@link Readings}); undefined when a flow
 * must match and none does.
 */
export type Pipeline = (pathInfo: string, others: Readings['others'], method: string) => Steps | undefined;

interface CompiledFlow extends Omit<Steps, 'around'> {
  readonly matcher: FlowMatcher;
  /** It holds a step that may refuse: it is for a request however its path may be read. */
  readonly refuses: boolean;
}

/** What pipelines are made of. */
export interface PipelineOptions {
  readonly api: string;
  readonly mode: 'default' | 'best-match';
  /** A request that no flow of the API matches is refused. */
  readonly matchRequired: boolean;
  readonly compiler: StepCompiler;
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
        return [options.compiler.compile(step, place)];
      });
    const request = compile('request');
    const answersToo = request.filter(({ policy }) => policy.response !== undefined).toReversed();
    const response = [...compile('response'), ...answersToo];
    const refuses = [...flow.request, ...flow.response].some(
      (step) => step.enabled && mayRefuse(step.policy),
    );
    return [{ matcher: createFlowMatcher(flow), request, response, refuses }];
  });
}

/**
 * Joins the flows of a plan and of the API: requests go through the plan's first, answers back through the API's first.
 *
 * When every flow takes every request, the steps are joined here and a request costs one call. Else flows are chosen by the path as it was
 * sent; of those that other readings of it choose, the ones that may refuse run as well, in their place.
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
  const mayRefuse = options.matchRequired || [...planFlows, ...apiFlows].some((flow) => flow.refuses);
  // Flows without steps count for the best match and for matchRequired, so they stay.
  return (pathInfo, others, method) => {
    const paths = mayRefuse ? [pathInfo, ...others] : [pathInfo];
    const readings = paths.map((path) => segmentsOf(normalise(path)));
    const choose = (flows: readonly CompiledFlow[], segments: readonly string[]): readonly CompiledFlow[] => {
      const matching = flows.filter(({ matcher }) => matcher.matches(segments, method));
      if (!isBestOnly || matching.length < 2) return matching;
      return [matching.reduce((best, flow) => (isBetter(flow.matcher, best.matcher) ? flow : best))];
    };
    const chooseAll = (flows: readonly CompiledFlow[]): readonly (readonly CompiledFlow[])[] =>
      readings.map((segments) => choose(flows, segments));
    const ofApi = chooseAll(apiFlows);
    if (options.matchRequired && ofApi.some((chosen) => chosen.length === 0)) return undefined;
    return join(united(planFlows, chooseAll(planFlows)), united(apiFlows, ofApi));
  };
}

/** What the path as sent chose, and of what its other readings chose the flows that may refuse; in the order of the definition. */
function united(
  flows: readonly CompiledFlow[],
  [asSent = [], ...others]: readonly (readonly CompiledFlow[])[],
): readonly CompiledFlow[] {
  const added = others.flat().filter((flow) => flow.refuses && !asSent.includes(flow));
  return added.length === 0 ? asSent : flows.filter((flow) => asSent.includes(flow) || added.includes(flow));
}

const nothing: Steps = { request: [], response: [], around: [] };

function join(planFlows: readonly CompiledFlow[], apiFlows: readonly CompiledFlow[]): Steps {
  if (planFlows.length === 0 && apiFlows.length === 0) return nothing;
  const request = [...planFlows, ...apiFlows].flatMap((flow) => flow.request);
  const response = [...apiFlows, ...planFlows].flatMap((flow) => flow.response);
  return { request, response, around: around(request) };
}

/** Most requests have none: then nothing is made. */
function around(steps: readonly Step[]): readonly Step[] {
  return steps.some(wraps) ? steps.filter(wraps).toReversed() : nothing.around;
}

const wraps = ({ policy }: Step): boolean => policy.around !== undefined;
