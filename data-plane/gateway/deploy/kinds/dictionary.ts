import { decodeDictionary, type DictionaryPayload } from '../../../../proto/wire/payloads.ts';
import type { Kind } from './kind.ts';

/** Dictionaries: requests read them as they are then; APIs that read one when they were deployed are built again. */
export const dictionaries: Kind<DictionaryPayload> = {
  read: ({ payload }) => decodeDictionary(payload),
  apply(_record, dictionary, { environment }) {
    environment.dictionaries.set(dictionary);
    return undefined;
  },
  remove: (id, { environment }) => environment.dictionaries.delete(id),
  ids: (environment) => environment.dictionaries.ids(),
  reach(id, { dictionaries }, { builds }) {
    for (const api of dictionaries.usersOf(id)) builds.add(api);
  },
};

/** The dictionaries of one environment, by id, and by the name that expressions call them. */
export class Dictionaries {
  readonly byName = new Map<string, ReadonlyMap<string, string>>();
  readonly #names = new Map<string, string>();
  /** How many have a name: for a moment it may be two. */
  readonly #counts = new Map<string, number>();
  /** What APIs read when they were deployed, by API and by name. */
  readonly #readBy = new Map<string, ReadonlySet<string>>();
  readonly #users = new Map<string, Set<string>>();
  /** Names that some API reads and no dictionary has. */
  readonly #absent = new Set<string>();
  /** APIs that were refused and name dictionaries: one that comes may be what they wait for. */
  readonly #waiting = new Set<string>();

  /** An API read these when it was deployed; none: it is gone, or read none. */
  use(api: string, names: ReadonlySet<string>): void {
    this.#waiting.delete(api);
    for (const name of this.#readBy.get(api) ?? []) this.#forget(api, name);
    if (names.size === 0) this.#readBy.delete(api);
    else this.#readBy.set(api, names);
    for (const name of names) {
      const users = this.#users.get(name);
      if (users === undefined) this.#users.set(name, new Set([api]));
      else users.add(api);
      if (!this.byName.has(name)) this.#absent.add(name);
    }
  }

  /** An API was refused that names dictionaries. */
  await(api: string): void {
    this.#waiting.add(api);
  }

  /** APIs that a change of this dictionary may change: what it takes to find them grows with them alone. */
  *usersOf(id: string): Iterable<string> {
    const name = this.#names.get(id);
    for (const each of name === undefined ? this.#absent : [name]) yield* this.#users.get(each) ?? [];
    yield* this.#waiting;
  }

  ids(): Iterable<string> {
    return this.#names.keys();
  }

  set({ id, name, entries }: DictionaryPayload): void {
    this.delete(id);
    this.#names.set(id, name);
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
    this.#absent.delete(name);
    this.byName.set(name, new Map(entries.map(({ key, value }) => [key, value])));
  }

  delete(id: string): void {
    const name = this.#names.get(id);
    if (name === undefined) return;
    this.#names.delete(id);
    const others = (this.#counts.get(name) ?? 1) - 1;
    if (others > 0) {
      // Another one has taken the name.
      this.#counts.set(name, others);
      return;
    }
    this.#counts.delete(name);
    this.byName.delete(name);
    if (this.#users.has(name)) this.#absent.add(name);
  }

  #forget(api: string, name: string): void {
    const users = this.#users.get(name);
    users?.delete(api);
    if (users?.size !== 0) return;
    this.#users.delete(name);
    this.#absent.delete(name);
  }
}
