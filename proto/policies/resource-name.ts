import { z } from 'zod';

import { hasExpression } from '../expression/find.ts';

/** The name of a resource of the API, which is looked for when a definition is read. */
export const resourceNameSchema = z
  .string()
  .max(256)
  .refine(
    (text) => !hasExpression(text),
    'expressions are not supported here by this version; allowed: the name of a resource',
  );
