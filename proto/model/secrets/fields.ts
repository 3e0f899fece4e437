import { createHash } from 'node:crypto';

import type { z } from 'zod';

import { catalog } from '../../policies/catalog.ts';
import { resourceCatalog } from '../../resources/catalog.ts';
import { discoveryCatalog } from '../api/discovery.ts';
import { sharedConfigurationSchema } from '../api-endpoints.ts';
import { dynamicPropertiesSchema } from '../api/dynamic-properties.ts';
import { lookForMarks } from './marks.ts';
import type { SecretMark } from './mark.ts';
import { secretWords } from './names.ts';

/** A field whose schema calls it a secret. */
export interface SecretField {
  /** What it is called in faults of trust, whatever definition it stands in, e.g. `resource oauth2: clientSecret`. */
  readonly name: string;
  /** Keys from the configuration on; `[]` is each item of a list, `*` each value of a map. */
  readonly path: readonly string[];
  readonly isSecretBeside: SecretMark['isSecretBeside'];
}

/** Configurations of one kind, by id. */
type Schemas = Readonly<
  Record<string, { readonly config: z.ZodType; readonly aliases?: readonly string[] | undefined }>
>;

/** What follows from the configurations of one kind, worked out for an id when somebody first asks for it. */
class ById<T> {
  readonly #schemas: Schemas;
  readonly #workOut: (config: z.ZodType, id: string) => T;
  readonly #found = new Map<string, T>();
  readonly #aliases: ReadonlyMap<string, string>;

  constructor(schemas: Schemas, workOut: (config: z.ZodType, id: string) => T) {
    this.#schemas = schemas;
    this.#workOut = workOut;
    this.#aliases = new Map(
      Object.entries(schemas).flatMap(([id, { aliases = [] }]) =>
        aliases.map((alias) => [alias, id] as const),
      ),
    );
  }

  /** written: an id, or another one by which definitions name it. */
  get(written: string): T | undefined {
    const id = this.#aliases.get(written) ?? written;
    const schema = Object.hasOwn(this.#schemas, id) ? this.#schemas[id] : undefined;
    return schema === undefined ? undefined : this.#of(id, schema.config);
  }

  /** Of all ids. */
  *[Symbol.iterator](): Generator<readonly [id: string, T]> {
    for (const [id, { config }] of Object.entries(this.#schemas)) yield [id, this.#of(id, config)];
  }

  #of(id: string, config: z.ZodType): T {
    const found = this.#found.get(id) ?? this.#workOut(config, id);
    this.#found.set(id, found);
    return found;
  }
}

/** Fields that a schema takes, by name; `[]` is each item of a list, `*` each value of a map. What it takes only to refuse or drop is none of them. */
export type KnownFields = ReadonlyMap<string, KnownFields>;

/** Secret fields of the configurations of one kind, by id. */
type FieldsById = ById<readonly SecretField[]>;

/** What can hold secrets, with the fields that do; it follows from the schemas, and there is no other list. */
export interface SecretFields {
  readonly policies: FieldsById;
  readonly resources: FieldsById;
  readonly discoveries: FieldsById;
  /** Of what says how endpoints are reached. */
  readonly endpoints: readonly SecretField[];
  /** Of what a control plane asks whom for; gateways get none of it. */
  readonly fetches: readonly SecretField[];
  /** What is no secret there because a schema knows it: elsewhere names decide (names.ts). */
  readonly known: {
    readonly policies: ById<KnownFields>;
    readonly resources: ById<KnownFields>;
    readonly discoveries: ById<KnownFields>;
    readonly endpoints: KnownFields;
    readonly fetches: KnownFields;
  };
}

/** Finds them in schemas; those of this version are {@link secretFields}. */
export function findSecretFields(of: {
  readonly policies: Schemas;
  readonly resources: Schemas;
  readonly discoveries: Schemas;
  readonly endpoints: z.ZodType;
  readonly fetches?: z.ZodType;
}): SecretFields {
  const byId = (kind: string, entries: Schemas): FieldsById =>
    new ById(entries, (config, id) => fieldsOf(config, `${kind} ${id}`));
  return {
    policies: byId('policy', of.policies),
    resources: byId('resource', of.resources),
    discoveries: byId('discovery', of.discoveries),
    endpoints: fieldsOf(of.endpoints, 'endpoint'),
    fetches: of.fetches === undefined ? [] : fieldsOf(of.fetches, 'fetch'),
    known: {
      policies: new ById(of.policies, knownIn),
      resources: new ById(of.resources, knownIn),
      discoveries: new ById(of.discoveries, knownIn),
      endpoints: knownIn(of.endpoints),
      fetches: of.fetches === undefined ? new Map() : knownIn(of.fetches),
    },
  };
}

/** Those of this version. */
export const secretFields: SecretFields = findSecretFields({
  policies: catalog,
  resources: resourceCatalog,
  discoveries: discoveryCatalog,
  endpoints: sharedConfigurationSchema,
  fetches: dynamicPropertiesSchema,
});

/** Every one of them that gateways use. */
export function allSecretFields(of: SecretFields): readonly SecretField[] {
  const byId = [of.policies, of.resources, of.discoveries].flatMap((fields) => [...fields]);
  return [...byId.flatMap(([, fields]) => fields), ...of.endpoints];
}

/** Another text when any field is another one, or becomes a secret by another rule: what was kept until then may lie open. */
export function fingerprintOf(of: SecretFields): string {
  const rules = [...allSecretFields(of), ...of.fetches].map(
    ({ name, isSecretBeside }) => `${name} ${String(isSecretBeside)}`,
  );
  return createHash('sha256')
    .update(JSON.stringify(['property', 'pages', 'names 3', ...secretWords, ...rules.toSorted()]))
    .digest('hex');
}

interface Growing extends Map<string, Growing> {}

function knownIn(schema: z.ZodType): KnownFields {
  const root: Growing = new Map();
  lookForMarks(schema, (path, mark: { readonly offOnly?: unknown; readonly isElsewhere?: unknown }) => {
    const last = path.at(-1);
    if (last === undefined) return false;
    const holder = path.slice(0, -1).reduce((at: Growing | undefined, key) => at?.get(key), root);
    const isTaken = mark.offOnly === undefined && mark.isElsewhere === undefined;
    if (isTaken && holder?.has(last) === false) holder.set(last, new Map());
    if (!isTaken) holder?.delete(last);
    return !isTaken;
  });
  // Whatever else takes it only to refuse it: what is marked is found by its mark.
  for (const { path } of fieldsOf(schema, '')) path.reduce(grown, root);
  return root;
}

function grown(at: Growing, key: string): Growing {
  const inside = at.get(key) ?? new Map<string, Growing>();
  at.set(key, inside);
  return inside;
}

function fieldsOf(schema: z.ZodType, owner: string): readonly SecretField[] {
  const found = new Map<string, SecretField>();
  lookForMarks(schema, (path, mark: Partial<SecretMark>) => {
    if (mark.isSecret !== true) return false;
    const { isSecretBeside } = mark;
    const name = `${owner}: ${path.join('.')}`;
    found.set(name, { name, path, isSecretBeside });
    return true;
  });
  return [...found.values()];
}
