import { z } from 'zod';

/** Bounds of a step list: what is past them is left out and counted, or cut. */
export const stepLists = { stepsMax: 100, saidCharsMax: 200, placeCharsMax: 160, bytesMax: 16_384 } as const;

/** Why the steps of a request were written down. */
export const stepListReasons = ['refused', 'failed', 'slow', 'sampled'] as const;
/** Where in a request's way a step stands; `around` encloses the steps that it lets happen. */
export const stepPhases = ['entry', 'request', 'around', 'backend', 'response', 'answer'] as const;
/** What a step came to. */
export const stepDecisions = [
  'passed',
  'skipped',
  'answered',
  'refused',
  'failed',
  'abandoned',
  'unfinished',
] as const;

const whole = z.int().min(0).max(Number.MAX_SAFE_INTEGER);

const stepSchema = z.strictObject({
  phase: z.enum(stepPhases),
  /** Id of a policy, or of what else happens: match, plan, subscription, endpoint, dns, connect, tls, first-byte, body, answer ... */
  step: z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/),
  /** Its place in the definition, e.g. flows[0].request[1]. */
  place: z.string().max(stepLists.placeCharsMax).optional(),
  /** Microseconds since the request's head was complete. */
  from_us: whole,
  took_us: whole,
  decision: z.enum(stepDecisions),
  said: z.string().max(stepLists.saidCharsMax).optional(),
});

/**
 * The steps of one request in order, as its record has them in JSON.
 *
 * Those of all phases but `around` follow each other without a gap, so that what they took makes the whole.
 */
export const StepList = z.strictObject({
  for: z.enum(stepListReasons),
  steps: z.array(stepSchema).max(stepLists.stepsMax).readonly(),
  /** How many there were beside these. */
  left_out: whole.optional(),
});
/** See {@link StepList}. */
export type StepList = z.infer<typeof StepList>;
/** One of a {@link StepList}. */
export type RecordedStep = z.infer<typeof stepSchema>;

/** Says why a recorded request has no steps; a status of undefined is one that nobody knows. */
export function whyNoSteps(recorded: {
  readonly status: number | undefined;
  readonly errorKey: string | undefined;
  readonly outcome: string | undefined;
}): string {
  const { status = 0, errorKey, outcome = 'complete' } = recorded;
  return errorKey === undefined && status < 500 && outcome === 'complete'
    ? 'Its gateway wrote no steps of it: it does so of requests that are refused or fail, that take as long as its setting report.steps.slowMs, or that are among report.steps.sampledShare.'
    : 'Its gateway wrote no steps of it although it was refused or failed: report.steps.enabled is off there, more were written in that second than report.steps.perSecondMax allows, or the gateway is of an older version.';
}
