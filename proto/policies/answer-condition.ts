import { z } from 'zod';

import { compileCondition } from '../expression/condition.ts';

const textCharsMax = 4_096;

/** A condition that a policy asks itself: undefined where nothing is said. places: names that are known in it and nowhere else. */
export const conditionField = (places: readonly string[] = []) =>
  z
    .string()
    .max(textCharsMax)
    .meta({ mayHoldExpressions: true })
    .transform((text, context) => {
      if (text.trim() === '') return undefined;
      const compiled = compileCondition(text, places);
      if (!('kind' in compiled)) return compiled;
      context.issues.push({ code: 'custom', message: compiled.message, input: text });
      return z.NEVER;
    });

/**
 * A condition on an answer of the backend whose body is on its way.
 *
 * places: names that are known in it and nowhere else, as `upstreamResponse`. root: how it names the answer, for messages.
 */
export const answerCondition = (root: string, places: readonly string[] = []) =>
  conditionField(places).refine(
    (condition) => condition?.needs !== 'buffered',
    `reads a body, which is on its way by then; allowed: status and headers of ${root}`,
  );
