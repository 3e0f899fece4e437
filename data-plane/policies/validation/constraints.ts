import { findsIn } from '../../../proto/expression/patterns.ts';
import { beginsWithMoment } from '../../../proto/freemarker/moments.ts';
import type { PolicyConfig } from '../../../proto/policies/catalog.ts';
import type { PolicyCall } from '../policy.ts';

type ConstraintType = PolicyConfig<'policy-request-validation'>['rules'][number]['constraint']['type'];

/** Whether a value that is there keeps to a constraint. Errors: an EvaluationFailure for parameters that make no sense. */
export type Keeps = (value: string, parameters: readonly string[], call: PolicyCall) => boolean;

const mail =
  /^[\w.!#$&'*+/=?^`{|}~-]{1,64}(?:@|%40)[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,8}\.[A-Za-z]{2,6}$/;
const mailCharsMax = 320;

/** Digits of a number that is compared; a longer one is none. */
const numberCharsMax = 100;

/** A number without its decimals; undefined where it is none. */
function wholeOf(text: string): bigint | undefined {
  if (text.length > numberCharsMax) return undefined;
  const [, sign = '', digits] = /^([+-]?)(\d+)(?:\.\d*)?$/.exec(text.trim()) ?? [];
  return digits === undefined ? undefined : BigInt(`${sign === '-' ? '-' : ''}${digits}`);
}

const compared = (
  value: string,
  bound: string | undefined,
  holds: (value: bigint, bound: bigint) => boolean,
): boolean => {
  const [left, right] = [wholeOf(value), wholeOf(bound ?? '')];
  return left !== undefined && right !== undefined && holds(left, right);
};

export const keeps: Readonly<Record<ConstraintType, Keeps>> = {
  NOT_NULL: () => true,
  MIN: (value, [bound]) => compared(value, bound, (left, right) => left >= right),
  MAX: (value, [bound]) => compared(value, bound, (left, right) => left <= right),
  MAIL: (value) => value.length <= mailCharsMax && mail.test(value),
  DATE: (value, [pattern]) => pattern !== undefined && pattern !== '' && beginsWithMoment(value, pattern),
  PATTERN: (value, [pattern], call) => pattern !== undefined && findsIn(call, value, pattern),
  SIZE(value, [least, most]) {
    const [from, to] = [wholeOf(least ?? ''), wholeOf(most ?? '')];
    return from !== undefined && to !== undefined && from <= value.length && to >= value.length;
  },
  ENUM: (value, parameters) => parameters.includes(value),
};
