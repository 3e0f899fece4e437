/** What is read without looking for tags and references. */
export type SectionKind = 'comment' | 'cdata' | 'instruction';

/** Of which characters an end consists, before its `>`. */
const marks: Readonly<Record<SectionKind, readonly [unit: number, count: number]>> = {
  comment: [0x2d, 2],
  cdata: [0x5d, 2],
  instruction: [0x3f, 1],
};

/** Finds the end of a comment, of character data or of an instruction. */
export class XmlSection {
  readonly #kind: SectionKind;
  readonly #mark: number;
  readonly #marks: number;
  /** Marks right in front. */
  #run = 0;

  constructor(kind: SectionKind) {
    this.#kind = kind;
    [this.#mark, this.#marks] = marks[kind];
  }

  /** How many characters of text are known with this one; `end` behind the last. */
  read(unit: number): number | 'end' | 'syntax' {
    const before = this.#run;
    if (before >= this.#marks) {
      if (unit === 0x3e) return 'end';
      // A comment ends at its first `--`, or is none.
      if (this.#kind === 'comment') return 'syntax';
    }
    this.#run = unit === this.#mark ? before + 1 : 0;
    if (this.#kind !== 'cdata') return 0;
    // A mark counts once it is known to belong to no end.
    if (unit === this.#mark) return before >= this.#marks ? 1 : 0;
    return 1 + Math.min(before, this.#marks);
  }
}
