import { calculated, product, sum } from './arithmetic.ts';
import { EvaluationFailure, fail } from './failure.ts';
import type { Evaluate } from './frame.ts';
import { isBetween } from './members.ts';
import { matchesWhole, patternOf } from './patterns.ts';
import { SyntaxFault } from './tokens.ts';
import type { Node } from './tree.ts';
import { unknown } from './unknown.ts';
import {
  compare,
  isAttributes,
  isEqual,
  isLines,
  isList,
  isMap,
  isNumber,
  Real,
  toBoolean,
  toText,
  type Value,
} from './values.ts';

/** Compiles an operator; its sides by `compile`. Errors: SyntaxFault. */
export function compileBinary(
  { operator, left, right, at }: Extract<Node, { kind: 'binary' }>,
  compile: (node: Node) => Evaluate,
): Evaluate {
  if (operator === 'instanceof') return isA(compile(left), right, at);
  const [a, b] = [compile(left), compile(right)];
  switch (operator) {
    case '&&':
      return (frame) => toBoolean(a(frame)) && toBoolean(b(frame));
    case '||':
      return (frame) => toBoolean(a(frame)) || toBoolean(b(frame));
    case '==':
      return (frame) => isEqual(a(frame), b(frame));
    case '!=':
      return (frame) => !isEqual(a(frame), b(frame));
    case '<':
      return (frame) => compare(a(frame), b(frame)) < 0;
    case '<=':
      return (frame) => compare(a(frame), b(frame)) <= 0;
    case '>':
      return (frame) => compare(a(frame), b(frame)) > 0;
    case '>=':
      return (frame) => compare(a(frame), b(frame)) >= 0;
    case 'matches':
      return matches(a, right, b);
    case 'between':
      return (frame) => isBetween(a(frame), b(frame));
    case '+':
      return (frame) => sum(a(frame), b(frame));
    case '*':
      return (frame) => product(a(frame), b(frame));
    case '-':
    case '/':
    case '%':
    case '^':
      return (frame) => calculated(operator, a(frame), b(frame));
  }
}

/** A pattern that is written down is judged when the definition is loaded. */
function matches(text: Evaluate, pattern: Node, written: Evaluate): Evaluate {
  if (pattern.kind === 'constant' && typeof pattern.value === 'string') {
    try {
      patternOf(pattern.value);
    } catch (error) {
      if (error instanceof EvaluationFailure) throw new SyntaxFault(error.message, pattern.at);
      throw error;
    }
  }
  return (frame) =>
    matchesWhole(
      toText(text(frame)) ?? fail('nothing is matched'),
      toText(written(frame)) ?? fail('the pattern is nothing'),
    );
}

function isA(of: Evaluate, right: Node, at: number): Evaluate {
  if (right.kind !== 'type') throw new SyntaxFault('instanceof is followed by T(a type)', at);
  const name = right.name.slice(right.name.lastIndexOf('.') + 1);
  const is = kinds.get(name);
  if (is === undefined) throw unknown(`T(${right.name})`, { name, among: [...kinds.keys()], at: right.at });
  return (frame) => is(of(frame));
}

const kinds: ReadonlyMap<string, (value: Value) => boolean> = new Map<string, (value: Value) => boolean>([
  ['String', (value) => typeof value === 'string'],
  ['Boolean', (value) => typeof value === 'boolean'],
  ['Integer', (value) => typeof value === 'number'],
  ['Long', (value) => typeof value === 'bigint'],
  ['Double', (value) => value instanceof Real],
  ['Number', isNumber],
  ['List', isList],
  ['Collection', isList],
  ['Map', (value) => isMap(value) || isLines(value) || isAttributes(value)],
]);
