import type { FlowDefinition, StepDefinition } from '../api-flows.ts';

/**
 * Where policies stand as steps: the one walk of whoever looks for something in them (policies, resources, shared policy groups, texts). What
 * holds secrets is walked by `secrets/places.ts`, which reads drafts of every version that have any form.
 */

/** Phases of a flow, in the order in which a request passes them. */
export const stepPhases = ['request', 'response'] as const;

/** One of {@link stepPhases}. */
type StepPhase = (typeof stepPhases)[number];

/** A step that runs, with its place as faults name it: `plans[0].flows[1].request[2]`. */
export interface PlacedStep {
  readonly step: StepDefinition;
  readonly phase: StepPhase;
  readonly path: string;
}

/** What of an API holds steps. */
interface WithSteps {
  readonly flows: readonly FlowDefinition[];
  readonly plans: readonly { readonly status: string; readonly flows: readonly FlowDefinition[] }[];
}

/** Lists of flows of an API that serve somebody, with their places: not those of a plan that is closed. */
export function flowListsOf({
  flows,
  plans,
}: WithSteps): readonly { readonly flows: readonly FlowDefinition[]; readonly at: string }[] {
  return [
    { flows, at: 'flows' },
    ...plans.flatMap((plan, index) =>
      plan.status === 'closed' ? [] : [{ flows: plan.flows, at: `plans[${index}].flows` }],
    ),
  ];
}

/** Every step of an API that runs. */
export function stepsOf(api: WithSteps): readonly PlacedStep[] {
  return flowListsOf(api).flatMap(({ flows, at }) => stepsInFlows(flows, at));
}

/** Every step of flows that runs; paths start with `at`. */
export function stepsInFlows(flows: readonly FlowDefinition[], at: string): readonly PlacedStep[] {
  return flows.flatMap((flow, index) =>
    flow.enabled
      ? stepPhases.flatMap((phase) =>
          flow[phase].flatMap((step, number) =>
            step.enabled ? [{ step, phase, path: `${at}[${index}].${phase}[${number}]` }] : [],
          ),
        )
      : [],
  );
}
