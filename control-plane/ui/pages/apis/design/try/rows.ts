import type { Schemas } from '../../../../api/client.ts';
import { keyOf, type Owner, placeOf, type StepPlace } from '../flows.ts';

export type Run = Schemas['DebugRun'];
type Step = Run['steps'][number];
export type Change = NonNullable<Step['changes']>[number];

/** A step of a run as one bead of its string; all calls of a backend are one. */
export interface Bead {
  readonly key: string;
  readonly name: string;
  readonly decision: Step['decision'];
  readonly side: 'gateway' | 'backend';
  readonly tookUs: number;
  readonly step: Step;
  /** In the design; undefined for what stands elsewhere. */
  readonly place: StepPlace | undefined;
}

/** What is not called by its id. */
const words: ReadonlyMap<string, string> = new Map([
  ['match', 'Match'],
  ['plan', 'Plan'],
  ['flow', 'Flow condition'],
  ['answer', 'Answer'],
]);

/** The steps of a run in order. `names` are those of policies, by id. */
export function beadsOf(run: Run, names: ReadonlyMap<string, string>): readonly Bead[] {
  const beads: Bead[] = [];
  run.steps.forEach((step, index) => {
    const last = beads.at(-1);
    if (step.phase === 'backend' && last?.side === 'backend') {
      const decision = step.decision === 'passed' ? last.decision : step.decision;
      // What was said last says most: a status, or what went wrong.
      const told = step.said === undefined ? last.step : { ...last.step, said: step.said };
      beads[beads.length - 1] = { ...last, decision, tookUs: last.tookUs + step.tookUs, step: told };
      return;
    }
    const isBackend = step.phase === 'backend';
    beads.push({
      key: `${index}`,
      name: isBackend ? 'Backend' : (step.name ?? names.get(step.step) ?? words.get(step.step) ?? step.step),
      decision: step.decision,
      side: isBackend ? 'backend' : 'gateway',
      tookUs: step.tookUs,
      step,
      place: stepPlaceOf(step.place, run),
    });
  });
  return beads;
}

/** Microseconds of the backend, and of the gateway. */
export function sharesOf({ steps, totalUs }: Run): {
  readonly backendUs: number;
  readonly gatewayUs: number;
} {
  const backendUs = steps
    .filter(({ phase, step }) => phase === 'backend' && step !== 'endpoint')
    .reduce((sum, { tookUs }) => sum + tookUs, 0);
  return { backendUs, gatewayUs: Math.max(0, totalUs - backendUs) };
}

/** How a step of the design did in a run: what stands in both phases did both. */
export interface Light {
  readonly decision: Step['decision'];
  readonly tookUs: number;
  /** Its part of the longest of all steps, 0 to 1. */
  readonly part: number;
}

/** Lights by {@link lightKey}. */
export function lightsOf(run: Run): ReadonlyMap<string, Light> {
  const found = new Map<string, { decision: Step['decision']; tookUs: number }>();
  for (const { place, decision, tookUs } of run.steps) {
    const at = stepPlaceOf(place, run);
    if (at === undefined) continue;
    const before = found.get(lightKey(at));
    found.set(lightKey(at), {
      // One that refused at last was passed before.
      decision: before === undefined || decision !== 'passed' ? decision : before.decision,
      tookUs: tookUs + (before?.tookUs ?? 0),
    });
  }
  const longestUs = Math.max(1, ...[...found.values()].map(({ tookUs }) => tookUs));
  return new Map([...found].map(([key, light]) => [key, { ...light, part: light.tookUs / longestUs }]));
}

export const lightKey = (place: StepPlace): string => `${keyOf(place.owner)} ${placeOf(place)}`;

/** The step of the design that a place of a run means; of the steps of a shared policy group the one that stands for them. */
function stepPlaceOf(place: string | undefined, { plan }: Run): StepPlace | undefined {
  const [, ofPlan, flow, lane, step] =
    /^(plans\[0\]\.)?flows\[(\d+)\]\.(request|response)\[(\d+)\]/.exec(place ?? '') ?? [];
  if (lane !== 'request' && lane !== 'response') return undefined;
  const owner: Owner = ofPlan === undefined ? 'api' : { plan: plan.id };
  return { owner, flow: Number(flow), lane, step: Number(step) };
}

/** Headers as somebody writes them, `name: value` in each line; what is none is named by its number. */
export function headersOf(
  text: string,
): { readonly headers: Readonly<Record<string, string[]>> } | { readonly problem: string } {
  const headers = new Map<string, string[]>();
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const [, name, value] = /^\s*([^\s:]+)\s*:(.*)$/.exec(line) ?? [];
    if (name === undefined || value === undefined)
      return { problem: `Line ${index + 1} is no header: Name: value` };
    headers.set(name, [...(headers.get(name) ?? []), value.trim()]);
  }
  return { headers: Object.fromEntries(headers) };
}
