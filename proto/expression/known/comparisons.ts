import { parse } from '../parse.ts';
import { SyntaxFault } from '../tokens.ts';
import type { Node } from '../tree.ts';
import { type Kind, kindAt } from './kinds.ts';

/** A comparison that comes to the same for every request. */
export interface IdleComparison {
  readonly message: string;
  /** Where in the source, counted in characters from 0. */
  readonly at: number;
}

/** Where an expression, without its braces, compares a list with one value: all values of a header or parameter are a list, and equal no text. */
export function idleComparisons(source: string): readonly IdleComparison[] {
  if (!compares.test(source)) return [];
  try {
    return inNode(parse(source));
  } catch (error) {
    if (error instanceof SyntaxFault) return [];
    throw error;
  }
}

const compares = /[=!]=|\b(?:eq|ne)\b/i;

function inNode(node: Node): readonly IdleComparison[] {
  const inside = childrenOf(node).flatMap(inNode);
  if (node.kind !== 'binary' || (node.operator !== '==' && node.operator !== '!=')) return inside;
  const sides = [node.left, node.right].map((side) => kindAt(side)?.is);
  const isIdle = sides.includes('list') && sides.some((is) => oneOf.has(is));
  const outcome = node.operator === '==' ? 'never holds' : 'always holds';
  return isIdle
    ? [
        ...inside,
        { at: node.at, message: `compares all values with one, which ${outcome}; [0] is the first` },
      ]
    : inside;
}

const oneOf: ReadonlySet<Kind['is'] | undefined> = new Set(['text', 'number', 'boolean']);

/** Nodes that stand in a node, whatever its kind. */
const childrenOf = (node: Node): readonly Node[] =>
  Object.values(node)
    .flat(2)
    .filter(
      (part: unknown): part is Node =>
        typeof part === 'object' && part !== null && 'kind' in part && 'at' in part,
    );
