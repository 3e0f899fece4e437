import * as fc from 'fast-check';

/** JSON Schema, as far as the management API's document uses it. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly items?: Schema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly pattern?: string;
  readonly format?: string;
}

type Schemas = Readonly<Record<string, Schema>>;

/** Deeper than this optional parts are left out, so that schemas that hold themselves come to an end. */
const depthMax = 5;
/** Characters of the longest text, where a schema would allow more. */
const charsMax = 20_000;

/** What nobody sends in good faith, and what databases, parsers and templates stumble over. */
const hostile: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    '',
    ' ',
    '\0',
    'a\0b',
    '\ud800',
    '\ufffe',
    '../../etc/passwd',
    '%2e%2e%2f',
    "' OR 1=1 --",
    '"; DROP TABLE api; --',
    '<script>alert(1)</script>',
    '{#T(java.lang.Runtime).getRuntime()}',
    "${'x'}",
    '{{x}}',
    'http://169.254.169.254/',
    'file:///etc/passwd',
    'a'.repeat(charsMax),
    '[['.repeat(1_000),
    '(a+)+$',
    '2026-02-31T25:61:61Z',
    -1,
    0,
    1.5,
    1e308,
    2 ** 53,
    2 ** 31,
    2 ** 63,
    true,
    [],
    {},
    [[[[[[[[null]]]]]]]],
    { constructor: { prototype: { admin: true } } },
    { toString: 'x', length: -1 },
    JSON.parse('{"__proto__": {"admin": true}}'),
  ),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.json({ maxDepth: 3 }).map((text) => JSON.parse(text) as unknown),
);

const texts: Readonly<Record<string, fc.Arbitrary<string>>> = {
  'date-time': fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
  email: fc.emailAddress(),
  uri: fc.webUrl(),
  url: fc.webUrl(),
  uuid: fc.uuid(),
  hostname: fc.domain(),
};

function textOf(
  { format, pattern, minLength = 0, maxLength = 60 }: Schema,
  hasEdges: boolean,
): fc.Arbitrary<string> {
  const known = format === undefined ? undefined : texts[format];
  if (known !== undefined) return known;
  if (pattern !== undefined) return fc.stringMatching(new RegExp(pattern, 'u'));
  const longest = Math.min(maxLength, charsMax);
  const usual = { minLength, maxLength: Math.min(longest, Math.max(minLength, 20)) };
  const plain = fc.stringMatching(/^[a-z][a-z -]{0,18}[a-z]$/);
  if (!hasEdges) return minLength <= 2 && longest >= 20 ? plain : fc.string(usual);
  return fc.oneof(
    fc.string(usual),
    fc.string({ unit: 'grapheme', ...usual }),
    // Both ends of what is allowed, and one beyond.
    fc.constantFrom('x'.repeat(minLength), 'x'.repeat(longest), 'x'.repeat(longest + 1)),
  );
}

function numberOf(
  { type, minimum = 0, maximum = 1_000_000 }: Schema,
  hasEdges: boolean,
): fc.Arbitrary<number> {
  const [min, max] = [Math.max(minimum, -(2 ** 31)), Math.min(maximum, 2 ** 31 - 1)];
  if (min > max) return fc.constant(min);
  const usual = type === 'integer' ? fc.integer({ min, max }) : fc.double({ min, max, noNaN: true });
  return hasEdges ? fc.oneof(usual, fc.constantFrom(minimum, maximum, minimum - 1, maximum + 1)) : usual;
}

/** Values that a schema describes. */
function described(schema: Schema, where: Where): fc.Arbitrary<unknown> {
  const { schemas, depth, hasEdges } = where;
  const deeper = { ...where, depth: depth + 1 };
  if (schema.$ref !== undefined) {
    const target = schemas[schema.$ref.split('/').at(-1) ?? ''];
    return target === undefined ? hostile : described(target, deeper);
  }
  const anyOf = schema.anyOf ?? schema.oneOf;
  if (anyOf !== undefined) return fc.oneof(...anyOf.map((one) => described(one, deeper)));
  if (schema.allOf !== undefined)
    return fc
      .tuple(...schema.allOf.map((one) => described(one, deeper)))
      .map((parts) => Object.assign({}, ...parts) as unknown);
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  if (schema.const !== undefined) return fc.constant(schema.const);
  const [type] = Array.isArray(schema.type) ? (schema.type as readonly string[]) : [schema.type];
  switch (type) {
    case 'string':
      return textOf(schema, hasEdges);
    case 'integer':
    case 'number':
      return numberOf({ ...schema, type }, hasEdges);
    case 'boolean':
      return fc.boolean();
    case 'array': {
      const minLength = schema.minItems ?? 0;
      const maxLength = Math.max(minLength, depth > depthMax ? 0 : Math.min(schema.maxItems ?? 3, 3));
      return fc.array(described(schema.items ?? {}, deeper), { minLength, maxLength });
    }
    case 'object':
      return objectOf(schema, deeper);
    default:
      return fc.json({ maxDepth: 2 }).map((text) => JSON.parse(text) as unknown);
  }
}

interface Where {
  readonly schemas: Schemas;
  readonly depth: number;
  /** Whether what stands at its bounds, and one beyond them, is among them. */
  readonly hasEdges: boolean;
}

function objectOf(schema: Schema, where: Where): fc.Arbitrary<unknown> {
  const { properties = {}, required = [], additionalProperties } = schema;
  const names = Object.keys(properties).filter((name) => required.includes(name) || where.depth <= depthMax);
  const record = fc.record(
    Object.fromEntries(names.map((name) => [name, described(properties[name] ?? {}, where)])),
    { requiredKeys: names.filter((name) => required.includes(name)), noNullPrototype: true },
  );
  if (typeof additionalProperties !== 'object') return record;
  const others = fc.dictionary(fc.string({ maxLength: 20 }), described(additionalProperties, where), {
    maxKeys: 2,
    noNullPrototype: true,
  });
  return fc.tuple(record, others).map(([own, more]) => ({ ...more, ...own }));
}

/** One place of a value replaced by something hostile, or added to it. */
function spoiled(value: unknown): fc.Arbitrary<unknown> {
  if (typeof value !== 'object' || value === null) return hostile;
  const entries = Object.entries(value) as [string, unknown][];
  if (entries.length === 0) return hostile;
  return fc.nat(entries.length - 1).chain((at) => {
    const [name = '', part] = entries[at] ?? [];
    return fc.oneof(hostile, spoiled(part)).map((other) => {
      if (Array.isArray(value)) return value.with(at, other);
      return Object.fromEntries(entries.map(([key, old]) => [key, key === name ? other : old]));
    });
  });
}

/** Bodies for a schema: as it describes them, at its bounds and beyond, with one hostile place, hostile altogether. */
export function bodiesFor(schema: Schema, schemas: Schemas): fc.Arbitrary<unknown> {
  const good = described(schema, { schemas, depth: 0, hasEdges: false });
  return fc.oneof(
    { weight: 3, arbitrary: good },
    { weight: 1, arbitrary: described(schema, { schemas, depth: 0, hasEdges: true }) },
    { weight: 2, arbitrary: good.chain(spoiled) },
    { weight: 1, arbitrary: hostile },
  );
}

/** Values for a parameter, as they stand in a query: what its schema describes, or anything. */
export function wordsFor(schema: Schema, schemas: Schemas): fc.Arbitrary<string> {
  const word = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));
  const written = (value: unknown): string => (Array.isArray(value) ? value.map(word).join() : word(value));
  return fc.oneof(described(schema, { schemas, depth: depthMax, hasEdges: true }), hostile).map(written);
}
