import { z } from 'zod';

import { Fault, type FaultDetail } from '../faults/fault.ts';
import { pathText } from '../faults/issues.ts';
import { nearest } from '../faults/nearest.ts';
import { createRedactor } from '../model/redaction.ts';
import { fileLayer, processNames, unknownKey } from './config-file.ts';
import { coerce, isPlain, isSecret, settingsOf, unwrap, variableOf, type Setting } from './settings.ts';

export { former, httpUrl, secret, section, settingsOf, variableOf, type Setting } from './settings.ts';

/** Where the values come from besides the schema's defaults. */
export interface ConfigOptions {
  /** e.g. `gateway`: the section of the file and the prefix of the variables. */
  readonly process: string;
  /** A YAML (or JSON) file: a section per process, or one process's keys at the top. */
  readonly file?: string | undefined;
  /** The file can only hold sections: `up` has no keys of its own. */
  readonly isSectioned?: boolean | undefined;
  /** Default: none, so that tests are not moved by the machine they run on; the commands pass process.env. */
  readonly env?: NodeJS.ProcessEnv | undefined;
  /** By dotted path, e.g. { 'listen.port': '8082' }; undefined values count as not given. */
  readonly flags?: Readonly<Record<string, unknown>> | undefined;
}

/** A configuration that holds, with the source of each value. */
export interface LoadedConfig<T> {
  /** Frozen at every depth. */
  readonly config: Readonly<T>;
  /** Dotted path -> `default`, `file <name>`, `env <NAME>` or `--set <path>`. */
  readonly sources: ReadonlyMap<string, string>;
  /** Each value once, in the schema's order; secrets are `***`, passwords and keys inside of URLs too. */
  entries(): readonly PrintedValue[];
  /** The same as text, one line each: `listen.port = 8082  # env ISTHMUS_GATEWAY__LISTEN__PORT`. */
  print(): string;
}

/** One line of the print. */
export interface PrintedValue {
  readonly path: string;
  readonly value: unknown;
  readonly source: string;
}

/** The values of one source. */
export interface Layer {
  readonly values: Readonly<Record<string, unknown>>;
  /** Names the source of one path. */
  readonly sourceOf: (path: string) => string;
}

/**
 * Builds a process's configuration: defaults < file < environment < flags.
 *
 * Shape:  variables are ISTHMUS_<PROCESS>__A__B (camelCase becomes CAMEL_CASE), read by the type the schema has there; lists
 *         are comma-separated or JSON. ISTHMUS_DATA_DIR sets `dataDir` of every process that has one. A file's top-level
 *         `dataDir` does the same when the file has sections.
 * Errors: config.unreadable for the file; config.invalid with every fault at once, each with its path, what is allowed and
 *         where the value came from. Unknown keys are faults that name the nearest key.
 */
export function loadConfig<Schema extends z.ZodObject>(
  schema: Schema,
  options: ConfigOptions,
): LoadedConfig<z.output<Schema>> {
  const settings = settingsOf(schema);
  const faults: FaultDetail[] = [];
  const layers = [
    fileLayer(schema, options, faults),
    envLayer(settings, options, faults),
    flagLayer(settings, options, faults),
  ];
  const input = layers.reduce<Record<string, unknown>>((under, layer) => merge(under, layer.values), {});
  const sources = new Map<string, string>();
  for (const layer of layers) {
    for (const path of leaves(layer.values)) sources.set(path, layer.sourceOf(path));
  }
  dropUnknown(schema, input, { path: '', faults, sources });

  const parsed = schema.safeParse(input);
  if (!parsed.success)
    faults.push(...parsed.error.issues.flatMap((issue) => describe(issue, { input, sources, settings })));
  else faults.push(...replaced(settings, { config: parsed.data, sources }));
  if (faults.length > 0 || !parsed.success) {
    throw new Fault('config.invalid', {
      detail: `The configuration of ${options.process} is not valid: ${faults.map(({ path, message }) => `${path}: ${message}`).join('; ')}`,
      details: faults,
      hint: `isthmus config --print shows every value with its source; docs/configuration.md lists what there is.`,
    });
  }
  const config = freeze(parsed.data);
  for (const { path } of settings)
    if (!sources.has(path)) sources.set(path, sourceAbove(sources, path) ?? 'default');
  const entries = (): readonly PrintedValue[] =>
    settings.flatMap((setting) => {
      const value = valueAt(config, setting.path);
      if (value === undefined) return [];
      return [
        {
          path: setting.path,
          value: masked(setting.schema, value),
          source: sources.get(setting.path) ?? 'default',
        },
      ];
    });
  return {
    config,
    sources,
    entries,
    print: () =>
      entries()
        .map(({ path, value, source }) => `${path} = ${JSON.stringify(value)}  # ${source}\n`)
        .join(''),
  };
}

/** What is set beside a setting that takes its place. */
function replaced(
  settings: readonly Setting[],
  { config, sources }: { readonly config: unknown; readonly sources: ReadonlyMap<string, string> },
): readonly FaultDetail[] {
  return settings.flatMap(({ path, replaces }) => {
    const value = replaces.length === 0 ? undefined : valueAt(config, path);
    if (!Array.isArray(value) || value.length === 0) return [];
    return replaces.flatMap((other) => {
      const [set] = [...sources].filter(([known]) => known === other || known.startsWith(`${other}.`));
      if (set === undefined) return [];
      const message = `stands beside ${path}, which takes its place; allowed: one of them (${set[1]})`;
      return [{ path: other, message }];
    });
  });
}

function envLayer(settings: readonly Setting[], options: ConfigOptions, faults: FaultDetail[]): Layer {
  const values: Record<string, unknown> = {};
  const names = new Map<string, string>();
  const env = options.env ?? {};
  const take = (name: string, setting: Setting, text: string): void => {
    put(values, setting.path, coerce(setting.schema, text));
    names.set(setting.path, name);
  };
  const dataDir = settings.find(({ path }) => path === 'dataDir');
  if (dataDir !== undefined && env['ISTHMUS_DATA_DIR'])
    take('ISTHMUS_DATA_DIR', dataDir, env['ISTHMUS_DATA_DIR']);
  const known = new Map(settings.map((setting) => [variableOf(options.process, setting.path), setting]));
  const ownPrefix = variableOf(options.process, '');
  const prefixes = processNames.map((name) => variableOf(name, ''));
  for (const [name, text] of Object.entries(env)) {
    if (!/^ISTHMUS_[A-Z0-9_]*?__/.test(name) || text === undefined) continue;
    const setting = known.get(name);
    if (setting !== undefined) take(name, setting, text);
    else if (name.startsWith(ownPrefix)) faults.push(unknownKey(name, known.keys(), 'environment'));
    else if (!prefixes.some((prefix) => name.startsWith(prefix)))
      faults.push(unknownKey(name, known.keys(), 'environment'));
  }
  return { values, sourceOf: (path) => `env ${names.get(nearestAbove(names, path)) ?? ''}` };
}

function flagLayer(settings: readonly Setting[], options: ConfigOptions, faults: FaultDetail[]): Layer {
  const values: Record<string, unknown> = {};
  for (const [path, value] of Object.entries(options.flags ?? {})) {
    if (value === undefined) continue;
    const setting = settings.find((candidate) => candidate.path === path);
    if (setting === undefined)
      faults.push(
        unknownKey(
          path,
          settings.map((one) => one.path),
          'flags',
        ),
      );
    else put(values, path, typeof value === 'string' ? coerce(setting.schema, value) : value);
  }
  return { values, sourceOf: (path) => `--set ${path}` };
}

/** Reports keys that the schema does not have and takes them out, so that the schema itself reports the rest. */
function dropUnknown(
  schema: z.ZodType,
  value: unknown,
  at: {
    readonly path: string;
    readonly faults: FaultDetail[];
    readonly sources: ReadonlyMap<string, string>;
  },
): void {
  const inner = unwrap(schema);
  if (inner instanceof z.ZodArray && Array.isArray(value)) {
    value.forEach((item, index) =>
      dropUnknown(inner.element as z.ZodType, item, { ...at, path: `${at.path}[${index}]` }),
    );
  }
  if (!(inner instanceof z.ZodObject) || !isPlain(value)) return;
  const shape = inner.shape as Record<string, z.ZodType>;
  const group = value as Record<string, unknown>;
  for (const key of Object.keys(group)) {
    const path = at.path === '' ? key : `${at.path}.${key}`;
    const child = Object.hasOwn(shape, key) ? shape[key] : undefined;
    if (child !== undefined) {
      dropUnknown(child, group[key], { ...at, path });
      continue;
    }
    const near = nearest(key, Object.keys(shape));
    const source =
      at.sources.get(path) ?? [...at.sources].find(([known]) => known.startsWith(`${path}.`))?.[1] ?? 'file';
    const advice =
      near === undefined ? `; there are: ${Object.keys(shape).join(', ')}` : `; did you mean ${near}?`;
    at.faults.push({ path, message: `is not a setting${advice} (${source})` });
    delete group[key];
  }
}

function describe(
  issue: z.core.$ZodIssue,
  known: {
    readonly input: unknown;
    readonly sources: ReadonlyMap<string, string>;
    readonly settings: readonly Setting[];
  },
): readonly FaultDetail[] {
  const path = pathText(issue.path);
  const plainPath = path.replace(/\[.*$/, '');
  const setting = known.settings.find((candidate) => candidate.path === plainPath);
  const value = valueAt(known.input, plainPath);
  const takes =
    setting === undefined || setting.isFormer || issue.code === 'custom' ? '' : `; takes ${setting.takes}`;
  const got = describeGot(issue.code, value, setting?.isSecret === true);
  const source = known.sources.get(plainPath);
  const from = source === undefined ? '' : ` (${source})`;
  return [{ path, message: `${issue.message}${takes}${got}${from}` }];
}

/** A rule of ours says itself what is missing, and where. */
function describeGot(code: z.core.$ZodIssue['code'], value: unknown, isSecret: boolean): string {
  if (value === undefined) return code === 'custom' ? '' : '; is missing';
  return isSecret ? '; got ***' : `; got ${JSON.stringify(shown(value))}`;
}

const redactor = createRedactor();

/** A value as somebody may read it: a text that is no secret can be a URL with a password in it. */
function shown(value: unknown): unknown {
  if (typeof value === 'string') return redactor.text(value);
  if (Array.isArray(value)) return value.map(shown);
  return isPlain(value)
    ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, shown(item)]))
    : value;
}

function masked(schema: z.ZodType, value: unknown): unknown {
  if (isSecret(schema)) return '***';
  const inner = unwrap(schema);
  if (inner instanceof z.ZodArray && Array.isArray(value))
    return value.map((item) => masked(inner.element as z.ZodType, item));
  if (inner instanceof z.ZodRecord && isPlain(value)) {
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, masked(inner.valueType as z.ZodType, item)]),
    );
  }
  if (inner instanceof z.ZodObject && isPlain(value)) {
    const shape = inner.shape as Record<string, z.ZodType>;
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [
        key,
        shape[key] === undefined ? shown(item) : masked(shape[key], item),
      ]),
    );
  }
  return shown(value);
}

/** Own copies all the way, because what the caller parsed must not change under it. */
function merge(under: unknown, over: Readonly<Record<string, unknown>>): Record<string, unknown> {
  // A Map, since a file may hold the key __proto__, and has to be told that there is no such setting.
  const merged = new Map<string, unknown>(isPlain(under) ? Object.entries(under) : []);
  for (const [key, value] of Object.entries(over))
    merged.set(key, isPlain(value) ? merge(merged.get(key), value) : value);
  return Object.fromEntries(merged);
}

function put(values: Record<string, unknown>, path: string, value: unknown): void {
  // Only paths of the schema come here.
  Object.assign(
    values,
    merge(
      values,
      path
        .split('.')
        .reduceRight<unknown>((inner, key) => Object.fromEntries([[key, inner]]), value) as Record<
        string,
        unknown
      >,
    ),
  );
}

function valueAt(value: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>((inner, key) => (isPlain(inner) ? inner[key] : undefined), value);
}

function leaves(value: Readonly<Record<string, unknown>>, above = ''): readonly string[] {
  return Object.entries(value).flatMap(([key, item]) => {
    const path = above === '' ? key : `${above}.${key}`;
    return isPlain(item) && Object.keys(item).length > 0 ? leaves(item, path) : [path];
  });
}

function nearestAbove(names: ReadonlyMap<string, string>, path: string): string {
  for (let above = path; above !== ''; above = above.slice(0, Math.max(0, above.lastIndexOf('.')))) {
    if (names.has(above)) return above;
  }
  return path;
}

/** A map or a list setting is one value, but its keys were recorded one by one. */
function sourceAbove(sources: ReadonlyMap<string, string>, path: string): string | undefined {
  return [...sources].findLast(([known]) => known.startsWith(`${path}.`))?.[1];
}

function freeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  if (Array.isArray(value) || isPlain(value)) {
    for (const item of Object.values(value)) freeze(item);
    Object.freeze(value);
  }
  return value;
}
