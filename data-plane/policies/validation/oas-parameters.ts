import type { JsonType } from '../../../proto/policies/validation/oas/schemas.ts';
import type { OasParameter, OasShape } from '../../../proto/policies/validation/oas/operations.ts';
import type { HeaderList } from '../../http/exchange.ts';

/** Where the values of parameters are. */
export interface ParameterSource {
  readonly path: ReadonlyMap<string, string>;
  readonly query: QueryPairs;
  readonly headers: HeaderList;
}

/** Names, decoded, and values, as they are written, in their order. */
export type QueryPairs = readonly (readonly [name: string, value: string])[];

/** What a message says of a parameter. */
export type ParameterValue =
  | { readonly kind: 'absent' }
  | { readonly kind: 'value'; readonly value: unknown }
  /** No value of its style. */
  | { readonly kind: 'wrong'; readonly why: string };

/** Most pairs of a query, of a form and of cookies that are read. */
const pairsMax = 1_000;
const absent: ParameterValue = { kind: 'absent' };

/** Takes a query, or a form, to its pairs. Undefined: it has too many, or a name that cannot be decoded. */
export function pairsOf(text: string | undefined): QueryPairs | undefined {
  const parts = (text ?? '').split('&').filter((part) => part !== '');
  if (parts.length > pairsMax) return undefined;
  const pairs: [string, string][] = [];
  for (const part of parts) {
    const equals = part.indexOf('=');
    const name = decoded(equals === -1 ? part : part.slice(0, equals));
    if (name === undefined) return undefined;
    pairs.push([name, equals === -1 ? '' : part.slice(equals + 1)]);
  }
  return pairs;
}

/** What a form says, as far as a schema names its members; others are texts. */
export function formOf(pairs: QueryPairs, shapes: ReadonlyMap<string, OasShape>): unknown {
  const members = new Map<string, unknown[]>();
  for (const [name, raw] of pairs) {
    const value = decoded(raw) ?? raw;
    const list = members.get(name);
    if (list === undefined) members.set(name, [value]);
    else list.push(value);
  }
  return Object.fromEntries(
    [...members].map(([name, values]) => {
      const { types, itemTypes } = shapes.get(name) ?? noShape;
      if (types.has('array')) return [name, values.map((value) => readText(String(value), itemTypes))];
      const [first] = values;
      return [name, values.length === 1 ? readText(String(first), types) : values];
    }),
  );
}
const noShape: OasShape = { types: new Set(), itemTypes: new Set(), memberTypes: new Map() };

/** The value of a parameter, read as its schema has it. */
export function parameterValue(parameter: OasParameter, source: ParameterSource): ParameterValue {
  const { shape, style, explode } = parameter;
  if (style === 'deepObject') return deepObject(parameter, source.query);
  const isObject = shape.types.has('object') && !shape.types.has('string');
  if (isObject && style === 'form' && explode && !parameter.isJson) return membersInQuery(parameter, source);
  const texts = textsOf(parameter, source);
  if (texts === undefined) return { kind: 'wrong', why: 'cannot be decoded' };
  const [first] = texts;
  if (first === undefined) return absent;
  if (parameter.isJson) return texts.length === 1 ? jsonOf(first) : wrongCount(texts.length);
  const isList = shape.types.has('array') && !(texts.length === 1 && shape.types.has('string'));
  if (isList) return listOf(parameter, texts);
  if (texts.length > 1) return wrongCount(texts.length);
  if (isObject) return objectOf(first, parameter);
  const text = decodedFor(parameter, first);
  return text === undefined
    ? { kind: 'wrong', why: 'cannot be decoded' }
    : { kind: 'value', value: readText(text, shape.types) };
}

/** A text as its schema may have it. */
function readText(text: string, types: ReadonlySet<JsonType>): unknown {
  if (types.has('boolean') && (text === 'true' || text === 'false')) return text === 'true';
  if ((types.has('number') || types.has('integer')) && isNumber.test(text)) return Number(text);
  return types.has('null') && text === 'null' ? null : text;
}
/** As JSON writes them; longer ones are no number that anybody means. */
const isNumber = /^-?(?:0|[1-9]\d{0,99})(?:\.\d{1,100})?(?:[eE][+-]?\d{1,3})?$/;

/** Values as they are written; undefined where they cannot be read. */
function textsOf({ name, in: place }: OasParameter, source: ParameterSource): readonly string[] | undefined {
  switch (place) {
    case 'path': {
      const text = source.path.get(name);
      return text === undefined ? [] : [text];
    }
    case 'query':
      return source.query.filter(([each]) => each === name).map(([, value]) => value);
    case 'header': {
      const lines = source.headers.getAll(name.toLowerCase());
      return lines.length === 0 ? [] : [lines.join(',')];
    }
    case 'cookie':
      return cookiesOf(source.headers)
        .filter(([each]) => each === name)
        .map(([, value]) => value);
  }
}

/** Cookies that a request shows (RFC 6265 section 4.2). */
export function cookiesOf(headers: HeaderList): QueryPairs {
  return headers
    .getAll('cookie')
    .flatMap((line) => line.split(';', pairsMax))
    .map((pair): [string, string] => {
      const equals = pair.indexOf('=');
      const value = pair.slice(equals + 1).trim();
      return [pair.slice(0, Math.max(equals, 0)).trim(), value.replace(/^"(.*)"$/, '$1')];
    });
}

const separators = {
  form: ',',
  simple: ',',
  spaceDelimited: ' ',
  pipeDelimited: '|',
  deepObject: ',',
} as const;

function listOf(
  { shape, style, explode, in: place }: OasParameter,
  texts: readonly string[],
): ParameterValue {
  const isApart = explode && (place === 'query' || place === 'cookie');
  if (!isApart && texts.length > 1) return wrongCount(texts.length);
  const parts = isApart ? texts : pieces(texts[0] ?? '', separators[style]);
  const read = parts.map((part) => (place === 'query' ? decoded(part) : part.trim()));
  if (read.includes(undefined)) return { kind: 'wrong', why: 'cannot be decoded' };
  return { kind: 'value', value: read.map((part) => readText(part ?? '', shape.itemTypes)) };
}

/** A separator may be written as itself, or encoded where it is one that URLs do not have. */
function pieces(text: string, separator: string): readonly string[] {
  if (text === '') return [];
  if (separator === ',') return text.split(',');
  return text.split(separator === ' ' ? /\+|%20| / : /\||%7c/i);
}

function objectOf(text: string, parameter: OasParameter): ParameterValue {
  const parts = text.split(',').map((part) => decodedFor(parameter, part) ?? part);
  const { memberTypes } = parameter.shape;
  const pairs: [string, string][] = [];
  if (parameter.explode)
    for (const part of parts) {
      const equals = part.indexOf('=');
      if (equals === -1) return { kind: 'wrong', why: 'must be name=value,name=value' };
      pairs.push([part.slice(0, equals), part.slice(equals + 1)]);
    }
  else {
    if (parts.length % 2 === 1) return { kind: 'wrong', why: 'must be name,value,name,value' };
    for (let at = 0; at < parts.length; at += 2) pairs.push([parts[at] ?? '', parts[at + 1] ?? '']);
  }
  return objectFrom(pairs, memberTypes);
}

function objectFrom(
  pairs: readonly (readonly [string, string])[],
  types: OasShape['memberTypes'],
): ParameterValue {
  const members = pairs.map(
    ([name, value]) => [name, readText(value, types.get(name) ?? new Set())] as const,
  );
  if (new Map(members).size < members.length) return { kind: 'wrong', why: 'has a member twice' };
  return { kind: 'value', value: Object.fromEntries(members) };
}

/** `filter[state]=open` */
function deepObject({ name, shape }: OasParameter, query: QueryPairs): ParameterValue {
  const pairs = query.flatMap(([each, raw]): [string, string][] => {
    const isMember = each.startsWith(`${name}[`) && each.endsWith(']');
    return isMember ? [[each.slice(name.length + 1, -1), decoded(raw) ?? raw]] : [];
  });
  return pairs.length === 0 ? absent : objectFrom(pairs, shape.memberTypes);
}

/** Members of an object that each are a parameter of their own. */
function membersInQuery({ shape }: OasParameter, { query }: ParameterSource): ParameterValue {
  const pairs = query.flatMap(([name, raw]): [string, string][] =>
    shape.memberTypes.has(name) ? [[name, decoded(raw) ?? raw]] : [],
  );
  return pairs.length === 0 ? absent : objectFrom(pairs, shape.memberTypes);
}

function jsonOf(raw: string): ParameterValue {
  try {
    return { kind: 'value', value: JSON.parse(decoded(raw) ?? raw) as unknown };
  } catch {
    return { kind: 'wrong', why: 'is no JSON' };
  }
}

const wrongCount = (count: number): ParameterValue => ({ kind: 'wrong', why: `is there ${count} times` });

const decodedFor = ({ in: place }: OasParameter, raw: string): string | undefined =>
  place === 'query' ? decoded(raw) : raw;

function decoded(raw: string): string | undefined {
  try {
    return decodeURIComponent(raw.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}
