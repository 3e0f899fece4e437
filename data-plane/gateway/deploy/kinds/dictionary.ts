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
  /** APIs that read some when they were deployed, with the names of those. */
  readonly #users = new Map<string, ReadonlySet<string>>();
  /** APIs that were refused and name dictionaries: one that comes may be what they wait for. */
  readonly #waiting = new Set<string>();

  /** An API read these when it was deployed; none: it is gone, or read none. */
  use(api: string, names: ReadonlySet<string>): void {
    this.#waiting.delete(api);
    if (names.size === 0) this.#users.delete(api);
    else this.#users.set(api, names);
  }

  /** An API was refused that names dictionaries. */
  await(api: string): void {
    this.#waiting.add(api);
  }

  /** APIs that a change of this dictionary may change. */
  *usersOf(id: string): Iterable<string> {
    const name = this.#names.get(id);
    for (const [api, names] of this.#users)
      if (name === undefined ? [...names].some((each) => !this.byName.has(each)) : names.has(name)) yield api;
    yield* this.#waiting;
  }

  ids(): Iterable<string> {
    return this.#names.keys();
  }

  set({ id, name, entries }: DictionaryPayload): void {
    this.delete(id);
    this.#names.set(id, name);
    this.byName.set(name, new Map(entries.map(({ key, value }) => [key, value])));
  }

  delete(id: string): void {
    const name = this.#names.get(id);
    this.#names.delete(id);
    // Another one may have taken the name.
    if (name !== undefined && ![...this.#names.values()].includes(name)) this.byName.delete(name);
  }
}
