import type { Budget } from './budget.ts';
import { type Tree, childOf, depthMax, indexOf, JoltFailure } from './tree.ts';

/** Longest key that is made, in characters. */
const keyCharsMax = 16_384;
/** How deep references may stand in each other: `@(1,&2[&1].name)` is two. */
const referencesMax = 8;

/** One level of the way down to where a rule stands: what was matched there. */
export interface Level {
  /** The key, and behind it what its stars stood for. */
  readonly captures: readonly string[];
  readonly value: Tree | undefined;
  /** How many of its children have matched so far, which `#` counts. */
  matches: number;
}

/** What a piece of a path is made of: text, a reference up the way, or a value found there. */
export type Piece =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'key'; readonly up: number; readonly capture: number }
  | { readonly kind: 'count'; readonly up: number }
  | { readonly kind: 'value'; readonly up: number; readonly path: readonly PathStep[] };

/** A step of an output path: into an object by a key, or into a list by an index; no pieces in a list append to it. */
export interface PathStep {
  readonly into: 'object' | 'list';
  readonly pieces: readonly Piece[];
}

/** The level so many steps up; 0 is the last. Undefined above the root. */
const levelUp = (way: readonly Level[], up: number): Level | undefined => way[way.length - 1 - up];

/** What a reference `@(up,path)` leads to. */
export function valueAt(
  way: readonly Level[],
  { up, path }: { readonly up: number; readonly path: readonly PathStep[] },
  budget: Budget,
): Tree | undefined {
  budget.spend(path.length);
  let tree = levelUp(way, up)?.value;
  for (const { into, pieces } of path) {
    const key = textOf(pieces, way, budget);
    if (key === undefined || (into === 'list' && !Array.isArray(tree))) return undefined;
    tree = childOf(tree, key);
  }
  return tree;
}

/** A key or index as it is now; undefined where a reference leads to nothing that is one. Errors: JoltFailure for one that is too long. */
export function textOf(pieces: readonly Piece[], way: readonly Level[], budget: Budget): string | undefined {
  budget.spend(pieces.length);
  let text = '';
  for (const piece of pieces) {
    const part = partOf(piece, way, budget);
    if (part === undefined) return undefined;
    budget.reads(part.length);
    text += part;
    if (text.length > keyCharsMax)
      throw new JoltFailure(`makes a key of more than ${keyCharsMax} characters`);
  }
  return text;
}

function partOf(piece: Piece, way: readonly Level[], budget: Budget): string | undefined {
  if (piece.kind === 'text') return piece.text;
  if (piece.kind === 'key') return levelUp(way, piece.up)?.captures[piece.capture];
  if (piece.kind === 'count') return levelUp(way, piece.up)?.matches.toString();
  const value = valueAt(way, piece, budget);
  return typeof value === 'object' || value === undefined ? undefined : String(value);
}

/** Reads `rates.&1[#2].@(1,name)`. Returns what is wrong with any other text. */
export function readPath(text: string, depth = 0): readonly PathStep[] | string {
  const steps: PathStep[] = [];
  for (const part of splitPath(text)) {
    if (part.text === '' && part.into === 'object') return 'holds an empty name';
    const pieces = readPieces(part.text, depth);
    if (typeof pieces === 'string') return pieces;
    if (
      part.into === 'list' &&
      pieces.length > 0 &&
      pieces.every(({ kind }) => kind === 'text') &&
      indexOf(part.text) === undefined
    )
      return `[${part.text}] is no index; allowed: a number, [], [#n], [&n]`;
    steps.push({ into: part.into, pieces });
  }
  if (steps.length > depthMax) return `is deeper than ${depthMax} levels`;
  return steps.length === 0 ? 'is empty' : steps;
}

interface PathPart {
  readonly into: PathStep['into'];
  readonly text: string;
}

/** Parts between dots and in square brackets; dots within parentheses belong to a reference, `\` takes a meaning away. */
function splitPath(text: string): readonly PathPart[] {
  const parts: PathPart[] = [];
  let part = '';
  let isList = false;
  let [depth, wasList] = [0, false];
  const end = (into: PathStep['into']): void => {
    if (into === 'list' || part !== '' || !wasList) parts.push({ into, text: part });
    wasList = into === 'list';
    part = '';
  };
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at] ?? '';
    if (char === '\\') part += char + (text[(at += 1)] ?? '');
    else if (depth === 0 && char === '[' && !isList) {
      if (part !== '') end('object');
      isList = true;
    } else if (depth === 0 && char === ']' && isList) {
      end('list');
      isList = false;
    } else if (depth === 0 && char === '.' && !isList) {
      end('object');
      wasList = false;
    } else {
      if (char === '(') depth += 1;
      if (char === ')') depth -= 1;
      part += char;
    }
  }
  if (part !== '' || !wasList) parts.push({ into: 'object', text: part });
  return parts;
}

/** Reads the references in a key: `&`, `&1`, `&(1,2)`, `#2`, `@(1,a.b)`. Returns what is wrong with any other text. */
export function readPieces(text: string, depth = 0): readonly Piece[] | string {
  if (depth > referencesMax) return `holds references deeper in each other than ${referencesMax}`;
  const pieces: Piece[] = [];
  let plain = '';
  const flush = (): void => {
    if (plain !== '') pieces.push({ kind: 'text', text: plain });
    plain = '';
  };
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at] ?? '';
    if (char === '\\') plain += text[(at += 1)] ?? '';
    else if (char === '&' || char === '#' || char === '@') {
      flush();
      const { written, inner } = markedAt(text, at);
      const piece = referenceOf(char, inner, depth);
      if (typeof piece === 'string') return piece;
      if (piece === undefined)
        return `${written} is no reference; allowed: &, &1, &(1,2), #1, @(1,name.inner)`;
      pieces.push(piece);
      at += written.length - 1;
    } else plain += char;
  }
  flush();
  return pieces;
}

/** What stands behind a mark: all up to the parenthesis that closes, or up to two digits. */
function markedAt(text: string, at: number): { readonly written: string; readonly inner: string } {
  if (text[at + 1] !== '(') {
    const [written = ''] = /^.\d{0,2}/.exec(text.slice(at, at + 3)) ?? [];
    return { written, inner: written.slice(1) };
  }
  let depth = 0;
  for (let end = at + 1; end < text.length; end += 1) {
    if (text[end] === '(') depth += 1;
    if (text[end] === ')') depth -= 1;
    if (depth === 0) return { written: text.slice(at, end + 1), inner: text.slice(at + 2, end) };
  }
  return { written: text.slice(at), inner: '(' };
}

/**
 * Reads what stands behind `&`, `#` or `@`: nothing, levels up, and which capture or where below.
 *
 * Returns undefined for what is no reference, and a text that says what is wrong with its path.
 */
export function referenceOf(mark: string, inner = '', depth = 0): Piece | string | undefined {
  if (mark === '@') {
    const [, level, path] = /^\s*(\d{1,2})\s*(?:,(.*))?$/s.exec(inner) ?? [undefined, undefined, inner];
    if (path?.includes('(') === true && !path.includes(')')) return undefined;
    const steps = path === undefined || path.trim() === '' ? [] : readPath(path.trim(), depth + 1);
    if (typeof steps === 'string') return steps;
    return { kind: 'value', up: Number(level ?? 0), path: steps };
  }
  const [first = '', ...rest] = inner.split(',').map((part) => part.trim());
  if ((first !== '' && !/^\d{1,2}$/.test(first)) || rest.length > 1) return undefined;
  if (mark === '#') return rest.length === 0 ? { kind: 'count', up: Number(first) } : undefined;
  const capture = rest[0] ?? '0';
  return /^\d{1,2}$/.test(capture) ? { kind: 'key', up: Number(first), capture: Number(capture) } : undefined;
}
