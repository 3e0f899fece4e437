import type { FaultDetail } from '../../faults/fault.ts';
import { unknownNames } from '../../faults/nearest.ts';
import { noBoolean } from '../../faults/words.ts';
import { isOff } from '../../model/sections.ts';
import { isEmpty, isJson, type Note, portalNote } from '../opened.ts';

/** What reading a definition told beside what it made of it. */
export class Told {
  readonly notes: Note[] = [];
  readonly #faults = new Map<string, FaultDetail>();
  readonly #asked = new Map<object, Asked>();

  /**
   * Something of this object was asked for: what else it holds is unknown, unless somebody asks for that too. `said` is what is allowed in
   * so many words.
   */
  ask(holder: object, path: string, { said, names }: Pick<Asked, 'said' | 'names'>): void {
    const before = this.#asked.get(holder);
    this.#asked.set(holder, {
      path,
      said: before === undefined ? said : before.said.union(said),
      names: before === undefined ? names : before.names.union(names),
    });
  }

  /** What is asked for twice is told once. */
  fault(detail: FaultDetail): void {
    this.#faults.set(`${detail.path} ${detail.message}`, detail);
  }

  get faults(): readonly FaultDetail[] {
    return [...this.#faults.values()];
  }

  /** A fault for each field that says something and that nobody asked for. */
  unknown(): readonly FaultDetail[] {
    return [...this.#asked].flatMap(([holder, { path, said, names }]) =>
      Object.entries(holder)
        .filter(([name, value]) => !names.has(name) && !isOff(value))
        .map(([name]) => ({
          path: joined(path, name),
          message: unknownNames([name], [...said]),
        })),
    );
  }
}

/** Of one object: where it stands, and which of its fields somebody wanted. */
interface Asked {
  readonly path: string;
  readonly said: ReadonlySet<string>;
  readonly names: ReadonlySet<string>;
}

/**
 * A value of a definition with the place where it stands.
 *
 * Whoever reads asks for fields by their names; what nobody asked for is unknown ({@link Told.unknown}). A value of another type than asked
 * is a fault at its place, and reads as an absent one.
 */
export class Place {
  readonly value: unknown;
  /** As people write it: `proxy.groups[0].endpoints[0].target`. */
  readonly path: string;
  readonly #told: Told;

  constructor(value: unknown, path: string, told: Told) {
    this.value = value;
    this.path = path;
    this.#told = told;
  }

  get isAbsent(): boolean {
    return this.value === undefined;
  }

  /** The field of this name, in any of its spellings. */
  field(name: string, ...spellings: readonly string[]): Place {
    const names = [name, ...spellings];
    if (!isJson(this.value)) {
      if (!this.isAbsent) this.fault('must be an object');
      return this.#at(undefined, name);
    }
    this.#told.ask(this.value, this.path, { said: new Set([name]), names: new Set(names) });
    const { value } = this;
    const said = names.filter((each) => Object.hasOwn(value, each) && value[each] !== undefined);
    const [first = name, second] = said;
    if (second !== undefined && JSON.stringify(value[first]) !== JSON.stringify(value[second]))
      this.#at(undefined, second).fault(`says otherwise than ${first}; allowed: one of them`);
    return this.#at(Object.hasOwn(value, first) ? value[first] : undefined, first);
  }

  /** These fields, and all of those that are not given, say nothing to a gateway. */
  leave(...names: readonly string[]): void {
    if (!isJson(this.value)) return;
    const left = names.length === 0 ? Object.keys(this.value) : names;
    this.#told.ask(this.value, this.path, { said: new Set(), names: new Set(left) });
  }

  /** These fields are for console, portal and importers, which is said of those that hold something. */
  portal(names: readonly string[]): void {
    this.leave(...names);
    const { value } = this;
    if (!isJson(value)) return;
    const held = names.filter((name) => Object.hasOwn(value, name) && !isEmpty(value[name]));
    this.#told.notes.push(...held.map((name) => portalNote(joined(this.path, name))));
  }

  /** The members of a list. */
  items(): readonly Place[] {
    const { value } = this;
    if (Array.isArray(value)) {
      return value.map((item: unknown, index) => new Place(item, `${this.path}[${index}]`, this.#told));
    }
    if (!this.isAbsent) this.fault('must be a list');
    return [];
  }

  /** The members of a map, whose keys are anybody's. */
  members(): readonly (readonly [key: string, member: Place])[] {
    if (isJson(this.value))
      return Object.entries(this.value).map(([key, member]) => [key, this.#at(member, key)]);
    if (!this.isAbsent) this.fault('must be an object');
    return [];
  }

  text(otherwise = ''): string {
    const { value } = this;
    if (typeof value === 'string') return value;
    if (typeof value === 'number') return String(value);
    if (!this.isAbsent) this.fault('must be a text');
    return otherwise;
  }

  flag(otherwise = false): boolean {
    const { value } = this;
    if (typeof value === 'boolean') return value;
    if (value === 'true' || value === 'false') return value === 'true';
    if (!this.isAbsent) this.fault(noBoolean(value));
    return otherwise;
  }

  /** A number, also one in quotation marks; what is none is left to whoever knows the field. */
  number(otherwise?: number): Place {
    const { value } = this;
    if (typeof value === 'string' && /^-?\d{1,9}$/.test(value.trim())) return this.as(Number(value));
    return this.isAbsent ? this.as(otherwise) : this;
  }

  /** One of these words, in any case, with - or _. */
  word<const Word extends string>(words: readonly Word[], otherwise: Word): Word {
    const said = this.text(otherwise).trim().toUpperCase().replaceAll('-', '_');
    const word = words.find((each) => each === said);
    if (word === undefined) this.fault(`is not one of them; allowed: ${words.join(', ')}`);
    return word ?? otherwise;
  }

  /** Another value that comes of this one, and is named by its place. */
  as(value: unknown): Place {
    return new Place(value, this.path, this.#told);
  }

  /** What is made of this value; `keepsNames` when its fields still have the names that they have here. */
  made(tree: Tree, keepsNames = false): Tree {
    return new Made(this, tree, keepsNames);
  }

  fault(message: string): void {
    this.#told.fault({ path: this.path, message });
  }

  note(kind: Note['kind'], message: string): void {
    this.#told.notes.push({ path: this.path, kind, message });
  }

  #at(value: unknown, name: string): Place {
    return new Place(value, joined(this.path, name), this.#told);
  }
}

class Made {
  readonly of: Place;
  readonly tree: Tree;
  readonly keepsNames: boolean;

  constructor(of: Place, tree: Tree, keepsNames: boolean) {
    this.of = of;
    this.tree = tree;
    this.keepsNames = keepsNames;
  }
}

/** A value that is being made, with values of the definition, and things made of them, in their places. */
export type Tree =
  | Place
  | Made
  | string
  | number
  | boolean
  | undefined
  | readonly Tree[]
  | { readonly [field: string]: Tree };

/** A value, and where each place of it came from. */
export interface Settled {
  readonly value: unknown;
  readonly pathOf: (path: string) => string;
}

/** Makes the value of a tree. Absent fields are left out. */
export function settle(tree: Tree): Settled {
  const origins = new Origins();
  const value = valueOf(tree, '', origins);
  return { value, pathOf: (path) => origins.of(path) };
}

interface Origin {
  readonly path: string;
  /** The value is the definition's own: what stands in it stands there as well. */
  readonly isWhole: boolean;
}

/** Where places of a value came from. */
class Origins {
  readonly #exact = new Map<string, Origin>();
  /** Of what was put together of several places, the first of them. */
  readonly #first = new Map<string, string>();

  set(at: string, origin: Origin): void {
    if (this.#exact.has(at)) return;
    this.#exact.set(at, origin);
    for (let holder = holderOf(at); holder !== '' && !this.#first.has(holder); holder = holderOf(holder))
      this.#first.set(holder, origin.path);
  }

  of(path: string): string {
    const known = this.#exact.get(path)?.path ?? this.#first.get(path);
    if (known !== undefined) return known;
    for (let at = path; at !== '';) {
      at = holderOf(at);
      const origin = this.#exact.get(at);
      if (origin === undefined) continue;
      const rest = origin.isWhole ? path.slice(at.length) : '';
      return origin.path === '' ? rest.replace(/^\./, '') : `${origin.path}${rest}`;
    }
    return path;
  }
}

const holderOf = (path: string): string =>
  path.slice(0, Math.max(0, path.lastIndexOf('.'), path.lastIndexOf('[')));

function valueOf(tree: Tree, at: string, origins: Origins): unknown {
  if (tree instanceof Place) {
    origins.set(at, { path: tree.path, isWhole: true });
    return tree.value;
  }
  if (tree instanceof Made) {
    const value = valueOf(tree.tree, at, origins);
    origins.set(at, { path: tree.of.path, isWhole: tree.keepsNames });
    return value;
  }
  if (isList(tree)) return tree.map((item, index) => valueOf(item, `${at}[${index}]`, origins));
  if (typeof tree !== 'object') return tree;
  const fields = Object.entries(tree).map(
    ([name, field]) => [name, valueOf(field, joined(at, name), origins)] as const,
  );
  return Object.fromEntries(fields.filter(([, field]) => field !== undefined));
}

const isList = (tree: Tree): tree is readonly Tree[] => Array.isArray(tree);

/** The words of a text, for lists of names that would be long otherwise. */
export function wordsIn(text: string): readonly string[] {
  return text.trim().split(/\s+/);
}

function joined(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}
