import type { BuiltIn } from './built-ins/built-in.ts';
import { builtIns, refusedBuiltIns } from './built-ins/index.ts';
import type { Cursor } from './cursor.ts';
import { decimalOf } from './decimals.ts';
import { nearestTo, snakeCase } from './spelling.ts';
import { specialNames } from './specials.ts';
import { readText } from './texts.ts';
import type { Node, Operator } from './tree.ts';
import { levels, products, sums, takeOperator } from './operators.ts';

const namePattern = /(?:[\p{L}_$@]|\\[-.:])(?:[\p{L}\p{N}_$@]|\\[-.:])*/uy;
const numberPattern = /\d+(?:\.\d+)?/y;
/** Words that are no names where an expression could begin. */
const words: ReadonlySet<string> = new Set(['as', 'in', 'using', 'gt', 'gte', 'lt', 'lte', 'and', 'or']);

/** What the reader of the template has to know of its expressions. */
export interface Seen {
  /** Something may ask for the body of the request or the answer. */
  readsContent: boolean;
}

const contentWords = /^(get)?(content|jsonContent|xmlContent)$/i;
/** Members whose members are asked by any name, and never lead to a body. */
const plainMembers: ReadonlySet<string> = new Set([
  'headers',
  'params',
  'pathParams',
  'attributes',
  'dictionaries',
]);

const takesFormat: ReadonlySet<string> = new Set(['string', 'date', 'time', 'datetime']);

/** Reads expressions at the place of a cursor. */
export class Expressions {
  readonly #cursor: Cursor;
  readonly #seen: Seen;
  /** What names stand for inside `<#escape>`. */
  readonly #substitutes: ReadonlyMap<string, Node>;

  constructor(cursor: Cursor, seen: Seen, substitutes: ReadonlyMap<string, Node> = new Map()) {
    this.#cursor = cursor;
    this.#seen = seen;
    this.#substitutes = substitutes;
  }

  read(): Node {
    return this.#cursor.within(() => this.#binary(0));
  }

  /** Whether an expression may begin here. */
  canBegin(): boolean {
    return begins(this.#cursor);
  }

  /** A name, where nothing else may stand. */
  name(what: string): string {
    this.#cursor.skip();
    const found = this.#cursor.match(namePattern)?.[0] ?? this.#cursor.fault(`${what} is expected here`);
    return found.replaceAll('\\', '');
  }

  #binary(level: number): Node {
    const operators = levels[level];
    if (operators === undefined) return this.#range();
    let left = this.#binary(level + 1);
    for (;;) {
      const at = this.#cursor.at;
      const by = takeOperator(this.#cursor, operators);
      if (by === undefined) return left;
      left = { kind: 'binary', by, left, right: this.#binary(level + 1), at };
    }
  }

  #range(): Node {
    const from = this.#sum();
    const cursor = this.#cursor;
    const { at } = cursor;
    const sign = cursor.take('..<', '..!', '..*', '..');
    if (sign === undefined) return from;
    const by = sign === '..' ? 'to' : sign === '..*' ? 'length' : 'before';
    if (by === 'to' && !this.canBegin()) return { kind: 'range', from, to: undefined, by, at };
    return { kind: 'range', from, to: this.#sum(), by, at };
  }

  #sum(): Node {
    return this.#chain(sums, () => this.#chain(products, () => this.#signed()));
  }

  #chain(operators: ReadonlyMap<string, Operator>, operand: () => Node): Node {
    let left = operand();
    for (;;) {
      const { at } = this.#cursor;
      const by = takeOperator(this.#cursor, operators);
      if (by === undefined) return left;
      left = { kind: 'binary', by, left, right: operand(), at };
    }
  }

  #signed(): Node {
    const cursor = this.#cursor;
    cursor.skip();
    const { at } = cursor;
    const sign = cursor.take('!', '-', '+');
    if (sign === undefined) return this.#primary();
    const of = cursor.within(() => this.#signed());
    return sign === '!' ? { kind: 'not', of, at } : { kind: 'sign', of, by: sign === '-' ? '-' : '+', at };
  }

  #primary(): Node {
    let of = this.#atom();
    for (;;) {
      const more = this.#suffix(of);
      if (more === undefined) return of;
      of = more;
    }
  }

  #suffix(of: Node): Node | undefined {
    const cursor = this.#cursor;
    cursor.skip();
    const { at } = cursor;
    const { source } = cursor;
    if (source.startsWith('..', at)) return undefined;
    if (cursor.take('??') !== undefined) return { kind: 'exists', of, at };
    if (cursor.take('?') !== undefined) return this.#builtIn(of, at);
    if (cursor.take('.') !== undefined) return this.#member(of, at);
    if (cursor.take('[') !== undefined) return this.#index(of, at);
    if (source.startsWith('(', at)) return { kind: 'call', of, args: this.#args(), at };
    if (source.startsWith('!=', at) || cursor.take('!') === undefined) return undefined;
    return { kind: 'default', of, other: hasOther(this.#cursor) ? this.read() : undefined, at };
  }

  #member(of: Node, at: number): Node {
    const cursor = this.#cursor;
    cursor.skip();
    if (cursor.next === '*')
      cursor.fault('XML is not read by templates of this version; #xpath of an expression reads it');
    const name = this.name('the name of a member');
    if (contentWords.test(name)) this.#seen.readsContent = true;
    return { kind: 'member', of, name, at };
  }

  #index(of: Node, at: number): Node {
    const cursor = this.#cursor;
    cursor.brackets += 1;
    const key = this.read();
    cursor.expect(']', 'what began with [');
    cursor.brackets -= 1;
    const isLiteral = key.kind === 'literal' || key.kind === 'range';
    if (key.kind === 'literal' && typeof key.value === 'string' && contentWords.test(key.value))
      this.#seen.readsContent = true;
    // Who knows what name it is; it could be that of a body.
    if (!isLiteral && !(of.kind === 'member' && plainMembers.has(of.name))) this.#seen.readsContent = true;
    return { kind: 'index', of, key, at };
  }

  #builtIn(of: Node, at: number): Node {
    const cursor = this.#cursor;
    cursor.skip();
    const placed = cursor.at;
    const name = snakeCase(this.name('the name of a built-in'));
    const known = builtInNamed(name, cursor, placed);
    if (known.takes === 0) return { kind: 'built-in', of, name, args: [], at };
    const [least, most] = typeof known.takes === 'number' ? [known.takes, known.takes] : known.takes;
    const format = takesFormat.has(name) ? this.#format() : undefined;
    if (format !== undefined) return { kind: 'built-in', of, name, args: [format], at };
    cursor.skip();
    if (cursor.next !== '(')
      return least === 0
        ? { kind: 'built-in', of, name, args: [], at }
        : cursor.fault(`?${name} needs arguments in parentheses`, placed);
    const args = this.#args();
    if (args.length < least || args.length > most)
      cursor.fault(`?${name} takes ${least === most ? least : `${least} to ${most}`} arguments`, placed);
    return { kind: 'built-in', of, name, args, at };
  }

  /** `?string.short` and `?date["yyyy"]` say the same as with parentheses. */
  #format(): Node | undefined {
    const cursor = this.#cursor;
    cursor.skip();
    const { at } = cursor;
    if (cursor.next === '[') {
      cursor.take('[');
      cursor.brackets += 1;
      const read = this.read();
      cursor.expect(']', 'what began with [');
      cursor.brackets -= 1;
      return read;
    }
    if (cursor.next !== '.' || cursor.source.startsWith('..', at)) return undefined;
    cursor.take('.');
    return { kind: 'literal', value: this.name('the name of a format'), at };
  }

  #args(): readonly Node[] {
    const cursor = this.#cursor;
    cursor.expect('(', 'a call');
    return this.#until(')', () => this.#lambda() ?? this.read());
  }

  #lambda(): Node | undefined {
    const cursor = this.#cursor;
    cursor.skip();
    const { at } = cursor;
    const head = cursor.match(
      /(?:([\p{L}_$@][\p{L}\p{N}_$@]*)|\(\s*([\p{L}_$@][\p{L}\p{N}_$@]*)\s*\))\s*->/uy,
    );
    if (head === undefined) return undefined;
    return { kind: 'lambda', name: head[1] ?? head[2] ?? '', body: this.read(), at };
  }

  /** Things with commas between, up to a closing bracket. */
  #until<Read>(end: string, read: () => Read): readonly Read[] {
    const cursor = this.#cursor;
    cursor.brackets += 1;
    const all: Read[] = [];
    while (cursor.take(end) === undefined) {
      if (all.length > 0 && cursor.take(',') === undefined) {
        cursor.skip();
        if (!this.canBegin()) cursor.fault(`a comma or ${end} is expected here`);
      }
      if (cursor.take(end) !== undefined) break;
      all.push(read());
    }
    cursor.brackets -= 1;
    return all;
  }

  #atom(): Node {
    const cursor = this.#cursor;
    cursor.skip();
    const { at } = cursor;
    const text = readText(cursor, (inner) => new Expressions(inner, this.#seen, this.#substitutes).read());
    if (text !== undefined) {
      if (text.kind === 'literal' && typeof text.value === 'string' && contentWords.test(text.value))
        this.#seen.readsContent = true;
      return text;
    }
    const number = cursor.match(numberPattern);
    if (number !== undefined) return { kind: 'literal', value: decimalOf(number[0]), at };
    if (cursor.take('(') !== undefined) {
      cursor.brackets += 1;
      const of = this.read();
      cursor.expect(')', 'what began with (');
      cursor.brackets -= 1;
      return { kind: 'grouped', of, at };
    }
    if (cursor.take('[') !== undefined)
      return { kind: 'list', items: this.#until(']', () => this.read()), at };
    if (cursor.take('{') !== undefined)
      return { kind: 'hash', entries: this.#until('}', () => this.#entry()), at };
    if (cursor.take('.') !== undefined) return this.#special(at);
    return this.#named(at);
  }

  #entry(): readonly [Node, Node] {
    const name = this.read();
    if (this.#cursor.take(':') === undefined) this.#cursor.expect(',', 'an entry of a hash');
    return [name, this.read()];
  }

  #special(at: number): Node {
    const name = this.name('the name of a special variable');
    checkSpecial(name, this.#cursor, at);
    return { kind: 'special', name, at };
  }

  #named(at: number): Node {
    const cursor = this.#cursor;
    if (cursor.isOver) cursor.fault('the end of the template is reached; an expression is expected');
    const name = this.name('an expression');
    if (name === 'true' || name === 'false') return { kind: 'literal', value: name === 'true', at };
    if (words.has(name)) cursor.fault(`an expression is expected here, not ${name}`, at);
    return this.#substitutes.get(name) ?? { kind: 'name', name, at };
  }
}

function builtInNamed(name: string, cursor: Cursor, at: number): BuiltIn {
  const refused = refusedBuiltIns.get(name);
  if (refused !== undefined) cursor.fault(`?${name} is not supported by this version: ${refused}`, at);
  return (
    builtIns.get(name) ?? cursor.fault(`?${name} is unknown${nearestTo(name, builtIns.keys(), '?')}`, at)
  );
}

function checkSpecial(name: string, cursor: Cursor, at: number): void {
  const refused = specialNames.get(name);
  if (refused === undefined)
    cursor.fault(`.${name} is unknown${nearestTo(name, specialNames.keys(), '.')}`, at);
  if (refused !== 'known') cursor.fault(`.${name} is not supported by this version: ${refused}`, at);
}

function begins(cursor: Cursor): boolean {
  cursor.skip();
  const { at } = cursor;
  const name = cursor.match(namePattern)?.[0];
  cursor.at = at;
  if (name !== undefined) return !words.has(name);
  return (
    /^(?:[\d"'([{+!-]|\.[a-z])/.test(cursor.source.slice(at, at + 2)) && !cursor.source.startsWith('!=', at)
  );
}

/** Whether a value follows `!`. `<@m a=x! b=2/>`: what is before `=` is the next parameter. */
function hasOther(cursor: Cursor): boolean {
  if (!begins(cursor)) return false;
  const rest = cursor.source.slice(cursor.at, cursor.at + 200);
  return !(cursor.isInTag && cursor.brackets === 0 && /^[\p{L}_$@][\p{L}\p{N}_$@]*\s*=(?!=)/u.test(rest));
}
