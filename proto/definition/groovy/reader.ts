/** A fault at a place of a script: lines and columns count from 1. */
export interface GroovyFault {
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

/** What is thrown where a script holds what is not in the table; whoever translates catches it. */
export class NotInTable extends Error {
  readonly fault: GroovyFault;

  constructor(fault: GroovyFault) {
    super(fault.message);
    this.fault = fault;
  }
}

/** Reads a script from its begin to its end. */
export class Reader {
  readonly #text: string;
  at = 0;

  constructor(text: string) {
    this.#text = text.replaceAll('\r\n', '\n');
  }

  /** Blanks, but no end of a line. */
  skip(): void {
    this.take(/[ \t]*/y);
  }

  /** Blanks, ends of lines and statements, and comments. */
  skipLines(): void {
    this.take(/(?:[ \t\n;]|\/\/[^\n]*|\/\*[^]*?\*\/)*/y);
  }

  /** What a sticky pattern finds here; undefined when it does not. */
  take(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.#text);
    if (found === null) return undefined;
    this.at = pattern.lastIndex;
    return found;
  }

  /** The same behind blanks. */
  takeWord(pattern: RegExp): RegExpExecArray | undefined {
    const before = this.at;
    this.skip();
    const found = this.take(pattern);
    if (found === undefined) this.at = before;
    return found;
  }

  demand(pattern: RegExp, what: string): RegExpExecArray {
    return this.takeWord(pattern) ?? this.refuse(`${what} is expected`);
  }

  get isAtEnd(): boolean {
    return this.at >= this.#text.length;
  }

  /** Throws what is wrong here, with what stands here. */
  refuse(message: string, at = this.at): never {
    const before = this.#text.slice(0, at).split('\n');
    const here =
      this.#text
        .slice(at, at + 200)
        .split('\n')[0]
        ?.trim()
        .slice(0, 60) ?? '';
    throw new NotInTable({
      line: before.length,
      column: (before.at(-1)?.length ?? 0) + 1,
      message: here === '' ? message : `${message}: ${JSON.stringify(here)}`,
    });
  }
}
