import type { z } from 'zod';

import { catalog } from '../../policies/catalog.ts';
import { resourceCatalog } from '../../resources/catalog.ts';
import { discoveryCatalog } from '../api/discovery.ts';
import { sharedConfigurationSchema } from '../api-endpoints.ts';
import { fetchSchema } from '../fetched/source.ts';
import { lookForMarks } from './marks.ts';
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
  readonly discoveries: FieldsById;
  /** Of what says how endpoints are reached. */
  readonly endpoints: readonly SecretField[];
  /** Of what a control plane asks whom for; gateways get none of it. */
  readonly fetches: readonly SecretField[];
}

/** Finds them in schemas; those of this version are {@link secretFields}. */
export function findSecretFields(of: {
  readonly policies: Readonly<Record<string, { readonly config: z.ZodType }>>;
  readonly resources: Readonly<Record<string, { readonly config: z.ZodType }>>;
  readonly discoveries: Readonly<Record<string, { readonly config: z.ZodType }>>;
  readonly endpoints: z.ZodType;
  readonly fetches?: z.ZodType;
}): SecretFields {
  const byId = (kind: string, entries: typeof of.policies): FieldsById =>
    new Map(Object.entries(entries).map(([id, { config }]) => [id, fieldsOf(config, `${kind} ${id}`)]));
  return {
    policies: byId('policy', of.policies),
    resources: byId('resource', of.resources),
    discoveries: byId('discovery', of.discoveries),
    endpoints: fieldsOf(of.endpoints, 'endpoint'),
    fetches: of.fetches === undefined ? [] : fieldsOf(of.fetches, 'fetch'),
  };
}

/** Those of this version. */
export const secretFields: SecretFields = findSecretFields({
  policies: catalog,
  resources: resourceCatalog,
  discoveries: discoveryCatalog,
  endpoints: sharedConfigurationSchema,
  fetches: fetchSchema,
});

/** Every one of them that gateways use. */
export function allSecretFields(of: SecretFields): readonly SecretField[] {
  const byId = [of.policies, of.resources, of.discoveries].flatMap((fields) => [...fields.values()]);
  return [...byId.flat(), ...of.endpoints];
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
