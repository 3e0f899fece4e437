import { createRequire } from 'node:module';
import type * as Saxes from 'saxes';

import { fail } from '../failure.ts';

/** Most characters and steps of a path. */
const pathCharsMax = 256;
const stepsMax = 30;
/** Elements that stand more deeply in each other are nobody's message. */
const depthMax = 1_000;

/** A step from an element to others: to those directly in it, or anywhere in it. */
interface Step {
  readonly isDeep: boolean;
  /** `*` for any; without its prefix where it has none. */
  readonly name: string;
}

/** Places in documents: elements, or an attribute of them. */
export interface XmlPlace {
  readonly steps: readonly Step[];
  readonly attribute: string | undefined;
}

/** What stands at a place, by its characters in the text: the content of an element, or the value of an attribute. */
export interface XmlRange {
  readonly start: number;
  readonly end: number;
}

const word = String.raw`(?:[\p{L}_][\p{L}\p{N}_.-]*)`;
const stepPattern = new RegExp(`^(//?)((?:${word}:)?${word}|\\*)`, 'u');
const attributePattern = new RegExp(`^(//?)@((?:${word}:)?${word}|\\*)$`, 'u');

/**
 * Reads a path that names places by elements and attributes alone: `/order/card`, `//iban`, `/a/b/@id`; `text()` at its end may be left
 * out. A name without a prefix stands for it with any.
 *
 * Errors: EvaluationFailure.
 */
export function readXmlPlace(path: string): XmlPlace {
  if (path.length > pathCharsMax) return fail(`a path is longer than ${pathCharsMax} characters`);
  let rest = path.trim().replace(/\/text\(\)$/, '');
  const steps: Step[] = [];
  while (rest !== '') {
    const attribute = attributePattern.exec(rest);
    const step = stepPattern.exec(rest);
    if (attribute?.[2] !== undefined) {
      if (attribute[1] === '//') steps.push({ isDeep: true, name: '*' });
      if (steps.length > 0) return { steps, attribute: attribute[2] };
    }
    if (step?.[2] === undefined || steps.length >= stepsMax)
      return fail(
        `names no place by elements and attributes alone at character ${path.length - rest.length + 1}; allowed: /a/b, //b, /a/*/@id`,
      );
    steps.push({ isDeep: step[1] === '//', name: step[2] });
    rest = rest.slice(step[0].length);
  }
  if (steps.length === 0) return fail('names no place; allowed: /a/b, //b, /a/*/@id');
  return { steps, attribute: undefined };
}

/** 100 KiB of code, which a gateway without XML never loads. */
const requireNow = createRequire(import.meta.url);

/** Where these places are in a text, in its order, by place; undefined when it is no XML that can be read whole. Time grows with the text. */
export function xmlRanges(
  text: string,
  places: readonly XmlPlace[],
): readonly (readonly XmlRange[])[] | undefined {
  const { SaxesParser } = requireNow('saxes') as typeof Saxes;
  const parser = new SaxesParser();
  const found = places.map((): XmlRange[] => []);
  /** How far each place has come at each element that is open: a bit for each number of steps. */
  const open: { readonly states: readonly number[]; readonly contentAt: number }[] = [];
  let attributes: { readonly name: string; readonly range: XmlRange }[] = [];
  let isBroken = false;
  parser.on('error', () => void (isBroken = true));
  parser.on('attribute', ({ name }) => {
    const quoteAt = parser.position - 1;
    const start = text.lastIndexOf(text.charAt(quoteAt), quoteAt - 1) + 1;
    attributes.push({ name, range: { start, end: quoteAt } });
  });
  parser.on('opentag', ({ name }) => {
    const states = places.map(({ steps }, index) => advance(open.at(-1)?.states[index] ?? 1, steps, name));
    for (const [index, { steps, attribute }] of places.entries())
      if (attribute !== undefined && isThere(states[index], steps))
        for (const each of attributes) if (isNamed(attribute, each.name)) found[index]?.push(each.range);
    attributes = [];
    open.push({ states, contentAt: parser.position });
    if (open.length > depthMax) isBroken = true;
  });
  parser.on('closetag', ({ isSelfClosing }) => {
    const closed = open.pop();
    if (closed === undefined || isSelfClosing) return;
    const end = text.lastIndexOf('</', parser.position - 1);
    for (const [index, { steps, attribute }] of places.entries())
      if (attribute === undefined && isThere(closed.states[index], steps))
        found[index]?.push({ start: closed.contentAt, end });
  });
  for (let at = 0; at < text.length && !isBroken; at += pieceChars)
    parser.write(text.slice(at, at + pieceChars));
  if (!isBroken) parser.close();
  return isBroken ? undefined : found;
}

const pieceChars = 4_096;

const isThere = (state: number | undefined, steps: readonly Step[]): boolean =>
  ((state ?? 0) & (1 << steps.length)) !== 0;

/** What holds within an element of this name; steps that look anywhere go on looking. */
function advance(state: number, steps: readonly Step[], name: string): number {
  let next = 0;
  for (const [index, step] of steps.entries()) {
    if ((state & (1 << index)) === 0) continue;
    if (step.isDeep) next |= 1 << index;
    if (isNamed(step.name, name)) next |= 1 << (index + 1);
  }
  return next;
}

function isNamed(wanted: string, name: string): boolean {
  if (wanted === '*' || wanted === name) return true;
  return !wanted.includes(':') && name.slice(name.indexOf(':') + 1) === wanted;
}
