import type { FaultDetail } from '../faults/fault.ts';

const expression = /\{ *(?:#|\(|T\()/;

/** Longest piece of an expression that a message shows. */
const shownCharsMax = 60;

/** Says whether a text holds an expression of the reference's expression language. */
export function hasExpression(text: string): boolean {
  return expression.test(text);
}

/** A piece of a text: itself, or what stands between the braces of an expression. */
export type Piece =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'expression'; readonly source: string; readonly isClosed: boolean };

/**
 * Takes a text apart. Braces inside an expression are closed before it ends, one level deep as in the reference, and those in its texts
 * (`{#request.path + '}'}`) stand for themselves, as long as every text is closed; one that never ends is an expression to the end of the
 * text, and not closed.
 */
export function piecesOf(text: string): readonly Piece[] {
  const pieces: Piece[] = [];
  let rest = text;
  // Once for a text: it is read from one end to the other a few times at most.
  let knowsTexts = true;
  for (let start = rest.search(expression); start >= 0; start = rest.search(expression)) {
    if (start > 0) pieces.push({ kind: 'text', text: rest.slice(0, start) });
    let end = endOf(rest, start, knowsTexts);
    if (knowsTexts && end === rest.length) {
      knowsTexts = false;
      end = endOf(rest, start, knowsTexts);
    }
    pieces.push({ kind: 'expression', source: rest.slice(start + 1, end), isClosed: end < rest.length });
    rest = rest.slice(end + 1);
  }
  if (rest !== '' || pieces.length === 0) pieces.push({ kind: 'text', text: rest });
  return pieces;
}

/** In a text only a brace that was opened there is closed: `'}'` is itself, and `'{'` leaves the expression open, as in the reference. */
function endOf(text: string, start: number, knowsTexts: boolean): number {
  let depth = 0;
  let within: { readonly quote: string; readonly depth: number } | undefined;
  for (let at = start; at < text.length; at += 1) {
    const char = text[at] ?? '';
    if (char === within?.quote) within = undefined;
    else if (within === undefined && knowsTexts && (char === "'" || char === '"'))
      within = { quote: char, depth };
    else if (char === '{') depth += 1;
    else if (char === '}' && depth !== within?.depth) depth -= 1;
    if (depth === 0) return at;
  }
  return text.length;
}

/** An expression as a message shows it. */
export function shown(source: string): string {
  return `{${source.length > shownCharsMax ? `${source.slice(0, shownCharsMax)}...` : source}}`;
}

/** What is said of an expression that this version does not evaluate. */
const expressionMessage = 'expressions are not supported by this version; allowed: plain text';

/** The same, with the first expression of the text. */
export function expressionMessageFor(text: string): string {
  const first = piecesOf(text).find((piece) => piece.kind === 'expression');
  return first === undefined ? expressionMessage : `holds ${shown(first.source)}: ${expressionMessage}`;
}

/** All texts inside a value that hold an expression, where none is evaluated. */
export function expressionsIn(value: unknown, at: string): readonly FaultDetail[] {
  if (typeof value === 'string')
    return hasExpression(value) ? [{ path: at, message: expressionMessageFor(value) }] : [];
  if (Array.isArray(value)) return value.flatMap((item, index) => expressionsIn(item, `${at}[${index}]`));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => expressionsIn(item, `${at}.${key}`));
}
