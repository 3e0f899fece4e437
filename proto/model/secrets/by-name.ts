import { isMask, isSealed } from '../../trust/sealed-text.ts';
import type { KnownFields, SecretField } from './fields.ts';
import { isNearSecretName, isReference, isSecretHeader, isSecretName } from './names.ts';
import { isSecretByItself, isSecretHost, isSecretText } from './texts.ts';
import {
  type At,
  type Inside,
  inFields,
  isJson,
  type Json,
  listOf,
  parsed,
  type SecretPlace,
  visited,
} from './walk.ts';

/*
 * What of a configuration, or of any other part of a definition, is a secret: what its schema marks, and by its name what no schema knows.
 */

/** An object of a definition: what no other place of its fields says goes by names. */
export function inNamed(value: unknown, at: At, insideOf: (name: string) => Inside | undefined): unknown {
  return byName(value, at, { ...named, insideOf });
}

/** A text that is known to be one: it is no secret but for what it says of itself. */
export const inText =
  (name: string): Inside =>
  (value, at) =>
    byName(value, at, { ...named, name, known: new Map() });

/** What the schema of a configuration says. */
interface Schema {
  readonly fields: readonly SecretField[];
  /** Absent when there is no schema: then names say everything. */
  readonly known: KnownFields | undefined;
}

/** A configuration, or its JSON as text. */
export function inConfiguration(value: unknown, at: At, { fields, known }: Schema): unknown {
  const configuration = typeof value === 'string' ? parsed(value, at) : value;
  const bySchema = fields.reduce(
    (so, field) => inPath(so, field.path, { at, field, beside: so }),
    configuration,
  );
  const own = fields.flatMap(({ path }) => path.findLast((key) => key !== '[]' && key !== '*') ?? []);
  const marked = fields.map(({ path }) => path);
  const mapped = byName(bySchema, at, { ...named, known, marked, own });
  return mapped === configuration ? value : mapped;
}

const inUnknownConfiguration: Inside = (value, at) =>
  inConfiguration(value, at, { fields: [], known: undefined });

interface ByName {
  /** What the schema knows from here on; absent where it knows nothing. */
  readonly known: KnownFields | undefined;
  /** Paths from here on to what the schema marks, which was visited by that. */
  readonly marked: readonly (readonly string[])[];
  /** Names of the secrets that the schema has. */
  readonly own: readonly string[];
  /** The nearest key. */
  readonly name: string;
  /** Whether a key around it says that all in it is one. */
  readonly isSecret: boolean;
  /** Whether it is an item of a list. */
  readonly isItem: boolean;
  /** Who knows more of a field of this very object. */
  readonly insideOf: ((name: string) => Inside | undefined) | undefined;
}

const named: ByName = {
  known: undefined,
  marked: [],
  own: [],
  name: '',
  isSecret: false,
  isItem: false,
  insideOf: undefined,
};

function isSecretIn(value: string, { isSecret, known, name }: ByName): boolean {
  return (
    isSecret ||
    isMask(value) ||
    isSealed(value) ||
    isSecretByItself(value) ||
    // A text in the place of an object is nothing that the schema knows.
    (known === undefined || known.size > 0 ? isSecretText(value, name) : isSecretHost(value, name))
  );
}

/**
 * Which items of a list are values of headers that let somebody in: in pairs that are lists themselves, `[["Authorization", "x"]]`, and where
 * names and values take turns, `["Authorization", "Bearer x", "Accept", "..."]`. A list of names has no values.
 */
function valuesBesideNames(list: readonly unknown[], isPair: boolean): ReadonlySet<number> {
  const found = new Set<number>();
  if (list.length % 2 === 1 || !list.every((item) => typeof item === 'string')) return found;
  const isOfTwo = isPair && list.length === 2;
  for (let at = 0; at < list.length; at += 2) {
    const [name = '', value = ''] = list.slice(at, at + 2);
    if (isSecretHeader(name) && (isOfTwo || !headerName.test(value)) && !isReference(value))
      found.add(at + 1);
  }
  return found;
}

const headerName = /^[A-Za-z]+(?:[-_][A-Za-z]+)*$/;

/** Secrets that no schema marks: by the names of what no schema knows (names.ts), by the names of headers, by what a text holds (texts.ts). */
function byName(value: unknown, at: At, on: ByName): unknown {
  if (on.marked.some(({ length }) => length === 0)) return value;
  if (typeof value === 'string')
    return visited(value, at, { field: `unknown: ${on.name}`, isSecret: isSecretIn(value, on) });
  if (typeof value === 'number')
    return visited(value, at, { field: `unknown: ${on.name}`, isSecret: on.isSecret });
  if (Array.isArray(value)) {
    const within = {
      ...on,
      known: on.known?.get('[]'),
      marked: markedBelow(on.marked, '[]'),
      insideOf: undefined,
    };
    const lettingIn = within.known === undefined ? valuesBesideNames(value, on.isItem) : undefined;
    return listOf((item, where) => {
      const isSecret = within.isSecret || lettingIn?.has(Number(where.place.slice(at.place.length + 1)));
      return byName(item, where, { ...within, isSecret: isSecret === true, isItem: true });
    })(value, at);
  }
  return inFields(value, at, (name) => {
    const inside = on.insideOf?.(name);
    if (inside !== undefined) return inside;
    if (on.known === undefined && isConfiguration.test(name) && !on.isSecret) return inUnknownConfiguration;
    return (item, where) => byName(item, where, fieldBelow(value as Json, name, on));
  });
}

const isConfiguration = /(?:^c|C)onfiguration(?:Override)?$/;

function fieldBelow(holder: Json, name: string, on: ByName): ByName {
  const known = on.known?.get(name) ?? on.known?.get('*');
  const isSecret =
    (known === undefined && (on.isSecret || isSecretName(name) || isNearSecretName(name, on.own))) ||
    isSecretValue(holder, name, on.known) ||
    isSecretOfMap(holder, name, on);
  return {
    known,
    marked: markedBelow(on.marked, name),
    own: on.own,
    name,
    isSecret,
    isItem: false,
    insideOf: undefined,
  };
}

/**
 * The value of a header, a parameter or an attribute whose name says it: `{ "name": "Authorization", "value": ... }`, and other words for
 * these two that the schema of the holder does not have.
 */
function isSecretValue(holder: Json, name: string, known: KnownFields | undefined): boolean {
  const isUnknown = (field: string): boolean => known?.get(field) === undefined;
  if (name !== 'value' && !(valueFields.test(name) && isUnknown(name))) return false;
  const isCalled = Object.entries(holder).some(
    ([field, called]) =>
      typeof called === 'string' &&
      (field === 'name' || field === 'key' || (nameFields.test(field) && isUnknown(field))) &&
      isSecretHeader(called),
  );
  return isCalled && !isReferenceIn(holder, name);
}

const kinds = '(?:header|field|param|parameter|attribute|property|variable|cookie|query)?';
const nameFields = new RegExp(`^(?:${kinds}[_-]?(?:name|key)|header|field|param|parameter)$`, 'i');
const valueFields = new RegExp(`^(?:default|${kinds})[_-]?(?:values?|val)$`, 'i');

/** The same in a map of headers: `{ "headers": { "Authorization": ... } }`. */
function isSecretOfMap(holder: Json, name: string, { name: around }: ByName): boolean {
  return /headers$/i.test(around) && isSecretHeader(name) && !isReferenceIn(holder, name);
}

const isReferenceIn = (holder: Json, name: string): boolean => {
  const value = holder[name];
  return typeof value === 'string' && isReference(value);
};

const markedBelow = (paths: ByName['marked'], key: string): ByName['marked'] =>
  paths.filter(([first]) => first === key || (first === '*' && key !== '[]')).map(([, ...rest]) => rest);

/** A secret; where an object or a list stands in its place, all that is in it. */
export function inSecret(value: unknown, at: At, what: Pick<SecretPlace, 'field' | 'isSecret'>): unknown {
  if (typeof value !== 'object') return visited(value, at, what);
  return what.isSecret ? byName(value, at, { ...named, name: what.field, isSecret: true }) : value;
}

interface OnPath {
  readonly at: At;
  readonly field: SecretField;
  readonly beside: unknown;
}

function inPath(value: unknown, [key, ...rest]: readonly string[], on: OnPath): unknown {
  const { at, field, beside } = on;
  if (key === undefined) {
    const isSecret =
      (field.isSecretBeside?.(isJson(beside) ? beside : {}) ?? true) ||
      (typeof value === 'string' && isSecretByItself(value));
    return inSecret(value, at, { field: field.name, isSecret });
  }
  const next = (item: unknown, where: At): unknown => inPath(item, rest, { ...on, at: where, beside: value });
  if (key === '[]') return listOf(next)(value, at);
  return inFields(value, at, (name) => (key === '*' || key === name ? next : undefined));
}
