import type { Body, Element, TextElement } from './tree.ts';

/**
 * Drops the white space that FreeMarker drops: of a line that holds nothing but tags and comments nothing is left, and none of what stands
 * between definitions and assignments.
 *
 * A text looks at the pieces that follow it on its last line, and at those before it on its first: an output, or a text that is not blank,
 * keeps the line.
 */
export function trimWhiteSpace(body: Body): void {
  const laid = layOut(body);
  for (const [index, { element, isFirst, isIgnorable }] of laid.entries()) {
    if (element.kind !== 'text') continue;
    if (isIgnorable) {
      element.trimmed = '';
      continue;
    }
    // The first text of a template keeps its white space, as in FreeMarker.
    if (isFirst) continue;
    const opening = openingBlanks(element, laid, index);
    const closing = opening === element.text.length ? 0 : closingBlanks(element, laid, index);
    element.trimmed = element.text.slice(opening, element.text.length - closing);
  }
}

/** A piece without pieces in it, in the order of the text. */
interface Leaf {
  readonly element: Element;
  readonly isFirst: boolean;
  /** White space between pieces that never write. */
  readonly isIgnorable: boolean;
}

const silentKinds: ReadonlySet<string> = new Set(['assign', 'capture', 'define', 'setting', 'comment']);

function isSilent(element: Element | undefined): boolean {
  if (element === undefined) return false;
  // Several assignments of one tag.
  if (element.kind === 'plain')
    return element.body.length > 0 && element.body.every(({ kind }) => kind === 'assign');
  return silentKinds.has(element.kind);
}

function layOut(body: Body): readonly Leaf[] {
  const leaves: Leaf[] = [];
  const visit = (siblings: Body, isTop: boolean): void => {
    for (const [index, element] of siblings.entries()) {
      const inner = bodiesOf(element);
      if (inner.length > 0) {
        for (const each of inner) visit(each, false);
        continue;
      }
      const [before, after] = [siblings[index - 1], siblings[index + 1]];
      const isBlank = element.kind === 'text' && element.text.trim() === '';
      const isIgnorable =
        isBlank &&
        siblings.length > 1 &&
        (before === undefined ? isTop : isSilent(before)) &&
        (after === undefined ? isTop : isSilent(after));
      leaves.push({ element, isFirst: isTop && index === 0, isIgnorable });
    }
  };
  visit(body, true);
  return leaves;
}

/** Blocks that stand in a piece. */
function bodiesOf(element: Element): readonly Body[] {
  switch (element.kind) {
    case 'if':
      return element.branches.map(({ body }) => body);
    case 'switch':
      return element.cases.map(({ body }) => body);
    case 'list':
      return element.otherwise === undefined ? [element.body] : [element.body, element.otherwise];
    case 'attempt':
      return [element.body, element.recover];
    case 'define':
      return [element.definition.body];
    case 'macro call':
      return element.body === undefined ? [] : [element.body];
    case 'items':
    case 'sep':
    case 'capture':
    case 'compress':
    case 'plain':
      return [element.body];
    default:
      return [];
  }
}

/** Characters at the beginning up to the first line break, when the line ends there with nothing but tags before. */
function openingBlanks(element: TextElement, laid: readonly Leaf[], index: number): number {
  const [line = '', lineBreak] = /^([^\r\n]*)(\r\n|\n|\r)?/.exec(element.text)?.slice(1) ?? [];
  if (lineBreak === undefined && !element.startsLine) return 0;
  if (line.trim() !== '') return 0;
  const length = lineBreak === undefined ? 0 : line.length + lineBreak.length;
  for (let at = index - 1; at >= 0; at -= 1) {
    const before = laid[at];
    if (before === undefined || before.element.lastLine !== element.firstLine) break;
    if (keepsLine(before, 'before')) return 0;
  }
  return length;
}

/** Characters behind the last line break, when nothing but tags follows on that line. */
function closingBlanks(element: TextElement, laid: readonly Leaf[], index: number): number {
  const at = Math.max(element.text.lastIndexOf('\n'), element.text.lastIndexOf('\r'));
  if (at === -1 && !element.startsLine) return 0;
  const rest = element.text.slice(at + 1);
  if (rest.trim() !== '') return 0;
  for (let next = index + 1; next < laid.length; next += 1) {
    const after = laid[next];
    if (after === undefined || after.element.firstLine !== element.lastLine) break;
    if (keepsLine(after, 'after')) return 0;
  }
  return rest.length;
}

/** Whether a piece keeps the line of a text that it follows or precedes. */
function keepsLine({ element, isIgnorable }: Leaf, side: 'before' | 'after'): boolean {
  if (element.kind === 'output') return true;
  if (element.kind !== 'text' || isIgnorable || element.text === '') return false;
  const blank = side === 'after' ? /^[^\S\r\n]*[\r\n]/ : /[\r\n][^\S\r\n]*$/;
  return !blank.test(element.text);
}
