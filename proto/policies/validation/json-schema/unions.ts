import { createRequire } from 'node:module';
import type * as Ajv7 from 'ajv';

/**
 * `anyOf` and `oneOf` that forget why a branch failed before they ask the next one: kept, as the library does, the reasons of nested unions
 * double with each level, and take the memory of the process long before the time runs out.
 */
export const unionKeywords: readonly Ajv7.CodeKeywordDefinition[] = [
  {
    keyword: 'anyOf',
    schemaType: 'array',
    trackErrors: true,
    error: { message: 'must match a schema in anyOf' },
    code(context) {
      const { gen } = context;
      const { _ } = library();
      const valid = gen.let('valid', false);
      const branchValid = gen.name('_valid');
      gen.block(() => {
        for (const [index] of branchesOf(context)) {
          const branch = context.subschema(
            { keyword: 'anyOf', schemaProp: index, compositeRule: true },
            branchValid,
          );
          context.reset();
          gen.assign(valid, _`${valid} || ${branchValid}`);
          // Where members are counted as looked at, every branch has to be asked.
          if (context.mergeValidEvaluated(branch, branchValid) !== true) gen.if(_`!${valid}`);
        }
      });
      context.result(
        valid,
        () => context.reset(),
        () => context.error(true),
      );
    },
  },
  {
    keyword: 'oneOf',
    schemaType: 'array',
    trackErrors: true,
    error: { message: 'must match exactly one schema in oneOf' },
    code(context) {
      const { gen } = context;
      const { _, Name } = library();
      const valid = gen.let('valid', false);
      const branchValid = gen.name('_valid');
      gen.block(() => {
        for (const [index] of branchesOf(context)) {
          const branch = context.subschema(
            { keyword: 'oneOf', schemaProp: index, compositeRule: true },
            branchValid,
          );
          context.reset();
          if (index > 0)
            gen
              .if(_`${branchValid} && ${valid}`)
              .assign(valid, false)
              .else();
          gen.if(branchValid, () => {
            gen.assign(valid, true);
            context.mergeEvaluated(branch, Name);
          });
        }
      });
      context.result(
        valid,
        () => context.reset(),
        () => context.error(true),
      );
    },
  },
];

const requireNow = createRequire(import.meta.url);
const library = (): typeof Ajv7 => requireNow('ajv') as typeof Ajv7;
const branchesOf = ({ schema }: Ajv7.KeywordCxt): Iterable<[number, unknown]> =>
  (schema as unknown[]).entries();
