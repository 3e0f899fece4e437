import type { OrganizationFlowsDefinition } from '../../../proto/model/api/organization-flows.ts';
import type { EndpointsGround } from '../../endpoints/group.ts';
import { type CompileOptions, hostOf } from './compile.ts';
import { engineOf } from './engine.ts';
import { createLife, type Life } from './life.ts';
import { createPathParams, type PathParams } from './path-params.ts';
import { compileFlows, createPipeline, type Pipeline } from './pipeline.ts';
import { GroupsInUse } from './shared-groups.ts';
import { flowsSeenFrom } from './standing.ts';
import { maskingIn } from '../logs/masking.ts';
import { type Step, StepCompiler } from './step.ts';

/** The flows of an organization as closures: one set for all APIs of an environment. */
export interface OrganizationFlows extends Life<Pick<EndpointsGround, 'upstreams'>> {
  readonly pipeline: Pipeline;
  readonly pathParams: PathParams;
  /** Steps that mask what is logged. */
  readonly masking: readonly Step[];
}

/** No shared policy groups: these belong to an environment. */
const noGroups = new Map<string, never>();
/** Nor resources: these belong to an API. */
const noResources = new Map<string, never>();

/**
 * Compiles them; pure, as `compileApi` is.
 *
 * Errors: Faults that say which step does not work on this gateway.
 */
export function compileOrganizationFlows(
  { flowMode, matchRequired, flows: whole }: OrganizationFlowsDefinition,
  organization: string,
  options: Pick<CompileOptions, 'host' | 'build' | 'standing'>,
): OrganizationFlows {
  const flows = flowsSeenFrom(whole, options.standing);
  const engine = engineOf({});
  const compiler = new StepCompiler({
    host: hostOf(
      { id: organization, name: organization, properties: [], endpointGroups: [] },
      options.host,
      noResources,
    ),
    build: options.build,
    engine,
    groups: new GroupsInUse(noGroups),
    isOfOrganization: true,
  });
  const shared = { api: organization, mode: flowMode, matchRequired, compiler, engine };
  const compiled = compileFlows(flows, { plan: undefined, at: 'organizationFlows' }, shared);
  return {
    pipeline: createPipeline([], compiled, shared),
    pathParams: createPathParams(flows),
    masking: maskingIn(compiler.steps),
    ...createLife(
      undefined,
      compiler.steps.map(({ policy }) => policy),
    ),
  };
}
