import type { HeaderList } from '../exchange.ts';
import { kindOfName, kinds, lastHopByHop } from './field-kind.ts';
import { Fields } from './fields.ts';
import { listMembers } from './grammar.ts';

const none: readonly string[] = [];
// RFC 9110 section 5.5. Also keeps code points past latin1 out, whose low byte may be CR or LF on the wire.
const forbiddenInValue = /[^\t\x20-\x7e\x80-\xff]/;
const tokenName = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

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
  /** By line: undefined as received, null removed, else [name, value]. Made on the first change. */
  #changed: (readonly [name: string, value: string] | null | undefined)[] | undefined = undefined;
  #removed = 0;
  readonly #added: (readonly [name: string, value: string])[] = [];
  /** A bit per kind that may occur. */
  #seen: number;
  readonly #hasOddBlanks: boolean;
  readonly #hasUnderscore: boolean;
  /** What `Connection` named, in lower case. */
  #nominated: ReadonlySet<string> | undefined = undefined;

  constructor(text: string, fields: Fields) {
    this.#text = text;
    this.#places = fields.places;
    this.#lineKinds = fields.kinds;
    this.#seen = fields.seen;
    this.#hasOddBlanks = fields.hasOddBlanks;
    this.#hasUnderscore = fields.hasUnderscore;
    if (this.mayHave(kinds.connection)) this.#dropNominated();
  }

  get size(): number {
    return this.#lineKinds.length - this.#removed + this.#added.length;
  }

  get(lowerName: string): string | undefined {
    const line = this.#find(lowerName, 0);
    if (line !== -1) return this.#valueOf(line);
    for (const [name, value] of this.#added) if (isNamed(name, lowerName)) return value;
    return undefined;
  }

  getAll(lowerName: string): readonly string[] {
    let found: string[] | undefined;
    for (let line = this.#find(lowerName, 0); line !== -1; line = this.#find(lowerName, line + 1)) {
      (found ??= []).push(this.#valueOf(line));
    }
    for (const [name, value] of this.#added) if (isNamed(name, lowerName)) (found ??= []).push(value);
    return found ?? none;
  }

  has(lowerName: string): boolean {
    return this.#find(lowerName, 0) !== -1 || this.#added.some(([name]) => isNamed(name, lowerName));
  }

  set(name: string, value: string): void {
    const { lowerName, kind } = nameOf(name);
    const entry = checked(name, value);
    this.#removeAliases(lowerName);
    const first = this.#find(lowerName, 0);
    if (first !== -1) {
      this.#change(first, entry);
      this.#seen |= 1 << kind;
      for (let line = this.#find(lowerName, first + 1); line !== -1; line = this.#find(lowerName, line + 1)) {
        this.#change(line, null);
      }
      this.#removeAdded(lowerName, 0);
      return;
    }
    const at = this.#added.findIndex(([known]) => isNamed(known, lowerName));
    if (at === -1) return this.#add(entry, kind);
    this.#added[at] = entry;
    this.#removeAdded(lowerName, at + 1);
  }

  append(name: string, value: string): void {
    const { lowerName, kind } = nameOf(name);
    const entry = checked(name, value);
    this.#removeAliases(lowerName);
    this.#add(entry, kind);
  }

  delete(lowerName: string): boolean {
    const before = this.size;
    for (let line = this.#find(lowerName, 0); line !== -1; line = this.#find(lowerName, line + 1)) {
      this.#change(line, null);
    }
    this.#removeAdded(lowerName, 0);
    const wasThere = this.size !== before;
    this.#removeAliases(lowerName);
    return wasThere;
  }

  forEach(visit: (name: string, value: string) => void): void {
    for (let line = 0; line < this.#lineKinds.length; line += 1) {
      const change = this.#changed?.[line];
      if (change === null) continue;
      if (change !== undefined) visit(change[0], change[1]);
      else visit(this.#slice(line * 4, line * 4 + 1), this.#valueOf(line));
    }
    for (const [name, value] of this.#added) visit(name, value);
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
   * Takes out of the message's trailers what its `Connection` named, and what was set here: receivers that merge trailers into
   * the headers would read the sender's word for ours.
   */
  strip(trailers: WireHeaders): void {
    for (const name of this.#nominated ?? []) trailers.delete(name);
    for (const change of this.#changed ?? []) if (change) trailers.delete(change[0].toLowerCase());
    for (const [name] of this.#added) trailers.delete(name.toLowerCase());
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
        runEnd = this.#lineEnd(line);
        continue;
      }
      if (runStart !== -1) {
        out += text.slice(runStart, runEnd);
        runStart = -1;
      }
      // Servers disagree about blanks around a value, so none is passed on but the one space.
      if (passes) out += `${this.#slice(line * 4, line * 4 + 1)}: ${this.#valueOf(line)}\r\n`;
      if (change !== undefined && change !== null) out += lineOf(change);
    }
    if (runStart !== -1) out += text.slice(runStart, runEnd);
    for (const entry of this.#added) out += lineOf(entry);
    return out;
  }

  /** The next line begins where this one ends; the last ends before the empty line, with white space and all. */
  #lineEnd(line: number): number {
    const next = this.#places[line * 4 + 4];
    return next ?? this.#text.length - 2;
  }

  /** Framing and hop-by-hop lines stay for the engine, which reads them and forwards none; without Host a request would be another. */
  #dropNominated(): void {
    const named = this.#namedByConnection();
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

  #namedByConnection(): ReadonlySet<string> | undefined {
    let named: Set<string> | undefined;
    for (const value of this.getAll('connection')) {
      const lower = value.toLowerCase();
      if (lower === 'keep-alive' || lower === 'close' || lower === 'upgrade') continue;
      for (const option of listMembers(lower)) (named ??= new Set()).add(option);
    }
    return named;
  }

  #find(lowerName: string, from: number): number {
    const places = this.#places;
    for (let line = from; line < this.#lineKinds.length; line += 1) {
      const change = this.#changed?.[line];
      if (change === null) continue;
      if (change !== undefined) {
        if (isNamed(change[0], lowerName)) return line;
        continue;
      }
      const start = places[line * 4] ?? 0;
      if ((places[line * 4 + 1] ?? 0) - start === lowerName.length && isAt(this.#text, start, lowerName))
        return line;
    }
    return -1;
  }

  #valueOf(line: number): string {
    return this.#changed?.[line]?.[1] ?? this.#slice(line * 4 + 2, line * 4 + 3);
  }

  #slice(from: number, to: number): string {
    return this.#text.slice(this.#places[from], this.#places[to]);
  }

  #change(line: number, change: readonly [string, string] | null): void {
    const changed = (this.#changed ??= []);
    if (change === null && changed[line] !== null) this.#removed += 1;
    changed[line] = change;
  }

  #add(entry: readonly [string, string], kind: number): void {
    this.#added.push(entry);
    this.#seen |= 1 << kind;
  }

  /**
   * CGI and WSGI servers read `X_Name` as X-Name: what was received under the one goes when the other is set or removed, or the
   * sender's would stand beside ours. Both in one received head are refused before (`header-alias`).
   */
  #removeAliases(lowerName: string): void {
    if (!this.#hasUnderscore) return;
    const dashed = lowerName.replaceAll('_', '-');
    for (let line = 0; line < this.#lineKinds.length; line += 1) {
      if (this.#changed?.[line] !== undefined) continue;
      const name = this.#slice(line * 4, line * 4 + 1).toLowerCase();
      if (name !== lowerName && name.replaceAll('_', '-') === dashed) this.#change(line, null);
    }
  }

  #removeAdded(lowerName: string, from: number): void {
    for (let at = this.#added.length - 1; at >= from; at -= 1) {
      if (isNamed(this.#added[at]?.[0] ?? '', lowerName)) this.#added.splice(at, 1);
    }
  }
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

function lineOf([name, value]: readonly [string, string]): string {
  const { kind } = nameOf(name);
  if (kind !== kinds.none && kind <= lastHopByHop) return '';
  return `${name}: ${value}\r\n`;
}

interface KnownName {
  readonly lowerName: string;
  readonly kind: number;
}

/** Names that the gateway and its policies set: few, and again with every request. Past the bound all are forgotten. */
const knownNames = new Map<string, KnownName>();
const knownNamesMax = 1_000;

/** A name taken apart. Refuses what is no token; such a name comes from a policy, never from the wire. */
function nameOf(name: string): KnownName {
  const known = knownNames.get(name);
  if (known !== undefined) return known;
  if (!tokenName.test(name)) throw new TypeError('a header name holds a forbidden character');
  const made = { lowerName: name.toLowerCase(), kind: kindOfName(name) };
  if (knownNames.size >= knownNamesMax) knownNames.clear();
  knownNames.set(name, made);
  return made;
}

/** Refuses a value that would end its line early. */
function checked(name: string, value: string): readonly [string, string] {
  if (forbiddenInValue.test(value))
    throw new TypeError(`the value of header ${name} holds a forbidden character`);
  return [name, value];
}

function isNamed(name: string, lowerName: string): boolean {
  return name.length === lowerName.length && isAt(name, 0, lowerName);
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
