import { type Condition, compileCondition } from '../../../proto/expression/condition.ts';
import type { TemplateNeeds } from '../../../proto/expression/template.ts';
import { Fault } from '../../../proto/faults/fault.ts';
import type { FlowDefinition } from '../../../proto/model/api.ts';
import type { PolicyCall, Rejection, StepPlace } from '../../policies/policy.ts';
import { refusals } from '../errors/refusals.ts';
import type { EngineRules } from './engine.ts';

/** A request whose steps may stand behind conditions. */
export interface GatedCall extends PolicyCall {
  /** What is at work and would be to blame; undefined between stages. */
  step: StepPlace | undefined;
  /** What was decided and is asked again; made with the first decision. */
  decided: Map<Gate | FlowGate, boolean> | undefined;
  /** What its path may mean to whoever stands behind, beside what it says. */
  readonly otherPathInfos: readonly string[];
  /** Asks something as if the path below the context path had come like that. */
  withPathInfo<Answer>(pathInfo: string, ask: () => Answer): Answer;
}

/** Whether something runs; a rejection ends the request. */
export type Passage = boolean | Rejection;

/** Whether a step runs: asked when it is reached, before anything else of it. */
export interface Gate {
  /** What asking needs of the body of the phase. */
  readonly needs: TemplateNeeds;
  passes(call: GatedCall, phase: 'request' | 'response'): Passage;
}

/** The conditions of a flow. They are asked once, when the flow is reached in the request phase; what they say holds for the answer too. */
export interface FlowGate {
  readonly needs: TemplateNeeds;
  holds(call: GatedCall): Passage;
  /** Keeps what was said for every step of the flow. */
  set(call: GatedCall, isOpen: boolean): void;
  isOpen(call: GatedCall): boolean;
}

/** Compiles a condition that was judged when the definition was read. Errors: request.invalid. */
export function conditionOf(text: string, path: string): Condition {
  const compiled = compileCondition(text);
  if ('kind' in compiled)
    throw new Fault('request.invalid', { details: [{ path, message: compiled.message }] });
  return compiled;
}

/**
 * The conditions of a flow: undefined when nothing has to be asked, `never` when it can be known that it never runs.
 *
 * isChosen: a gate is made whatever the flow says, since another condition decides between this flow and others.
 * refuses: a step of it may refuse, so that it is for a request however its path may be read.
 */
export function createFlowGate(
  flow: FlowDefinition,
  { at, isChosen, refuses, engine }: FlowGateOptions,
): FlowGate | 'never' | undefined {
  const conditions = flow.selectors.flatMap((selector, index) =>
    selector.type === 'condition'
      ? [conditionOf(selector.condition, `${at}.selectors[${index}].condition`)]
      : [],
  );
  if (conditions.some(({ always }) => always === false)) return 'never';
  const asked = conditions.filter(({ always }) => always === undefined);
  if (asked.length === 0 && !isChosen) return undefined;
  const readsOthers = refuses && asked.some(({ readsPath }) => readsPath);
  const ask = (call: GatedCall): Passage => allHold(asked, call, engine);
  const gate: FlowGate = {
    needs: needsOfAll(asked),
    holds: readsOthers ? (call) => inAnyReading(call, ask) : ask,
    set: (call, isOpen) => void (call.decided ??= new Map()).set(gate, isOpen),
    isOpen: (call) => call.decided?.get(gate) === true,
  };
  return gate;
}

interface FlowGateOptions {
  readonly at: string;
  readonly isChosen: boolean;
  readonly refuses: boolean;
  readonly engine: EngineRules;
}

/** A refusal holds when any reading of the path meets it: whoever reads it so may stand behind us. */
function inAnyReading(call: GatedCall, ask: (call: GatedCall) => Passage): Passage {
  const asSent = ask(call);
  if (asSent !== false) return asSent;
  for (const other of call.otherPathInfos) {
    const held = call.withPathInfo(other, () => ask(call));
    if (held !== false) return held;
  }
  return false;
}

function allHold(conditions: readonly Condition[], call: GatedCall, engine: EngineRules): Passage {
  if (!engine.refusesBrokenConditions) return conditions.every((condition) => condition.holds(call));
  for (const condition of conditions) {
    const judged = condition.judge(call);
    if (typeof judged === 'object') return refusals.conditionFailed(judged.why);
    if (judged !== true) return false;
  }
  return true;
}

/** Of a step one that comes to nothing has failed as well. */
function heldOrRefused(condition: Condition, call: GatedCall): Passage {
  const judged = condition.judge(call);
  return typeof judged === 'boolean' ? judged : refusals.conditionFailed('Request failed unintentionally');
}

/** A failure that a method threw is no answer: the step may be what keeps the request out. */
function heldOrThrown(condition: Condition, call: GatedCall): Passage {
  const judged = condition.judge(call);
  if (typeof judged !== 'object') return judged === true;
  call.warn('EXPRESSION_EVALUATION_ERROR', judged.why);
  return judged.isThrown === true ? refusals.policyFailed : false;
}

/** How the condition of a step, or of a group of them, is asked. */
function askOf(
  condition: Condition,
  { engine, refuses }: Pick<StepGateOptions, 'engine' | 'refuses'>,
): (call: GatedCall) => Passage {
  const asSent = (call: GatedCall): Passage =>
    engine.refusesBrokenConditions ? heldOrRefused(condition, call) : heldOrThrown(condition, call);
  return refuses && condition.readsPath ? (call) => inAnyReading(call, asSent) : asSent;
}

interface StepGateOptions {
  readonly flow: FlowGate | undefined;
  readonly phase: 'request' | 'response';
  readonly engine: EngineRules;
  /** The step may refuse. */
  readonly refuses: boolean;
}

/**
 * The gate of a step: its flow's conditions, which were asked before, and its own.
 *
 * phase: where the step stands. Hooks that it has in the response phase beside those in the request phase follow what was said there.
 */
export function createStepGate(
  condition: Condition,
  { flow, phase, engine, refuses }: StepGateOptions,
): Gate | undefined {
  const { always, needs } = condition;
  if (always === true && flow === undefined) return undefined;
  if (always !== undefined)
    return { needs: 'head', passes: (call) => always && flow?.isOpen(call) !== false };
  const ask = askOf(condition, { engine, refuses });
  const gate: Gate = {
    needs,
    passes(call, asking) {
      if (flow?.isOpen(call) === false) return false;
      if (asking !== phase) return call.decided?.get(gate) === true;
      const held = ask(call);
      if (phase === 'request') (call.decided ??= new Map()).set(gate, held === true);
      return held;
    },
  };
  return gate;
}

/** The condition of a group of steps: asked once, where the group begins; its steps stand behind what was said. */
export function createGroupGate(
  condition: Condition,
  { flow, engine, refuses }: Omit<StepGateOptions, 'phase'>,
): { readonly entry: Gate; readonly flow: FlowGate } {
  const ask = askOf(condition, { engine, refuses });
  const group: FlowGate = {
    needs: condition.needs,
    holds: (call) => flow?.isOpen(call) !== false && ask(call),
    set: (call, isOpen) => void (call.decided ??= new Map()).set(group, isOpen),
    isOpen: (call) => call.decided?.get(group) === true,
  };
  const entry: Gate = {
    needs: condition.needs,
    passes(call) {
      const held = group.holds(call);
      group.set(call, held === true);
      return held;
    },
  };
  return { entry, flow: group };
}

/** What asking all of them needs. */
export function needsOfAll(each: readonly { readonly needs: TemplateNeeds }[]): TemplateNeeds {
  return each.some(({ needs }) => needs === 'buffered') ? 'buffered' : 'head';
}
