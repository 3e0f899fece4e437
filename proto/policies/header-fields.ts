import { z } from 'zod';

/** Most headers that one step may add, remove or keep. */
export const headersPerStepMax = 100;
const headerValueCharsMax = 8_192;

/** A header's name: a token of RFC 9110. */
export const headerNameSchema = z
  .string()
  .min(1)
  .max(256)
  .regex(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/, 'must be a header name (letters, digits and - _ .)');

/** A header's value: no control characters, so that a definition cannot split an answer in two. */
export const headerValueSchema = z
  .string()
  .max(headerValueCharsMax)
  // oxlint-disable-next-line no-control-regex -- control characters are what it looks for
  .regex(/^[^\u0000-\u0008\u000a-\u001f\u007f]*$/, 'must not hold control characters');

/** A header to set. */
export const headerSchema = z.strictObject({ name: headerNameSchema, value: headerValueSchema.default('') });
