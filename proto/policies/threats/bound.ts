import { z } from 'zod';

/** A bound of the reference: a whole number; nothing and what is below 0 is no bound. */
export const threatBound = (byDefault: number) =>
  z
    .int()
    .max(Number.MAX_SAFE_INTEGER)
    .nullish()
    .transform((bound) => (bound === null || (bound !== undefined && bound < 0) ? undefined : bound))
    .prefault(byDefault);
