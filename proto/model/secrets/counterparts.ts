import { mask } from '../../trust/sealed-text.ts';
import { mapSecrets } from './places.ts';
import { maskSealed } from './sealed-values.ts';
import { fieldOf, isJson, placeBelow } from './walk.ts';

/*
 * Which kept secret a mask stands for. Fields are known by their names, and items of every list by one rule:
 *
 * 1. An item is the kept one whose `id`, `name` or `key` it has, if no other has that in either list. One with such a name that is not kept is new.
 * 2. Else it is the kept one that looks the same, its secrets masked (and a name, if it is given its first one, left out). Where several look
 *    the same and keep other secrets, it is the one in its place, provided that the list is as long as before and all of them stand where they stood.
 * 3. What looks like none was edited: it is the one in its place, provided that the list is as long as before and that every other item
 *    that keeps secrets stands where it stood.
 *
 * Else nobody can tell, and a guess would send a credential to somebody else.
 */

/** Which of several kept ones a mask stands for cannot be told. */
export const unclear = Symbol('unclear');

/** Place of what is kept, by the place of the text with a mask that was sent; what is missing stands for nothing that is kept. */
export type Counterparts = ReadonlyMap<string, string | typeof unclear>;

/** Finds for each text with a mask in a definition that was sent what stands there in the kept one. Cost: each part of both is looked at once. */
export function counterpartsOf(sent: unknown, kept: unknown): Counterparts {
  const pairing = new Pairing();
  if (kept !== undefined && hasMasks(sent))
    pairing.pair(seen(sent), { shown: seen(maskSealed(kept)), raw: seen(kept) }, { sent: '', kept: '' });
  return pairing.found;
}

function hasMasks(sent: unknown): boolean {
  let found = false;
  mapSecrets(sent, (value) => {
    found ||= value.includes(mask);
    return value;
  });
  return found;
}

/** With JSON texts read as a walk to secrets reads them, and numbers that are secrets as texts. */
const seen = (definition: unknown): unknown => mapSecrets(definition, (value) => `\0${value}`);

/** What is kept, as people are shown it and as it is; both have the same places. */
interface Kept {
  readonly shown: unknown;
  readonly raw: unknown;
}

interface Places {
  readonly sent: string;
  readonly kept: string;
}

class Pairing {
  readonly found = new Map<string, string | typeof unclear>();
  readonly #forms = new Forms();

  pair(sent: unknown, { shown, raw }: Kept, at: Places): void {
    if (typeof sent === 'string') {
      if (sent.includes(mask)) this.found.set(at.sent, at.kept);
    } else if (Array.isArray(sent) && Array.isArray(shown) && Array.isArray(raw))
      this.#pairItems(sent, { shown, raw }, at);
    else if (isJson(sent))
      for (const [name, item] of Object.entries(sent)) {
        if (!isJson(shown) || !Object.hasOwn(shown, name)) continue;
        const inside = { shown: shown[name], raw: fieldOf(raw, name) };
        this.pair(item, inside, { sent: placeBelow(at.sent, name), kept: placeBelow(at.kept, name) });
      }
  }

  #pairItems(
    sent: readonly unknown[],
    kept: { readonly shown: readonly unknown[]; readonly raw: readonly unknown[] },
    at: Places,
  ): void {
    const known = keptItems(sent, kept, this.#forms);
    sent.forEach((item, index) => {
      const of = known[index];
      const place = placeBelow(at.sent, String(index));
      if (of === unclear) this.#unclearIn(item, place);
      else if (of !== undefined)
        this.pair(
          item,
          { shown: kept.shown[of], raw: kept.raw[of] },
          { sent: place, kept: placeBelow(at.kept, String(of)) },
        );
    });
  }

  #unclearIn(sent: unknown, place: string): void {
    if (typeof sent === 'string') {
      if (sent.includes(mask)) this.found.set(place, unclear);
    } else if (typeof sent === 'object' && sent !== null)
      for (const [name, item] of Object.entries(sent)) this.#unclearIn(item, placeBelow(place, name));
  }
}

type Item = number | typeof unclear | undefined;

/** Which kept item each sent one is; undefined for a new one. */
function keptItems(
  sent: readonly unknown[],
  { shown, raw }: { readonly shown: readonly unknown[]; readonly raw: readonly unknown[] },
  forms: Forms,
): readonly Item[] {
  const isAsLong = sent.length === shown.length;
  const names = { sent: namesIn(sent), kept: namesIn(shown) };
  const named = sameNames(sent, shown, names);
  const alike = lookingAlike(sent, shown, forms);
  const settled = settledIn(alike);
  const ofOneSecret = new Set(
    [...new Set(alike)].filter(
      (items) => items !== undefined && new Set(items.map((item) => forms.of(raw[item]))).size === 1,
    ),
  );
  const told = alike.map((items, index): Item => {
    const own = named.get(index);
    if (own !== undefined || items === undefined) return own;
    const isHere = isAsLong && lookOf(shown[index], forms) === lookOf(shown[items[0] ?? 0], forms);
    if (ofOneSecret.has(items)) return isHere ? index : items[0];
    return isAsLong && settled.has(items) ? index : unclear;
  });
  const moved = shown.flatMap((item, index) =>
    forms.of(item) !== forms.of(raw[index]) && told[index] !== index ? [index] : [],
  );
  const taken = new Set(told);
  return told.map((item, index) => {
    if (item !== undefined) return item;
    const isOnlyOne = moved.length === 0 || (moved.length === 1 && moved[0] === index);
    const isEdited = isAsLong && isOnlyOne && !taken.has(index);
    if (isEdited && isNameKept(sent[index], shown[index])) return index;
    return shown.length === 0 || isNamedAnew(sent[index], names.kept) ? undefined : unclear;
  });
}

/** By what an item is called, the surest first. */
const nameFields = ['id', 'name', 'key'] as const;

/** Where each name stands in a list; a name that several have stands nowhere. */
type Names = ReadonlyMap<string, ReadonlyMap<string, number | undefined>>;

function namesIn(list: readonly unknown[]): Names {
  const names = new Map(nameFields.map((field) => [field, new Map<string, number | undefined>()]));
  list.forEach((item, index) => {
    for (const [field, places] of names) {
      const name = nameOf(item, field);
      if (name !== undefined) places.set(name, places.has(name) ? undefined : index);
    }
  });
  return names;
}

function nameOf(item: unknown, field: string): string | undefined {
  const name = fieldOf(item, field);
  return typeof name === 'string' && name !== '' ? name : undefined;
}

function sameNames(
  sent: readonly unknown[],
  kept: readonly unknown[],
  names: { readonly sent: Names; readonly kept: Names },
): ReadonlyMap<number, number> {
  const same = new Map<number, number>();
  const taken = new Set<number>();
  for (const field of nameFields)
    for (const [name, index] of names.sent.get(field) ?? []) {
      const of = names.kept.get(field)?.get(name);
      if (index === undefined || of === undefined || same.has(index) || taken.has(of)) continue;
      if (field === 'id' || isNameKept({ id: fieldOf(sent[index], 'id') }, kept[of])) {
        same.set(index, of);
        taken.add(of);
      }
    }
  return same;
}

/** Whether it has no other name than the kept one; it may have lost its name, or have got its first one. */
const isNameKept = (sent: unknown, kept: unknown): boolean =>
  nameFields.every((field) => {
    const [now, before] = [nameOf(sent, field), nameOf(kept, field)];
    return now === undefined || before === undefined || now === before;
  });

/** Whether it has names, and none that a kept one has. */
function isNamedAnew(sent: unknown, kept: Names): boolean {
  const own = nameFields.filter((field) => nameOf(sent, field) !== undefined);
  return own.length > 0 && own.every((field) => kept.get(field)?.has(nameOf(sent, field) ?? '') !== true);
}

/** Kept items that look like each sent one. Those of one look are one and the same list. */
type Alike = readonly (readonly number[] | undefined)[];

function lookingAlike(sent: readonly unknown[], kept: readonly unknown[], forms: Forms): Alike {
  const byLook = new Map<number, number[]>();
  kept.forEach((item, index) => {
    const look = lookOf(item, forms);
    const known = byLook.get(look);
    if (known === undefined) byLook.set(look, [index]);
    else known.push(index);
  });
  return sent.map((item) => byLook.get(lookOf(item, forms)) ?? byLook.get(forms.of(nameless(item))));
}

/** An empty name is none. */
const lookOf = (item: unknown, forms: Forms): number =>
  forms.of(nameFields.some((field) => nameOf(item, field) !== undefined) ? item : nameless(item));

function nameless(item: unknown): unknown {
  if (!isJson(item)) return item;
  return Object.fromEntries(
    Object.entries(item).filter(([field]) => !nameFields.some((name) => name === field)),
  );
}

/** Looks of which as many were sent as are kept, each where one stood. */
function settledIn(alike: Alike): ReadonlySet<readonly number[]> {
  const sent = new Map<readonly number[], number>();
  for (const items of alike) if (items !== undefined) sent.set(items, (sent.get(items) ?? 0) + 1);
  return new Set(
    [...sent]
      .filter(([items, count]) => items.length === count && items.every((index) => alike[index] === items))
      .map(([items]) => items),
  );
}

/** Numbers for values: the same for what is the same, whatever the order of its fields. */
class Forms {
  readonly #numbers = new Map<string, number>();
  readonly #known = new WeakMap<object, number>();

  of(value: unknown): number {
    if (typeof value !== 'object' || value === null) return this.#numberOf(JSON.stringify(value ?? null));
    const known = this.#known.get(value) ?? this.#numberOf(this.#textOf(value));
    this.#known.set(value, known);
    return known;
  }

  #textOf(value: object): string {
    if (Array.isArray(value)) return `[${value.map((item) => this.of(item)).join()}]`;
    const fields = Object.entries(value).filter(([, item]) => item !== undefined && item !== null);
    return `{${fields
      .map(([name, item]) => `${JSON.stringify(name)}:${this.of(item)}`)
      .toSorted()
      .join()}}`;
  }

  #numberOf(text: string): number {
    const number = this.#numbers.get(text) ?? this.#numbers.size;
    this.#numbers.set(text, number);
    return number;
  }
}
