import { z } from '@hono/zod-openapi';
import {
  StepList,
  stepDecisions,
  stepListReasons,
  stepPhases,
} from '../../../proto/model/records/step-list.ts';
import type { Row } from '../../analytics/questions/question.ts';
import { present } from '../fields.ts';
import { fieldsOf, jsonIn } from './log-shape.ts';

/** What a call went through, in order; times are microseconds since its head was complete. */
export const stepsSchema = z
  .object({
    /** Why they were written. */
    for: z.enum(stepListReasons),
    list: z.array(
      z.object({
        phase: z.enum(stepPhases),
        step: z.string(),
        /** In the definition. */
        place: z.string().optional(),
        fromUs: z.int(),
        tookUs: z.int(),
        decision: z.enum(stepDecisions),
        said: z.string().optional(),
      }),
    ),
    /** How many there were beside these. */
    leftOut: z.int().optional(),
  })
  .openapi('CallSteps');

/** The steps of a recorded call; undefined where it has none, or what stands there is no list of steps: a record is foreign. */
export function stepsOf(recorded: Row | undefined): z.infer<typeof stepsSchema> | undefined {
  const list = jsonIn(recorded?.['steps'] ?? undefined, StepList);
  if (list === undefined) return undefined;
  return present({
    for: list.for,
    list: list.steps.map(({ from_us: fromUs, took_us: tookUs, ...step }) =>
      present({ ...step, fromUs, tookUs }),
    ),
    leftOut: list.left_out,
  });
}

/** Says why there are no steps of a recorded call. */
export function missingSteps(recorded: Row | undefined): string {
  if (recorded === undefined) return 'No record of this request has arrived, and so no steps of it.';
  const { text, whole } = fieldsOf(recorded);
  const isUsual = text('error_key') === undefined && (whole('status') ?? 0) < 500;
  return isUsual && (text('outcome') ?? 'complete') === 'complete'
    ? 'Its gateway wrote no steps of it: it does so of requests that are refused or fail, that take as long as its setting report.steps.slowMs, or that are among report.steps.sampledShare.'
    : 'Its gateway wrote no steps of it although it was refused or failed: report.steps.enabled is off there, more were written in that second than report.steps.perSecondMax allows, or the gateway is of an older version.';
}
