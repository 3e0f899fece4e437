import { isPlainByte, JsonText } from './json-text.ts';

/** Bounds of a document; undefined is no bound. */
export interface JsonBounds {
  /** Members of one object. */
  readonly entriesMax: number | undefined;
  /** Elements of one array. */
  readonly arrayMax: number | undefined;
  /** Objects and arrays in each other. */
  readonly depthMax: number | undefined;
  /** Characters of a name, as it is written: an escape counts as what it spells. */
  readonly nameMax: number | undefined;
  /** Characters of a value that is a text. */
  readonly valueMax: number | undefined;
  readonly refusesDuplicates: boolean;
}

/** What a document exceeds, or that it is none. */
export type JsonThreat =
  | 'depth'
  | 'entries'
  | 'name'
  | 'value'
  | 'array'
  | 'syntax'
  | 'duplicate'
  | 'unbounded';

/** Levels that are followed where a configuration bounds none: each takes memory. */
export const levelsMax = 100_000;
/** Characters of names that are remembered at one time, to find those that come twice. */
export const namesCharsMax = 1_048_576;

/** What may come next. Every state stands for a place in the grammar of RFC 8259. */
const at = {
  value: 0,
  /** ... or the end of the array, which has none yet. */
  firstElement: 1,
  firstName: 2,
  name: 3,
  colon: 4,
  afterValue: 5,
  inText: 6,
  inWord: 9,
  minus: 10,
  zero: 11,
  digits: 12,
  point: 13,
  fraction: 14,
  exponent: 15,
  exponentSign: 16,
  exponentDigits: 17,
  mark: 18,
} as const;
type State = (typeof at)[keyof typeof at];

const quote = 0x22;
const words: Readonly<Record<number, string>> = { 0x74: 'true', 0x66: 'false', 0x6e: 'null' };
const isDigit = (byte: number): boolean => byte >= 0x30 && byte <= 0x39;
const isBlank = (byte: number): boolean => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;

/** One object or array that is open. */
interface Level {
  readonly isObject: boolean;
  count: number;
  /** Undefined where nobody asks for duplicates. */
  names: Set<string> | undefined;
  nameChars: number;
}

/**
 * Reads JSON byte by byte and says at which one a bound is exceeded, or the grammar is left (RFC 8259, and UTF-8 as RFC 3629 has it). It holds
 * no more of a document than the names of the objects that are open, and those only where they may not come twice.
 */
export class JsonScanner {
  readonly #bounds: JsonBounds;
  readonly #levels: Level[] = [];
  #state: State = at.value;
  #isName = false;
  /** Characters of the text in hand. */
  #chars = 0;
  /** The name in hand, where it is remembered: characters, and bytes of one that has begun. */
  #name = '';
  #namesChars = 0;
  #word = '';
  #wordAt = 0;
  readonly #text = new JsonText();
  #isBegun = false;
  #markLeft = 0;

  constructor(bounds: JsonBounds) {
    this.#bounds = bounds;
  }

  /** Reads on; undefined while nothing is wrong. */
  read(bytes: Buffer, start: number, end: number): JsonThreat | undefined {
    for (let index = start; index < end; index += 1) {
      if (this.#state === at.inText && !this.#isName && this.#text.isPlain)
        index = this.#skip(bytes, index, end);
      if (index === end) break;
      const threat = this.#byte(bytes[index] ?? 0);
      if (threat !== undefined) return threat;
    }
    return undefined;
  }

  /** Passes plain characters of a value over, at most as many as it may still have; where it stopped. */
  #skip(bytes: Buffer, start: number, end: number): number {
    const last = Math.min(end, start + (this.#bounds.valueMax ?? Infinity) - this.#chars);
    let index = start;
    while (index < last && isPlainByte(bytes[index] ?? 0)) index += 1;
    this.#chars += index - start;
    return index;
  }

  /** Nothing more comes: a document that is not whole is none. */
  end(): JsonThreat | undefined {
    const endsNumber =
      this.#state === at.zero ||
      this.#state === at.digits ||
      this.#state === at.fraction ||
      this.#state === at.exponentDigits;
    return this.#levels.length === 0 && (this.#state === at.afterValue || endsNumber) ? undefined : 'syntax';
  }

  #byte(byte: number): JsonThreat | undefined {
    switch (this.#state) {
      case at.inText:
        return this.#inText(byte);
      case at.inWord:
        return this.#inWord(byte);
      case at.value:
      case at.firstElement:
      case at.firstName:
      case at.name:
      case at.colon:
      case at.afterValue:
        return isBlank(byte) ? this.#begin() : this.#structure(byte);
      case at.mark:
        return this.#mark(byte);
      default:
        return this.#inNumber(byte);
    }
  }

  #begin(): undefined {
    this.#isBegun = true;
  }

  /** Between texts, numbers and words. */
  #structure(byte: number): JsonThreat | undefined {
    switch (this.#state) {
      case at.firstElement:
        if (byte === 0x5d) return this.#close(false);
        return this.#value(byte);
      case at.firstName:
        if (byte === 0x7d) return this.#close(true);
        return this.#beginName(byte);
      case at.name:
        return this.#beginName(byte);
      case at.colon:
        if (byte !== 0x3a) return 'syntax';
        this.#state = at.value;
        return undefined;
      case at.afterValue:
        return this.#afterValue(byte);
      default:
        return this.#value(byte);
    }
  }

  #value(byte: number): JsonThreat | undefined {
    // A mark of the byte order before the document: it may be passed over (RFC 8259 section 8.1), and many clients send it.
    if (byte === 0xef && !this.#isBegun) {
      this.#markLeft = 2;
      this.#state = at.mark;
      return this.#begin();
    }
    this.#isBegun = true;
    const tooMany = this.#countElement();
    if (tooMany !== undefined) return tooMany;
    const word = words[byte];
    if (byte === quote) return this.#beginText(false);
    if (byte === 0x7b || byte === 0x5b) return this.#open(byte === 0x7b);
    if (byte === 0x2d) this.#state = at.minus;
    else if (byte === 0x30) this.#state = at.zero;
    else if (isDigit(byte)) this.#state = at.digits;
    else if (word !== undefined) {
      this.#word = word;
      this.#wordAt = 1;
      this.#state = at.inWord;
    } else return 'syntax';
    return undefined;
  }

  #mark(byte: number): JsonThreat | undefined {
    if (byte !== (this.#markLeft === 2 ? 0xbb : 0xbf)) return 'syntax';
    this.#markLeft -= 1;
    if (this.#markLeft === 0) this.#state = at.value;
    return undefined;
  }

  #countElement(): JsonThreat | undefined {
    const level = this.#levels.at(-1);
    if (level === undefined || level.isObject) return undefined;
    level.count += 1;
    return level.count > (this.#bounds.arrayMax ?? Infinity) ? 'array' : undefined;
  }

  #open(isObject: boolean): JsonThreat | undefined {
    if (this.#levels.length >= (this.#bounds.depthMax ?? Infinity)) return 'depth';
    if (this.#levels.length >= levelsMax) return 'unbounded';
    this.#levels.push({ isObject, count: 0, names: undefined, nameChars: 0 });
    this.#state = isObject ? at.firstName : at.firstElement;
    return undefined;
  }

  #close(isObject: boolean): JsonThreat | undefined {
    const level = this.#levels.at(-1);
    if (level?.isObject !== isObject) return 'syntax';
    this.#levels.pop();
    this.#namesChars -= level.nameChars;
    this.#state = at.afterValue;
    return undefined;
  }

  #afterValue(byte: number): JsonThreat | undefined {
    const level = this.#levels.at(-1);
    if (level === undefined) return 'syntax';
    if (byte === 0x2c) this.#state = level.isObject ? at.name : at.value;
    else if (byte === 0x7d) return this.#close(true);
    else if (byte === 0x5d) return this.#close(false);
    else return 'syntax';
    return undefined;
  }

  #beginName(byte: number): JsonThreat | undefined {
    if (byte !== quote) return 'syntax';
    const level = this.#levels.at(-1);
    if (level === undefined) return 'syntax';
    level.count += 1;
    if (level.count > (this.#bounds.entriesMax ?? Infinity)) return 'entries';
    return this.#beginText(true);
  }

  #beginText(isName: boolean): undefined {
    this.#isName = isName;
    this.#chars = 0;
    this.#name = '';
    this.#state = at.inText;
  }

  #inText(byte: number): JsonThreat | undefined {
    const read = this.#text.read(byte);
    if (typeof read === 'number') return this.#character(read);
    return read === 'end' ? this.#endText() : read;
  }

  /** One character of a name or a value; those beyond U+FFFF count as two, as in the reference. */
  #character(codePoint: number): JsonThreat | undefined {
    this.#chars += codePoint > 0xffff ? 2 : 1;
    const { nameMax, valueMax, refusesDuplicates } = this.#bounds;
    if (!this.#isName) return this.#chars > (valueMax ?? Infinity) ? 'value' : undefined;
    if (this.#chars > (nameMax ?? Infinity)) return 'name';
    if (!refusesDuplicates) return undefined;
    if (this.#namesChars + this.#chars > namesCharsMax) return 'unbounded';
    this.#name += String.fromCodePoint(codePoint);
    return undefined;
  }

  #endText(): JsonThreat | undefined {
    if (!this.#isName) {
      this.#state = at.afterValue;
      return undefined;
    }
    this.#state = at.colon;
    const level = this.#levels.at(-1);
    if (!this.#bounds.refusesDuplicates || level === undefined) return undefined;
    level.names ??= new Set();
    if (level.names.has(this.#name)) return 'duplicate';
    level.names.add(this.#name);
    // A name without characters takes memory as well.
    level.nameChars += this.#chars + 1;
    this.#namesChars += this.#chars + 1;
    return undefined;
  }

  #inWord(byte: number): JsonThreat | undefined {
    if (byte !== this.#word.charCodeAt(this.#wordAt)) return 'syntax';
    this.#wordAt += 1;
    if (this.#wordAt === this.#word.length) this.#state = at.afterValue;
    return undefined;
  }

  #inNumber(byte: number): JsonThreat | undefined {
    const next = numberAfter(this.#state, byte);
    if (next === 'syntax') return next;
    if (next !== undefined) {
      this.#state = next;
      return undefined;
    }
    this.#state = at.afterValue;
    return isBlank(byte) ? undefined : this.#afterValue(byte);
  }
}

/** RFC 8259 section 6; undefined when the number ended before this byte. */
function numberAfter(state: State, byte: number): State | 'syntax' | undefined {
  const isExponent = byte === 0x65 || byte === 0x45;
  switch (state) {
    case at.minus:
      return byte === 0x30 ? at.zero : isDigit(byte) ? at.digits : 'syntax';
    case at.zero:
    case at.digits:
      if (isDigit(byte)) return state === at.digits ? at.digits : 'syntax';
      return byte === 0x2e ? at.point : isExponent ? at.exponent : undefined;
    case at.point:
      return isDigit(byte) ? at.fraction : 'syntax';
    case at.fraction:
      return isDigit(byte) ? at.fraction : isExponent ? at.exponent : undefined;
    case at.exponent:
      return isDigit(byte) ? at.exponentDigits : byte === 0x2b || byte === 0x2d ? at.exponentSign : 'syntax';
    case at.exponentSign:
      return isDigit(byte) ? at.exponentDigits : 'syntax';
    default:
      return isDigit(byte) ? at.exponentDigits : undefined;
  }
}
