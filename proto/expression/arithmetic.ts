import { bounded, repeated } from './methods.ts';
import { fail, ThrownFailure } from './failure.ts';
import { isNumber, kindOf, Real, toInt, toNumber, toText, type Value } from './values.ts';

/** A number as it is. Errors: an EvaluationFailure for anything else. */
export function numberOr(value: Value): Value {
  return isNumber(value) ? value : fail(`${kindOf(value)} is no number`);
}

/** Its negative, of its kind. */
export function negative(value: Value): Value {
  if (typeof value === 'number') return -value | 0;
  if (typeof value === 'bigint') return BigInt.asIntN(64, -value);
  return value instanceof Real ? new Real(-value.number) : fail(`${kindOf(value)} is no number`);
}

/** Numbers are added; when one side is a text, both are joined as texts. */
export function sum(left: Value, right: Value): Value {
  if (typeof left === 'string' || typeof right === 'string')
    return bounded((toText(left) ?? 'null') + (toText(right) ?? 'null'));
  return calculated('+', left, right);
}

/** Numbers are multiplied; a text is repeated. */
export function product(left: Value, right: Value): Value {
  return typeof left === 'string' ? repeated(left, toInt(right)) : calculated('*', left, right);
}

type Arithmetic = '+' | '-' | '*' | '/' | '%' | '^';

/** As Java: ints wrap, a real makes a real, whole numbers are divided without a rest. */
export function calculated(operator: Arithmetic, left: Value, right: Value): Value {
  if (!isNumber(left) || !isNumber(right))
    return fail(`${kindOf(left)} ${operator} ${kindOf(right)} is no number`);
  if (left instanceof Real || right instanceof Real)
    return new Real(operate(operator, toNumber(left), toNumber(right)));
  if (operator === '^') return power(left, right);
  const [a, b] = [BigInt(left), BigInt(right)];
  if (b === 0n && (operator === '/' || operator === '%')) throw new ThrownFailure('nothing is divided by 0');
  const made = operate(operator, a, b);
  if (typeof left === 'bigint' || typeof right === 'bigint') return BigInt.asIntN(64, made);
  return Number(BigInt.asIntN(32, made));
}

/** Of two numbers of one kind. */
function operate<N extends number | bigint>(operator: Arithmetic, left: N, right: N): N {
  // The operators are the same for both kinds, which the compiler allows only when it knows which.
  const [a, b] = [left as number, right as number];
  switch (operator) {
    case '+':
      return (a + b) as N;
    case '-':
      return (a - b) as N;
    case '*':
      return (a * b) as N;
    case '/':
      return (a / b) as N;
    case '%':
      return (a % b) as N;
    case '^':
      return (a ** b) as N;
  }
}

/** Of whole numbers a whole one, a long where an int is too small. */
function power(left: number | bigint, right: number | bigint): Value {
  const made = Math.trunc(Number(left) ** Number(right));
  if (!Number.isFinite(made)) return fail('a power is too large');
  if (typeof left === 'bigint' || typeof right === 'bigint' || Math.abs(made) > 2_147_483_647)
    return BigInt.asIntN(64, BigInt(made));
  return made;
}
