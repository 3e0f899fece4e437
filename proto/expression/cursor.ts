import { SyntaxFault, type Token } from './tokens.ts';
import type { Operator } from './tree.ts';

/** Words that stand for signs, in any case. */
const words = new Map<string, Operator | '!'>([
  ['eq', '=='],
  ['ne', '!='],
  ['lt', '<'],
  ['le', '<='],
  ['gt', '>'],
  ['ge', '>='],
  ['and', '&&'],
  ['or', '||'],
  ['not', '!'],
  ['div', '/'],
  ['mod', '%'],
  ['matches', 'matches'],
  ['between', 'between'],
  ['instanceof', 'instanceof'],
]);

/** Where a parser is among the tokens of an expression. */
export class Cursor {
  readonly #tokens: readonly Token[];
  #next = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  step(): void {
    this.#next += 1;
  }

  back(): void {
    this.#next -= 1;
  }

  name(): string {
    const token = this.token();
    if (token.kind !== 'name') throw this.unexpected('a name');
    this.#next += 1;
    return token.text;
  }

  token(): Token {
    // The last one says that there are no more, and is never taken.
    return this.#tokens[Math.min(this.#next, this.#tokens.length - 1)] as Token;
  }

  /** The sign that is next, or the one that the word stands for. */
  sign(): string | undefined {
    const token = this.token();
    if (token.kind === 'sign') return token.text;
    return token.kind === 'name' ? words.get(token.text.toLowerCase()) : undefined;
  }

  isSign(text: string): boolean {
    const token = this.token();
    return token.kind === 'sign' && token.text === text;
  }

  takes(text: string): boolean {
    const is = this.isSign(text);
    if (is) this.#next += 1;
    return is;
  }

  expect(text: string): void {
    if (!this.takes(text)) throw this.unexpected(JSON.stringify(text));
  }

  unexpected(wanted?: string): SyntaxFault {
    const token = this.token();
    const found =
      token.kind === 'end' ? 'the end' : 'text' in token ? JSON.stringify(token.text) : 'a number';
    return new SyntaxFault(
      wanted === undefined ? `unexpected ${found}` : `${wanted} is expected, ${found} found`,
      token.at,
    );
  }
}
