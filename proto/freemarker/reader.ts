import { Cursor } from './cursor.ts';
import { Definitions } from './definitions.ts';
import { Directives } from './directives.ts';
import type { Body, Definition, Element, Node, TextElement, Tree } from './tree.ts';
import { trimWhiteSpace } from './white-space.ts';
import { type EndTag, shown } from './end-tag.ts';
import { Expressions, type Seen } from './expressions.ts';
import { readHeader } from './header.ts';
import { snakeCase } from './spelling.ts';

/** Most characters of a template. */
export const templateCharsMax = 256 * 1024;

/** Reads a template; what it writes passes through `escapes`. Errors: a SyntaxFault with the place in it, for what cannot be read and for what this version does not support. */
export function readTemplate(source: string, escapes: Reader['escapes'] = []): Tree {
  const reader = new Reader(source);
  reader.escapes = escapes;
  return reader.template();
}

/** What stood in a block, and the tag that ended it. */
export interface Block {
  readonly body: Body;
  readonly end: EndTag | undefined;
}

const opening = /<#--|<#[A-Za-z]|<\/#[A-Za-z]|<\/?@|[$#]\{/g;
const tagName = /[A-Za-z_]+/y;

/** Text, outputs and tags, one after another; what a tag means is told by {@link Directives}. */
export class Reader {
  readonly cursor: Cursor;
  readonly defined: Definition[] = [];
  readonly seen: Seen = { readsContent: false };
  /** Where we are, so that `<#break>` and its like stand where they may. */
  readonly blocks: string[] = [];
  expressions: Expressions;
  /** Of `<#escape>`, the innermost first: what is written passes through it. */
  escapes: readonly ((of: Node) => Node)[] = [];
  readonly #source: string;
  readonly #lines: readonly number[];
  readonly #directives: Directives;
  readonly #definitions: Definitions;

  constructor(source: string) {
    this.#source = source;
    this.cursor = new Cursor(source);
    this.#lines = lineStarts(source);
    this.expressions = new Expressions(this.cursor, this.seen);
    this.#definitions = new Definitions(this);
    this.#directives = new Directives(this, this.#definitions);
  }

  template(): Tree {
    const strips = readHeader(this);
    const { body, end } = this.block([]);
    if (end !== undefined) this.cursor.fault(`${shown(end)} ends nothing that began`, end.at);
    if (strips) trimWhiteSpace(body);
    return { body, definitions: this.defined, readsContent: this.seen.readsContent };
  }

  /** Up to a tag that ends it: a closing one, or one of `stops`. */
  block(stops: readonly string[], within?: string): Block {
    if (within !== undefined) this.blocks.push(within);
    const body: Element[] = [];
    const read = (): EndTag | undefined => {
      for (;;) {
        const text = this.#text();
        if (text !== undefined) body.push(text);
        if (this.cursor.isOver) return undefined;
        const next = this.#piece(stops);
        if ('isClosing' in next) return next;
        body.push(next);
      }
    };
    const end = this.cursor.within(read);
    if (within !== undefined) this.blocks.pop();
    return { body, end };
  }

  /** A block that ends with its closing tag, `</#name>`. */
  closed(name: string, at: number, within = name): Body {
    const { body, end } = this.block([], within);
    this.expectEnd(end, name, at);
    return body;
  }

  expectEnd(end: EndTag | undefined, name: string, at: number): void {
    if (end === undefined) this.cursor.fault(`<#${name}> is not closed; </#${name}> is missing`, at);
    else if (!end.isClosing || end.name !== name)
      this.cursor.fault(`${shown(end)} stands where </#${name}> is expected`, end.at);
  }

  /** The end of a tag, `>` or `/>`; what follows is text again. */
  endTag(where: string): void {
    const { cursor } = this;
    cursor.skip();
    if (cursor.take('/>', '>') === undefined)
      cursor.fault(
        cursor.isOver
          ? `the end of the template is reached in ${where}`
          : `the end of ${where}, >, is expected here`,
      );
    cursor.isInTag = false;
  }

  laid(at: number): { readonly at: number; readonly firstLine: number; readonly lastLine: number } {
    return { at, firstLine: this.#lineOf(at), lastLine: this.#lineOf(Math.max(at, this.cursor.at - 1)) };
  }

  /** A piece whose tag ends here. */
  done<Made extends object>(made: Made, name: string, at: number): Made & ReturnType<Reader['laid']> {
    this.endTag(`<#${name}>`);
    return { ...made, ...this.laid(at) };
  }

  text(from: number, to: number): TextElement {
    const text = this.#source.slice(from, to);
    return {
      kind: 'text',
      text,
      trimmed: text,
      at: from,
      firstLine: this.#lineOf(from),
      lastLine: this.#lineOf(Math.max(from, to - 1)),
      startsLine: this.#lines.includes(from),
    };
  }

  #lineOf(at: number): number {
    let [low, high] = [0, this.#lines.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#lines[middle] ?? 0) <= at) low = middle;
      else high = middle - 1;
    }
    return low + 1;
  }

  #text(): TextElement | undefined {
    const from = this.cursor.at;
    opening.lastIndex = from;
    const to = opening.exec(this.#source)?.index ?? this.#source.length;
    this.cursor.at = to;
    return to === from ? undefined : this.text(from, to);
  }

  #piece(stops: readonly string[]): Element | EndTag {
    const { cursor } = this;
    const { at } = cursor;
    if (cursor.match(/<#--/y) !== undefined) {
      const end = this.#source.indexOf('-->', cursor.at);
      if (end === -1) cursor.fault('the end of a comment, -->, is missing', at);
      cursor.at = end + 3;
      return { kind: 'comment', ...this.laid(at) };
    }
    if (cursor.match(/[$#]\{/y) !== undefined) return this.#output(at);
    const mark = cursor.match(/<\/?[#@]/y)?.[0];
    cursor.isInTag = true;
    if (mark === '<@') return this.#definitions.macroCall(at);
    if (mark === '</@') return this.#macroEnd(at);
    const written = cursor.match(tagName)?.[0] ?? '';
    const name = snakeCase(written);
    const end = { name, isClosing: mark === '</#', at };
    if (end.isClosing) {
      this.endTag(`</#${name}>`);
      return end;
    }
    return stops.includes(name) ? end : this.#directives.read(name, at);
  }

  #macroEnd(at: number): EndTag {
    const [name = ''] = this.cursor.match(/[^>\s]*/y) ?? [];
    this.endTag('</@>');
    return { name: `@${name}`, isClosing: true, at };
  }

  /** `${...}`, and `#{...; m1M2}` for numbers. */
  #output(at: number): Element {
    const { cursor } = this;
    cursor.brackets += 1;
    const isNumber = cursor.source.charAt(at) === '#';
    const read = this.expressions.read();
    const digits = isNumber ? this.#digits() : undefined;
    cursor.expect('}', isNumber ? 'what began with #{' : 'what began with ${');
    cursor.brackets -= 1;
    const of = isNumber ? read : this.escapes.reduce((inner, escape) => escape(inner), read);
    return { kind: 'output', of, digits, ...this.laid(at) };
  }

  #digits(): readonly [number, number] {
    if (this.cursor.take(';') === undefined) return [0, 50];
    this.cursor.skip();
    const found = this.cursor.match(/(?:m(\d{1,2}))?(?:M(\d{1,2}))?/y);
    const [min, max] = [Number(found?.[1] ?? 0), Number(found?.[2] ?? found?.[1] ?? 50)];
    return max < min ? this.cursor.fault('M is less than m') : [min, Math.min(max, 50)];
  }
}

function lineStarts(source: string): readonly number[] {
  return [0, ...[...source.matchAll(/\r\n|\n|\r/g)].map((found) => found.index + found[0].length)];
}
