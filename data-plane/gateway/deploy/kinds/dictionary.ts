import { decodeDictionary, type DictionaryPayload } from '../../../../proto/wire/payloads.ts';
import type { Kind } from './kind.ts';

/** Dictionaries: expressions read them for each request, so they change for the next one and no API is built again. */
export const dictionaries: Kind<DictionaryPayload> = {
  read: ({ payload }) => decodeDictionary(payload),
  apply(_record, dictionary, { environment }) {
    environment.dictionaries.set(dictionary);
    return undefined;
  },
  remove: (id, { environment }) => environment.dictionaries.delete(id),
  ids: (environment) => environment.dictionaries.ids(),
  reach: () => undefined,
};

/** The dictionaries of one environment, by id, and by the name that expressions call them. */
export class Dictionaries {
  readonly byName = new Map<string, ReadonlyMap<string, string>>();
  readonly #names = new Map<string, string>();

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
