import type { SchemaValidateFunction, ValidateFunction } from 'ajv';

import type { FaultDetail } from '../../../faults/fault.ts';
import { wordsOf } from './compile.ts';
import { copyId, copySchema } from './copy.ts';
import { createCompiler, type Dialect, knowsKeyword } from './dialects.ts';
import { beginWork, TooMuchWork } from './work.ts';

/** Keywords of our own: leads to another schema by its name; members that have to be there on one side alone. */
export const gotoKeyword = '$goto';
export const requiredOnKeyword = '$requiredOn';

/** Whose messages are judged: what `readOnly` and `writeOnly` mean depends on it. */
export type Side = 'request' | 'response';

/** Schemas that refer to each other. */
export interface SchemasTogether {
  /** What is wrong with them, by pointers that begin with a name. */
  readonly faults: readonly FaultDetail[];
  /**
   * Compiles one of them when it is first asked for: a document may have thousands, of which few are used.
   *
   * A judge pays from one budget with all that were asked since `beginJudging`. Undefined: it cannot be compiled.
   */
  judgeOf(name: string): ((value: unknown) => string | undefined) | undefined;
}

/** Of the message that is judged: it is synchronous, and there is one at a time. */
let judgedSide: Side = 'request';

/** A message is judged, by any number of schemas. */
export function beginJudging(side: Side): void {
  judgedSide = side;
  beginWork();
}

/**
 * Takes schemas by name, which refer to each other: by `$goto`, or, where `isOfOnePiece`, as `#/definitions/<name>`. The first are compiled one by one,
 * however long their chains are; of the second each is compiled with all that it leads to, since what it looks at counts for them together
 * (`unevaluatedProperties`).
 */
export function takeTogether(
  definitions: ReadonlyMap<string, unknown>,
  wish: { readonly dialect: Dialect; readonly subschemasMax: number; readonly isOfOnePiece: boolean },
): SchemasTogether {
  const { dialect, subschemasMax, isOfOnePiece } = wish;
  const compiler = createCompiler(dialect);
  const known = new Map<string, ValidateFunction | undefined>();
  // oxlint-disable-next-line max-params -- the compiler's
  const jump: SchemaValidateFunction = (name: string, value: unknown, _schema, context) => {
    const validate = compiled(name);
    if (validate === undefined) throw new NotCompiled();
    const fits = Reflect.apply(validate, undefined, [value, context]) === true;
    jump.errors = [...(validate.errors ?? [])];
    return fits;
  };
  compiler.addKeyword({ keyword: gotoKeyword, schemaType: 'string', errors: 'full', validate: jump });
  compiler.addKeyword({
    keyword: requiredOnKeyword,
    type: 'object',
    schemaType: 'object',
    validate: requiredOn,
  });
  const isKnown = (keyword: string): boolean => keyword === 'definitions' || knowsKeyword(compiler, keyword);
  const { copy, faults } = copySchema(
    { definitions: Object.fromEntries(definitions) },
    { isKnown, ownId: undefined, subschemasMax },
    dialect === 'draft-04' ? 'id' : '$id',
  );
  const refused = (found: readonly FaultDetail[]): SchemasTogether => ({
    faults: found.map(({ path, message }) => ({ path: path.replace('/definitions/', ''), message })),
    judgeOf: () => undefined,
  });
  if (faults.length > 0 || typeof copy !== 'object') return refused(faults);
  if (compiler.validateSchema(copy) !== true) {
    const [error] = compiler.errors ?? [];
    return refused([{ path: error?.instancePath ?? '', message: error?.message ?? 'is no schema' }]);
  }
  const copies = new Map(Object.entries(Object.values(copy as { definitions: object })[0] ?? {}));
  if (isOfOnePiece) compiler.addSchema(copy, undefined, undefined, false);
  const compiled = (name: string): ValidateFunction | undefined => {
    if (known.has(name)) return known.get(name);
    let validate: ValidateFunction | undefined;
    try {
      const made = isOfOnePiece
        ? compiler.getSchema(`${copyId}#/definitions/${name}`)
        : compiler.compile((copies.get(name) ?? false) as object, false);
      validate = made as ValidateFunction | undefined;
    } catch {
      // More branches than can be compiled, or a chain of references that is longer than the stack.
    }
    known.set(name, validate);
    return validate;
  };
  return {
    faults: [],
    judgeOf(name) {
      const validate = compiled(name);
      return validate === undefined ? undefined : judgeBy(validate);
    },
  };
}

const requiredOn: SchemaValidateFunction = (
  names: Readonly<Record<Side, readonly string[]>>,
  value: object,
) => {
  const missing = names[judgedSide].find((name) => !Object.hasOwn(value, name));
  if (missing !== undefined)
    requiredOn.errors = [{ message: `must have required property '${missing}'`, params: {} }];
  return missing === undefined;
};

/** A schema that a judge comes to cannot be compiled. */
export class NotCompiled extends Error {
  override readonly name = 'NotCompiled';
}

/** Errors: {@link NotCompiled}. */
function judgeBy(validate: ValidateFunction): (value: unknown) => string | undefined {
  return (value) => {
    try {
      return validate(value) ? undefined : wordsOf(validate.errors);
    } catch (error) {
      if (error instanceof TooMuchWork) return error.message;
      if (error instanceof RangeError) return 'is nested too deep to be judged';
      throw error;
    }
  };
}
