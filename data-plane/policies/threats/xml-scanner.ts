import { isNameStart, isNameUnit, isXmlBlank, isXmlUnit } from './xml-characters.ts';
import { nameCharsMax, type XmlBounds, XmlCounts, type XmlThreat } from './xml-counts.ts';
import { DoctypeText, pointOf, predefinedEntities, readDoctype } from './xml-doctype.ts';
import { XmlEntities } from './xml-entities.ts';
import { type SectionKind, XmlSection } from './xml-section.ts';

/** What may come next. Every state stands for a place in the grammar of XML 1.0. */
const at = {
  content: 0,
  open: 1,
  word: 2,
  section: 3,
  instructionName: 4,
  doctype: 5,
  name: 6,
  inTag: 7,
  attribute: 8,
  equals: 9,
  quote: 10,
  value: 11,
  behindValue: 12,
  emptyTag: 13,
  closeName: 14,
  closeEnd: 15,
  reference: 16,
} as const;
type State = (typeof at)[keyof typeof at];

const [lt, gt, amp, slash, equals, question, bang, closing] = [
  0x3c, 0x3e, 0x26, 0x2f, 0x3d, 0x3f, 0x21, 0x5d,
];

/** Words behind `<`, by their second character, and where they lead. */
const words: readonly (readonly [word: string, leadsTo: 'comment' | 'cdata' | 'doctype'])[] = [
  ['!--', 'comment'],
  ['![CDATA[', 'cdata'],
  ['!DOCTYPE', 'doctype'],
];

/** What may stand between tags without meaning anything. */
const isPlain = (unit: number): boolean =>
  unit >= 0x20 ? unit < 0xfffe && unit !== lt && unit !== amp && unit !== closing : isXmlBlank(unit);

function plainEnd(text: string, start: number, last: number): number {
  const end = Math.min(text.length, last);
  let index = start;
  while (index < end && isPlain(text.charCodeAt(index))) index += 1;
  return index;
}

/**
 * Reads the characters of an XML document and says at which one a bound is exceeded, or the grammar is left (XML 1.0, fifth edition; whether
 * prefixes are declared is not asked). What entities stand for is read in their place. It holds no more of a document than the names of the elements
 * that are open, and its document type.
 */
export class XmlScanner {
  readonly #bounds: XmlBounds;
  readonly #counts: XmlCounts;
  readonly #entities: XmlEntities;
  #state: State = at.content;
  /** The name, the word or the reference in hand. */
  #name = '';
  /** Quotes around the value in hand; 0 outside of one. */
  #quote = 0;
  /** How many `]` of text stood right in front. */
  #run = 0;
  /** Entities whose text is being read for the value in hand: a quote of theirs does not end it, and a tag is none. */
  #valueDepth = 0;
  /** Elements that an entity, whose text is being read, may not close. */
  #floor = 0;
  #section: XmlSection | undefined;
  #doctype: DoctypeText | 'read' | undefined;

  constructor(bounds: XmlBounds) {
    this.#bounds = bounds;
    this.#counts = new XmlCounts(bounds);
    this.#entities = new XmlEntities(bounds);
  }

  /** Reads on; undefined while nothing is wrong. */
  read(text: string): XmlThreat | undefined {
    const room = this.#counts.roomFor(text);
    return text.length <= room ? this.#take(text) : (this.#take(text.slice(0, room)) ?? 'length');
  }

  /** Nothing more comes: a document that is not whole is none. */
  end(): XmlThreat | undefined {
    return this.#state === at.content && this.#counts.isWhole ? undefined : 'syntax';
  }

  #take(text: string): XmlThreat | undefined {
    for (let index = 0; index < text.length; index += 1) {
      if (this.#state === at.content) index = this.#skip(text, index);
      if (index === text.length) break;
      const unit = text.charCodeAt(index);
      const threat = isXmlUnit(unit) ? this.#unit(unit) : 'syntax';
      if (threat !== undefined) return threat;
    }
    return undefined;
  }

  /** Passes plain characters of text over, at most as many as may still come; where it stopped. */
  #skip(text: string, start: number): number {
    if (this.#run > 0 || this.#counts.depth === 0) return start;
    const end = plainEnd(text, start, start + this.#counts.textLeft);
    this.#counts.text(end - start);
    return end;
  }

  #unit(unit: number): XmlThreat | undefined {
    switch (this.#state) {
      case at.content:
        return this.#content(unit);
      case at.open:
        return this.#opened(unit);
      case at.word:
        return this.#inWord(unit);
      case at.section:
        return this.#inSection(unit);
      case at.doctype:
        return this.#inDoctype(unit);
      case at.reference:
        return unit === 0x3b ? this.#refer() : this.#spell(unit);
      case at.value:
        return this.#inValue(unit);
      case at.name:
      case at.attribute:
      case at.closeName:
      case at.instructionName:
        return isNameUnit(unit) && (this.#name !== '' || isNameStart(unit))
          ? this.#spell(unit)
          : this.#named(unit);
      default:
        return this.#inTag(unit);
    }
  }

  #go(state: State): undefined {
    this.#state = state;
    this.#run = 0;
    return undefined;
  }

  #spell(unit: number): XmlThreat | undefined {
    if (this.#name.length >= nameCharsMax) return 'unbounded';
    this.#name += String.fromCharCode(unit);
    return undefined;
  }

  #content(unit: number): XmlThreat | undefined {
    if (unit === lt) return this.#go(at.open);
    if (this.#counts.depth === 0) return isXmlBlank(unit) ? undefined : 'syntax';
    if (unit === amp) return this.#beginReference();
    if (unit === gt && this.#run >= 2) return 'syntax';
    this.#run = unit === closing ? this.#run + 1 : 0;
    return this.#counts.text(1);
  }

  #opened(unit: number): XmlThreat | undefined {
    this.#name = unit === bang ? '!' : '';
    if (unit === question) return this.#go(at.instructionName);
    if (unit === bang) return this.#go(at.word);
    this.#counts.beginRun();
    if (unit === slash) return this.#go(at.closeName);
    if (!isNameStart(unit)) return 'syntax';
    this.#go(at.name);
    return this.#counts.openElement() ?? this.#spell(unit);
  }

  #inWord(unit: number): XmlThreat | undefined {
    const so = this.#name + String.fromCharCode(unit);
    this.#name = so;
    const found = words.find(([word]) => word.startsWith(so));
    if (found === undefined) return 'syntax';
    if (found[0] !== so) return undefined;
    if (found[1] !== 'doctype') return this.#beginSection(found[1]);
    if (this.#doctype !== undefined || this.#counts.hasElement) return 'syntax';
    this.#doctype = new DoctypeText();
    return this.#go(at.doctype);
  }

  #beginSection(kind: SectionKind): XmlThreat | undefined {
    if (kind === 'cdata' && this.#counts.depth === 0) return 'syntax';
    this.#section = new XmlSection(kind);
    return this.#go(at.section);
  }

  #inSection(unit: number): XmlThreat | undefined {
    const read = this.#section?.read(unit) ?? 'syntax';
    if (read === 'end') return this.#go(at.content);
    return read === 'syntax' ? read : this.#counts.text(read);
  }

  #inDoctype(unit: number): XmlThreat | undefined {
    if (!(this.#doctype instanceof DoctypeText)) return 'syntax';
    const read = this.#doctype.read(unit);
    if (read === undefined || typeof read === 'string') return read;
    this.#doctype = 'read';
    this.#go(at.content);
    const doctype = readDoctype(read.text, this.#bounds.allowsExternals);
    return typeof doctype === 'string' ? doctype : this.#entities.declare(doctype);
  }

  /** A name ends with a character that is none of its own. */
  #named(unit: number): XmlThreat | undefined {
    if (this.#name === '') return 'syntax';
    switch (this.#state) {
      case at.name:
        this.#go(at.inTag);
        return this.#counts.nameElement(this.#name) ?? (isXmlBlank(unit) ? undefined : this.#inTagEnd(unit));
      case at.attribute:
        this.#go(at.equals);
        return this.#counts.attribute(this.#name) ?? this.#inTag(unit);
      case at.closeName:
        this.#go(at.closeEnd);
        return this.#inTag(unit);
      default:
        if (this.#name.toLowerCase() === 'xml' || !(isXmlBlank(unit) || unit === question)) return 'syntax';
        return this.#beginSection('instruction') ?? this.#inSection(unit);
    }
  }

  /** Between names and values. */
  #inTag(unit: number): XmlThreat | undefined {
    const state = this.#state;
    if (isXmlBlank(unit) && state !== at.emptyTag)
      return state === at.behindValue ? this.#go(at.inTag) : undefined;
    switch (state) {
      case at.inTag:
        if (!isNameStart(unit)) return this.#inTagEnd(unit);
        this.#name = '';
        this.#go(at.attribute);
        return this.#spell(unit);
      case at.behindValue:
        return this.#inTagEnd(unit);
      case at.equals:
        return unit === equals ? this.#go(at.quote) : 'syntax';
      case at.quote:
        if (unit !== 0x22 && unit !== 0x27) return 'syntax';
        this.#quote = unit;
        this.#counts.beginRun();
        return this.#go(at.value);
      case at.emptyTag:
        return unit === gt ? this.#close(undefined) : 'syntax';
      default:
        return unit === gt ? this.#close(this.#name) : 'syntax';
    }
  }

  #inTagEnd(unit: number): XmlThreat | undefined {
    if (unit === slash) return this.#go(at.emptyTag);
    if (unit !== gt) return 'syntax';
    this.#counts.beginRun();
    return this.#go(at.content);
  }

  #close(name: string | undefined): XmlThreat | undefined {
    this.#go(at.content);
    this.#counts.beginRun();
    return this.#counts.depth <= this.#floor ? 'syntax' : this.#counts.closeElement(name);
  }

  #inValue(unit: number): XmlThreat | undefined {
    if (unit === this.#quote && this.#valueDepth === 0) {
      this.#quote = 0;
      return this.#go(at.behindValue);
    }
    if (unit === lt) return 'syntax';
    return unit === amp ? this.#beginReference() : this.#counts.value(1);
  }

  #beginReference(): undefined {
    this.#name = '';
    return this.#go(at.reference);
  }

  #refer(): XmlThreat | undefined {
    const isInValue = this.#quote !== 0;
    this.#go(isInValue ? at.value : at.content);
    const point = pointOf(this.#name);
    if (point === undefined && !predefinedEntities.has(this.#name))
      return this.#expand(this.#name, isInValue);
    const chars = (point ?? 0) > 0xffff ? 2 : 1;
    return isInValue ? this.#counts.value(chars) : this.#counts.text(chars);
  }

  /** Reads what an entity stands for; what it opens, it has to close. */
  #expand(name: string, isInValue: boolean): XmlThreat | undefined {
    const entered = this.#entities.enter(name);
    if (typeof entered === 'string') return entered;
    const { depth } = this.#counts;
    const [floor, back] = [this.#floor, this.#state];
    this.#floor = depth;
    this.#valueDepth += isInValue ? 1 : 0;
    const threat = this.#take(entered.text);
    this.#valueDepth -= isInValue ? 1 : 0;
    this.#floor = floor;
    this.#entities.leave(name);
    this.#run = 0;
    const isWhole = this.#state === back && this.#counts.depth === depth;
    return threat ?? (isWhole ? undefined : 'syntax');
  }
}
