import type { HeaderList } from '../exchange.ts';
import { kinds, lastHopByHop } from './field-kind.ts';
import { Fields, isKeepAlive } from './fields.ts';
import { listMembers } from './grammar.ts';
import { foldedName, headerName } from './header-name.ts';
import { OwnLine, OwnLines } from './own-lines.ts';
import { removeWhere, saysWay, Withheld } from './trailers.ts';

const none: readonly string[] = [];

/**
 * A header list over the text of a head: lines that nobody touches are never split, and go on as slices of it.
 *
 * `text` holds the head as received, `fields` where its lines are. Changes lie above it: a line is replaced or removed in
 * `changed`, new ones stand in `added`.
 *
 * What a received `Connection` names is for us and nobody behind us (RFC 9110 section 7.6.1): those lines are gone before anybody
 * reads the list. It is done once and to received lines alone, so that a sender cannot take out what is set later.
 */
export class WireHeaders implements HeaderList {
  readonly #text: string;
  readonly #places: readonly number[];
  readonly #lineKinds: readonly number[];
  /** By line: undefined as received, null removed, else what stands there now. Made on the first change. */
  #changed: (OwnLine | null | undefined)[] | undefined = undefined;
  #removed = 0;
  readonly #added = new OwnLines();
  /** A bit per kind that may occur. */
  #seen: number;
  /** A bit per length of a name that may occur, see `Fields`: most names that are asked for are not there, and cost no look. */
  #lengths: number;
  readonly #hasOddBlanks: boolean;
  readonly #hasOddName: boolean;
  /** What `Connection` named, in lower case. */
  #nominated: ReadonlySet<string> | undefined = undefined;
  /** Of a message that may have trailers. */
  #withheld: Withheld | undefined = undefined;

  constructor(text: string, fields: Fields) {
    this.#text = text;
    this.#places = fields.places;
    this.#lineKinds = fields.kinds;
    this.#seen = fields.seen;
    this.#lengths = fields.lengths;
    this.#hasOddBlanks = fields.hasOddBlanks;
    this.#hasOddName = fields.hasOddName;
    if (this.mayHave(kinds.connection) && !saysKeepAlive(fields, text)) this.#dropNominated();
  }

  get size(): number {
    return this.#lineKinds.length - this.#removed + this.#added.size;
  }

  get(lowerName: string): string | undefined {
    if (!this.#mayHold(lowerName)) return undefined;
    const line = this.#find(lowerName, 0);
    return line === -1 ? this.#added.find(lowerName)?.value : this.#valueOf(line);
  }

  getAll(lowerName: string): readonly string[] {
    if (!this.#mayHold(lowerName)) return none;
    let found: string[] | undefined;
    for (let line = this.#find(lowerName, 0); line !== -1; line = this.#find(lowerName, line + 1)) {
      (found ??= []).push(this.#valueOf(line));
    }
    for (let own = this.#added.first; own !== undefined; own = own.next)
      if (own.name.lowerName === lowerName) (found ??= []).push(own.value);
    return found ?? none;
  }

  has(lowerName: string): boolean {
    if (!this.#mayHold(lowerName)) return false;
    return this.#find(lowerName, 0) !== -1 || this.#added.find(lowerName) !== undefined;
  }

  set(spelled: string, value: string): void {
    const name = headerName(spelled);
    const { lowerName } = name;
    name.judge(value);
    this.#removeAliases(lowerName);
    if (!this.#mayHold(lowerName)) return this.#add(new OwnLine(name, value));
    const first = this.#find(lowerName, 0);
    if (first !== -1) {
      this.#change(first, new OwnLine(name, value));
      this.#seen |= 1 << name.kind;
      for (let line = this.#find(lowerName, first + 1); line !== -1; line = this.#find(lowerName, line + 1)) {
        this.#change(line, null);
      }
      this.#added.remove(lowerName);
      return;
    }
    const own = this.#added.find(lowerName);
    if (own === undefined) return this.#add(new OwnLine(name, value));
    own.name = name;
    own.value = value;
    this.#added.remove(lowerName, own);
  }

  append(spelled: string, value: string): void {
    const name = headerName(spelled);
    name.judge(value);
    this.#removeAliases(name.lowerName);
    this.#add(new OwnLine(name, value));
  }

  delete(lowerName: string): boolean {
    if (this.mayHave(kinds.transferEncoding)) (this.#withheld ??= new Withheld()).remove(lowerName);
    let wasThere = false;
    if (this.#mayHold(lowerName)) {
      for (let line = this.#find(lowerName, 0); line !== -1; line = this.#find(lowerName, line + 1)) {
        this.#change(line, null);
        wasThere = true;
      }
      if (this.#added.remove(lowerName)) wasThere = true;
    }
    this.#removeAliases(lowerName);
    return wasThere;
  }

  keepOnly(lowerNames: ReadonlySet<string>): void {
    if (this.mayHave(kinds.transferEncoding)) (this.#withheld ??= new Withheld()).keepOnly(lowerNames);
    removeWhere(this, (lowerName) => !lowerNames.has(lowerName));
  }

  forEachName(visit: (name: string) => void): void {
    for (let line = 0; line < this.#lineKinds.length; line += 1) {
      const change = this.#changed?.[line];
      if (change !== null) visit(change?.name.name ?? this.#slice(line * 4, line * 4 + 1));
    }
    for (let own = this.#added.first; own !== undefined; own = own.next) visit(own.name.name);
  }

  forEach(visit: (name: string, value: string) => void): void {
    for (let line = 0; line < this.#lineKinds.length; line += 1) {
      const change = this.#changed?.[line];
      if (change === null) continue;
      if (change !== undefined) visit(change.name.name, change.value);
      else visit(this.#slice(line * 4, line * 4 + 1), this.#valueOf(line));
    }
    for (let own = this.#added.first; own !== undefined; own = own.next) visit(own.name.name, own.value);
  }

  /** Whether a kind may occur: false is certain. Costs nothing. */
  mayHave(kind: number): boolean {
    return (this.#seen & (1 << kind)) !== 0;
  }

  /** The gateway itself wants the connection closed: it said so in a list of its own. What an upstream said is about another one. */
  get closes(): boolean {
    return (
      this.#text === '' && this.mayHave(kinds.connection) && this.get('connection')?.toLowerCase() === 'close'
    );
  }

  /**
   * Takes out of the message's trailers what its `Connection` named, and what was set or removed here: receivers that merge trailers
   * into the headers would read the sender's word for ours.
   */
  strip(trailers: WireHeaders): void {
    removeWhere(trailers, saysWay);
    this.#withheld?.from(trailers);
    for (const name of this.#nominated ?? []) trailers.delete(name);
    for (const change of this.#changed ?? []) if (change) trailers.delete(change.name.lowerName);
    for (let own = this.#added.first; own !== undefined; own = own.next) trailers.delete(own.name.lowerName);
  }

  /** The lines that go on to the next hop, each with its CRLF: without hop-by-hop headers and framing. */
  forwardable(): string {
    const text = this.#text;
    let out = '';
    // Lines that stay together are copied together: [runStart, runEnd) of the received text.
    let runStart = -1;
    let runEnd = -1;
    for (let line = 0; line < this.#lineKinds.length; line += 1) {
      const change = this.#changed?.[line];
      const kind = this.#lineKinds[line] ?? 0;
      const passes = change === undefined && (kind === kinds.none || kind > lastHopByHop);
      if (passes && !this.#hasOddBlanks) {
        if (runStart === -1) runStart = this.#places[line * 4] ?? 0;
        // The next line begins where this one ends; the last ends before the empty line, with white space and all.
        runEnd = this.#places[line * 4 + 4] ?? text.length - 2;
        continue;
      }
      if (runStart !== -1) {
        out += text.slice(runStart, runEnd);
        runStart = -1;
      }
      // Servers disagree about blanks around a value, so none is passed on but the one space.
      if (passes) out += `${this.#slice(line * 4, line * 4 + 1)}: ${this.#valueOf(line)}\r\n`;
      if (change !== undefined && change !== null) out += change.text;
    }
    if (runStart !== -1) out += text.slice(runStart, runEnd);
    for (let own = this.#added.first; own !== undefined; own = own.next) out += own.text;
    return out;
  }

  /** Framing and hop-by-hop lines stay for the engine, which reads them and forwards none; without Host a request would be another. */
  #dropNominated(): void {
    const named = namedByConnection(this);
    this.#nominated = named;
    if (named === undefined) return;
    for (let line = 0; line < this.#lineKinds.length; line += 1) {
      const kind = this.#lineKinds[line] ?? 0;
      if (kind === kinds.host || (kind !== kinds.none && kind <= lastHopByHop)) continue;
      if (!named.has(this.#slice(line * 4, line * 4 + 1).toLowerCase())) continue;
      this.#change(line, null);
      if (kind !== kinds.none) this.#seen &= ~(1 << kind);
    }
  }

  /** False is certain. */
  #mayHold(lowerName: string): boolean {
    return (this.#lengths & (1 << lowerName.length)) !== 0;
  }

  #find(lowerName: string, from: number): number {
    const places = this.#places;
    for (let line = from; line < this.#lineKinds.length; line += 1) {
      const change = this.#changed?.[line];
      if (change === null) continue;
      if (change !== undefined) {
        if (change.name.lowerName === lowerName) return line;
        continue;
      }
      const start = places[line * 4] ?? 0;
      if ((places[line * 4 + 1] ?? 0) - start === lowerName.length && isAt(this.#text, start, lowerName))
        return line;
    }
    return -1;
  }

  #valueOf(line: number): string {
    return this.#changed?.[line]?.value ?? this.#slice(line * 4 + 2, line * 4 + 3);
  }

  #slice(from: number, to: number): string {
    return this.#text.slice(this.#places[from], this.#places[to]);
  }

  #change(line: number, change: OwnLine | null): void {
    const changed = (this.#changed ??= []);
    if (change === null && changed[line] !== null) this.#removed += 1;
    changed[line] = change;
  }

  #add(line: OwnLine): void {
    const { kind, lowerName } = line.name;
    this.#added.add(line);
    this.#seen |= 1 << kind;
    this.#lengths |= 1 << lowerName.length;
  }

  /**
   * Some servers read `X_Name` and `X.Name` as X-Name: what was received under the one goes when the other is set or removed, or the
   * sender's would stand beside ours ({@link foldedName}). Both in one received head are refused before (`header-alias`).
   */
  #removeAliases(lowerName: string): void {
    if (!this.#hasOddName) return;
    const folded = foldedName(lowerName);
    for (let line = 0; line < this.#lineKinds.length; line += 1) {
      if (this.#changed?.[line] !== undefined) continue;
      const name = this.#slice(line * 4, line * 4 + 1).toLowerCase();
      if (name !== lowerName && foldedName(name) === folded) this.#change(line, null);
    }
  }
}

/** In lower case; undefined when it is nothing but a word of the connection's own. */
function namedByConnection(headers: HeaderList): ReadonlySet<string> | undefined {
  let named: Set<string> | undefined;
  for (const value of headers.getAll('connection')) {
    const lower = value.toLowerCase();
    if (lower === 'keep-alive' || lower === 'close' || lower === 'upgrade') continue;
    for (const option of listMembers(lower)) (named ??= new Set()).add(option);
  }
  return named;
}

/** Nothing but that, as nearly every answer of a backend does. */
function saysKeepAlive(fields: Fields, text: string): boolean {
  return fields.kinds.every((kind, line) => kind !== kinds.connection || isKeepAlive(fields, text, line));
}

const noFields = new Fields();

/** An empty list. */
export function createWireHeaders(): WireHeaders {
  return new WireHeaders('', noFields);
}

/**
 * A list of whatever engine as one of ours; its names and values are judged as those that policies set.
 *
 * Its `Connection` stays behind: it was about another connection, and what it named its own engine took out.
 */
export function wireHeadersOf(headers: HeaderList): WireHeaders {
  if (headers instanceof WireHeaders) return headers;
  const copy = createWireHeaders();
  headers.forEach((name, value) => {
    if (name.toLowerCase() !== 'connection') copy.append(name, value);
  });
  return copy;
}

/** Compares without regard to case; what is wanted is in lower case. */
function isAt(text: string, start: number, lowerName: string): boolean {
  for (let at = 0; at < lowerName.length; at += 1) {
    const have = text.charCodeAt(start + at);
    const want = lowerName.charCodeAt(at);
    if (have !== want && !(have >= 0x41 && have <= 0x5a && (have | 0x20) === want)) return false;
  }
  return true;
}
