import type { z } from 'zod';

/** The object in which a field stands that is a secret only beside certain others. */
type Beside = Readonly<Record<string, unknown>>;

/** What the schema of a secret says of it. */
export interface SecretMark {
  readonly isSecret: true;
  /** Whether what stands there is a secret, by the fields beside it; absent: always. */
  readonly isSecretBeside?: (beside: Beside) => boolean;
}

/**
 * Marks a text as a secret: it is sealed wherever it is kept or sent, and opened in memory by the gateway that uses it; the management API
 * shows a mask. The mark alone does all of that (`fields.ts` finds it).
 *
 * Shape: `password: secret(z.string().max(256)).optional()`; around what judges the text, inside of what makes it optional.
 */
export function secret<Schema extends z.ZodType>(
  schema: Schema,
  isSecretBeside?: SecretMark['isSecretBeside'],
): Schema {
  const mark: SecretMark = { isSecret: true, ...(isSecretBeside !== undefined && { isSecretBeside }) };
  return schema.meta({ ...mark });
}
