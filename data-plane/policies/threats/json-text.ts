const quote = 0x22;
const backslash = 0x5c;

/** What a letter behind a backslash spells. */
const escapes: ReadonlyMap<number, number> = new Map(
  Array.from('"\\/bfnrt', (letter, index) => [letter.charCodeAt(0), '"\\/\b\f\n\r\t'.charCodeAt(index)]),
);

/** A byte that is a character of a text by itself. */
export function isPlainByte(byte: number): boolean {
  return byte >= 0x20 && byte < 0x80 && byte !== quote && byte !== backslash;
}

/** Reads what stands between the quotes of JSON, byte by byte: escapes (RFC 8259 section 7) and UTF-8 (RFC 3629). */
export class JsonText {
  #state: 'plain' | 'escape' | 'unicode' | 'rest' = 'plain';
  #hexLeft = 0;
  #hex = 0;
  /** Continuation bytes that are to come, and what the next one may be. */
  #restBytes = 0;
  #lowest = 0x80;
  #highest = 0xbf;
  #codePoint = 0;

  /** Between two characters. */
  get isPlain(): boolean {
    return this.#state === 'plain';
  }

  /** The code point that a byte completes, the end of the text, what is none, or nothing yet. */
  read(byte: number): number | 'end' | 'syntax' | undefined {
    switch (this.#state) {
      case 'escape':
        return this.#escape(byte);
      case 'unicode':
        return this.#unicode(byte);
      case 'rest':
        return this.#rest(byte);
      case 'plain':
        if (isPlainByte(byte)) return byte;
        if (byte === quote) return 'end';
        if (byte === backslash) this.#state = 'escape';
        else return this.#lead(byte);
        return undefined;
    }
  }

  /** RFC 3629 section 4: no overlong forms, no surrogates, nothing past U+10FFFF. */
  #lead(byte: number): 'syntax' | undefined {
    if (byte < 0xc2 || byte > 0xf4) return 'syntax';
    this.#state = 'rest';
    this.#restBytes = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
    this.#codePoint = byte & (0x3f >> this.#restBytes);
    this.#lowest = byte === 0xe0 ? 0xa0 : byte === 0xf0 ? 0x90 : 0x80;
    this.#highest = byte === 0xed ? 0x9f : byte === 0xf4 ? 0x8f : 0xbf;
    return undefined;
  }

  #rest(byte: number): number | 'syntax' | undefined {
    if (byte < this.#lowest || byte > this.#highest) return 'syntax';
    this.#lowest = 0x80;
    this.#highest = 0xbf;
    this.#codePoint = (this.#codePoint << 6) | (byte & 0x3f);
    this.#restBytes -= 1;
    if (this.#restBytes > 0) return undefined;
    this.#state = 'plain';
    return this.#codePoint;
  }

  #escape(byte: number): number | 'syntax' | undefined {
    if (byte === 0x75) {
      this.#state = 'unicode';
      this.#hexLeft = 4;
      this.#hex = 0;
      return undefined;
    }
    this.#state = 'plain';
    return escapes.get(byte) ?? 'syntax';
  }

  #unicode(byte: number): number | 'syntax' | undefined {
    const digit = hexDigits.indexOf(String.fromCharCode(byte).toLowerCase());
    if (digit === -1) return 'syntax';
    this.#hex = this.#hex * 16 + digit;
    this.#hexLeft -= 1;
    if (this.#hexLeft > 0) return undefined;
    this.#state = 'plain';
    return this.#hex;
  }
}

const hexDigits = '0123456789abcdef';
