import { z } from 'zod';

import { template } from '../expression/template.ts';
import { headerNameSchema, headersPerPlaceMax, headerValueSchema } from '../model/head-text.ts';

const headerToSet = z.strictObject({
  name: headerNameSchema,
  value: template(headerValueSchema).prefault(''),
});

/** Headers that a policy sets, in order; a value may hold an expression. */
export const headersToSet = z.array(headerToSet).max(headersPerPlaceMax).prefault([]);
