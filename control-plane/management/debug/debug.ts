import { randomUUID } from 'node:crypto';
import { z } from '@hono/zod-openapi';
import { Fault } from '../../../proto/faults/fault.ts';
import type { ApiDefinition, FlowDefinition } from '../../../proto/model/api.ts';
import { stepsOf } from '../../../proto/model/api/steps.ts';
import {
  type DebugEnd,
  debugReportSchema,
  debugRequestSchema,
  debugStepSchema,
  type DebugStep,
} from '../../../proto/model/records/debug-run.ts';
import { scrubberOf } from '../../../proto/model/secrets/scrub.ts';
import type { Actor } from '../../access/actor.ts';
import type { ApiRef } from '../apis/api-gate.ts';
import { change, type Desk } from '../desk.ts';
import { idSchema, present } from '../fields.ts';
import { type DraftRecords, draftRecords } from './draft-records.ts';

/** A request to run, and of which plan. */
export const debugBodySchema = z
  .strictObject({
    ...debugRequestSchema.shape,
    /** Whose flows it passes, as whoever has a subscription would; published or not. Default: the first that asks for no credential. */
    plan: idSchema.optional(),
  })
  .openapi('DebugHttpRequest');

const toldStepSchema = z.object({
  ...debugStepSchema.shape,
  /** Of a step of a flow, as it is called there. */
  name: z.string().optional(),
  /** Of the flow that it stands in. */
  flow: z.string().optional(),
  /** Whose flow that is; absent for one of the API's own. */
  plan: z.string().optional(),
  condition: z.string().optional(),
  /** Whether that condition held. */
  conditionHeld: z.boolean().optional(),
});

const runSchema = z
  .object({
    ...debugReportSchema.shape,
    steps: z.array(toldStepSchema),
    plan: z.object({ id: z.string(), name: z.string() }),
  })
  .openapi('DebugRun');

/** A run that is over. */
export const debugEventSchema = z
  .object({
    id: z.string(),
    type: z.literal('DEBUG_API'),
    createdAt: z.string(),
    properties: z.object({
      api_id: z.string(),
      /** ERROR for a run that came to no end: `error` says why. */
      api_debug_status: z.enum(['SUCCESS', 'ERROR']),
    }),
    run: runSchema.optional(),
    error: z.string().optional(),
  })
  .openapi('DebugEvent');

type DebugEvent = z.infer<typeof debugEventSchema>;
type ToldStep = z.infer<typeof toldStepSchema>;

/**
 * Runs one request through the draft of an API, or through the API as it is written now, in a process of its own.
 *
 * No gateway learns of it. Errors: those of a deployment; request.too_many when too many runs wait; debug.unavailable where there are none.
 */
export async function debugApi(
  desk: Desk,
  actor: Actor,
  { at, id, wish: { plan, ...request } }: ApiRef & { readonly wish: z.infer<typeof debugBodySchema> },
): Promise<DebugEvent> {
  const { debug } = desk;
  if (debug === undefined) throw new Fault('debug.unavailable');
  const draft = await change(desk, { actor, at, isDryRun: true }, (now) => draftRecords(now, { id, plan }));
  const { path = '/', host = 'localhost' } = draft.definition.listeners[0]?.paths[0] ?? {};
  const source = `${at.organization}/${actor.id}`;
  const contextPath = path === '/' ? '' : path;
  const end = await debug.run(source, { ...at, records: draft.records, request, contextPath, host });
  if (end === 'busy')
    throw new Fault('request.too_many', { detail: 'Another run of yours waits, or too many of others do.' });
  await change(desk, { actor, at }, (now) => now.audit('API_DEBUGGED', { type: 'API', id }));
  const told = toldOf(end, draft);
  return {
    id: randomUUID(),
    type: 'DEBUG_API',
    createdAt: new Date(desk.clock.now()).toISOString(),
    properties: { api_id: id, api_debug_status: told.run === undefined ? 'ERROR' : 'SUCCESS' },
    ...told,
  };
}

/** What is said of a run repeats no secret of the definition, whoever said it. */
function toldOf(end: DebugEnd, { definition, secrets }: DraftRecords): Pick<DebugEvent, 'run' | 'error'> {
  const scrub = scrubberOf(secrets);
  if (end.kind !== 'ran') return { error: scrub(whyOf(end)) };
  const [plan] = definition.plans;
  const placed = placesOf(definition);
  return {
    run: {
      ...scrubbed(end.report, scrub),
      plan: { id: plan?.id ?? '', name: plan?.name ?? '' },
      // What the definition says itself is shown as it is written.
      steps: scrubbed(end.report.steps, scrub).map((step) => withPlace(step, placed)),
    },
  };
}

function whyOf(end: Exclude<DebugEnd, { readonly kind: 'ran' }>): string {
  if (end.kind === 'refused') return end.reason;
  return end.kind === 'late'
    ? 'The run took longer than a run may take, and was ended (setting debug.runMsMax).'
    : `The run ended without a word: it took more memory than a run may take (setting debug.memoryBytesMax), or broke (${end.how}).`;
}

function scrubbed<Value>(value: Value, scrub: (text: string) => string): Value {
  return JSON.parse(JSON.stringify(value), (_key, each: unknown) =>
    typeof each === 'string' ? scrub(each) : each,
  ) as Value;
}

/** What the definition says of a place. */
type Placed = Pick<ToldStep, 'name' | 'flow' | 'plan' | 'condition'>;

/** By the places of steps, and of flows. */
function placesOf(definition: ApiDefinition): ReadonlyMap<string, Placed> {
  const lists = [
    { flows: definition.flows, at: 'flows', plan: undefined },
    ...definition.plans.map(({ id, flows }, index) => ({ flows, at: `plans[${index}].flows`, plan: id })),
  ];
  const ofFlows = lists.flatMap(({ flows, at, plan }) =>
    flows.map((flow, index): readonly [string, Placed] => [
      `${at}[${index}]`,
      { flow: flow.name === '' ? undefined : flow.name, plan, condition: conditionOf(flow) },
    ]),
  );
  const places = new Map(ofFlows);
  for (const { path, step } of stepsOf(definition)) {
    const { flow, plan } = places.get(flowOf(path)) ?? {};
    const name = step.name === '' ? undefined : step.name;
    places.set(path, { flow, plan, name, condition: step.condition === '' ? undefined : step.condition });
  }
  return places;
}

function conditionOf({ selectors }: FlowDefinition): string | undefined {
  const conditions = selectors.flatMap((selector) =>
    selector.type === 'condition' ? [selector.condition] : [],
  );
  return conditions.length === 0 ? undefined : conditions.join(' && ');
}

const flowOf = (place: string): string => /^(?:plans\[\d+\]\.)?flows\[\d+\]/.exec(place)?.[0] ?? '';

function withPlace(step: DebugStep, places: ReadonlyMap<string, Placed>): ToldStep {
  const { place = '', decision } = step;
  const placed = places.get(place.endsWith('.selectors') ? flowOf(place) : place) ?? {
    ...places.get(flowOf(place)),
    condition: undefined,
  };
  const conditionHeld = placed.condition === undefined ? undefined : decision !== 'skipped';
  return present({ ...step, ...placed, conditionHeld });
}
