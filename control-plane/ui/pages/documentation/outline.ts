import type * as Yaml from 'yaml';

/** One operation, or channel, of a document. */
export interface OutlineLine {
  readonly verb: string;
  readonly path: string;
  readonly summary: string;
}

/** What a document of OpenAPI or AsyncAPI is about. */
export interface Outline {
  readonly title: string;
  readonly version: string;
  readonly description: string;
  readonly lines: readonly OutlineLine[];
}

type Json = Readonly<Record<string, unknown>>;
const isJson = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const inside = (value: unknown, key: string): unknown => (isJson(value) ? value[key] : undefined);
const textOf = (value: unknown): string =>
  typeof value === 'string' || typeof value === 'number' ? String(value) : '';

const verbs = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace', 'query'];

/** Reads it; undefined for what is no JSON and no YAML of an object. */
export function outlineOf(text: string, { parse }: Pick<typeof Yaml, 'parse'>): Outline | undefined {
  let read: unknown;
  try {
    // Aliases may make much of little.
    read = parse(text, { maxAliasCount: 100 });
  } catch {
    return undefined;
  }
  if (!isJson(read)) return undefined;
  const info = read['info'];
  return {
    title: textOf(inside(info, 'title')),
    version: textOf(inside(info, 'version')),
    description: textOf(inside(info, 'description')),
    lines: read['asyncapi'] === undefined ? operationsOf(read['paths']) : channelsOf(read),
  };
}

function operationsOf(paths: unknown): readonly OutlineLine[] {
  if (!isJson(paths)) return [];
  return Object.entries(paths).flatMap(([path, item]) =>
    verbs.flatMap((verb) => {
      const operation = inside(item, verb);
      return isJson(operation)
        ? [
            {
              verb: verb.toUpperCase(),
              path,
              summary: textOf(operation['summary'] ?? operation['operationId']),
            },
          ]
        : [];
    }),
  );
}

/** Version 3 has operations beside its channels; before, they stand in them. */
function channelsOf({ channels, operations }: Json): readonly OutlineLine[] {
  if (isJson(operations))
    return Object.entries(operations).map(([name, operation]) => ({
      verb: textOf(inside(operation, 'action')).toUpperCase(),
      path: textOf(inside(inside(operation, 'channel'), '$ref')).replace(/^#\/channels\//, ''),
      summary: textOf(inside(operation, 'summary')) || name,
    }));
  if (!isJson(channels)) return [];
  return Object.entries(channels).flatMap(([path, channel]) =>
    ['publish', 'subscribe'].flatMap((verb) => {
      const operation = inside(channel, verb);
      return isJson(operation)
        ? [
            {
              verb: verb.toUpperCase(),
              path,
              summary: textOf(operation['summary'] ?? operation['operationId']),
            },
          ]
        : [];
    }),
  );
}
