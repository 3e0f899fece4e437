import { z } from 'zod';

import { patternFault } from '../expression/patterns.ts';

/** A regular expression of a definition, which is matched in linear time. */
export const patternText = (charsMax: number) =>
  z
    .string()
    .min(1)
    .max(charsMax)
    .superRefine((text, context) => {
      const message = patternFault(text);
      if (message !== undefined) context.addIssue({ code: 'custom', message });
    });

/** One with a name, by which records tell of it. */
export const namedPattern = (charsMax: number) =>
  z.strictObject({
    /** What a record calls it. */
    name: z.string().regex(/^[\w.-]{1,64}$/, 'must be 1 to 64 letters, digits, `_`, `.` or `-`'),
    regex: patternText(charsMax),
  });
