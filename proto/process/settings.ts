import { z } from 'zod';

/** One value that an operator can set, as the schema says it. */
export interface Setting {
  /** Dotted path inside the process's configuration, e.g. `listen.port`. */
  readonly path: string;
  readonly schema: z.ZodType;
  /** What it takes, in words: `integer 0..65535`, `text`, `one of a, b`. */
  readonly takes: string;
  /** The default as JSON text; undefined when there is none. */
  readonly byDefault: string | undefined;
  readonly description: string;
  readonly isSecret: boolean;
  /** True for a name that is refused with what to set instead; see {@link former}. */
  readonly isFormer: boolean;
  /** Paths of settings that may not be set beside it; see {@link replacing}. */
  readonly replaces: readonly string[];
}

/**
 * Marks a text as secret: it prints as `***` and has no default in the reference.
 *
 * Optional, defaulted and further checked forms of it stay secret.
 */
export function secret(schema: z.ZodString = z.string().min(1, 'must not be empty')): z.ZodString {
  return schema.meta({ isSecret: true });
}

/** An http or https URL. User and password in it are refused, since nothing would send them, and the print and the log show URLs. */
export function httpUrl() {
  return z
    .url({ protocol: /^https?$/ })
    .refine((url) => !hasUserinfo(url), 'must not hold a user or a password: nothing sends them');
}

function hasUserinfo(url: string): boolean {
  const { username, password } = URL.parse(url) ?? { username: '', password: '' };
  return username !== '' || password !== '';
}

/** A group of settings that may be left out whole; every setting in it must have a default or be optional. */
export function section<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.strictObject(shape).prefault({} as never);
}

/** A setting that is called otherwise now, or is gone: whoever still sets it is told, e.g. `is called forcePathStyle now`. */
export function former(message: string): z.ZodOptional<z.ZodUndefined> {
  return z.undefined(message).optional();
}

/** A list that takes the place of other settings: once it holds something, who sets one of those is told, since nobody would read it. */
export function replacing<Schema extends z.ZodType>(schema: Schema, paths: readonly string[]): Schema {
  return schema.meta({ ...schema.meta(), replaces: paths });
}

/** Lists the settings of a schema in its own order. */
export function settingsOf(schema: z.ZodType): readonly Setting[] {
  return collect(schema, { path: '', byDefault: undefined });
}

/** Whether a path is a setting of the schema, or a group of settings. */
export function namesSetting(schema: z.ZodType, path: string): boolean {
  return settingsOf(schema).some((known) => known.path === path || known.path.startsWith(`${path}.`));
}

/** The same, or something in a value that has no settings of its own. */
export function hasSetting(schema: z.ZodType, path: string): boolean {
  return namesSetting(schema, path) || settingsOf(schema).some((known) => path.startsWith(`${known.path}.`));
}

/** Names an environment variable: `ISTHMUS_GATEWAY__LISTEN__PORT` for `listen.port` of `gateway`. */
export function variableOf(process: string, path: string): string {
  return [process, ...path.split('.')].reduce((name, part, index) => {
    return `${name}${index === 0 ? '' : '__'}${upperSnake(part)}`;
  }, 'ISTHMUS_');
}

/** The schema under optional, default, nullable and the like. */
export function unwrap(schema: z.ZodType): z.ZodType {
  if (schema instanceof z.ZodPipe) {
    // `preprocess` puts its transform first, `transform` puts it last: the other side is the one that says what is taken.
    const { in: first, out } = schema._zod.def;
    return unwrap((first instanceof z.ZodTransform ? out : first) as z.ZodType);
  }
  if (
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodNullable ||
    schema instanceof z.ZodReadonly ||
    schema instanceof z.ZodCatch ||
    schema instanceof z.ZodNonOptional
  ) {
    return unwrap(schema._zod.def.innerType as z.ZodType);
  }
  return schema;
}

/** True when the schema, or what it wraps, was made by {@link secret}. */
export function isSecret(schema: z.ZodType): boolean {
  for (let inner = schema; ;) {
    if (inner.meta()?.['isSecret'] === true) return true;
    const def: { readonly innerType?: unknown } = inner._zod.def as { readonly innerType?: unknown };
    if (!(def.innerType instanceof z.ZodType)) return unwrap(inner).meta()?.['isSecret'] === true;
    inner = def.innerType;
  }
}

/** Reads a text (environment, flag) as what the schema takes; a text that does not fit stays a text for the schema to refuse. */
export function coerce(schema: z.ZodType, text: string): unknown {
  const inner = unwrap(schema);
  if (inner instanceof z.ZodNumber)
    return text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : text;
  if (inner instanceof z.ZodBoolean) return readBoolean(text);
  if (inner instanceof z.ZodArray) {
    if (text.trim().startsWith('[')) return readJson(text);
    const element = inner.element as z.ZodType;
    return text
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== '')
      .map((item) => coerce(element, item));
  }
  if (inner instanceof z.ZodUnion) {
    const options = inner.options as readonly z.ZodType[];
    const fit = options.map((option) => ({ option, value: coerce(option, text) }));
    return fit.find(({ option, value }) => option.safeParse(value).success)?.value ?? text;
  }
  if (inner instanceof z.ZodLiteral) return [...inner.values].find((value) => String(value) === text) ?? text;
  if (inner instanceof z.ZodObject || inner instanceof z.ZodRecord) return readJson(text);
  return text;
}

function collect(
  schema: z.ZodType,
  at: { readonly path: string; readonly byDefault: unknown },
): readonly Setting[] {
  const inner = unwrap(schema);
  const byDefault = defaultOf(schema) ?? at.byDefault;
  if (inner instanceof z.ZodObject) {
    const whole = isPlain(byDefault) ? byDefault : {};
    return Object.entries(inner.shape as Record<string, z.ZodType>).flatMap(([key, child]) =>
      collect(child, { path: at.path === '' ? key : `${at.path}.${key}`, byDefault: whole[key] }),
    );
  }
  const hidden = isSecret(schema);
  return [
    {
      path: at.path,
      schema,
      takes: takesOf(inner),
      byDefault: byDefault === undefined || hidden ? undefined : JSON.stringify(byDefault),
      description: descriptionOf(schema),
      isSecret: hidden,
      isFormer: inner instanceof z.ZodUndefined,
      replaces: (schema.meta()?.['replaces'] ?? []) as readonly string[],
    },
  ];
}

function defaultOf(schema: z.ZodType): unknown {
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault) return schema._zod.def.defaultValue;
  const def = schema._zod.def as { readonly innerType?: unknown };
  return def.innerType instanceof z.ZodType ? defaultOf(def.innerType) : undefined;
}

function descriptionOf(schema: z.ZodType): string {
  for (let inner: unknown = schema; inner instanceof z.ZodType;) {
    if (inner.description !== undefined) return inner.description;
    inner = (inner._zod.def as { readonly innerType?: unknown }).innerType;
  }
  return unwrap(schema).description ?? '';
}

function takesOf(inner: z.ZodType): string {
  if (inner instanceof z.ZodNumber) {
    const { minValue, maxValue, isInt } = inner;
    const lower = minValue === null || minValue <= Number.MIN_SAFE_INTEGER ? '' : String(minValue);
    const upper = maxValue === null || maxValue >= Number.MAX_SAFE_INTEGER ? '' : String(maxValue);
    const range = lower === '' && upper === '' ? '' : ` ${lower}..${upper}`;
    return `${isInt ? 'integer' : 'number'}${range}`;
  }
  if (inner instanceof z.ZodBoolean) return 'true or false';
  if (inner instanceof z.ZodEnum) return `one of ${inner.options.join(', ')}`;
  if (inner instanceof z.ZodLiteral) return `one of ${[...inner.values].map(String).join(', ')}`;
  if (inner instanceof z.ZodArray) return `list of ${takesOf(unwrap(inner.element as z.ZodType))}`;
  if (inner instanceof z.ZodUnion)
    return [...new Set((inner.options as z.ZodType[]).map((option) => takesOf(unwrap(option))))].join(' or ');
  if (inner instanceof z.ZodObject) return `{ ${Object.keys(inner.shape).join(', ')} }`;
  if (inner instanceof z.ZodRecord) return 'map';
  return 'text';
}

const upperSnake = (part: string): string =>
  part
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replaceAll('-', '_')
    .toUpperCase();

function readBoolean(text: string): unknown {
  if (/^(true|1)$/i.test(text)) return true;
  return /^(false|0)$/i.test(text) ? false : text;
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** True for an object that is a group of keys and not a list or an instance of something. */
export function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}
