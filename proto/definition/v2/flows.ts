import type { Place, Tree } from './place.ts';
import { groovyOf } from './groovy.ts';

/** Which engine runs what is read; see `engine` in proto/model. */
export type Engine = 'v3' | 'v4';

/**
 * Flows of an API or of a plan; one that the reference cannot read is left out there as well, and named. Where nobody is told of notes it is
 * a fault.
 */
export function flowsOf(
  flows: Place,
  engine: Engine,
  {
    unreadable = 'note',
    isNewer = () => false,
  }: {
    readonly unreadable?: 'note' | 'fault';
    /** In words of version 4 already, where both may stand side by side. */
    readonly isNewer?: (flow: Place) => boolean;
  } = {},
): Tree {
  const readable = flows.items().filter((flow) => {
    const problem = isNewer(flow) ? undefined : problemOf(flow);
    if (problem === undefined) return true;
    if (unreadable === 'fault') problem.at.fault(problem.message);
    else
      problem.at.note('doubt', `${problem.message}; version 2 leaves the whole flow out, and so it is here`);
    leaveWhole(flow);
    return false;
  });
  return flows.made(readable.map((flow) => (isNewer(flow) ? flow : flowOf(flow, engine))));
}

/** All steps of flows, in both phases. */
export function stepsIn(flows: Place): readonly Place[] {
  return flows.items().flatMap((flow) => [...flow.field('pre').items(), ...flow.field('post').items()]);
}

const operators = ['STARTS_WITH', 'START_WITH', 'EQUALS'];

interface Problem {
  readonly at: Place;
  readonly message: string;
}

/** What makes a flow unreadable to the reference; faults of what is readable are told by the model. */
function problemOf(flow: Place): Problem | undefined {
  if (!isObject(flow)) return { at: flow, message: 'is no object' };
  const operator = flow.field('path-operator', 'pathOperator').field('operator');
  if (!operator.isAbsent && !operators.includes(String(operator.value)))
    return { at: operator, message: 'is neither STARTS_WITH nor EQUALS' };
  for (const phase of ['pre', 'post'] as const) {
    const steps = flow.field(phase);
    if (!steps.isAbsent && !Array.isArray(steps.value)) return { at: steps, message: 'is no list' };
    for (const step of steps.items()) {
      if (!isObject(step)) return { at: step, message: 'is no object' };
      for (const name of ['policy', 'configuration'])
        if (step.field(name).isAbsent) return { at: step.field(name), message: 'is missing' };
    }
  }
  return undefined;
}

/** What else it holds is not looked at. */
function leaveWhole(flow: Place): void {
  if (!isObject(flow)) return;
  flow.leave();
  flow.field('path-operator', 'pathOperator').leave();
  for (const steps of [flow.field('pre'), flow.field('post')])
    if (Array.isArray(steps.value)) for (const step of steps.items()) step.leave();
}

const isObject = ({ value }: Place): boolean =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function flowOf(flow: Place, engine: Engine): Tree {
  const path = flow.field('path-operator', 'pathOperator');
  const condition = flow.field('condition');
  flow.leave('stage', 'deletable', 'createdAt', 'updatedAt');
  return flow.made({
    id: flow.field('id'),
    name: flow.field('name'),
    enabled: flow.field('enabled').flag(true),
    tags: tagsOf(flow.field('consumers')),
    selectors: [
      path.made({
        type: 'http',
        path: path.field('path'),
        pathOperator: path.field('operator'),
        methods: flow.field('methods'),
      }),
      ...(condition.text().trim() === '' ? [] : [condition.made({ type: 'condition', condition })]),
    ],
    request: stepsOf(flow.field('pre'), 'REQUEST', engine),
    response: stepsOf(flow.field('post'), 'RESPONSE', engine),
  });
}

/** A flow with consumers runs only at gateways that have one of their tags. */
function tagsOf(consumers: Place): Tree {
  const tags = consumers.items().map((consumer) => {
    const type = consumer.field('consumerType', 'consumer_type');
    if (type.text('TAG').toUpperCase() !== 'TAG') type.fault('is not supported; allowed: TAG');
    return consumer.field('consumerId', 'consumer_id');
  });
  return consumers.made(tags);
}

function stepsOf(steps: Place, phase: 'REQUEST' | 'RESPONSE', engine: Engine): Tree {
  return steps.made(steps.items().map((step) => stepOf(step, phase, engine)));
}

function stepOf(step: Place, phase: 'REQUEST' | 'RESPONSE', engine: Engine): Tree {
  const condition = step.field('condition');
  const policy = step.field('policy');
  const written = configurationOf(step.field('configuration'));
  const configuration = policy.value === 'groovy' ? groovyOf(written, phase) : written;
  const isIdle = engine === 'v3' && standsInOtherPhase(written, phase);
  if (isIdle && step.field('enabled').flag(true))
    step.note('idle', `never acts under the v3 engine: its scope is not that of the ${phase.toLowerCase()}`);
  step.leave('stepId', 'order');
  return step.made({
    name: step.field('name'),
    description: step.field('description'),
    enabled: step.field('enabled').flag(true) && !isIdle,
    policy,
    configuration,
    condition: condition.text().trim() === '' ? undefined : condition,
  });
}

/** An object, or the JSON text of one; what is neither is left to the model. */
function configurationOf(configuration: Place): Place {
  const { value } = configuration;
  if (typeof value !== 'string') return configuration;
  try {
    return configuration.as(value.trim() === '' ? {} : (JSON.parse(value) as unknown));
  } catch {
    return configuration;
  }
}

/** The v3 engine has each policy look at its own scope; that of emulation goes by where the step stands. */
function standsInOtherPhase({ value }: Place, phase: 'REQUEST' | 'RESPONSE'): boolean {
  if (typeof value !== 'object' || value === null || !('scope' in value)) return false;
  const { scope } = value;
  return typeof scope === 'string' && scope !== '' && !scope.toUpperCase().startsWith(phase);
}
