import type { Definitions } from './definitions.ts';
import { Expressions } from './expressions.ts';
import { settingNames } from './execute.ts';
import { nearestTo } from './spelling.ts';
import type { Reader } from './reader.ts';
import type { Body, Branch, Case, Element, LoopNames, Node } from './tree.ts';

type Read = (at: number) => Element;

const others = 'there are no other templates; put all of it into this one';
const markup = 'nothing is escaped unasked; ?json_string, ?xml, ?html and <#escape> escape';
const xml = 'XML is not read by templates of this version; #xpath of an expression reads it';

/** What FreeMarker has beside them, with what to do instead. */
export const refusedDirectives: ReadonlyMap<string, string> = new Map([
  ['include', others],
  ['import', others],
  ['outputformat', markup],
  ['autoesc', markup],
  ['noautoesc', markup],
  ['visit', xml],
  ['recurse', xml],
  ['fallback', xml],
  ['transform', 'call a macro: <@name/>'],
  ['call', 'call a macro: <@name/>'],
  ['foreach', '<#list items as item>'],
  ['t', 'put it on one line, or into <#compress>'],
  ['lt', 'put it on one line, or into <#compress>'],
  ['rt', 'put it on one line, or into <#compress>'],
  ['nt', 'put ${""} on the line whose white space stays'],
]);

const loops = ['list', 'items'];

/** What tags mean. */
export class Directives {
  readonly #reader: Reader;
  readonly #known: ReadonlyMap<string, Read>;

  constructor(reader: Reader, definitions: Definitions) {
    this.#reader = reader;
    this.#known = new Map<string, Read>([
      ['if', (at) => this.#if(at)],
      ['list', (at) => this.#list(at)],
      ['items', (at) => this.#items(at)],
      ['sep', (at) => this.#sep(at)],
      ['break', (at) => this.#leave('break', at)],
      ['continue', (at) => this.#leave('continue', at)],
      ['switch', (at) => this.#switch(at)],
      ['assign', (at) => definitions.assign('assign', at)],
      ['global', (at) => definitions.assign('global', at)],
      ['local', (at) => definitions.assign('local', at)],
      ['macro', (at) => definitions.define(at, 'macro')],
      ['function', (at) => definitions.define(at, 'function')],
      ['nested', (at) => definitions.nested(at)],
      ['return', (at) => definitions.return(at)],
      ['attempt', (at) => this.#attempt(at)],
      ['compress', (at) => this.#compress(at)],
      ['escape', (at) => this.#escape(at)],
      ['noescape', (at) => this.#noEscape(at)],
      ['noparse', (at) => this.#asItStands('noparse', at)],
      ['comment', (at) => this.#asItStands('comment', at)],
      ['setting', (at) => this.#setting(at)],
      ['stop', (at) => this.#stop(at)],
      ['flush', (at) => this.#reader.done({ kind: 'comment' }, 'flush', at)],
    ]);
  }

  read(name: string, at: number): Element {
    const { cursor } = this.#reader;
    const found = this.#known.get(name) ?? this.#known.get(name.replaceAll('_', ''));
    if (found !== undefined) return found(at);
    const refused = refusedDirectives.get(name) ?? refusedDirectives.get(name.replaceAll('_', ''));
    if (refused !== undefined)
      return cursor.fault(`<#${name}> is not supported by this version: ${refused}`, at);
    if (['else', 'elseif', 'else_if', 'case', 'on', 'default', 'recover'].includes(name))
      return cursor.fault(`<#${name}> stands outside the block that it belongs to`, at);
    return cursor.fault(`<#${name}> is unknown${nearestTo(name, this.#known.keys(), '#')}`, at);
  }

  get #expressions(): Expressions {
    return this.#reader.expressions;
  }

  #expression(name: string): Node {
    const read = this.#expressions.read();
    this.#reader.endTag(`<#${name}>`);
    return read;
  }

  #if(at: number): Element {
    const branches: Branch[] = [];
    let test: Node | undefined = this.#expression('if');
    for (;;) {
      const stops = test === undefined ? [] : ['elseif', 'else_if', 'else'];
      const { body, end } = this.#reader.block(stops, 'if');
      branches.push({ test, body });
      if (end === undefined || end.isClosing) {
        this.#reader.expectEnd(end, 'if', at);
        return { kind: 'if', branches, ...this.#reader.laid(at) };
      }
      if (end.name === 'else') this.#reader.endTag('<#else>');
      test = end.name === 'else' ? undefined : this.#expression('elseif');
    }
  }

  #names(): LoopNames {
    const name = this.#expressions.name('the variable of the loop');
    const valueName =
      this.#reader.cursor.take(',') === undefined ? undefined : this.#expressions.name('a variable');
    return { name, valueName };
  }

  #list(at: number): Element {
    const of = this.#expressions.read();
    const names = this.#reader.cursor.takeWord('as') === undefined ? undefined : this.#names();
    this.#reader.endTag('<#list>');
    const { body, end } = this.#reader.block(['else'], names === undefined ? 'list of items' : 'list');
    if (names === undefined && !body.some(holdsItems))
      this.#reader.cursor.fault('<#list> needs a variable, <#list x as y>, or <#items as y> inside', at);
    let otherwise: Body | undefined;
    if (end?.isClosing === false) {
      this.#reader.endTag('<#else>');
      otherwise = this.#reader.closed('list', at, 'else');
    } else this.#reader.expectEnd(end, 'list', at);
    return { kind: 'list', of, names, body, otherwise, ...this.#reader.laid(at) };
  }

  #items(at: number): Element {
    if (!this.#reader.blocks.includes('list of items'))
      this.#reader.cursor.fault('<#items> stands inside a <#list> without a variable', at);
    if (this.#reader.cursor.takeWord('as') === undefined)
      this.#reader.cursor.fault('<#items> needs as and a variable');
    const names = this.#names();
    this.#reader.endTag('<#items>');
    const body = this.#reader.closed('items', at);
    return { kind: 'items', names, body, ...this.#reader.laid(at) };
  }

  /** Ends with its own tag, or with the block that it stands in. */
  #sep(at: number): Element {
    if (!this.#reader.blocks.some((block) => loops.includes(block)))
      this.#reader.cursor.fault('<#sep> stands inside a <#list>', at);
    this.#reader.endTag('<#sep>');
    const { cursor } = this.#reader;
    const { body, end } = this.#reader.block(['else'], 'sep');
    if (end === undefined) cursor.fault('<#list> is not closed; </#list> is missing', at);
    else if (!(end.isClosing && end.name === 'sep')) {
      cursor.at = end.at;
      cursor.isInTag = false;
    }
    return { kind: 'sep', body, ...this.#reader.laid(at) };
  }

  #leave(kind: 'break' | 'continue', at: number): Element {
    const { blocks, cursor } = this.#reader;
    const from = blocks.findLastIndex((block) => block === 'macro' || block === 'function');
    const allowed = kind === 'break' ? [...loops, 'switch'] : loops;
    if (!blocks.slice(from + 1).some((block) => allowed.includes(block)))
      cursor.fault(`<#${kind}> stands inside a <#list>${kind === 'break' ? ' or a <#switch>' : ''}`, at);
    return this.#reader.done({ kind }, kind, at);
  }

  #switch(at: number): Element {
    const { cursor } = this.#reader;
    const of = this.#expression('switch');
    const cases: Case[] = [];
    const stops = ['case', 'on', 'default'];
    let block = this.#reader.block(stops, 'switch');
    while (block.end?.isClosing === false) {
      const { name } = block.end;
      const values = name === 'default' ? undefined : [this.#expressions.read()];
      while (name === 'on' && cursor.take(',') !== undefined) values?.push(this.#expressions.read());
      this.#reader.endTag(`<#${name}>`);
      block = this.#reader.block(stops, 'switch');
      cases.push({ values, goesOn: name === 'case', body: block.body });
    }
    this.#reader.expectEnd(block.end, 'switch', at);
    return { kind: 'switch', of, cases, ...this.#reader.laid(at) };
  }

  #attempt(at: number): Element {
    this.#reader.endTag('<#attempt>');
    const { body, end } = this.#reader.block(['recover'], 'attempt');
    if (end === undefined || end.isClosing) this.#reader.cursor.fault('<#attempt> has no <#recover>', at);
    this.#reader.endTag('<#recover>');
    const recover = this.#recovered(at);
    return { kind: 'attempt', body, recover, ...this.#reader.laid(at) };
  }

  /** It may be closed by the tag of either. */
  #recovered(at: number): Body {
    const { body, end } = this.#reader.block([], 'recover');
    this.#reader.expectEnd(end, end?.name === 'recover' ? 'recover' : 'attempt', at);
    return body;
  }

  #compress(at: number): Element {
    this.#reader.endTag('<#compress>');
    const body = this.#reader.closed('compress', at);
    return { kind: 'compress', body, ...this.#reader.laid(at) };
  }

  /** What is written inside takes the place of the variable in its expression. */
  #escape(at: number): Element {
    const { cursor } = this.#reader;
    const name = this.#expressions.name('a variable');
    if (cursor.takeWord('as') === undefined) cursor.fault('<#escape> needs as and an expression');
    cursor.skip();
    const from = cursor.at;
    this.#expressions.read();
    this.#reader.endTag('<#escape>');
    const before = this.#reader.escapes;
    const escape = (of: Node): Node => {
      const inner = cursor.inside(from);
      inner.isInTag = true;
      return new Expressions(
        inner,
        this.#reader.seen,
        new Map([[name, { kind: 'grouped', of, at: of.at }]]),
      ).read();
    };
    this.#reader.escapes = [escape, ...before];
    const body = this.#reader.closed('escape', at);
    this.#reader.escapes = before;
    return { kind: 'plain', body, ...this.#reader.laid(at) };
  }

  #noEscape(at: number): Element {
    const before = this.#reader.escapes;
    if (before.length === 0) this.#reader.cursor.fault('<#noescape> stands inside an <#escape>', at);
    this.#reader.endTag('<#noescape>');
    this.#reader.escapes = before.slice(1);
    const body = this.#reader.closed('noescape', at);
    this.#reader.escapes = before;
    return { kind: 'plain', body, ...this.#reader.laid(at) };
  }

  #asItStands(name: 'noparse' | 'comment', at: number): Element {
    const { cursor } = this.#reader;
    this.#reader.endTag(`<#${name}>`);
    const from = cursor.at;
    const end = new RegExp(`</#${name}\\s*>`, 'gi');
    end.lastIndex = from;
    const found = end.exec(cursor.source);
    if (found === null) return cursor.fault(`<#${name}> is not closed; </#${name}> is missing`, at);
    cursor.at = end.lastIndex;
    if (name === 'comment') return { kind: 'comment', ...this.#reader.laid(at) };
    return { kind: 'plain', body: [this.#reader.text(from, found.index)], ...this.#reader.laid(at) };
  }

  #setting(at: number): Element {
    const { cursor } = this.#reader;
    const placed = (cursor.skip(), cursor.at);
    const name = this.#expressions.name('the name of a setting');
    if (!settingNames.includes(name))
      cursor.fault(
        `the setting ${name} is not supported by this version; ${settingNames.join(', ')} are. The locale is en_US and the time zone UTC`,
        placed,
      );
    cursor.expect('=', 'a setting');
    return this.#reader.done({ kind: 'setting', name, value: this.#expressions.read() }, 'setting', at);
  }

  #stop(at: number): Element {
    const message = this.#expressions.canBegin() ? this.#expressions.read() : undefined;
    return this.#reader.done({ kind: 'stop', message }, 'stop', at);
  }
}

/** Whether `<#items>` stands in a block, however deep. */
function holdsItems(element: Element): boolean {
  if (element.kind === 'items') return true;
  if (element.kind === 'if') return element.branches.some(({ body }) => body.some(holdsItems));
  if (element.kind === 'plain' || element.kind === 'compress') return element.body.some(holdsItems);
  return element.kind === 'attempt' && element.body.some(holdsItems);
}
