import type { Json } from '../opened.ts';
import { xsd } from './documents.ts';
import { childrenOf, type XmlElement } from './xml.ts';

/** Values that a client may write as a text, since JSON's numbers have no more than 53 bits, and no way to end in a zero. */
const number = (pattern: string, type: 'integer' | 'number'): Json => ({
  anyOf: [{ type }, { type: 'string', pattern }],
});
const whole = number('^[+-]?[0-9]+$', 'integer');
const text: Json = { type: 'string' };

/** What JSON has for the types of XML Schema; others are texts. */
const builtIn: ReadonlyMap<string, Json> = new Map(
  Object.entries<Json>({
    boolean: { type: 'boolean' },
    decimal: number(String.raw`^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)$`, 'number'),
    float: { type: 'number', format: 'float' },
    double: { type: 'number', format: 'double' },
    integer: whole,
    nonNegativeInteger: whole,
    positiveInteger: whole,
    nonPositiveInteger: whole,
    negativeInteger: whole,
    long: whole,
    unsignedLong: whole,
    int: { type: 'integer', format: 'int32' },
    short: { type: 'integer', minimum: -32_768, maximum: 32_767 },
    byte: { type: 'integer', minimum: -128, maximum: 127 },
    unsignedInt: { type: 'integer', minimum: 0, maximum: 4_294_967_295 },
    unsignedShort: { type: 'integer', minimum: 0, maximum: 65_535 },
    unsignedByte: { type: 'integer', minimum: 0, maximum: 255 },
  }),
);

/** The JSON Schema of a type that XML Schema has itself, by its local name. */
export const builtInType = (local: string): Json => builtIn.get(local) ?? text;

/** Patterns of XML Schema that mean the same in JSON Schema: no blocks, no name characters, no subtraction, no anchors. */
const isCommonPattern = (pattern: string): boolean =>
  pattern.length <= 500 && !/\\[ciCIpP]|-\[|[\^$]/.test(pattern);

/** A type with what a restriction asks of its values. */
export function restricted(base: Json, restriction: XmlElement): Json {
  const facets = new Map<string, string[]>();
  for (const { local, attributes } of restriction.children) {
    const value = attributes.get('value');
    if (value !== undefined) facets.set(local, [...(facets.get(local) ?? []), value]);
  }
  const isNumber = base['type'] === 'integer' || base['type'] === 'number';
  const values = facets.get('enumeration')?.slice(0, 1_000);
  if (values !== undefined && (isNumber || base['type'] === 'string')) {
    const listed = isNumber ? values.map(Number).filter(Number.isFinite) : values;
    return { type: base['type'], enum: [...new Set<unknown>(listed)] };
  }
  return {
    ...base,
    ...(isNumber ? numberFacets(facets) : {}),
    ...(base['type'] === 'string' && textFacets(facets)),
  };
}

type Facets = ReadonlyMap<string, readonly string[]>;

/** OpenAPI 3.0 says by a boolean that a bound itself is left out. */
function numberFacets(facets: Facets): Json {
  const found: [string, unknown][] = [];
  for (const [facet, name, isLeftOut] of [
    ['minInclusive', 'minimum', false],
    ['maxInclusive', 'maximum', false],
    ['minExclusive', 'minimum', true],
    ['maxExclusive', 'maximum', true],
  ] as const) {
    const bound = Number(facets.get(facet)?.[0] ?? Number.NaN);
    if (!Number.isFinite(bound)) continue;
    found.push([name, bound]);
    if (isLeftOut) found.push([name === 'minimum' ? 'exclusiveMinimum' : 'exclusiveMaximum', true]);
  }
  return Object.fromEntries(found);
}

function textFacets(facets: Facets): Json {
  const found: [string, unknown][] = [];
  const length = facets.get('length')?.[0];
  for (const [value, name] of [
    [facets.get('minLength')?.[0] ?? length, 'minLength'],
    [facets.get('maxLength')?.[0] ?? length, 'maxLength'],
  ] as const)
    if (value !== undefined && /^\d{1,9}$/.test(value)) found.push([name, Number(value)]);
  const patterns = facets.get('pattern');
  // Several patterns of one restriction are alternatives.
  if (patterns !== undefined && patterns.every(isCommonPattern))
    found.push(['pattern', `^(?:${patterns.join('|')})$`]);
  return Object.fromEntries(found);
}

/** The restriction of a simple type, if it is one: a list or a union is a text. */
export const restrictionOf = (type: XmlElement): XmlElement | undefined =>
  childrenOf(type, `{${xsd}}restriction`)[0];
