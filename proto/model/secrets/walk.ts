import { isNestedDeeper } from '../../expression/json/levels.ts';
import { Fault } from '../../faults/fault.ts';
import { isMask, isSealed } from '../../trust/sealed-text.ts';
import type { SecretFields } from './fields.ts';

/** Levels of objects and lists, those in configurations that are written as JSON text counted in, to which secrets are looked for. */
export const secretLevelsMax = 128;

/** Where a secret stands in a definition. */
export interface SecretPlace {
  /** As faults name it: `resources[0].configuration.clientSecret`. */
  readonly path: string;
  /** The same as a JSON pointer, which no two have, whatever letters are in names: `/resources/0/configuration/clientSecret`. */
  readonly place: string;
  /** Name of the field, whatever stands around it. */
  readonly field: string;
  /** False where the fields beside it say that it is none, but a mask or a sealed text was left. */
  readonly isSecret: boolean;
}

/** Gives what stands there from now on; a number comes as its digits. */
export type SecretVisit = (value: string, at: SecretPlace) => string;

/** An object. */
export type Json = Readonly<Record<string, unknown>>;

interface Walk {
  readonly visit: SecretVisit;
  readonly fields: SecretFields;
}

/** Where something stands, by path and by place, how deep, and who walks there. */
export interface At {
  readonly path: string;
  readonly place: string;
  readonly level: number;
  readonly walk: Walk;
}

/** Goes into what stands there. */
export type Inside = (value: unknown, at: At) => unknown;

/** What becomes of a secret, or of what may be one, that stands there. */
export function visited(
  value: unknown,
  { path, place, walk }: At,
  what: Pick<SecretPlace, 'field' | 'isSecret'>,
): unknown {
  if (typeof value === 'number') {
    const digits = String(value);
    const made = what.isSecret ? walk.visit(digits, { path, place, ...what }) : digits;
    return made === digits ? value : made;
  }
  if (typeof value !== 'string' || value === '') return value;
  return what.isSecret || isMask(value) || isSealed(value)
    ? walk.visit(value, { path, place, ...what })
    : value;
}

/** The object with what becomes of those of its fields; itself when nothing does. */
export function inFields(value: unknown, at: At, insideOf: (name: string) => Inside | undefined): unknown {
  if (!isJson(value)) return value;
  checkLevel(at);
  return mapFields(value, (item, name) => insideOf(name)?.(item, below(at, name)) ?? item);
}

/** The object with what becomes of each of its fields; itself when nothing does. */
export function mapFields(value: Json, change: (item: unknown, name: string) => unknown): Json {
  let isChanged = false;
  const entries = Object.entries(value).map(([name, item]): readonly [string, unknown] => {
    const mapped = change(item, name);
    isChanged ||= mapped !== item;
    return [name, mapped];
  });
  return isChanged ? Object.fromEntries(entries) : value;
}

/** Each item of a list. */
export function listOf(inside: Inside): Inside {
  return (value, at) => {
    if (!Array.isArray(value)) return value;
    checkLevel(at);
    const mapped = value.map((item: unknown, index) => {
      const place = placeBelow(at.place, String(index));
      return inside(item, { ...at, path: `${at.path}[${index}]`, place, level: at.level + 1 });
    });
    return mapped.every((item, index) => item === value[index]) ? value : mapped;
  };
}

/** A field of what may be an object. */
export const fieldOf = (value: unknown, name: string): unknown =>
  isJson(value) && Object.hasOwn(value, name) ? value[name] : undefined;

function checkLevel({ level, path }: At): void {
  if (level >= secretLevelsMax) throw tooDeep(path);
}

const tooDeep = (path: string): Fault =>
  new Fault('request.invalid', {
    details: [{ path: beginOf(path), message: `is nested deeper than ${secretLevelsMax} levels` }],
  });

/** Enough to find it: the path of what is so deep may be as long as a definition. */
const beginOf = (path: string): string => path.split('.', shownNamesMax).join('.');
const shownNamesMax = 8;

/** A path with one name more. */
export const pathBelow = (path: string, name: string): string => (path === '' ? name : `${path}.${name}`);

/** A JSON pointer (RFC 6901) with one name more. */
export const placeBelow = (place: string, name: string): string =>
  `${place}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;

/** Where a field of an object stands. */
export const below = ({ path, place, level, walk }: At, name: string): At => ({
  path: pathBelow(path, name),
  place: placeBelow(place, name),
  level: level + 1,
  walk,
});

/** Whether it is an object. */
export const isJson = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The value of a text of JSON, the text itself where it is none. Errors: request.invalid when it is nested too deeply. */
export function parsed(text: string, { path, level }: At): unknown {
  if (isNestedDeeper(text, secretLevelsMax - level)) throw tooDeep(path);
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
