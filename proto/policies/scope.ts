import { z } from 'zod';

/** Kept for definitions of version 2; the phase is where the step stands, and no form asks for it. */
export const scopeOfVersion2 = z
  .enum(['REQUEST', 'RESPONSE', 'REQUEST_CONTENT', 'RESPONSE_CONTENT'])
  .optional()
  .meta({ isWithoutEffect: true });
