import { EvaluationFailure, fail } from '../expression/failure.ts';
import { SyntaxFault } from '../expression/tokens.ts';
import { Cursor } from './cursor.ts';
import { Expressions } from './expressions.ts';
import { calculate, decimalOf } from './decimals.ts';
import type { Node } from './tree.ts';
import { hashOf, isDecimal, type Value, valueOfJson } from './values.ts';

const charsMax = 100_000;

/**
 * What `?eval` reads: JSON, or a literal of the template language. FreeMarker would evaluate any expression; a caller's text could then
 * ask for whatever the template may see, so nothing else is read here.
 */
export function literalOf(text: string): Value | undefined {
  try {
    return valueOfJson(text);
  } catch (error) {
    if (!(error instanceof EvaluationFailure)) throw error;
  }
  if (text.length > charsMax) return fail(`?eval reads at most ${charsMax} characters that are no JSON`);
  const cursor = new Cursor(text);
  try {
    const node = new Expressions(cursor, { readsContent: false }).read();
    cursor.skip();
    return cursor.isOver ? ofNode(node) : refuse();
  } catch (error) {
    if (error instanceof SyntaxFault) return refuse();
    throw error;
  }
}

const refuse = (): never => fail('?eval reads literals alone, such as JSON; this text is none');

function ofNode(node: Node): Value | undefined {
  if (node.kind === 'literal') return node.value;
  if (node.kind === 'grouped') return ofNode(node.of);
  if (node.kind === 'list') return node.items.map(ofNode);
  if (node.kind === 'hash')
    return hashOf(
      new Map(
        node.entries.map(([name, value]) => {
          const key = ofNode(name);
          return [typeof key === 'string' ? key : refuse(), ofNode(value)];
        }),
      ),
    );
  if (node.kind !== 'sign') return refuse();
  const number = ofNode(node.of);
  if (!isDecimal(number)) return refuse();
  return node.by === '-' ? calculate('-', decimalOf(0), number) : number;
}
