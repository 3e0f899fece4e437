import { LF } from './grammar.ts';

/** A head that has come in part is parsed again when a line of it ended or this much more has come. */
const parseAgainBytes = 4 * 1024;

/** What a connection has received and cannot use yet: a head of which a part is missing, or messages that were sent ahead. */
export class Ahead {
  #bytes: Buffer | undefined = undefined;
  /** How much of it was parsed in vain. */
  #parsedBytes = 0;

  get isEmpty(): boolean {
    return this.#bytes === undefined;
  }

  /** Keeps a head that was parsed and of which a part is missing; copies it. */
  keepPart(bytes: Buffer, start: number, end: number): void {
    this.#bytes = Buffer.from(bytes.subarray(start, end));
    this.#parsedBytes = this.#bytes.length;
  }

  /** More of that head has come: whether it is worth to be parsed again. */
  addPart(bytes: Buffer, start: number, end: number): boolean {
    const before = this.add(bytes, start, end) - (end - start);
    const all = this.#bytes;
    return (
      all !== undefined && (all.length - this.#parsedBytes >= parseAgainBytes || all.includes(LF, before))
    );
  }

  /** Keeps a copy of bytes at which nobody has looked; says how many are here then. */
  add(bytes: Buffer, start: number, end: number): number {
    const part = bytes.subarray(start, end);
    this.#bytes = this.#bytes === undefined ? Buffer.from(part) : Buffer.concat([this.#bytes, part]);
    return this.#bytes.length;
  }

  /** Keeps bytes that nobody else writes to, as they are. */
  keep(bytes: Buffer): void {
    this.#bytes = bytes;
  }

  /** What is here, which stays. */
  peek(): Buffer | undefined {
    return this.#bytes;
  }

  /** What is here, which goes. */
  take(): Buffer | undefined {
    const bytes = this.#bytes;
    this.#bytes = undefined;
    return bytes;
  }
}
