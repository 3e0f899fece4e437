import { isNestedDeeper } from '../../../proto/expression/json/levels.ts';
import { parseExact } from '../../../proto/expression/json/exact.ts';
import { elementName } from '../../../proto/policies/transformation/element-name.ts';
import { TransformFailure } from '../failure.ts';

/** How deep objects and lists may stand in each other, as the reference's. */
const levelsMax = 100;
/** Longest XML, in characters: names stand in it twice, and those of lists with each item. */
const charsMax = 32 * 1024 * 1024;

/** What no XML may hold, however it is written: controls, halves of pairs, what is no character. */
const forbidden = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u;

/**
 * JSON as XML: members are elements, a list is its element once for each item, `content` is the text of its element. There is no declaration.
 *
 * root: name of the outermost element. Errors: TransformFailure for what is no object of JSON, holds names or characters that XML cannot have,
 * or is past the bounds.
 */
export function xmlOfJson(json: string, root: string): string {
  if (isNestedDeeper(json, levelsMax)) throw new TransformFailure(`is nested deeper than ${levelsMax}`);
  const value = read(json);
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new TransformFailure('is no object of JSON');
  return new Writer().write(value, root);
}

function read(json: string): unknown {
  try {
    return parseExact(json);
  } catch (error) {
    if (error instanceof SyntaxError) throw new TransformFailure('is no JSON');
    throw error;
  }
}

class Writer {
  #xml = '';

  write(value: object, root: string): string {
    this.#element(root, value);
    return this.#xml;
  }

  #add(text: string): void {
    this.#xml += text;
    if (this.#xml.length > charsMax) throw new TransformFailure(`becomes longer than ${charsMax} characters`);
  }

  #element(name: string, value: unknown): void {
    if (!elementName.test(name))
      throw new TransformFailure(
        `holds the name ${JSON.stringify(name.slice(0, 80))}, which no element can have`,
      );
    if (value === '') return this.#add(`<${name}/>`);
    this.#add(`<${name}>`);
    if (Array.isArray(value)) for (const item of value) this.#element('array', item);
    else if (typeof value === 'object' && value !== null) this.#members(value);
    else this.#add(escaped(String(value)));
    this.#add(`</${name}>`);
  }

  #members(of: object): void {
    for (const [name, value] of Object.entries(of)) {
      if (name === 'content') this.#content(value);
      else if (Array.isArray(value)) for (const item of value) this.#element(name, item);
      else this.#element(name, value);
    }
  }

  /** The text of an element; of several a line each. */
  #content(value: unknown): void {
    const texts: readonly unknown[] = Array.isArray(value) ? value : [value];
    for (const [index, text] of texts.entries()) {
      if (typeof text === 'object' && text !== null)
        throw new TransformFailure('holds an object as `content`');
      this.#add(`${index === 0 ? '' : '\n'}${escaped(String(text))}`);
    }
  }
}

const references = new Map([
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
  ['"', '&quot;'],
  ["'", '&apos;'],
  // Else it would be read as a line feed.
  ['\r', '&#xD;'],
]);

function escaped(text: string): string {
  if (forbidden.test(text)) throw new TransformFailure('holds a character that XML cannot have');
  return text.replaceAll(/[&<>"'\r]/g, (char) => references.get(char) ?? char);
}
