/**
 * Types of an OpenAPI document for openapi-fetch, which reads them from `paths`.
 *
 * openapi-typescript makes the same of any document, and needs the compiler's old API, which TypeScript 7 does not have. This one knows the
 * words that our own documents use, and refuses any other.
 */
export function clientTypes(document: OpenApi): string {
  const paths = Object.entries(document.paths).flatMap(([path, all]) => {
    // What stands under a second base is the same operation once more.
    const operations = Object.entries(all).filter(
      ([, { operationId }]) => !operationId.endsWith('InOrganization'),
    );
    const lines = operations.map(([method, operation]) => `    ${method}: ${operationType(operation)};\n`);
    return lines.length === 0 ? [] : [`  ${JSON.stringify(path)}: {\n${lines.join('')}  };\n`];
  });
  const schemas = Object.entries(document.components.schemas).map(
    ([name, schema]) => `  ${JSON.stringify(name)}: ${schemaType(schema)};\n`,
  );
  return [
    '// Made of the OpenAPI document by `npm run generate`.\n',
    `export interface paths {\n${paths.join('')}}\n`,
    `export interface Schemas {\n${schemas.join('')}}\n`,
  ].join('\n');
}

/** What of a document is read here. */
export interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

interface Operation {
  readonly operationId: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly required?: boolean; readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly content?: Content }>>;
}

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly schema: Schema;
}

type Content = Readonly<Record<string, { readonly schema: Schema }>>;
type Schema = Readonly<Record<string, unknown>>;

function operationType({ parameters = [], requestBody, responses }: Operation): string {
  const places = ['path', 'query', 'header'].flatMap((place) => {
    const of = parameters.filter((parameter) => parameter.in === place);
    if (of.length === 0) return place === 'header' ? [] : [`${place}?: never`];
    const fields = of.map(({ name, required, schema }) => field(name, required === true, schemaType(schema)));
    return `${place}${of.some(({ required }) => required) ? '' : '?'}: { ${fields.join(' ')} }`;
  });
  const strange = parameters.find((parameter) => !['path', 'query', 'header'].includes(parameter.in));
  if (strange !== undefined) throw new Error(`a parameter in ${strange.in} is not known here`);
  const answers = Object.entries(responses).map(
    ([status, { content }]) =>
      `${status}: { headers: { [name: string]: unknown }; content${content === undefined ? '?: never' : `: ${contentType(content)}`} };`,
  );
  const body =
    requestBody === undefined
      ? 'requestBody?: never'
      : `requestBody${requestBody.required === false ? '?' : ''}: { content: ${contentType(requestBody.content)} }`;
  return `{ parameters: { ${places.join('; ')} }; ${body}; responses: { ${answers.join(' ')} } }`;
}

const contentType = (content: Content): string =>
  `{ ${Object.entries(content)
    .map(([type, { schema }]) => `${JSON.stringify(type)}: ${schemaType(schema)};`)
    .join(' ')} }`;

const field = (name: string, isRequired: boolean, type: string): string =>
  `${JSON.stringify(name)}${isRequired ? '' : '?'}: ${type};`;

function schemaType(schema: Schema): string {
  const { $ref, anyOf, oneOf, allOf, type } = schema;
  if (typeof $ref === 'string') return `Schemas[${JSON.stringify($ref.split('/').at(-1))}]`;
  if ('const' in schema) return JSON.stringify(schema['const']);
  if (Array.isArray(schema['enum'])) return schema['enum'].map((value) => JSON.stringify(value)).join(' | ');
  for (const union of [anyOf, oneOf])
    if (Array.isArray(union)) return `(${union.map((each: Schema) => schemaType(each)).join(' | ')})`;
  if (Array.isArray(allOf)) return `(${allOf.map((each: Schema) => schemaType(each)).join(' & ')})`;
  if (Array.isArray(type)) return `(${type.map((each) => plainType(String(each), schema)).join(' | ')})`;
  return plainType(typeof type === 'string' ? type : 'any', schema);
}

function plainType(type: string, schema: Schema): string {
  switch (type) {
    case 'string':
    case 'boolean':
    case 'null':
      return type;
    case 'integer':
    case 'number':
      return 'number';
    case 'array':
      return `Array<${schemaType((schema['items'] ?? {}) as Schema)}>`;
    case 'object':
      return objectType(schema);
    case 'any':
      return 'unknown';
    default:
      throw new Error(`a schema of type ${type} is not known here`);
  }
}

function objectType({ properties, required, additionalProperties }: Schema): string {
  const names = Array.isArray(required) ? required : [];
  const fields = Object.entries((properties ?? {}) as Readonly<Record<string, Schema>>).map(([name, each]) =>
    field(name, names.includes(name), schemaType(each)),
  );
  const isOpen = typeof additionalProperties === 'object' && additionalProperties !== null;
  // A field of another type than the rest would contradict an index signature.
  if (isOpen && fields.length === 0)
    return `{ [name: string]: ${schemaType(additionalProperties as Schema)} }`;
  if (fields.length === 0)
    return additionalProperties === false ? '{ [name: string]: never }' : '{ [name: string]: unknown }';
  return `{ ${fields.join(' ')} }`;
}
