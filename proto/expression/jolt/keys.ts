import type { Budget } from './budget.ts';
import { type Piece, readPieces } from './paths.ts';

/** Stands for a star in a pattern that was read. */
const starMark = '\u0000';

/** What a key of a rule is for when it refers to nothing: a name, or what its stars let through. */
export interface PlainKey {
  readonly text: string;
  readonly hasStars: boolean;
}

/** Reads a key without references; `\` takes the meaning of what follows away. */
export function readPlainKey(written: string): PlainKey {
  const parts: readonly string[] = written.match(/\\?[^]/g) ?? [];
  const text = parts
    .map((part) => (part === '*' ? starMark : part.length > 1 ? part.slice(1) : part))
    .join('');
  return { text, hasStars: parts.includes('*') };
}

/** Whether a key is `*`, which is for indexes as for names. */
export function isStarAlone({ text }: PlainKey): boolean {
  return text === starMark;
}

/** What the stars of a key stand for, behind the whole of the text; undefined where the key is not for it. */
export function matchPlain(
  { text: pattern, hasStars }: PlainKey,
  text: string,
  budget: Budget,
): readonly string[] | undefined {
  budget.spend(1);
  if (!hasStars) return pattern === text ? [text] : undefined;
  budget.reads(pattern.length + text.length);
  return matchStars(pattern, text);
}

/** The pattern that says more comes before the one that says less. */
export function bySaying(one: { readonly key: PlainKey }, other: { readonly key: PlainKey }): number {
  const said = ({ key }: { readonly key: PlainKey }): number => key.text.replaceAll(starMark, '').length;
  return said(other) - said(one);
}

/** Patterns of one word each, split at `|`, whose stars are marks; or what is wrong with them. */
export function readPatterns(written: string): readonly (readonly Piece[])[] | string {
  const patterns = splitUnescaped(written, '|').map((each) =>
    readPieces(each.replaceAll(/\\.|\*/g, (part) => (part === '*' ? starMark : part))),
  );
  const wrong = patterns.find((each) => typeof each === 'string');
  return typeof wrong === 'string' ? wrong : patterns.filter((each) => typeof each !== 'string');
}

/** The words that patterns are, where they hold neither stars nor references; else undefined. */
export function wordsOf(patterns: readonly (readonly Piece[])[]): readonly string[] | undefined {
  const isWord = (piece: Piece): boolean => piece.kind === 'text' && !piece.text.includes(starMark);
  if (!patterns.flat().every(isWord)) return undefined;
  return patterns.map((pieces) => pieces.map((piece) => (piece.kind === 'text' ? piece.text : '')).join(''));
}

/** Parts of a text between marks that no `\` stands before. */
export function splitUnescaped(text: string, mark: string): readonly string[] {
  const parts = [''];
  for (const piece of text.match(/\\.|[^\\]/gs) ?? [])
    if (piece === mark) parts.push('');
    else parts[parts.length - 1] += piece;
  return parts;
}

/** What the stars of a pattern stand for, behind the text as a whole; a star alone stands for anything, others for one character at least. */
export function matchStars(pattern: string, text: string): readonly string[] | undefined {
  if (!pattern.includes(starMark)) return pattern === text ? [text] : undefined;
  if (pattern === starMark) return [text, text];
  const [head = '', ...parts] = pattern.split(starMark);
  if (!text.startsWith(head)) return undefined;
  const captures = [text];
  let at = head.length;
  for (const [index, part] of parts.entries()) {
    const isLast = index === parts.length - 1;
    const found = isLast ? text.length - part.length : text.indexOf(part, at + 1);
    if (found <= at || (isLast && !text.endsWith(part))) return undefined;
    captures.push(text.slice(at, found));
    at = found + part.length;
  }
  return captures;
}

/** Says whether a pattern, as it is now, has stars. */
export function hasStars(pattern: string): boolean {
  return pattern.includes(starMark);
}
