import { z } from 'zod';

import { type Jolt, readJolt } from './jolt.ts';

/** Longest specification, in characters. */
const specificationCharsMax = 256 * 1024;

/** A specification of JOLT as text, read; what is wrong with it is told by its operation and place. */
export const joltText = z
  .string()
  .max(specificationCharsMax)
  .refine((text) => text.trim() !== '', 'is empty; write a list of operations')
  .transform((text, context): Jolt => {
    const read = readJolt(text);
    if ('run' in read) return read;
    for (const message of read) context.issues.push({ code: 'custom', message, input: text });
    return z.NEVER;
  });
