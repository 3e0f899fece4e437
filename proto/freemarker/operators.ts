import type { Cursor } from './cursor.ts';
import type { Operator } from './tree.ts';

/** Operators by how loosely they bind, with how they are written. */
export const levels: readonly ReadonlyMap<string, Operator>[] = [
  new Map([
    ['||', '||'],
    ['\\or', '||'],
    ['|', '||'],
  ]),
  new Map([
    ['&&', '&&'],
    ['&amp;&amp;', '&&'],
    ['\\and', '&&'],
    ['&', '&&'],
  ]),
  new Map([
    ['==', '=='],
    ['!=', '!='],
    ['=', '=='],
  ]),
  new Map([
    ['gte', '>='],
    ['gt', '>'],
    ['lte', '<='],
    ['lt', '<'],
    ['\\gte', '>='],
    ['\\gt', '>'],
    ['\\lte', '<='],
    ['\\lt', '<'],
    ['&gt;=', '>='],
    ['&gt;', '>'],
    ['&lt;=', '<='],
    ['&lt;', '<'],
    ['<=', '<='],
    ['<', '<'],
    ['>=', '>='],
    ['>', '>'],
  ]),
];
/** Below them is the range, and below that are sums of products. */
export const sums: ReadonlyMap<string, Operator> = new Map([
  ['+', '+'],
  ['-', '-'],
]);
export const products: ReadonlyMap<string, Operator> = new Map([
  ['*', '*'],
  ['/', '/'],
  ['%', '%'],
]);

/** The operator that stands here, if it is one of these; then the place is behind it. */
export function takeOperator(cursor: Cursor, operators: ReadonlyMap<string, Operator>): Operator | undefined {
  cursor.skip();
  const rest = cursor.source.slice(cursor.at, cursor.at + 12);
  const sign = [...operators.keys()].find(
    (each) => rest.startsWith(each) && !(/[a-z]$/.test(each) && /^\w/.test(rest.slice(each.length))),
  );
  if (sign === undefined || (sign.startsWith('>') && cursor.isInTag && cursor.brackets === 0))
    return undefined;
  // `/>` ends a call, and `x -> y` is no subtraction.
  if (
    (sign === '/' && rest.startsWith('/>') && cursor.isInTag && cursor.brackets === 0) ||
    rest.startsWith('->')
  )
    return undefined;
  // What assigns, and what counts up or down, is no operator of an expression.
  if (/^(?:[-+*/%]=|\+\+|--)/.test(rest) && !rest.startsWith('==')) return undefined;
  cursor.at += sign.length;
  return operators.get(sign);
}
