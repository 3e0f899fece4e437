import { hash } from 'node:crypto';

import { hasExpression } from '../../../proto/expression/find.ts';
import { type ApiDefinition, judgeOfTargets, targetSchema } from '../../../proto/model/api.ts';
import { createHostList, type Guard } from '../../../proto/process/outbound/guard.ts';
import { calledUrlOf } from '../../endpoints/called-url.ts';
import { createEndpoints, type Endpoints } from '../../endpoints/groups.ts';
import type { OutlierHost } from '../../endpoints/outliers.ts';
import { noScripts, type Scripts } from '../../script/script.ts';
import type { PolicyHost, StepPlace } from '../../policies/policy.ts';
import { noCaches } from '../../caches.ts';
import { noDirectories } from '../../directories.ts';
import { createResources, servedBy } from '../../resources/index.ts';
import type { CacheGround, DirectoryGround, Resources } from '../../resources/resource.ts';
import { securePlan } from '../../security/index.ts';
import type { SecuredPlan, GatewaySecurity } from '../../security/security.ts';
import { inOrder } from '../../security/select-plan.ts';
import { createLife, type Life } from './life.ts';
import { type Cors, createCors } from './cors.ts';
import { engineOf, type EngineRules } from './engine.ts';
import { createErrorWriter, type ErrorWriter } from '../errors/error-answer.ts';
import type { CircuitBoard } from '../steps/circuits.ts';
import { createFailover } from '../steps/failover.ts';
import { compileLogging, type LogWish } from '../logs/log-wish.ts';
import { createMappings } from './mappings.ts';
import { createPathParams, type PathParams } from './path-params.ts';
import { compileFlows, createPipeline, type Pipeline } from './pipeline.ts';
import { GroupsInUse, type SharedGroups } from './shared-groups.ts';
import { dependsOnStanding, seenFrom, type Standing } from './standing.ts';
import type { Surroundings } from '../../../proto/expression/scope.ts';
import { type PolicyBuilder, type Step, StepCompiler } from './step.ts';
import { workOutDefinition } from './at-deploy.ts';
import { type ApiFacts, createApiFacts, type ExpressionHost } from './surroundings.ts';

/** A plan, ready to be asked. */
export interface CompiledPlan extends SecuredPlan {
  /** Of its rule. */
  readonly place: StepPlace;
  readonly pipeline: Pipeline;
  readonly pathParams: PathParams;
}

/** An API as closures: what a request needs and nothing that it would have to interpret. */
export interface CompiledApi extends Life {
  readonly type: ApiDefinition['type'];
  /** Nothing of it begins before a request, and no file decided whether it compiles: it may be compiled later and be the same. */
  readonly mayWait: boolean;
  /** Parts of it depend on where this gateway stands. */
  readonly isForSome: boolean;
  /** In the order in which they are asked. */
  readonly plans: readonly CompiledPlan[];
  readonly errors: ErrorWriter;
  readonly engine: EngineRules;
  readonly endpoints: Endpoints;
  /** The innermost steps around the backend, undefined where there are none: failover. */
  readonly around: readonly Step[] | undefined;
  /** What a preflight passes that runs policies: security is not asked, so it has no plan. */
  readonly preflightFlows: Pipeline;
  readonly corsOf: (contextPath: string, host: string, server: string | undefined) => Cors | undefined;
  readonly rejectsNullByte: boolean;
  readonly isRecorded: boolean;
  /** Names of dictionaries that it is made of; those that requests ask are none. */
  readonly dictionaries: ReadonlySet<string>;
  /** Shared policy groups that it is made of. */
  readonly groups: Pick<GroupsInUse, 'ids' | 'doubts'>;
  /** Undefined where nothing is logged. */
  readonly logging: LogWish | undefined;
  /** Passes the context of traces on. */
  readonly isTraced: boolean;
  /** What expressions may read of it. */
  readonly facts: ApiFacts;
  /** The pattern that a path falls under in analytics, e.g. /orders/:id. */
  readonly mapPath: ((pathInfo: string) => string | undefined) | undefined;
}

/** What compiling needs of its surroundings. */
export interface CompileOptions {
  /** What policies of every API may use. */
  readonly host: HostParts;
  /** What the security of every plan may use. */
  readonly security: GatewaySecurity;
  readonly build: PolicyBuilder;
  /** Which hosts endpoints may lead to. */
  readonly guard: Guard;
  /** Which parts of definitions are for this gateway. */
  readonly standing: Standing;
  readonly expressions: ExpressionHost;
  /** The environment's, as they are now. */
  readonly dictionaries: Surroundings['dictionaries'];
  /** Shows the circuits of failover; undefined where nobody measures. */
  readonly circuits?: CircuitBoard | undefined;
  /** The environment's, as they are now. */
  readonly groups: Pick<SharedGroups, 'get'>;
  /** When endpoints are taken out for what requests find there; undefined never. */
  readonly outliers?: OutlierHost | undefined;
}

/** The definition on this gateway, with nothing in it that has to be worked out. */
function asItRuns(
  whole: ApiDefinition,
  { standing, expressions, dictionaries }: Pick<CompileOptions, 'standing' | 'expressions' | 'dictionaries'>,
) {
  const seen = dependsOnStanding(whole) ? seenFrom(whole, standing) : whole;
  const facts = createApiFacts(seen, expressions);
  const node = { ...facts.node, tenant: standing.tenant, shardingTags: standing.tags };
  const { readsNode, ...workedOut } = workOutDefinition(seen, { ...facts, dictionaries, node });
  return { ...workedOut, facts, isForSome: readsNode || seen !== whole };
}

/** The parts of the hosts of policies and resources that are the same for all APIs of an environment. */
export type HostParts = Pick<PolicyHost, 'clock' | 'counters' | 'outbound' | 'ground'> &
  Partial<Pick<PolicyHost, 'quotaMode'>> & {
    /** Default: nobody runs scripts. */
    readonly scripts?: ((api: string) => Scripts) | undefined;
    /** Organization and environment in one name. */
    readonly tenant: string;
    /** Default: there is no room. */
    readonly caches?: CacheGround | undefined;
    /** Default: nobody may be asked. */
    readonly directories?: DirectoryGround | undefined;
  };

/**
 * Compiles a definition. It is pure: nothing is open before `start`, and whoever only judges never calls that.
 *
 * Errors: Faults that say which part does not work on this gateway.
 */
export function compileApi(whole: ApiDefinition, options: CompileOptions): CompiledApi {
  const { definition, facts, isForSome, dictionaries, readsGround } = asItRuns(whole, options);
  const engine = engineOf(definition);
  const resources = createResources(definition.resources, {
    ...options.host,
    guard: options.guard,
    caches: options.host.caches ?? noCaches,
    directories: options.host.directories ?? noDirectories,
    namespace: [options.host.tenant, definition.id].map(encodeURIComponent).join(':'),
    revision: () => hash('sha256', JSON.stringify(definition)).slice(0, 16),
  });
  const security = { ...options.security, resources };
  const groups = new GroupsInUse(options.groups);
  const host = hostOf(definition, options.host, resources);
  const compiler = new StepCompiler({ host, build: options.build, engine, groups });
  const shared = {
    api: definition.id,
    mode: definition.flowExecution.mode,
    matchRequired: definition.flowExecution.matchRequired,
    compiler,
    engine,
  };
  const apiFlows = compileFlows(definition.flows, { plan: undefined, at: 'flows' }, shared);
  const plans = definition.plans.flatMap((plan, index) => {
    if (plan.status !== 'published' && plan.status !== 'deprecated') return [];
    const planFlows = compileFlows(plan.flows, { plan: plan.id, at: `plans[${index}].flows` }, shared);
    return [
      {
        ...securePlan(plan, security),
        pipeline: createPipeline(planFlows, apiFlows, shared),
        pathParams: createPathParams([...plan.flows, ...definition.flows]),
        place: { kind: 'plan', at: `plans[${index}].selectionRule` },
      },
    ];
  });
  const endpoints = createEndpoints(definition, { ...options, judgeTarget: host.judgeTarget });
  const failover = createFailover(definition.failover, {
    api: definition.id,
    clock: options.host.clock,
    circuits: options.circuits,
  });
  const around = failover === undefined ? undefined : [failover];
  const life = createLife(endpoints, [
    ...resources.values(),
    ...plans.map(({ security }) => security),
    ...compiler.steps.map(({ policy }) => policy),
    ...(around ?? []).map(({ policy }) => policy),
  ]);
  return {
    type: definition.type,
    // What was worked out may be otherwise by then.
    mayWait: !life.beginsEarly && !endpoints.beginsEarly && !readsGround,
    isForSome,
    dictionaries,
    plans: inOrder(plans),
    errors: createErrorWriter(definition.responseTemplates, engine),
    engine,
    endpoints,
    around,
    preflightFlows: createPipeline([], apiFlows, shared),
    corsOf: compileCors(definition, engine),
    rejectsNullByte: rejectsNullByte(definition),
    isRecorded: definition.analytics.enabled,
    groups,
    logging: compileLogging(definition, plans, compiler.steps),
    isTraced: definition.analytics.enabled && definition.analytics.tracing?.enabled === true,
    facts,
    mapPath: createMappings(definition.listeners.flatMap((listener) => listener.pathMappings)),
    ...life,
  };
}

const rejectsNullByte = ({ listeners }: ApiDefinition): boolean =>
  listeners.some(({ requestValidation }) => requestValidation?.rejectNullByte === true);

/** What the policies of an API, or of an organization, may use. */
export function hostOf(
  {
    id,
    name,
    engine,
    properties,
    endpointGroups,
  }: Pick<ApiDefinition, 'id' | 'name' | 'engine' | 'properties' | 'endpointGroups'>,
  { clock, counters, outbound, ground, scripts, tenant, quotaMode = 'strict' }: HostParts,
  resources: Resources,
): PolicyHost {
  const targets = new Map(
    endpointGroups
      .flatMap(({ endpoints }) => endpoints)
      .flatMap(({ name: endpoint, configuration: { target } }) =>
        hasExpression(target) ? [] : [[endpoint, target]],
      ),
  );
  let own: ReturnType<typeof hostsOf> | undefined;
  return {
    clock,
    counters,
    outbound,
    quotaMode,
    leavesBrokenHeaders: engineOf({ engine }).leavesBrokenHeaders,
    removesHeadersFirst: engineOf({ engine }).removesHeadersFirst,
    ground,
    scripts: scripts?.(`${tenant}:${id}`) ?? noScripts,
    resource: servedBy(resources),
    api: { id, name },
    properties: new Map(properties.map(({ key, value }) => [key, value])),
    targets,
    judgeTarget: judgeOfTargets(
      (chosen) => ground.mayBeChosen(chosen) || (own ??= hostsOf(targets.values()))(chosen),
    ),
  };
}

/** The hosts of endpoints, each with its port. */
function hostsOf(targets: Iterable<string>) {
  const urls = [...targets].filter((target) => targetSchema.safeParse(target).success);
  return createHostList(
    urls.map((url) => calledUrlOf(url).url.href),
    'endpointGroups',
  );
}

/** Listeners of one API may differ in CORS; the common case is one for all. */
function compileCors(definition: ApiDefinition, engine: EngineRules): CompiledApi['corsOf'] {
  const byListener = definition.listeners.map((listener) => ({
    paths: listener.paths,
    servers: listener.servers,
    cors: listener.cors?.enabled === true ? createCors(listener.cors, engine) : undefined,
  }));
  const [only, ...others] = byListener;
  if (others.length === 0 || byListener.every(({ cors }) => cors === undefined)) return () => only?.cors;
  return (contextPath, host, server = '') =>
    byListener.find(
      ({ paths, servers }) =>
        (servers.length === 0 || servers.includes(server)) &&
        paths.some(
          (entry) => (entry.path === '/' ? '' : entry.path) === contextPath && (entry.host ?? host) === host,
        ),
    )?.cors;
}
