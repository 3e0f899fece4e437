import { z } from '@hono/zod-openapi';
import {
  StepList,
  stepDecisions,
  stepListReasons,
  stepPhases,
  whyNoSteps,
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
  return whyNoSteps({ status: whole('status'), errorKey: text('error_key'), outcome: text('outcome') });
}
