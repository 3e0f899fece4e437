import type { FlowDefinition } from '../../../proto/model/api.ts';
import { mayRefuse } from '../../../proto/policies/catalog.ts';
import { refusals } from '../errors/refusals.ts';
import type { EngineRules } from './engine.ts';
import { createFlowMatcher, type FlowMatcher, isBetter, segmentsOf } from './flow-match.ts';
import { createFlowGate, type FlowGate, needsOfAll, type Passage } from './gate.ts';
import { normalise, type Readings } from '../../policies/path-readings.ts';
import type { StepPlace } from '../../policies/policy.ts';
import { gateStep, type Step, type StepCompiler } from './step.ts';

/** What runs for one request, in order. */
export interface Steps {
  readonly request: readonly Step[];
  readonly response: readonly Step[];
  /** Around the backend, the outermost first. */
  readonly around: readonly Step[];
  /** Path of the last flow that was chosen, as it is written: the reference's resolved path. */
  readonly path: string | undefined;
}

/**
 * Chooses the steps of a request by its path below the context path and what else that may mean ({@link Readings}); undefined when a flow
 * must match and none does.
 */
export type Pipeline = (pathInfo: string, others: Readings['others'], method: string) => Steps | undefined;

interface CompiledFlow extends Pick<Steps, 'request' | 'response'> {
  readonly path: string;
  readonly matcher: FlowMatcher;
  /** It holds a step that may refuse: it is for a request however its path may be read. */
  readonly refuses: boolean;
  /** Undefined when nothing but path and method chooses it. */
  readonly gate: FlowGate | undefined;
  /** Of what chooses it. */
  readonly place: StepPlace;
}

/** What pipelines are made of. */
export interface PipelineOptions {
  readonly api: string;
  readonly mode: 'default' | 'best-match';
  /** A request that no flow of the API matches is refused. */
  readonly matchRequired: boolean;
  readonly compiler: StepCompiler;
  readonly engine: EngineRules;
}

/** Compiles flows of one level, once; they are shared by all plans of an API when they are the API's own. */
export function compileFlows(
  flows: readonly FlowDefinition[],
  level: { readonly plan: string | undefined; readonly at: string },
  options: PipelineOptions,
): readonly CompiledFlow[] {
  // One that has conditions may give way to any other.
  const isChosen =
    options.mode === 'best-match' &&
    flows.some((flow) => flow.enabled && flow.selectors.some(({ type }) => type === 'condition'));
  return flows.flatMap((flow, index) => {
    if (!flow.enabled) return [];
    const at = `${level.at}[${index}]`;
    const place = { kind: 'flow', at: `${at}.selectors` };
    const refuses = [...flow.request, ...flow.response].some(
      (step) => step.enabled && mayRefuse(step.policy),
    );
    const gate = createFlowGate(flow, { at, isChosen, refuses, engine: options.engine });
    const selector = flow.selectors.find((candidate) => candidate.type === 'http');
    const path = selector?.path ?? '/';
    const compile = (phase: 'request' | 'response'): readonly Step[] =>
      flow[phase].flatMap((step, number) => {
        if (!step.enabled) return [];
        const stepPlace = {
          api: options.api,
          plan: level.plan,
          flowPath: path,
          phase,
          at: `${at}.${phase}[${number}]`,
        };
        return options.compiler.compile(step, stepPlace, gate === 'never' ? undefined : gate);
      });
    const request = compile('request');
    const answersToo = request.filter(({ policy }) => policy.response !== undefined).toReversed();
    const response = [...compile('response'), ...answersToo];
    return gate === 'never'
      ? []
      : [{ matcher: createFlowMatcher(flow), path, request, response, refuses, gate, place }];
  });
}

/**
 * Joins the flows of a plan and of the API: requests go through the plan's first, and so do answers unless the engine is v3.
 *
 * When every flow takes every request, the steps are joined here and a request costs one call. Else flows are chosen by the path as it was
 * sent; of those that other readings of it choose, the ones that may refuse run as well, in their place. Conditions are asked on the way,
 * when what stands behind them is reached.
 */
export function createPipeline(
  planFlows: readonly CompiledFlow[],
  apiFlows: readonly CompiledFlow[],
  options: PipelineOptions,
): Pipeline {
  const { matchRequired, engine } = options;
  const isBestOnly = options.mode === 'best-match';
  const isStatic = [...planFlows, ...apiFlows].every(({ matcher }) => matcher.isAlways);
  if (isStatic && !isBestOnly && (!matchRequired || apiFlows.length > 0)) {
    const enterThese = (flows: readonly CompiledFlow[], isRequired: boolean): Level =>
      engine.choosesByLevel ? enterLevel(flows, [flows], isRequired) : enterEach(flows, isRequired);
    const steps = join(enterThese(planFlows, false), enterThese(apiFlows, matchRequired), engine);
    return () => steps;
  }
  const mayRefuse = matchRequired || [...planFlows, ...apiFlows].some((flow) => flow.refuses);
  // Flows without steps count for the best match and for matchRequired, so they stay.
  return (pathInfo, others, method) => {
    const paths = mayRefuse ? [pathInfo, ...others] : [pathInfo];
    const readings = paths.map((path) => segmentsOf(normalise(path)));
    const matching = (flows: readonly CompiledFlow[]): Chosen =>
      readings.map((segments) => flows.filter(({ matcher }) => matcher.matches(segments, method)));
    const ofApi = matching(apiFlows);
    if (matchRequired && ofApi.some((chosen) => chosen.length === 0)) return undefined;
    const enter = isBestOnly ? enterBest : engine.choosesByLevel ? enterLevel : enterAll;
    return join(enter(planFlows, matching(planFlows), false), enter(apiFlows, ofApi, matchRequired), engine);
  };
}

/** Flows by reading of the path; the first is as it was sent. */
type Chosen = readonly (readonly CompiledFlow[])[];

/** The flows of a level that a request passes, and what decides which of them do. */
interface Level {
  readonly flows: readonly CompiledFlow[];
  readonly request: readonly Step[];
}

function enterAll(flows: readonly CompiledFlow[], chosen: Chosen, matchRequired: boolean): Level {
  return enterEach(united(flows, chosen), matchRequired);
}

/** Each flow with conditions begins with them. */
function enterEach(flows: readonly CompiledFlow[], matchRequired: boolean): Level {
  const request = flows.flatMap((flow) => {
    const { gate, place } = flow;
    if (gate === undefined) return flow.request;
    if (flow.request.length + flow.response.length === 0 && !matchRequired) return [];
    const passes = (call: Parameters<FlowGate['holds']>[0]): Passage => {
      const held = gate.holds(call);
      gate.set(call, held === true);
      return held;
    };
    return [gateStep(place.at, { needs: gate.needs, passes }), ...flow.request];
  });
  return { flows, request: [...request, ...required(flows, matchRequired)] };
}

function enterBest(flows: readonly CompiledFlow[], chosen: Chosen, matchRequired: boolean): Level {
  if (flows.every(({ gate }) => gate === undefined)) {
    const best = chosen.map((matching) => bestOf(matching));
    return enterEach(united(flows, best), matchRequired);
  }
  // Which is the best depends on which hold, so that each is a candidate.
  const choose = (holding: Chosen): readonly CompiledFlow[] => united(flows, holding.map(bestOf));
  return enterAtOnce(united(flows, chosen, true), { chosen, choose, matchRequired });
}

function enterLevel(flows: readonly CompiledFlow[], chosen: Chosen, matchRequired: boolean): Level {
  const choose = (holding: Chosen): readonly CompiledFlow[] => united(flows, holding);
  return enterAtOnce(united(flows, chosen), { chosen, choose, matchRequired });
}

interface Choice {
  readonly chosen: Chosen;
  /** Of those that hold, by reading. */
  readonly choose: (holding: Chosen) => readonly CompiledFlow[];
  readonly matchRequired: boolean;
}

/** All conditions of a level are asked when it is reached, and of the flows that hold some are chosen. */
function enterAtOnce(candidates: readonly CompiledFlow[], { chosen, choose, matchRequired }: Choice): Level {
  const gates = candidates.flatMap(({ gate }) => (gate === undefined ? [] : [gate]));
  if (gates.length === 0) return enterEach(candidates, matchRequired);
  const choice = gateStep(candidates[0]?.place.at ?? 'flows', {
    needs: needsOfAll(gates),
    passes(call) {
      const holding = new Set<CompiledFlow>();
      for (const flow of candidates) {
        call.step = flow.place;
        const held = flow.gate === undefined || flow.gate.holds(call);
        if (typeof held === 'object') return held;
        if (held) holding.add(flow);
      }
      const taken = choose(chosen.map((matching) => matching.filter((flow) => holding.has(flow))));
      for (const flow of candidates) flow.gate?.set(call, taken.includes(flow));
      return true;
    },
  });
  const request = candidates.flatMap((flow) => flow.request);
  return { flows: candidates, request: [choice, ...request, ...required(candidates, matchRequired)] };
}

/** A flow must match, and of those that do by their path none may hold. */
function required(flows: readonly CompiledFlow[], matchRequired: boolean): readonly Step[] {
  const gates = flows.flatMap(({ gate }) => (gate === undefined ? [] : [gate]));
  if (!matchRequired || gates.length < flows.length) return [];
  const passes = (call: Parameters<FlowGate['isOpen']>[0]): Passage =>
    gates.some((gate) => gate.isOpen(call)) || refusals.noFlow;
  return [gateStep('flowExecution.matchRequired', { needs: 'head', passes })];
}

function bestOf(matching: readonly CompiledFlow[]): readonly CompiledFlow[] {
  if (matching.length < 2) return matching;
  return [matching.reduce((best, flow) => (isBetter(flow.matcher, best.matcher) ? flow : best))];
}

/** What the path as sent chose, and of what its other readings chose the flows that may refuse (or all); in the order of the definition. */
function united(
  flows: readonly CompiledFlow[],
  [asSent = [], ...others]: Chosen,
  isAll = false,
): readonly CompiledFlow[] {
  const added = others.flat().filter((flow) => (isAll || flow.refuses) && !asSent.includes(flow));
  return added.length === 0 ? asSent : flows.filter((flow) => asSent.includes(flow) || added.includes(flow));
}

const nothing: Steps = { request: [], response: [], around: [], path: undefined };

function join(plan: Level, api: Level, { answersPassApiFirst }: EngineRules): Steps {
  const request = [...plan.request, ...api.request];
  const back = answersPassApiFirst ? [api, plan] : [plan, api];
  const response = back.flatMap(({ flows }) => flows.flatMap((flow) => flow.response));
  const path = (api.flows.at(-1) ?? plan.flows.at(-1))?.path;
  if (path === undefined) return nothing;
  return { request, response, around: around(request), path };
}

/** Most requests have none: then nothing is made. */
function around(steps: readonly Step[]): readonly Step[] {
  return steps.some(wraps) ? steps.filter(wraps).toReversed() : nothing.around;
}

const wraps = ({ policy }: Step): boolean => policy.around !== undefined;
