import { Cursor } from './cursor.ts';
import { SyntaxFault, tokensOf } from './tokens.ts';
import type { Node, Operator } from './tree.ts';

/** Deepest nesting of one expression. */
const depthMax = 100;

const selections = new Map([
  ['?[', 'all'],
  ['^[', 'first'],
  ['$[', 'last'],
  ['![', 'project'],
] as const);

/** Reads one expression of the reference's language (SpEL, read-only). Errors: {@link SyntaxFault}. */
export function parse(source: string): Node {
  const parser = new Parser(new Cursor(tokensOf(source)));
  return parser.whole();
}

class Parser {
  readonly #cursor: Cursor;
  #depth = 0;
  /** How many selections are around what is read: there a bare method is one of `#this`. */
  #selections = 0;

  constructor(cursor: Cursor) {
    this.#cursor = cursor;
  }

  whole(): Node {
    const node = this.#expression();
    if (this.#cursor.token().kind !== 'end') throw this.#cursor.unexpected();
    return node;
  }

  #expression(): Node {
    this.#depth += 1;
    if (this.#depth > depthMax)
      throw new SyntaxFault(`is nested deeper than ${depthMax}`, this.#cursor.token().at);
    const node = this.#choice();
    this.#depth -= 1;
    return node;
  }

  #choice(): Node {
    const when = this.#or();
    const { at } = this.#cursor.token();
    if (this.#cursor.takes('?:')) return { kind: 'elvis', of: when, otherwise: this.#expression(), at };
    if (this.#cursor.takes('?')) {
      const chosen = this.#expression();
      this.#cursor.expect(':');
      return { kind: 'choice', when, chosen, otherwise: this.#expression(), at };
    }
    if (this.#cursor.isSign('=')) throw new SyntaxFault('nothing can be assigned; == compares', at);
    return when;
  }

  #or(): Node {
    return this.#leftToRight(['||'], () => this.#leftToRight(['&&'], () => this.#relation()));
  }

  #relation(): Node {
    const left = this.#sum();
    const { at } = this.#cursor.token();
    const operator = this.#operator(['==', '!=', '<=', '>=', '<', '>', 'matches', 'between', 'instanceof']);
    return operator === undefined ? left : { kind: 'binary', operator, left, right: this.#sum(), at };
  }

  #sum(): Node {
    return this.#leftToRight(['+', '-'], () => this.#leftToRight(['*', '/', '%'], () => this.#power()));
  }

  #power(): Node {
    const left = this.#unary();
    const { at } = this.#cursor.token();
    return this.#cursor.takes('^') ? { kind: 'binary', operator: '^', left, right: this.#unary(), at } : left;
  }

  #leftToRight(operators: readonly Operator[], side: () => Node): Node {
    let left = side();
    for (;;) {
      const { at } = this.#cursor.token();
      const operator = this.#operator(operators);
      if (operator === undefined) return left;
      left = { kind: 'binary', operator, left, right: side(), at };
    }
  }

  #operator(among: readonly Operator[]): Operator | undefined {
    const sign = this.#cursor.sign();
    const found = among.find((each) => each === sign);
    if (found !== undefined) this.#cursor.step();
    return found;
  }

  #unary(): Node {
    const { at } = this.#cursor.token();
    const kind = new Map([
      ['!', 'not'],
      ['-', 'minus'],
      ['+', 'plus'],
    ] as const).get(this.#cursor.sign() as '!');
    if (kind === undefined) return this.#chain();
    this.#cursor.step();
    this.#depth += 1;
    if (this.#depth > depthMax) throw new SyntaxFault(`is nested deeper than ${depthMax}`, at);
    const node = { kind, of: this.#unary(), at };
    this.#depth -= 1;
    return node;
  }

  #chain(): Node {
    let of = this.#start();
    for (;;) {
      const isSafe = this.#cursor.isSign('?.');
      if (isSafe || this.#cursor.isSign('.')) {
        this.#cursor.step();
        of = this.#member(of, isSafe);
      } else if (this.#cursor.isSign('[')) of = this.#index(of, false);
      else return of;
    }
  }

  /** What stands behind a dot. */
  #member(of: Node, isSafe: boolean): Node {
    const token = this.#cursor.token();
    const { at } = token;
    if (this.#cursor.isSign('[') && isSafe) return this.#index(of, true);
    const which = token.kind === 'sign' ? selections.get(token.text as '?[') : undefined;
    if (which !== undefined) {
      this.#cursor.step();
      this.#selections += 1;
      const by = this.#expression();
      this.#selections -= 1;
      this.#cursor.expect(']');
      return { kind: 'select', of, which, by, isSafe, at };
    }
    const name = this.#cursor.name();
    if (!this.#cursor.isSign('(')) return { kind: 'property', of, name, isSafe, at };
    return { kind: 'method', of, name, args: this.#args(), isSafe, at };
  }

  #index(of: Node, isSafe: boolean): Node {
    const { at } = this.#cursor.token();
    this.#cursor.expect('[');
    const index = this.#expression();
    this.#cursor.expect(']');
    return { kind: 'index', of, index, isSafe, at };
  }

  #start(): Node {
    const token = this.#cursor.token();
    const { at } = token;
    if (token.kind === 'end') throw new SyntaxFault('ends too early', at);
    this.#cursor.step();
    if (token.kind === 'text') return { kind: 'constant', value: token.text, at };
    if (token.kind === 'number')
      return token.isReal
        ? { kind: 'real', value: Number(token.value), at }
        : { kind: 'constant', value: token.value, at };
    if (token.kind === 'name') return this.#word(token.text, at);
    if (token.text === '(') {
      if (this.#cursor.isSign(')')) {
        const { at: end } = this.#cursor.token();
        throw new SyntaxFault('there is nothing between "(" and ")"; write an expression there', end);
      }
      const node = this.#expression();
      this.#cursor.expect(')');
      return node;
    }
    if (token.text === '{') return this.#braces(at);
    if (token.text === '#') {
      const name = this.#cursor.name();
      return this.#cursor.isSign('(')
        ? { kind: 'function', name, args: this.#args(), at }
        : { kind: 'variable', name, at };
    }
    this.#cursor.back();
    throw this.#cursor.unexpected();
  }

  #word(word: string, at: number): Node {
    const constant = new Map([
      ['true', true],
      ['false', false],
      ['null', null],
    ]).get(word.toLowerCase());
    if (constant !== undefined) return { kind: 'constant', value: constant, at };
    if (word === 'T' && this.#cursor.takes('(')) {
      const name = this.#dottedName();
      this.#cursor.expect(')');
      return { kind: 'type', name, at };
    }
    if (word === 'new' && this.#cursor.token().kind === 'name')
      return { kind: 'new', name: this.#dottedName(), args: this.#args(), at };
    if (this.#cursor.isSign('(') && this.#selections > 0) {
      const of: Node = { kind: 'variable', name: 'this', at };
      return { kind: 'method', of, name: word, args: this.#args(), isSafe: false, at };
    }
    if (this.#cursor.isSign('('))
      throw new SyntaxFault(
        `${word}(...) has nothing before it that it could be called on; functions are written #${word}(...)`,
        at,
      );
    return { kind: 'name', name: word, at };
  }

  /** A list, or a map. */
  #braces(at: number): Node {
    if (this.#cursor.takes('}')) return { kind: 'list', items: [], at };
    if (this.#cursor.takes(':')) {
      this.#cursor.expect('}');
      return { kind: 'map', entries: [], at };
    }
    const first = this.#expression();
    if (!this.#cursor.isSign(':')) {
      const items = [first];
      while (this.#cursor.takes(',')) items.push(this.#expression());
      this.#cursor.expect('}');
      return { kind: 'list', items, at };
    }
    const entries: (readonly [Node, Node])[] = [];
    for (let key = first; ; key = this.#expression()) {
      this.#cursor.expect(':');
      entries.push([keyOf(key), this.#expression()]);
      if (!this.#cursor.takes(',')) break;
    }
    this.#cursor.expect('}');
    return { kind: 'map', entries, at };
  }

  #args(): readonly Node[] {
    this.#cursor.expect('(');
    const args: Node[] = [];
    if (this.#cursor.takes(')')) return args;
    do args.push(this.#expression());
    while (this.#cursor.takes(','));
    this.#cursor.expect(')');
    return args;
  }

  #dottedName(): string {
    let name = this.#cursor.name();
    while (this.#cursor.takes('.')) name += `.${this.#cursor.name()}`;
    return name;
  }
}

/** A key without quotes is itself. */
function keyOf(key: Node): Node {
  return key.kind === 'name' ? { kind: 'constant', value: key.name, at: key.at } : key;
}
