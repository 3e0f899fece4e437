import type { Expressions } from './expressions.ts';
import { shown } from './end-tag.ts';
import type { Reader } from './reader.ts';
import type { Body, Element, Node, Parameter } from './tree.ts';

type Place = 'assign' | 'global' | 'local';

const operators = ['=', '+=', '-=', '*=', '/=', '%=', '++', '--'] as const;
const operatorOf = (by: string): (typeof operators)[number] => operators.find((each) => each === by) ?? '=';

/** Tags that give names to things, and those that use macros and functions. */
export class Definitions {
  readonly #reader: Reader;

  constructor(reader: Reader) {
    this.#reader = reader;
  }

  get #expressions(): Expressions {
    return this.#reader.expressions;
  }

  /** `<@name a=1 b=2; x>...</@name>` */
  macroCall(at: number): Element {
    const { cursor } = this.#reader;
    const of = this.#expressions.read();
    const args: Node[] = [];
    const named: (readonly [string, Node])[] = [];
    for (;;) {
      cursor.skip();
      cursor.take(',');
      const name = cursor.match(/([\p{L}_$@](?:[\p{L}\p{N}_$@]|\\-)*)\s*=(?!=)/uy)?.[1];
      if (name !== undefined) named.push([name.replaceAll('\\', ''), this.#expressions.read()]);
      else if (
        !/^(\/?>|;)/.test(cursor.source.slice((cursor.skip(), cursor.at))) &&
        this.#expressions.canBegin()
      )
        args.push(this.#expressions.read());
      else break;
    }
    if (named.length > 0 && args.length > 0)
      cursor.fault('parameters are given by name or by place, not both', at);
    const loopNames: string[] = [];
    if (cursor.take(';') !== undefined)
      do loopNames.push(this.#expressions.name('a variable'));
      while (cursor.take(',') !== undefined);
    cursor.skip();
    const isEmpty = cursor.source.startsWith('/>', cursor.at);
    this.#reader.endTag('a call of a macro');
    let body: Body | undefined;
    const laid = this.#reader.laid(at);
    if (!isEmpty) {
      const block = this.#reader.block([], 'call');
      if (block.end === undefined) cursor.fault('the call of a macro is not closed; </@> is missing', at);
      else if (!block.end.name.startsWith('@'))
        cursor.fault(`${shown(block.end)} stands where </@> is expected`, block.end.at);
      ({ body } = block);
    }
    return { kind: 'macro call', of, args, named, loopNames, body, ...laid };
  }

  /** `<#assign a=1 b=2>`, `<#assign a++>`, `<#assign a>...</#assign>` */
  assign(where: Place, at: number): Element {
    const { cursor, blocks } = this.#reader;
    if (where === 'local' && !blocks.some((block) => block === 'macro' || block === 'function'))
      cursor.fault('<#local> stands inside a <#macro> or a <#function>', at);
    const all: Element[] = [];
    do {
      const name = this.#variable();
      const by = cursor.take('++', '--', '+=', '-=', '*=', '/=', '%=', '=');
      if (by === undefined) {
        if (all.length > 0) cursor.fault('= and a value are expected here');
        return this.#captured(where, name, at);
      }
      const value = by === '++' || by === '--' ? undefined : this.#expressions.read();
      all.push({ kind: 'assign', where, name, by: operatorOf(by), value, ...this.#reader.laid(at) });
      cursor.take(',');
      cursor.skip();
    } while (!/^\/?>/.test(cursor.source.slice(cursor.at, cursor.at + 2)));
    const [only] = all;
    const laid = this.#reader.done({}, where, at);
    return only !== undefined && all.length === 1
      ? { ...only, ...laid }
      : { kind: 'plain', body: all.map((each) => ({ ...each, ...laid })), ...laid };
  }

  /** A name, which may stand in quotes. */
  #variable(): string {
    this.#reader.cursor.skip();
    const quoted = this.#reader.cursor.match(/"([^"]*)"|'([^']*)'/y);
    return quoted === undefined ? this.#expressions.name('a variable') : (quoted[1] ?? quoted[2] ?? '');
  }

  #captured(where: Place, name: string, at: number): Element {
    if (this.#reader.cursor.takeWord('in') !== undefined)
      this.#reader.cursor.fault('namespaces are not supported by this version: there is no <#import>');
    this.#reader.endTag(`<#${where}>`);
    const body = this.#reader.closed(where, at);
    return { kind: 'capture', where, name, body, ...this.#reader.laid(at) };
  }

  define(at: number, kind: 'macro' | 'function'): Element {
    const { cursor, defined } = this.#reader;
    const name = this.#variable();
    const isBracketed = cursor.take('(') !== undefined;
    if (isBracketed) cursor.brackets += 1;
    const parameters: Parameter[] = [];
    let rest: string | undefined;
    for (;;) {
      cursor.take(',');
      cursor.skip();
      if (/^(\/?>|\))/.test(cursor.source.slice(cursor.at, cursor.at + 2))) break;
      const parameter = this.#expressions.name('a parameter');
      if (cursor.take('...') !== undefined) rest = parameter;
      else {
        const otherwise = cursor.take('=') === undefined ? undefined : this.#expressions.read();
        parameters.push({ name: parameter, otherwise });
      }
    }
    if (isBracketed) {
      cursor.expect(')', `the parameters of ${name}`);
      cursor.brackets -= 1;
    }
    this.#reader.endTag(`<#${kind}>`);
    const body = this.#reader.closed(kind, at);
    const definition = { name, isFunction: kind === 'function', parameters, rest, body };
    defined.push(definition);
    return { kind: 'define', definition, ...this.#reader.laid(at) };
  }

  nested(at: number): Element {
    const { cursor, blocks } = this.#reader;
    if (!blocks.includes('macro')) cursor.fault('<#nested> stands inside a <#macro>', at);
    const args: Node[] = [];
    while (this.#expressions.canBegin()) {
      args.push(this.#expressions.read());
      cursor.take(',');
    }
    return this.#reader.done({ kind: 'nested', args }, 'nested', at);
  }

  return(at: number): Element {
    const { cursor, blocks } = this.#reader;
    if (!blocks.some((block) => block === 'macro' || block === 'function'))
      cursor.fault('<#return> stands inside a <#macro> or a <#function>', at);
    const value = this.#expressions.canBegin() ? this.#expressions.read() : undefined;
    return this.#reader.done({ kind: 'return', value }, 'return', at);
  }
}
