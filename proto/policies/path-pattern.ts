import { z } from 'zod';

import { EvaluationFailure } from '../expression/failure.ts';
import { patternOf } from '../expression/patterns.ts';
import { template } from '../expression/template.ts';

const pattern = z
  .string()
  .min(1)
  .max(1_000)
  .superRefine((text, context) => {
    try {
      patternOf(text);
    } catch (error) {
      if (!(error instanceof EvaluationFailure)) throw error;
      context.addIssue({ code: 'custom', message: error.message });
    }
  });

/** A pattern of the path below the context path; it may hold an expression. */
export const pathPattern = template(pattern);

/** What expressions know beside it where it matched: `#group[0]`, `#groupName['id']`. */
export const pathGroupNames = ['group', 'groupName'] as const;
