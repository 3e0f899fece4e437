import type { z } from 'zod';

import { catalog } from '../../policies/catalog.ts';
import { resourceCatalog } from '../../resources/catalog.ts';
import { sharedConfigurationSchema } from '../api-endpoints.ts';
import { fetchSchema } from '../fetched/source.ts';
import type { SecretMark } from './mark.ts';

/** A field whose schema calls it a secret. */
export interface SecretField {
  /** What it is called in faults of trust, whatever definition it stands in, e.g. `resource oauth2: clientSecret`. */
  readonly name: string;
  /** Keys from the configuration on; `[]` is each item of a list, `*` each value of a map. */
  readonly path: readonly string[];
  readonly isSecretBeside: SecretMark['isSecretBeside'];
}

/** Secret fields of the configurations of one kind, by id. */
type FieldsById = ReadonlyMap<string, readonly SecretField[]>;

/** What can hold secrets, with the fields that do; it follows from the schemas, and there is no other list. */
export interface SecretFields {
  readonly policies: FieldsById;
  readonly resources: FieldsById;
  /** Of what says how endpoints are reached. */
  readonly endpoints: readonly SecretField[];
  /** Of what a control plane asks whom for; gateways get none of it. */
  readonly fetches: readonly SecretField[];
}

/** Finds them in schemas; those of this version are {@link secretFields}. */
export function findSecretFields(of: {
  readonly policies: Readonly<Record<string, { readonly config: z.ZodType }>>;
  readonly resources: Readonly<Record<string, { readonly config: z.ZodType }>>;
  readonly endpoints: z.ZodType;
  readonly fetches?: z.ZodType;
}): SecretFields {
  const byId = (kind: string, entries: typeof of.policies): FieldsById =>
    new Map(Object.entries(entries).map(([id, { config }]) => [id, fieldsOf(config, `${kind} ${id}`)]));
  return {
    policies: byId('policy', of.policies),
    resources: byId('resource', of.resources),
    endpoints: fieldsOf(of.endpoints, 'endpoint'),
    fetches: of.fetches === undefined ? [] : fieldsOf(of.fetches, 'fetch'),
  };
}

/** Those of this version. */
export const secretFields: SecretFields = findSecretFields({
  policies: catalog,
  resources: resourceCatalog,
  endpoints: sharedConfigurationSchema,
  fetches: fetchSchema,
});

/** Every one of them that gateways use. */
export function allSecretFields({ policies, resources, endpoints }: SecretFields): readonly SecretField[] {
  return [...[...policies.values(), ...resources.values()].flat(), ...endpoints];
}

function fieldsOf(schema: z.ZodType, owner: string): readonly SecretField[] {
  const found = new Map<string, SecretField>();
  look(schema, [], (path, { isSecretBeside }) => {
    const name = `${owner}: ${path.join('.')}`;
    found.set(name, { name, path, isSecretBeside });
  });
  return [...found.values()];
}

/** What a schema is made of, as far as a mark may stand in it. */
interface Parts {
  readonly innerType?: z.ZodType;
  readonly in?: z.ZodType;
  readonly out?: z.ZodType;
  readonly element?: z.ZodType;
  readonly valueType?: z.ZodType;
  readonly options?: readonly z.ZodType[];
  readonly left?: z.ZodType;
  readonly right?: z.ZodType;
  readonly shape?: Readonly<Record<string, z.ZodType>>;
}

type Found = (path: readonly string[], mark: SecretMark) => void;

function look(schema: z.ZodType, path: readonly string[], found: Found): void {
  const mark = schema.meta() as Partial<SecretMark> | undefined;
  if (mark?.isSecret === true) return found(path, { ...mark, isSecret: true });
  const { innerType, in: input, out, element, valueType, options, left, right, shape } = schema.def as Parts;
  for (const [name, field] of Object.entries(shape ?? {})) look(field, [...path, name], found);
  if (element !== undefined) look(element, [...path, '[]'], found);
  if (valueType !== undefined) look(valueType, [...path, '*'], found);
  for (const inside of [innerType, input, out, left, right, ...(options ?? [])])
    if (inside !== undefined) look(inside, path, found);
}
