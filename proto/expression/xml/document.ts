import { createRequire } from 'node:module';
import type * as Saxes from 'saxes';

import { fail } from '../failure.ts';
import { readOnce, spend } from '../work.ts';

/** Most nodes of a document, attributes included, and how deep elements may stand in each other. */
const nodesMax = 50_000;
const depthMax = 200;
/** Characters that the parser gets at once: each piece is paid for before it is read, so that a dear text is stopped early. */
const pieceChars = 4_096;

/*
 * What reading takes, in units of work, as measured. Most characters are passed over; where a reference, a tag, a line or what may be the end
 * of a comment begins, the parser goes from one state to another.
 */
const plainUnits = 2;
const charUnits = new Uint8Array(128).fill(plainUnits);
for (const [chars, units] of [
  ['&', 35],
  ['<', 20],
  ['-?]', 12],
  ['\n\r\t', 6],
] as const)
  for (const char of chars) charUnits.fill(units, char.charCodeAt(0), char.charCodeAt(0) + 1);
const nodeUnits = 50;
const attributeUnits = 50;
/** A declaration of a namespace, and each element in which a prefix is looked for on the way up. */
const declarationUnits = 130;
const lookUnits = 2;

/** A document, as much of DOM as reading it takes. */
export interface XmlDocument {
  readonly root: XmlNode;
  readonly element: XmlNode;
  readonly nodes: number;
  readonly depth: number;
  readonly chars: number;
}

/** Kinds of nodes, by DOM's numbers. */
export const nodeTypes = {
  element: 1,
  attribute: 2,
  text: 3,
  instruction: 7,
  comment: 8,
  document: 9,
} as const;

type NodeType = (typeof nodeTypes)[keyof typeof nodeTypes];

/** How `compareDocumentPosition` says that the other node comes later, or sooner. */
const [later, sooner] = [4, 2] as const;

/** A node with the names of DOM, under which an evaluator of XPath reads it. */
export class XmlNode {
  readonly nodeType: NodeType;
  readonly nodeName: string;
  /** Null where names are as written, so that `n:id` is no `id`. */
  readonly localName: string | null;
  readonly namespaceURI: string | null;
  readonly prefix: string | null;
  nodeValue: string | null;
  parentNode: XmlNode | null = null;
  ownerElement: XmlNode | null = null;
  ownerDocument: XmlNode | null = null;
  documentElement: XmlNode | null = null;
  nextSibling: XmlNode | null = null;
  previousSibling: XmlNode | null = null;
  readonly childNodes: XmlNode[] = [];
  readonly attributes: AttributeList | null;
  /** Its place in the document. */
  readonly #order: number;

  constructor(nodeType: NodeType, order: number, of: XmlName & { readonly value?: string }) {
    this.nodeType = nodeType;
    this.nodeName = of.name;
    this.localName = of.local ?? null;
    this.namespaceURI = of.uri === undefined || of.uri === '' ? null : of.uri;
    this.prefix = of.prefix === undefined || of.prefix === '' ? null : of.prefix;
    this.nodeValue = of.value ?? null;
    this.attributes = nodeType === nodeTypes.element ? new AttributeList() : null;
    this.#order = order;
  }

  get firstChild(): XmlNode | null {
    return this.childNodes[0] ?? null;
  }

  get lastChild(): XmlNode | null {
    return this.childNodes.at(-1) ?? null;
  }

  compareDocumentPosition(other: XmlNode): number {
    return this === other ? 0 : this.#order < other.#order ? later : sooner;
  }

  /** Puts a node behind the children that are there. */
  append(child: XmlNode): void {
    const before = this.lastChild;
    child.parentNode = this;
    child.previousSibling = before;
    if (before !== null) before.nextSibling = child;
    this.childNodes.push(child);
  }
}

/** Attributes in their order. */
class AttributeList {
  readonly list: XmlNode[] = [];

  get length(): number {
    return this.list.length;
  }

  item(index: number): XmlNode | null {
    return this.list[index] ?? null;
  }
}

interface XmlName {
  readonly name: string;
  readonly local?: string;
  readonly prefix?: string;
  readonly uri?: string;
}

const tooMany = `XML has more than ${nodesMax} nodes`;

/** What the characters of a text take. */
function unitsOf(text: string): number {
  let units = 0;
  for (let at = 0; at < text.length; at += 1) units += charUnits[text.charCodeAt(at)] ?? plainUnits;
  return units;
}

/** 100 KiB of code, which a gateway without XML never loads. */
const requireNow = createRequire(import.meta.url);

/**
 * What a text says as XML, read once per request. A document type is not read, so that nothing is fetched or multiplied.
 *
 * names: `spaced` by their namespaces, or `plain` as they are written. Errors: an EvaluationFailure for what is no XML, or past the bounds.
 */
export function readXml(text: string, names: 'spaced' | 'plain'): XmlDocument {
  return readOnce({ text, as: `XML, ${names}` }, (xml) => new DocumentReader(names).read(xml));
}

class DocumentReader {
  readonly #hasSpaces: boolean;
  readonly #root = new XmlNode(nodeTypes.document, 0, { name: '#document' });
  #parent = this.#root;
  #count = 0;
  /** Of the element that is being read, so far. */
  #attributes = 0;
  #depth = 0;
  #deepest = 0;

  constructor(names: 'spaced' | 'plain') {
    this.#hasSpaces = names === 'spaced';
  }

  read(xml: string): XmlDocument {
    const { SaxesParser } = requireNow('saxes') as typeof Saxes;
    const parser = new SaxesParser({ xmlns: this.#hasSpaces, position: false });
    // Thrown out of a handler, it would be taken for a fault of the parser: the first one ends the reading.
    parser.on('error', (error) => fail(`this is no XML: ${error.message.slice(0, 200)}`));
    parser.on('doctype', () => fail('XML with a document type is not read'));
    // Before the element is there: the parser makes one with all of its attributes.
    parser.on('attribute', ({ name }) => this.#payAttribute(name));
    parser.on('opentag', (tag) => this.#open(tag));
    parser.on('closetag', () => this.#close());
    parser.on('text', (text) => this.#text(text));
    parser.on('cdata', (text) => this.#text(text));
    parser.on('comment', (value) => this.#append(nodeTypes.comment, { name: '#comment', value }));
    parser.on('processinginstruction', ({ target, body }) =>
      this.#append(nodeTypes.instruction, { name: target, value: body }),
    );
    for (let at = 0; at < xml.length; at += pieceChars) {
      const piece = xml.slice(at, at + pieceChars);
      spend(unitsOf(piece));
      parser.write(piece);
    }
    parser.close();
    const element = this.#root.documentElement ?? fail('this is no XML: it has no element');
    return { root: this.#root, element, nodes: this.#count, depth: this.#deepest, chars: xml.length };
  }

  /** Attributes of the element that is being read count as nodes before they are any. */
  #payAttribute(name: string): void {
    this.#attributes += 1;
    if (this.#count + this.#attributes > nodesMax) fail(tooMany);
    const isDeclaration = this.#hasSpaces && name.startsWith('xmlns');
    spend(isDeclaration ? declarationUnits : attributeUnits);
    if (this.#hasSpaces && name.includes(':')) spend(this.#depth * lookUnits);
  }

  #open(tag: Saxes.SaxesTag): void {
    this.#attributes = 0;
    if (this.#hasSpaces) spend(this.#depth * lookUnits);
    this.#depth += 1;
    if (this.#depth > depthMax) fail(`XML is nested deeper than ${depthMax}`);
    this.#deepest = Math.max(this.#deepest, this.#depth);
    const element = this.#append(nodeTypes.element, tag);
    this.#root.documentElement ??= element;
    for (const [name, attribute] of Object.entries(tag.attributes)) {
      // Declarations of namespaces are no attributes for XPath.
      if (name === 'xmlns' || name.startsWith('xmlns:')) continue;
      const made = this.#made(
        nodeTypes.attribute,
        typeof attribute === 'string' ? { name, value: attribute } : attribute,
      );
      made.ownerElement = element;
      element.attributes?.list.push(made);
    }
    this.#parent = element;
  }

  #close(): void {
    this.#depth -= 1;
    this.#parent = this.#parent.parentNode ?? this.#root;
  }

  /** Text and CDATA beside each other are one text. */
  #text(text: string): void {
    if (this.#parent === this.#root) return;
    const last = this.#parent.lastChild;
    if (last?.nodeType === nodeTypes.text) last.nodeValue = (last.nodeValue ?? '') + text;
    else if (text !== '') this.#append(nodeTypes.text, { name: '#text', value: text });
  }

  #append(type: NodeType, of: XmlName & { readonly value?: string }): XmlNode {
    const node = this.#made(type, of);
    this.#parent.append(node);
    return node;
  }

  #made(type: NodeType, of: XmlName & { readonly value?: string }): XmlNode {
    this.#count += 1;
    if (this.#count > nodesMax) fail(tooMany);
    if (type !== nodeTypes.attribute) spend(nodeUnits);
    const node = new XmlNode(type, this.#count, of);
    node.ownerDocument = this.#root;
    return node;
  }
}
