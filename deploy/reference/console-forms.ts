import { failoverSchema } from '../../proto/model/api-endpoints.ts';
import { corsSchema } from '../../proto/model/api-listeners.ts';
import { formSchema } from '../../proto/policies/form-schema.ts';

/** Sections of a definition that the console has forms for, beside those of plugins, as a module of theirs. */
export function consoleForms(): string {
  const forms = { corsForm: formSchema(corsSchema), failoverForm: formSchema(failoverSchema) };
  const lines = Object.entries(forms).map(
    ([name, schema]) => `export const ${name}: JsonSchema = ${JSON.stringify(schema, withoutDialect, 2)};`,
  );
  return [
    "import type { JsonSchema } from '../kit/schema-form/shape.ts';",
    '',
    '// Written by npm run generate.',
    ...lines,
    '',
  ].join('\n');
}

/** The console knows which JSON Schema it reads. */
const withoutDialect = (key: string, value: unknown): unknown => (key === '$schema' ? undefined : value);
