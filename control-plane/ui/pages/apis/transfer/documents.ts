import { isObject, type JsonObject } from '../../../kit/schema-form/shape.ts';

/** What a text that somebody chose seems to be. */
export type DocumentKind = 'definition' | 'openapi' | 'wsdl';

/**
 * A text as the document it is: JSON, or YAML of one document.
 *
 * Errors: an Error whose words say where it is neither.
 */
export async function documentOf(text: string): Promise<JsonObject> {
  // Whoever sends JSON does not wait for the reader of YAML.
  const value = /^\s*[{[]/.test(text) ? parseJson(text) : (await import('yaml')).parse(text);
  if (!isObject(value)) throw new Error('This is no object, as every definition is.');
  return value;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`This is no JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** What a text is, by the word that every OpenAPI document begins with; what is XML describes a service of SOAP. */
export function kindOf(text: string): DocumentKind {
  if (/^\uFEFF?\s*</.test(text)) return 'wsdl';
  return /^\s*(?:\{\s*)?["']?(?:openapi|swagger)["']?\s*:/m.test(text.slice(0, glanceChars))
    ? 'openapi'
    : 'definition';
}
const glanceChars = 4_096;

/** What stands in an export and is of this installation alone. */
const ownFields: ReadonlySet<string> = new Set([
  'apiVersion',
  'createdAt',
  'definitionVersion',
  'deployedAt',
  'deploymentState',
  'hasDraft',
  'originContext',
  'primaryOwner',
  'state',
  'sync',
  'updatedAt',
]);
const ownPlanFields: ReadonlySet<string> = new Set([
  'apiId',
  'closedAt',
  'createdAt',
  'definitionVersion',
  'environmentId',
  'publishedAt',
  'updatedAt',
]);

const without = (fields: JsonObject, names: ReadonlySet<string>): JsonObject =>
  Object.fromEntries(Object.entries(fields).filter(([name]) => !names.has(name)));

/** An export as the custom resource that a Kubernetes operator, a gateway from files and an import take; its plans by their ids. */
export function resourceOf(exported: JsonObject): JsonObject {
  const api = isObject(exported['api']) ? exported['api'] : {};
  const plans = Array.isArray(exported['plans']) ? exported['plans'].filter(isObject) : [];
  return {
    apiVersion: 'gravitee.io/v1alpha1',
    kind: 'ApiV4Definition',
    metadata: { name: fileNameOf(api) },
    spec: {
      version: api['apiVersion'],
      ...without(api, ownFields),
      plans: Object.fromEntries(
        plans.map((plan, index) => {
          const { id, ...rest } = without(plan, ownPlanFields);
          return [String(id), { order: index + 1, ...rest }];
        }),
      ),
    },
  };
}

/** The name of an API as a file and a resource may be called. */
export function fileNameOf({ name, id }: JsonObject): string {
  const words = String(name)
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(/\p{M}/gu, '')
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, nameCharsMax)
    .replaceAll(/^-|-$/g, '');
  return words === '' ? `api-${String(id)}` : words;
}
/** Longest name of a resource in Kubernetes that is a label too. */
const nameCharsMax = 63;
