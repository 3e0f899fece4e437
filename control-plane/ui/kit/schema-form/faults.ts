import { branchOf, isObject, isText, type JsonSchema, widgetOf } from './shape.ts';

/** What is wrong at a place of a value; the place as the API writes it, `rules[0].path`, empty for all of it. */
export interface FormFault {
  readonly path: string;
  readonly message: string;
}

/** A key below a place. */
export const below = (path: string, key: string | number): string =>
  typeof key === 'number' ? `${path}[${key}]` : path === '' ? key : `${path}.${key}`;

/**
 * What of a value its schema refuses, by place: so much that a form can say it at once. The API has the last word, which knows rules that no
 * schema tells.
 */
export function faultsOf(schema: JsonSchema, value: unknown, path = ''): readonly FormFault[] {
  if (value === undefined || schema.isElsewhere === true || schema.offOnly !== undefined) return [];
  const at = (message: string): readonly FormFault[] => [{ path, message }];
  const branches = schema.oneOf ?? schema.anyOf;
  if (branches !== undefined) return unionFaultsOf(branches, value, path);
  if (!isOfType(schema.type, value)) return at(`must be ${typeWords(schema.type)}`);
  if (schema.const !== undefined && value !== schema.const)
    return at(`must be ${JSON.stringify(schema.const)}`);
  if (schema.enum !== undefined && !schema.enum.includes(value))
    return at(`must be one of ${schema.enum.map(String).join(', ')}`);
  if (isText(value)) return textFaultsOf(schema, value).flatMap(at);
  if (typeof value === 'number') return numberFaultsOf(schema, value).flatMap(at);
  if (Array.isArray(value)) {
    const { items = {}, maxItems } = schema;
    const tooMany =
      maxItems !== undefined && value.length > maxItems ? at(`must have at most ${maxItems} entries`) : [];
    return [...tooMany, ...value.flatMap((each, index) => faultsOf(items, each, below(path, index)))];
  }
  return isObject(value) ? objectFaultsOf(schema, value, path) : [];
}

function objectFaultsOf(
  { properties = {}, required = [], additionalProperties: each }: JsonSchema,
  value: Readonly<Record<string, unknown>>,
  path: string,
): readonly FormFault[] {
  const missing = required
    .filter((key) => !Object.hasOwn(value, key))
    .map((key) => ({ path: below(path, key), message: 'is missing' }));
  const inside = Object.entries(value).flatMap(([key, one]) => {
    const schema = Object.hasOwn(properties, key) ? properties[key] : each;
    if (schema === false) return [{ path: below(path, key), message: 'is not known' }];
    return typeof schema === 'object' ? faultsOf(schema, one, below(path, key)) : [];
  });
  return [...missing, ...inside];
}

function unionFaultsOf(branches: readonly JsonSchema[], value: unknown, path: string): readonly FormFault[] {
  const all = branches.map((branch) => faultsOf(branch, value, path));
  if (all.some((faults) => faults.length === 0)) return [];
  const widget = widgetOf({ anyOf: branches });
  const like = widget.kind === 'union' ? branchOf(widget.branches, value)?.schema : branches.at(-1);
  return like === undefined
    ? [{ path, message: 'has none of the shapes that it may have' }]
    : faultsOf(like, value, path);
}

function textFaultsOf({ minLength = 0, maxLength, pattern }: JsonSchema, text: string): readonly string[] {
  if (text.length < minLength)
    return [minLength === 1 ? 'must not be empty' : `must have at least ${minLength} characters`];
  if (maxLength !== undefined && text.length > maxLength)
    return [`must have at most ${maxLength} characters`];
  if (pattern !== undefined && !new RegExp(pattern).test(text))
    return ['has characters that it may not have'];
  return [];
}

function numberFaultsOf(
  { minimum, exclusiveMinimum, maximum }: JsonSchema,
  value: number,
): readonly string[] {
  if (exclusiveMinimum !== undefined && value <= exclusiveMinimum)
    return [`must be more than ${exclusiveMinimum}`];
  if (minimum !== undefined && value < minimum) return [`must be at least ${minimum}`];
  return maximum !== undefined && value > maximum ? [`must be at most ${maximum}`] : [];
}

function isOfType(type: JsonSchema['type'], value: unknown): boolean {
  if (type === undefined) return true;
  if (!isText(type)) return type.some((one) => isOfType(one, value));
  if (type === 'integer') return Number.isInteger(value);
  if (type === 'array') return Array.isArray(value);
  if (type === 'object') return isObject(value);
  return type === 'null' ? value === null : typeof value === type;
}

const words: ReadonlyMap<string, string> = new Map([
  ['string', 'a text'],
  ['number', 'a number'],
  ['integer', 'a whole number'],
  ['boolean', 'true or false'],
  ['array', 'a list'],
  ['object', 'an object'],
]);

const typeWords = (type: JsonSchema['type']): string =>
  (isText(type) ? [type] : (type ?? [])).map((one) => words.get(one) ?? one).join(' or ');
