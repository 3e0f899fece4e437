import { createRequire } from 'node:module';
import type * as Saxes from 'saxes';

import { invalid } from '../clean.ts';

/** Most elements of all documents together, and how deep they may stand in each other. */
const elementsMax = 100_000;
const levelsMax = 64;

/** An element of a document, with names as `{namespace}local`. */
export interface XmlElement {
  readonly name: string;
  /** Without its namespace. */
  readonly local: string;
  readonly line: number;
  /** Attributes without a prefix by their names; others as `{namespace}local`. */
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly XmlElement[];
  /** All that stands directly in it, trimmed. */
  readonly text: string;
  /** What a prefix stands for here; undefined for one that nobody has declared. */
  readonly uriOf: (prefix: string) => string | undefined;
}

interface Growing extends XmlElement {
  readonly children: Growing[];
  text: string;
}

const requireNow = createRequire(import.meta.url);

/** How much of {@link elementsMax} is left, for all documents of one import. */
export interface ElementBudget {
  left: number;
}

/** A budget that nothing was taken of. */
export const newElementBudget = (): ElementBudget => ({ left: elementsMax });

/**
 * Reads a document of XML into elements. A document type is refused, so that nothing is fetched and nothing multiplies.
 *
 * Errors: request.invalid with the line of what is wrong.
 */
export function readElements(text: string, budget: ElementBudget): XmlElement {
  const { SaxesParser } = requireNow('saxes') as typeof Saxes;
  const parser = new SaxesParser({ xmlns: true, position: true });
  const refuse = (message: string): never => {
    throw invalid([{ path: '', message: `line ${parser.line}: ${message}` }]);
  };
  const open: Growing[] = [];
  let root: XmlElement | undefined;
  parser.on('error', (error) => refuse(`is no XML: ${error.message.slice(0, 200)}`));
  parser.on('doctype', () => refuse('a document type is not read'));
  parser.on('opentag', (tag) => {
    budget.left -= 1;
    if (budget.left < 0) refuse(`there are more than ${elementsMax} elements`);
    if (open.length === levelsMax) refuse(`elements are nested deeper than ${levelsMax}`);
    const parent = open.at(-1);
    const element = elementOf(tag, parser.line, parent);
    root ??= element;
    parent?.children.push(element);
    open.push(element);
  });
  parser.on('closetag', () => {
    const element = open.pop();
    if (element !== undefined) element.text = element.text.trim();
  });
  const add = (part: string): void => {
    const element = open.at(-1);
    if (element !== undefined) element.text += part;
  };
  parser.on('text', add);
  parser.on('cdata', add);
  parser.write(text).close();
  return root ?? refuse('is no XML: it has no element');
}

function elementOf(tag: Saxes.SaxesTagNS, line: number, parent: XmlElement | undefined): Growing {
  const declared = new Map(Object.entries(tag.ns));
  const attributes = new Map<string, string>();
  for (const { prefix, local, uri, value } of Object.values(tag.attributes))
    if (prefix !== 'xmlns' && !(prefix === '' && local === 'xmlns'))
      attributes.set(uri === '' ? local : `{${uri}}${local}`, value);
  return {
    name: `{${tag.uri}}${tag.local}`,
    local: tag.local,
    line,
    attributes,
    children: [],
    text: '',
    uriOf: (prefix) => declared.get(prefix) ?? parent?.uriOf(prefix),
  };
}

/** A name that an attribute refers by (`tns:order`), as `{namespace}local`. Errors: request.invalid for a prefix that nobody has declared. */
export function referredName(element: XmlElement, written: string): string {
  const text = written.trim();
  const colon = text.indexOf(':');
  const prefix = colon === -1 ? '' : text.slice(0, colon);
  const uri = element.uriOf(prefix) ?? (prefix === '' ? '' : undefined);
  if (uri === undefined)
    throw invalid([
      { path: '', message: `line ${element.line}: the prefix of ${JSON.stringify(text)} is not declared` },
    ]);
  return `{${uri}}${text.slice(colon + 1)}`;
}

/** Children of a name. */
export const childrenOf = ({ children }: XmlElement, name: string): readonly XmlElement[] =>
  children.filter((child) => child.name === name);

/** The part of `{namespace}local` in braces. */
export const uriIn = (name: string): string => name.slice(1, name.lastIndexOf('}'));
/** ... and the one behind. */
export const localIn = (name: string): string => name.slice(name.lastIndexOf('}') + 1);
