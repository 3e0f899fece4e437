import type { HeaderList } from '../../http/exchange.ts';
import { charsetsOf, mediaTypesOf } from './media-types.ts';

/** Rounds of decoding: who hands on what he has decoded shows the next one something else. */
const roundsMax = 3;

/**
 * A body as somebody behind us may read it: as UTF-8, in the charset that it says, as UTF-16 or 32 that nobody said, and without the escapes
 * of its media type (a form's, JSON's, references of XML); one without a type may be any of them.
 *
 * Returns undefined where it says a charset that we cannot read.
 */
export function bodyTexts(content: Uint8Array, headers: HeaderList): readonly string[] | undefined {
  const plain = Buffer.from(content.buffer, content.byteOffset, content.length).toString();
  const texts = new Set([plain]);
  for (const charset of charsetsOf(headers)) {
    try {
      texts.add(new TextDecoder(charset).decode(content));
    } catch (error) {
      if (error instanceof RangeError) return undefined;
      throw error;
    }
  }
  // ASCII in two or four bytes, in any order of them, is itself beside zeros.
  if (plain.includes('\0')) texts.add(plain.replaceAll('\0', ''));
  const types = mediaTypesOf(headers);
  const mayBe = (kind: RegExp): boolean => types.length === 0 || types.some((type) => kind.test(type));
  const unescaped = [...texts].flatMap((text) => [
    ...(mayBe(/urlencoded/) ? decodedTexts(text.replaceAll('+', ' ')) : []),
    ...(mayBe(/json/) && text.includes('\\') ? [text.replaceAll(jsonEscape, unescapedJson)] : []),
    ...(mayBe(/xml|html/) && text.includes('&') ? [text.replaceAll(reference, referred)] : []),
  ]);
  return [...new Set([...texts, ...unescaped])];
}

/** A text as it is, and as it is after each round of decoding it. */
export function decodedTexts(text: string): readonly string[] {
  const texts = [text];
  for (let round = 0; round < roundsMax; round += 1) {
    const before = texts.at(-1) ?? '';
    const after = decoded(before);
    if (after === before) break;
    texts.push(after);
  }
  return texts;
}

/** What is no escape stays as it is; bytes that are no UTF-8 become the mark for that. */
function decoded(text: string): string {
  if (!text.includes('%')) return text;
  return text.replaceAll(/(?:%[0-9a-f]{2})+/gi, (escapes) =>
    Buffer.from(escapes.replaceAll('%', ''), 'hex').toString(),
  );
}

/** RFC 8259 section 7. */
const jsonEscape = /\\(?:u([0-9a-f]{4})|(["\\/bfnrt]))/gi;
const jsonControls: ReadonlyMap<string, string> = new Map([
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
]);

const unescapedJson = (_escape: string, hex: string | undefined, sign = ''): string =>
  hex === undefined ? (jsonControls.get(sign) ?? sign) : String.fromCharCode(parseInt(hex, 16));

/** XML 1.0 sections 4.1 and 4.6; HTML forgives a semicolon that is not there. */
const reference = /&(?:#x([0-9a-f]{1,8});?|#(\d{1,8});?|(lt|gt|amp|quot|apos);)/gi;
const named: ReadonlyMap<string, string> = new Map([
  ['lt', '<'],
  ['gt', '>'],
  ['amp', '&'],
  ['quot', '"'],
  ['apos', "'"],
]);

// oxlint-disable-next-line max-params -- groups of the expression
function referred(whole: string, hex: string | undefined, decimal: string | undefined, name = ''): string {
  if (hex === undefined && decimal === undefined) return named.get(name.toLowerCase()) ?? whole;
  const code = hex === undefined ? Number(decimal) : parseInt(hex, 16);
  return code <= 0x10_ff_ff ? String.fromCodePoint(code) : whole;
}
