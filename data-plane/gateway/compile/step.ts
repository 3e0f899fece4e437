import type { StepDefinition } from '../../../proto/model/api.ts';
import { Fault, invariant } from '../../../proto/faults/fault.ts';
import { catalog, mayRefuse, type PolicyConfig, policyIdOf } from '../../../proto/policies/catalog.ts';
import { isStepPolicyId, policies, type StepPolicyId } from '../../policies/index.ts';
import { sharedGroupOf } from '../../../proto/model/api/shared-policy-group.ts';
import type { PolicySchema } from '../../../proto/policies/policy-schema.ts';
import type { Policy, PolicyHost, PolicyPlace, StepPlace } from '../../policies/policy.ts';
import { createRefuse } from '../../policies/refuse.ts';
import type { EngineRules } from './engine.ts';
import { conditionOf, createGroupGate, createStepGate, type FlowGate, type Gate } from './gate.ts';
import type { GroupsInUse } from './shared-groups.ts';

/** One policy at its place, built, with what running it has to know. */
export interface Step extends StepPlace {
  readonly policy: Policy;
  /** Whether it needs the request's body whole before its turn comes. */
  readonly readsRequest: boolean;
  /** ... the answer's. */
  readonly readsResponse: boolean;
  /** Unique in its API when something of it is kept per request: its slot, or that it was reached and has an `end`. Else undefined. */
  readonly keptAt: number | undefined;
  /** Undefined when it always runs. */
  readonly gate: Gate | undefined;
}

/** A step that is nothing but its gate: what stands behind it is decided when it is reached. */
export function gateStep(at: string, gate: Gate): Step {
  return {
    policy: {},
    kind: 'flow',
    at,
    readsRequest: false,
    readsResponse: false,
    keptAt: undefined,
    gate,
  };
}

/** Builds the policy of a step; tests hand in their own. */
export type PolicyBuilder = (step: StepDefinition, host: PolicyHost, place: PolicyPlace) => Policy;

/** Builds from the catalogue and the table of policies. Errors: request.invalid when the step cannot be built. */
export const buildPolicy: PolicyBuilder = (step, host, place) => {
  const id = policyIdOf(step.policy);
  if (id === undefined || !isStepPolicyId(id)) {
    throw new Fault('request.invalid', {
      details: [{ path: `${place.at}.policy`, message: `"${step.policy}" is unknown` }],
    });
  }
  return makePolicy(id, configurationOf(id, step.configuration), { host, place });
};

/** Reads the configuration of a policy, defaults filled. Errors: those of its schema. */
export function configurationOf<Id extends StepPolicyId>(id: Id, configuration: unknown): PolicyConfig<Id> {
  // The catalogue's type ties the schema to its id, which the compiler cannot see through a variable.
  return catalog[id].config.parse(configuration) as PolicyConfig<Id>;
}

/** Makes a policy out of its parsed configuration. */
export function makePolicy<Id extends StepPolicyId>(
  id: Id,
  config: PolicyConfig<Id>,
  { host, place }: { readonly host: PolicyHost; readonly place: PolicyPlace },
): Policy {
  const errors: PolicySchema['errors'] = catalog[id].errors;
  return policies[id](config, { refuse: createRefuse(errors, place.phase), host, place });
}

/** What steps are compiled with. */
interface StepCompilerOptions {
  readonly host: PolicyHost;
  readonly build: PolicyBuilder;
  readonly engine: EngineRules;
  readonly groups: GroupsInUse;
  /** What is kept of them has places beside those of an API's steps. */
  readonly isOfOrganization?: boolean;
}

/** Compiles steps of one API. */
export class StepCompiler {
  readonly #with: StepCompilerOptions;
  readonly #steps: Step[] = [];
  #kept: number;

  constructor(options: StepCompilerOptions) {
    this.#with = options;
    this.#kept = options.isOfOrganization === true ? 1 : 0;
  }

  /** A step, or those of the shared policy group that it stands for. Errors: request.invalid when it cannot stand there. */
  compile(definition: StepDefinition, place: PolicyPlace, flow?: FlowGate): readonly Step[] {
    const id = sharedGroupOf(definition);
    const steps = id === undefined ? undefined : this.#with.groups.stepsOf(id, place);
    if (id === undefined || steps === undefined) return [this.#compileOne(definition, place, flow)];
    const condition = conditionOf(definition.condition, `${place.at}.condition`);
    if (condition.always === false) return [];
    const refuses = steps.some((step) => step.enabled && mayRefuse(step.policy));
    const gate =
      condition.always === true
        ? undefined
        : createGroupGate(condition, { flow, engine: this.#with.engine, refuses });
    const inside = steps.flatMap((step, index) => {
      const at = `${place.at}.sharedPolicyGroups[${id}].steps[${index}]`;
      // Another group cannot be in there: the group would have been refused.
      return step.enabled ? [this.#compileOne(step, { ...place, at }, gate?.flow ?? flow)] : [];
    });
    return gate === undefined || inside.length === 0 ? inside : [gateStep(place.at, gate.entry), ...inside];
  }

  #compileOne(definition: StepDefinition, place: PolicyPlace, flow: FlowGate | undefined): Step {
    const condition = conditionOf(definition.condition, `${place.at}.condition`);
    const policy = this.#with.build(definition, this.#with.host, place);
    const { request, around, response, message } = policy;
    if (message !== undefined) {
      throw new Fault('request.invalid', {
        details: [
          {
            path: `${place.at}.policy`,
            message: `"${definition.policy}" works on messages, which a PROXY API does not have`,
          },
        ],
      });
    }
    invariant(
      place.phase === 'request' || (request === undefined && around === undefined),
      `${definition.policy}: the request has gone when the response phase begins`,
    );
    const step: Step = {
      policy,
      kind: definition.policy,
      at: place.at,
      readsRequest: request?.needs === 'buffered' || around?.needs === 'buffered',
      readsResponse: response?.needs === 'buffered',
      keptAt: policy.slot === undefined && policy.end === undefined ? undefined : this.#nextKept(),
      gate: createStepGate(condition, {
        flow,
        phase: place.phase,
        engine: this.#with.engine,
        refuses: mayRefuse(definition.policy),
      }),
    };
    this.#steps.push(step);
    return step;
  }

  /** Even ones are an API's, odd ones an organization's: a request has both. */
  #nextKept(): number {
    this.#kept += 2;
    return this.#kept - 2;
  }

  /** All so far. */
  get steps(): readonly Step[] {
    return this.#steps;
  }
}
