import type { HeaderName } from './header-name.ts';

/** A header line that was set here. */
export class OwnLine {
  name: HeaderName;
  value: string;
  next: OwnLine | undefined = undefined;

  constructor(name: HeaderName, value: string) {
    this.name = name;
    this.value = value;
  }

  /** As it is sent; empty for what only an engine sends. */
  get text(): string {
    return this.name.isSent ? `${this.name.prefix}${this.value}\r\n` : '';
  }
}

/** Lines behind the received ones, in order: a chain, since a list that grows would be made three times for the few that there are. */
export class OwnLines {
  first: OwnLine | undefined = undefined;
  size = 0;
  #last: OwnLine | undefined = undefined;

  add(line: OwnLine): void {
    if (this.#last === undefined) this.first = line;
    else this.#last.next = line;
    this.#last = line;
    this.size += 1;
  }

  find(lowerName: string): OwnLine | undefined {
    let line = this.first;
    while (line !== undefined && line.name.lowerName !== lowerName) line = line.next;
    return line;
  }

  /** Takes out every line of that name behind one, or all; says whether there was one. */
  remove(lowerName: string, behind?: OwnLine): boolean {
    const { size } = this;
    let before = behind;
    for (let line = behind === undefined ? this.first : behind.next; line !== undefined; line = line.next) {
      if (line.name.lowerName !== lowerName) {
        before = line;
        continue;
      }
      this.size -= 1;
      if (before === undefined) this.first = line.next;
      else before.next = line.next;
      if (this.#last === line) this.#last = before;
    }
    return this.size !== size;
  }
}
