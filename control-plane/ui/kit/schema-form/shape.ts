/** A JSON Schema of a configuration as the management API tells it: draft 2020-12, with hints for a form. */
export interface JsonSchema {
  /** What the field is called; without one, its key in words. */
  readonly title?: string;
  /** What helps whoever fills it, beneath it. */
  readonly description?: string;
  /** What a new one begins with, where its default would be of no use. */
  readonly begin?: unknown;
  /** What its number counts, e.g. `ms`. */
  readonly unit?: string;
  /** What values of an enumeration are called, where their own words say little. */
  readonly words?: Readonly<Record<string, string>>;
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | JsonSchema;
  readonly items?: JsonSchema;
  readonly default?: unknown;
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly maxItems?: number;
  readonly pattern?: string;
  readonly format?: string;
  readonly mayHoldExpressions?: boolean;
  /** What alone may stand in a field that this version does not run. */
  readonly offOnly?: string;
  /** Taken and without effect here. */
  readonly isElsewhere?: boolean;
  /** What older definitions hold, and nothing here goes by. */
  readonly isWithoutEffect?: boolean;
}

export type JsonObject = Readonly<Record<string, unknown>>;

/** A field of a group. */
export interface FieldOf {
  readonly key: string;
  readonly schema: JsonSchema;
  readonly isRequired: boolean;
}

/** How a value is shown and written. What no other shows is JSON as text, so that nothing is ever lost. */
export type Widget =
  | { readonly kind: 'text'; readonly look: 'line' | 'lines' | 'secret'; readonly isExpression: boolean }
  | { readonly kind: 'number'; readonly isWhole: boolean }
  | { readonly kind: 'switch' }
  | { readonly kind: 'choice'; readonly options: readonly string[] }
  | { readonly kind: 'choices'; readonly options: readonly string[] }
  | { readonly kind: 'list'; readonly items: JsonSchema }
  | { readonly kind: 'map'; readonly each: JsonSchema }
  | { readonly kind: 'group'; readonly fields: readonly FieldOf[] }
  | { readonly kind: 'union'; readonly branches: readonly Branch[] }
  | { readonly kind: 'json' };

/** One of several shapes; what tells it from the others stands in it as it is. */
export interface Branch {
  readonly name: string;
  readonly schema: JsonSchema;
}

/** Longer texts are written in several lines. */
const lineCharsMax = 16_384;
/** Of these names a text has lines whatever its length. */
const lineNames =
  /^(body|content|message|template|script|transformation|specification|pem|publicKey)$|Content$/i;

/** How a value of a schema is shown; `key` is the field's name. */
export function widgetOf(schema: JsonSchema, key = ''): Widget {
  const { type, items, additionalProperties: each } = schema;
  if (schema.enum?.every(isText) === true) return { kind: 'choice', options: schema.enum.filter(isText) };
  const branches = schema.oneOf ?? schema.anyOf;
  if (branches !== undefined) return unionOf(branches.filter(isMore), key);
  if (Array.isArray(type) && type.includes('null'))
    return widgetOf({ ...schema, type: type.find((each) => each !== 'null') ?? 'null' }, key);
  if (type === 'boolean') return { kind: 'switch' };
  if (type === 'integer' || type === 'number') return { kind: 'number', isWhole: type === 'integer' };
  if (type === 'string' || (Array.isArray(type) && type.includes('string'))) return textOf(schema, key);
  if (type === 'array' && items !== undefined)
    return items.enum?.every(isText) === true
      ? { kind: 'choices', options: items.enum.filter(isText) }
      : { kind: 'list', items };
  if (type === 'object' && schema.properties !== undefined)
    return { kind: 'group', fields: fieldsOf(schema) };
  if (type === 'object' && typeof each === 'object') return { kind: 'map', each };
  return { kind: 'json' };
}

function textOf({ format, maxLength = 0, mayHoldExpressions = false }: JsonSchema, key: string): Widget {
  const hasLines = maxLength > lineCharsMax || lineNames.test(key);
  const look = format === 'password' ? 'secret' : hasLines ? 'lines' : 'line';
  return { kind: 'text', look, isExpression: mayHoldExpressions };
}

/** Whether a shape is more than nothing: a field that is empty says the same. */
const isMore = ({ type }: JsonSchema): boolean => type !== 'null';

/** Shapes of one kind (a number or -1, a text or none) are one widget; objects are told apart by what is constant in them. */
function unionOf(branches: readonly JsonSchema[], key: string): Widget {
  const widgets = branches.map((branch) => widgetOf(branch, key));
  const first = widgets[0];
  if (first === undefined) return { kind: 'json' };
  if (widgets.every(({ kind }) => kind === 'text')) return widgetOf(branches.at(-1) ?? {}, key);
  if (widgets.every(({ kind }) => kind === 'number'))
    return { kind: 'number', isWhole: widgets.some((widget) => widget.kind === 'number' && widget.isWhole) };
  return { kind: 'union', branches: branches.map((schema, at) => ({ schema, name: nameOf(schema, at) })) };
}

function nameOf({ type, properties = {} }: JsonSchema, at: number): string {
  for (const each of Object.values(properties)) if (isText(each.const)) return each.const;
  return isText(type) && type !== 'object' ? type : `shape ${at + 1}`;
}

/** Fields that a form shows, in the order of the schema; what can only be off, works elsewhere or has no effect it does not ask for. */
function fieldsOf({ properties = {}, required = [] }: JsonSchema): readonly FieldOf[] {
  return Object.entries(properties)
    .filter(([, { offOnly, isElsewhere, isWithoutEffect, const: only }]) => {
      const isAskedFor = isElsewhere !== true && isWithoutEffect !== true;
      return offOnly === undefined && isAskedFor && only === undefined;
    })
    .map(([key, schema]) => ({ key, schema, isRequired: required.includes(key) }));
}

/** Whether a widget can show the value without loss; nothing is shown by all of them. */
export function canShow(widget: Widget, value: unknown): boolean {
  if (value === undefined) return true;
  switch (widget.kind) {
    case 'text':
      return isText(value);
    case 'number':
      return typeof value === 'number';
    case 'switch':
      return typeof value === 'boolean';
    case 'choice':
      return isText(value) && widget.options.includes(value);
    case 'choices':
      return (
        Array.isArray(value) &&
        value.every((each) => isText(each) && widget.options.includes(each)) &&
        new Set(value).size === value.length
      );
    case 'list':
      return Array.isArray(value);
    case 'map':
    case 'group':
      return isObject(value);
    case 'union':
      return branchOf(widget.branches, value) !== undefined;
    case 'json':
      return true;
  }
}

/** Which shape a value has: the one whose constant it holds, or the first whose widget shows it. */
export function branchOf(branches: readonly Branch[], value: unknown): Branch | undefined {
  const named = branches.find(({ schema: { properties = {} } }) =>
    Object.entries(properties).some(
      ([key, { const: only }]) => only !== undefined && isObject(value) && value[key] === only,
    ),
  );
  return (
    named ??
    branches.find(({ schema }) => constantsOf(schema).length === 0 && canShow(widgetOf(schema), value))
  );
}

const constantsOf = ({ properties = {} }: JsonSchema): readonly (readonly [string, unknown])[] =>
  Object.entries(properties).flatMap(([key, { const: only }]) =>
    only === undefined ? [] : [[key, only] as const],
  );

/** What a new value begins as: what is required, as the schema has it by default, and what it says one begins with. */
export function blankOf(schema: JsonSchema): unknown {
  if (schema.const !== undefined) return schema.const;
  if (schema.begin !== undefined) return schema.begin;
  if (schema.default !== undefined) return schema.default;
  const widget = widgetOf(schema);
  switch (widget.kind) {
    case 'text':
      return '';
    case 'number':
      return Math.max(schema.minimum ?? 0, Math.min(0, schema.maximum ?? 0));
    case 'switch':
      return false;
    case 'choice':
      return widget.options[0];
    case 'choices':
    case 'list':
      return [];
    case 'map':
      return {};
    case 'union':
      return blankOf(widget.branches[0]?.schema ?? {});
    case 'group':
      return Object.fromEntries([
        ...constantsOf(schema),
        ...widget.fields.filter(beginsWithValue).map((field) => [field.key, blankOf(field.schema)]),
      ]);
    case 'json':
      return null;
  }
}

/** What new settings begin as: of their form as a whole no default is taken. */
export function blankSettings(form: JsonSchema): JsonObject {
  const blank = blankOf({ ...form, default: undefined });
  return isObject(blank) ? blank : {};
}

/** What is required, unless it is a number that nobody can guess: the form asks for that, and nothing is limited to 0 meanwhile. */
const beginsWithValue = ({ schema, isRequired }: FieldOf): boolean =>
  schema.begin !== undefined ||
  (isRequired &&
    (widgetOf(schema).kind !== 'number' || schema.default !== undefined || schema.const !== undefined));

/** What a text that was typed writes. Nothing writes nothing where the default then says the same or the field may be absent. */
export function textWritten({ schema, isRequired }: Omit<FieldOf, 'key'>, text: string): string | undefined {
  if (text !== '' || isRequired) return text;
  const mustHold = (schema.minLength ?? 0) > 0 || schema.enum !== undefined;
  return mustHold || schema.default === undefined || schema.default === '' ? undefined : '';
}

/** The object with a key set or, by undefined, without it; the order of keys stays. */
export function withKey(object: JsonObject, key: string, value: unknown): JsonObject {
  if (value !== undefined) return { ...object, [key]: value };
  return Object.fromEntries(Object.entries(object).filter(([each]) => each !== key));
}

/** Keys of a value that its schema shows no field for, in their order. */
export function othersOf(schema: JsonSchema, value: JsonObject): readonly string[] {
  const widget = widgetOf(schema);
  if (widget.kind !== 'group') return [];
  const shown = new Set(widget.fields.map(({ key }) => key));
  const constant = new Set(constantsOf(schema).map(([key]) => key));
  return Object.keys(value).filter((key) => !shown.has(key) && !constant.has(key));
}

/** `periodTimeUnit` as people say it: `Period time unit`; short forms stay capitals. */
export function wordsOf(key: string): string {
  const words = key
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replaceAll(/[_-]+/g, ' ')
    .toLowerCase()
    .replaceAll(/\b(url|uri|http|http2|api|jwt|jwks|tls|ssl|id|ttl|dns|cidr|json|xml)\b/g, (word) =>
      word.toUpperCase(),
    );
  return words.slice(0, 1).toUpperCase() + words.slice(1);
}

/** What a field is called. */
export const labelOf = ({ title }: JsonSchema, key: string): string => title ?? wordsOf(key);

/** What a value of an enumeration is called. */
export const valueWords = ({ words = {} }: JsonSchema, value: string): string =>
  (Object.hasOwn(words, value) ? words[value] : undefined) ?? wordsOf(value);

export const isText = (value: unknown): value is string => typeof value === 'string';
export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
