import type { SpoolEntry } from '../proto/spool/reader.ts';
import type { Filter } from './topology.ts';

const newline = 10;
const dropped = Buffer.from('{}');
/** A longer line is a bad record. */
const lineBytesMax = 1024 * 1024;

/** A record that is not one: it stays behind alone. */
export interface BadRecord {
  readonly offset: number;
  readonly reason: string;
  readonly line: Uint8Array;
}

/** Gathers lines of one source into one landing object. Lines keep their number: what is left out becomes `{}`. */
export class BatchBuilder {
  readonly #filters: readonly Filter[];
  #pieces: Uint8Array[] = [];
  #bytes = 0;
  #first = 0;
  #next = 0;

  constructor(filters: readonly Filter[]) {
    this.#filters = filters;
  }

  get isEmpty(): boolean {
    return this.#pieces.length === 0;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get range(): { readonly first: number; readonly last: number } {
    return { first: this.#first, last: this.#next - 1 };
  }

  /** Whether an entry continues what was gathered; after a gap a new batch begins, since a range has no holes. */
  continues(entry: SpoolEntry): boolean {
    return entry.kind === 'batch' && (this.isEmpty || entry.first === this.#next);
  }

  /** Adds the lines of an entry and gives back those that are no records. */
  add(entry: Extract<SpoolEntry, { kind: 'batch' }>): readonly BadRecord[] {
    if (this.isEmpty) this.#first = entry.first;
    this.#next = entry.first + entry.count;
    const bad: BadRecord[] = [];
    const isPlain = this.#filters.length === 0 && countsAndShapesHold(entry);
    const lines = isPlain ? entry.lines : this.#rewrite(entry, bad);
    this.#pieces.push(lines);
    this.#bytes += lines.length;
    return bad;
  }

  /** All lines, each with its newline. */
  lines(): Buffer {
    return Buffer.concat(this.#pieces);
  }

  #rewrite(entry: Extract<SpoolEntry, { kind: 'batch' }>, bad: BadRecord[]): Uint8Array {
    const kept: Uint8Array[] = [];
    let at = 0;
    for (let n = 0; n < entry.count; n++) {
      const end = entry.lines.indexOf(newline, at);
      const line = entry.lines.subarray(at, end === -1 ? entry.lines.length : end);
      at = end === -1 ? entry.lines.length : end + 1;
      const reason = faultOf(line);
      if (reason !== undefined) bad.push({ offset: entry.first + n, reason, line });
      let passed: Uint8Array | undefined = reason === undefined ? line : undefined;
      for (const filter of this.#filters) if (passed !== undefined) passed = filter.apply(passed);
      kept.push(passed ?? dropped, Buffer.of(newline));
    }
    return Buffer.concat(kept);
  }
}

/** True when every line of a batch looks like a record; costs two comparisons a line. */
function countsAndShapesHold({
  lines,
  count,
}: {
  readonly lines: Uint8Array;
  readonly count: number;
}): boolean {
  let at = 0;
  for (let n = 0; n < count; n++) {
    const end = lines.indexOf(newline, at);
    if (end === -1 || end - at > lineBytesMax || lines[at] !== 0x7b || lines[end - 1] !== 0x7d) return false;
    at = end + 1;
  }
  return at === lines.length;
}

function faultOf(line: Uint8Array): string | undefined {
  if (line.length > lineBytesMax) return `longer than ${lineBytesMax} bytes`;
  if (line[0] !== 0x7b || line.at(-1) !== 0x7d) return 'not a JSON object';
  try {
    JSON.parse(Buffer.from(line).toString());
    return undefined;
  } catch {
    return 'not JSON';
  }
}
