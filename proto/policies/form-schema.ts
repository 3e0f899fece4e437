import { z } from 'zod';

/** A JSON Schema (draft 2020-12) with what a form and a reference have to know besides. */
export interface FormSchema {
  /** What a form calls it; without one, its name in words. */
  readonly title?: string;
  /** What helps whoever fills it. */
  readonly description?: string;
  /** What a new one begins with, where its default would be of no use. */
  readonly begin?: unknown;
  /** What its number counts, e.g. `ms`. */
  readonly unit?: string;
  /** What values of an enumeration are called, where their own words say little. */
  readonly words?: Readonly<Record<string, string>>;
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly FormSchema[];
  readonly oneOf?: readonly FormSchema[];
  readonly properties?: Readonly<Record<string, FormSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | FormSchema;
  readonly items?: FormSchema;
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxLength?: number;
  readonly maxItems?: number;
  /** See `template` in proto/expression. */
  readonly mayHoldExpressions?: boolean;
  /** See `atDeploy` in proto/model/deploy. */
  readonly isKnownAtDeploy?: boolean;
  /** See `secret` in proto/model/secrets; its `format` is `password`. */
  readonly isSecret?: boolean;
  /** See `off` in proto/model: what may stand in a field that this version does not run. */
  readonly offOnly?: string;
  /** See `elsewhere` in proto/model: of console and portal. */
  readonly isElsewhere?: boolean;
  /** What older definitions hold, and nothing here goes by: a form does not ask for it. */
  readonly isWithoutEffect?: boolean;
}

/** What a configuration looks like as it is written, before defaults are filled and texts are read. */
export function formSchema(schema: z.ZodType): FormSchema {
  return z.toJSONSchema(schema, {
    io: 'input',
    unrepresentable: 'any',
    reused: 'inline',
    override({ zodSchema, jsonSchema }) {
      const { def } = zodSchema._zod;
      // The library leaves the default of what is transformed out; what it is before counts here.
      if (def.type === 'default') jsonSchema.default = def.defaultValue as typeof jsonSchema.default;
      if (jsonSchema['isSecret'] === true && jsonSchema.type === 'string') jsonSchema.format = 'password';
      // Every number has these bounds.
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
    },
  }) as FormSchema;
}
