import type { EntityBounds } from './xml-entities.ts';

/** Bounds of a document; undefined is no bound. */
export interface XmlBounds extends EntityBounds {
  readonly elementsMax: number | undefined;
  /** Elements in each other, below the outermost. */
  readonly depthMax: number | undefined;
  /** Characters of the document, as it is written. */
  readonly lengthMax: number | undefined;
  /** ... of one element. */
  readonly attributesMax: number | undefined;
  /** Characters; a reference counts as what it stands for. */
  readonly attributeValueMax: number | undefined;
  /** Elements right in one element. */
  readonly childrenMax: number | undefined;
  /** Characters between two tags. */
  readonly textMax: number | undefined;
  /** Entities at addresses may be declared; nobody fetches them, they are empty. */
  readonly allowsExternals: boolean;
}

/** What a document exceeds, or that it is none. */
export type XmlThreat =
  | 'elements'
  | 'depth'
  | 'length'
  | 'attributes'
  | 'attributeValue'
  | 'children'
  | 'text'
  | 'entities'
  | 'entityDepth'
  | 'external'
  | 'syntax'
  | 'unbounded';

/** Levels that are followed where a configuration bounds none: each takes memory. */
export const levelsMax = 100_000;
/** Characters of one name, and of those that are remembered at one time: of the elements that are open, and of the attributes of one. */
export const nameCharsMax = 1_024;
export const namesCharsMax = 1_048_576;

/** One element that is open. */
interface Level {
  readonly name: string;
  children: number;
}

/** Counts what a document has of everything, and remembers the names that have to come once more, or may not. */
export class XmlCounts {
  readonly #bounds: XmlBounds;
  readonly #levels: Level[] = [];
  #length = 0;
  #elements = 0;
  #namesChars = 0;
  #chars = 0;
  readonly #attributes = new Set<string>();
  #attributesChars = 0;

  constructor(bounds: XmlBounds) {
    this.#bounds = bounds;
  }

  /** Elements that are open. */
  get depth(): number {
    return this.#levels.length;
  }

  /** An outermost element was there, and may be open. */
  get hasElement(): boolean {
    return this.#elements > 0;
  }

  /** There was an element, and each is closed. */
  get isWhole(): boolean {
    return this.hasElement && this.depth === 0;
  }

  /** Characters of text that may still come in the run in hand. */
  get textLeft(): number {
    return (this.#bounds.textMax ?? Infinity) - this.#chars;
  }

  /** How many characters of a text, the next of the document, may still come. */
  roomFor(text: string): number {
    const room = (this.#bounds.lengthMax ?? Infinity) - this.#length;
    this.#length += text.length;
    return room;
  }

  /** A tag begins, whose name is not known yet. */
  openElement(): XmlThreat | undefined {
    const { elementsMax, depthMax, childrenMax } = this.#bounds;
    const parent = this.#levels.at(-1);
    if (parent === undefined && this.#elements > 0) return 'syntax';
    this.#elements += 1;
    if (this.#elements > (elementsMax ?? Infinity)) return 'elements';
    if (this.#levels.length > (depthMax ?? Infinity)) return 'depth';
    if (this.#levels.length >= levelsMax) return 'unbounded';
    if (parent === undefined) return undefined;
    parent.children += 1;
    return parent.children > (childrenMax ?? Infinity) ? 'children' : undefined;
  }

  nameElement(name: string): XmlThreat | undefined {
    this.#attributes.clear();
    this.#attributesChars = 0;
    this.#levels.push({ name, children: 0 });
    this.#namesChars += name.length;
    return this.#namesChars > namesCharsMax ? 'unbounded' : undefined;
  }

  /** name: undefined where the tag has none, being empty. */
  closeElement(name: string | undefined): XmlThreat | undefined {
    const level = this.#levels.pop();
    if (level === undefined || (name ?? level.name) !== level.name) return 'syntax';
    this.#namesChars -= level.name.length;
    return undefined;
  }

  attribute(name: string): XmlThreat | undefined {
    if (this.#attributes.has(name)) return 'syntax';
    this.#attributes.add(name);
    this.#attributesChars += name.length;
    if (this.#attributes.size > (this.#bounds.attributesMax ?? Infinity)) return 'attributes';
    return this.#attributesChars > namesCharsMax ? 'unbounded' : undefined;
  }

  /** Text begins, or a value. */
  beginRun(): void {
    this.#chars = 0;
  }

  text(chars: number): XmlThreat | undefined {
    this.#chars += chars;
    return this.#chars > (this.#bounds.textMax ?? Infinity) ? 'text' : undefined;
  }

  value(chars: number): XmlThreat | undefined {
    this.#chars += chars;
    return this.#chars > (this.#bounds.attributeValueMax ?? Infinity) ? 'attributeValue' : undefined;
  }
}
