import { fail } from '../../expression/failure.ts';
import { spend } from '../../expression/work.ts';
import { type Decimal, decimalOf, indexOf } from '../decimals.ts';
import { isDecimal, Missing, nameOf, type Value } from '../values.ts';

/** Arguments as they came to values. */
export type Args = readonly (Value | undefined)[];

/** What of the template that runs a built-in may use. */
export interface Tools {
  /** As it is written where a text is wanted. Errors: an EvaluationFailure for what has none. */
  text(value: Value | undefined): string;
  /** What `?eval` reads. */
  literal(text: string): Value | undefined;
  /** A lambda, a method or a function of the template. */
  call(value: Value | undefined, args: Args): Value | undefined;
}

/** The place of a loop's variable. */
export interface LoopPlace {
  readonly index: number;
  readonly hasNext: boolean;
}

/** What stands behind a question mark. */
export type BuiltIn = { readonly takes: number | readonly [least: number, most: number] } & (
  | { readonly kind: 'of value'; run(of: Value, args: Args, tools: Tools): Value | undefined }
  /** Nothing, and what fails in parentheses for want of something, is given as undefined. */
  | { readonly kind: 'forgiving'; run(of: Value | undefined, args: Args, tools: Tools): Value | undefined }
  | { readonly kind: 'of loop'; run(loop: LoopPlace, args: Args): Value }
  /** Evaluates no more arguments than it needs. */
  | { readonly kind: 'choice' }
);

type Run<Of> = (of: Of, args: Args, tools: Tools) => Value | undefined;
type Named = readonly [name: string, builtIn: BuiltIn];

export const ofValue = (name: string, run: Run<Value>, takes: BuiltIn['takes'] = 0): Named => [
  name,
  { kind: 'of value', takes, run },
];

export const ofText = (name: string, run: Run<string>, takes: BuiltIn['takes'] = 0): Named =>
  ofValue(
    name,
    (of, args, tools) => {
      const text = tools.text(of);
      spend(30 + (text.length >> 1));
      return run(text, args, tools);
    },
    takes,
  );

export const ofNumber = (name: string, run: Run<Decimal>, takes: BuiltIn['takes'] = 0): Named =>
  ofValue(name, (of, args, tools) => run(asNumber(of), args, tools), takes);

export const forgiving = (name: string, run: Run<Value | undefined>, takes: BuiltIn['takes'] = 0): Named => [
  name,
  { kind: 'forgiving', takes, run },
];

export const asNumber = (value: Value | undefined): Decimal =>
  isDecimal(value) ? value : wanted('a number', value);

export const asBoolean = (value: Value | undefined): boolean => {
  if (typeof value === 'boolean') return value;
  if (typeof value === 'object' && 'kind' in value && value.kind === 'matches') return value.isWhole;
  return wanted('a boolean', value);
};

/** A text alone: numbers are not written for it. */
export const asText = (value: Value | undefined): string => {
  if (typeof value === 'string') return value;
  if (typeof value === 'object' && 'kind' in value && value.kind === 'match') return value.text;
  return wanted('a text', value);
};

export const asIndex = (value: Value | undefined): number => indexOf(asNumber(value));

export const count = (number: number): Decimal => decimalOf(number);

export function wanted(what: string, value: Value | undefined): never {
  if (value === undefined) throw new Missing(`${what} is expected, and there is nothing`);
  return fail(`${what} is expected, not ${nameOf(value)}`);
}
