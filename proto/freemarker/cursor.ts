import { SyntaxFault } from '../expression/tokens.ts';

/** A place in a template's text. */
export class Cursor {
  readonly source: string;
  at: number;
  /** How many brackets are open: inside them `>` compares, outside it ends a tag. */
  brackets = 0;
  /** In `<#...>` and `<@...>`, not in `${...}`. */
  isInTag = false;
  #nested: number;

  constructor(source: string, at = 0, nested = 0) {
    this.source = source;
    this.at = at;
    this.#nested = nested;
  }

  /** A cursor of its own for what stands inside, such as `${...}` in a text. */
  inside(at: number): Cursor {
    return new Cursor(this.source, at, this.#nested + 1);
  }

  get next(): string {
    return this.source.charAt(this.at);
  }

  get isOver(): boolean {
    return this.at >= this.source.length;
  }

  fault(message: string, at = this.at): never {
    throw new SyntaxFault(message, at);
  }

  /** Past white space, and past comments inside a tag. */
  skip(): void {
    const blank = /\s+/y;
    for (;;) {
      blank.lastIndex = this.at;
      if (blank.test(this.source)) this.at = blank.lastIndex;
      else if (this.source.startsWith('<#--', this.at)) this.at = this.#endOf('-->');
      else return;
    }
  }

  #endOf(what: string): number {
    const found = this.source.indexOf(what, this.at);
    return found === -1 ? this.fault(`its end, ${what}, is missing`) : found + what.length;
  }

  /** What stands here, if it is one of these; then the place is behind it. */
  take(...texts: readonly string[]): string | undefined {
    this.skip();
    const found = texts.find((text) => this.source.startsWith(text, this.at));
    if (found !== undefined) this.at += found.length;
    return found;
  }

  expect(text: string, where: string): void {
    if (this.take(text) === undefined)
      this.fault(
        this.isOver
          ? `the end of the template is reached; ${where} needs ${text}`
          : `${where} needs ${text} here`,
      );
  }

  /** What the pattern, which is sticky, finds here. */
  match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.source);
    if (found === null) return undefined;
    this.at = pattern.lastIndex;
    return found;
  }

  /** A word alone, such as `as`. */
  takeWord(...words: readonly string[]): string | undefined {
    this.skip();
    const [word = ''] = /^[A-Za-z_]\w*/.exec(this.source.slice(this.at, this.at + 20)) ?? [];
    if (!words.includes(word)) return undefined;
    this.at += word.length;
    return word;
  }

  /** Reads what is nested once more; nothing of a template is nested deeper than it may be. */
  within<Read>(read: () => Read): Read {
    if ((this.#nested += 1) > nestedMax) this.fault(`it is nested deeper than ${nestedMax}`);
    const made = read();
    this.#nested -= 1;
    return made;
  }
}

/** How deep expressions and blocks of a template may be nested. */
const nestedMax = 100;
