import type { FaultDetail } from '../../../faults/fault.ts';
import { isObject } from '../json-schema/copy.ts';
import { elementsOf, memberOf, membersOf, type Part, type Placed, resolved } from './document.ts';
import type { JsonType, OasSchemas } from './schemas.ts';

/** Most operations of a document, and most parameters of one. */
export const operationsMax = 2_000;
export const parametersMax = 200;

const methods = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'] as const;

/** An operation, as far as messages are held against it. */
export interface OasOperation {
  readonly parameters: readonly OasParameter[];
  /** Undefined: it takes no body. */
  readonly body: { readonly isRequired: boolean; readonly content: OasContent } | undefined;
  /** By status, `4XX` or `default`. */
  readonly responses: ReadonlyMap<string, OasContent>;
  /** Sets of schemes; all of one are needed. None: nobody has to show anything. */
  readonly security: readonly (readonly OasScheme[])[];
}

/** Media types, in lower case, with what their bodies are. */
export type OasContent = ReadonlyMap<string, OasMedia>;

/** A body. */
export interface OasMedia {
  /** Under which name it is judged; undefined where nothing is said. */
  readonly schema: string | undefined;
  /** What the members of a form may be. */
  readonly members: ReadonlyMap<string, OasShape>;
}

/** What a text is to be read as. */
export interface OasShape {
  readonly types: ReadonlySet<JsonType>;
  /** ... of the elements of a list. */
  readonly itemTypes: ReadonlySet<JsonType>;
  readonly memberTypes: ReadonlyMap<string, ReadonlySet<JsonType>>;
}

/** A parameter. */
export interface OasParameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header' | 'cookie';
  readonly isRequired: boolean;
  readonly style: 'simple' | 'form' | 'spaceDelimited' | 'pipeDelimited' | 'deepObject';
  readonly explode: boolean;
  readonly mayBeEmpty: boolean;
  /** Its text is JSON. */
  readonly isJson: boolean;
  readonly shape: OasShape;
  readonly schema: string | undefined;
}

/** What a caller has to show: a key by its place, or a scheme of `Authorization`. */
export type OasScheme =
  | { readonly kind: 'key'; readonly in: 'header' | 'query' | 'cookie'; readonly name: string }
  | { readonly kind: 'authorization'; readonly scheme: string }
  | { readonly kind: 'certificate' };

/** What is needed to read operations. */
export interface Reading {
  readonly document: Part;
  readonly schemas: OasSchemas;
  readonly faults: FaultDetail[];
  /** Shapes by the places of their schemas. */
  readonly shapes: Map<string, OasShape>;
}

/** The operations of a path, by method. */
export function operationsOf(item: Placed, reading: Reading): ReadonlyMap<string, OasOperation> {
  const shared = elementsOf(memberOf(item, 'parameters'));
  return new Map(
    methods.flatMap((method) => {
      const operation = memberOf(item, method);
      return isObject(operation.value)
        ? [[method.toUpperCase(), operationOf(operation, shared, reading)] as const]
        : [];
    }),
  );
}

function operationOf(operation: Placed, shared: readonly Placed[], reading: Reading): OasOperation {
  const parameters = new Map<string, OasParameter>();
  // What an operation says of a parameter counts before what its path does.
  for (const written of [...shared, ...elementsOf(memberOf(operation, 'parameters'))]) {
    const parameter = parameterOf(written, reading);
    if (parameter !== undefined) parameters.set(`${parameter.in} ${parameter.name.toLowerCase()}`, parameter);
  }
  if (parameters.size > parametersMax)
    reading.faults.push({ path: operation.at, message: `has more than ${parametersMax} parameters` });
  const body = follow(memberOf(operation, 'requestBody'), reading);
  const responses = membersOf(memberOf(operation, 'responses')).flatMap(([status, written]) => {
    const response = follow(written, reading);
    return response === undefined ? [] : [[status.toUpperCase(), contentOf(response, reading)] as const];
  });
  return {
    parameters: [...parameters.values()],
    body:
      body === undefined
        ? undefined
        : {
            isRequired: memberOf(body, 'required').value === true,
            content: contentOf(body, reading),
          },
    responses: new Map(responses),
    security: securityOf(operation, reading),
  };
}

/** What a part stands for; one that leads nowhere is a fault. */
function follow(written: Placed, { document, faults }: Reading): Placed | undefined {
  if (written.value === undefined) return undefined;
  const found = resolved(document, written);
  if (found !== undefined && isObject(found.value)) return found;
  const message = found === undefined ? 'refers to what is not in the document' : 'must be an object';
  faults.push({ path: written.at, message });
  return undefined;
}

function contentOf(message: Placed, reading: Reading): OasContent {
  return new Map(
    membersOf(memberOf(message, 'content')).map(([type, media]) => {
      const schema = memberOf(media, 'schema');
      const name = type.split(';', 1)[0]?.trim().toLowerCase() ?? '';
      const isForm = name === 'application/x-www-form-urlencoded';
      const members = isForm ? [...reading.schemas.propertiesOf(schema)] : [];
      return [
        name,
        {
          schema: schema.value === undefined ? undefined : reading.schemas.take(schema),
          members: new Map(members.map(([member, each]) => [member, shapeOf(each, reading)])),
        },
      ];
    }),
  );
}

const noShape: OasShape = { types: new Set(), itemTypes: new Set(), memberTypes: new Map() };

function shapeOf(schema: Placed, { document, schemas, shapes }: Reading): OasShape {
  const found = resolved(document, schema);
  if (found === undefined) return noShape;
  const known = shapes.get(found.at);
  if (known !== undefined) return known;
  const members = [...schemas.propertiesOf(found)];
  const shape = {
    types: schemas.typesOf(found),
    itemTypes: schemas.typesOf(schemas.itemsOf(found)),
    memberTypes: new Map(members.map(([name, each]) => [name, schemas.typesOf(each)])),
  };
  shapes.set(found.at, shape);
  return shape;
}

/** Headers that OpenAPI leaves to its other words. */
const notParameters: ReadonlySet<string> = new Set(['accept', 'content-type', 'authorization']);
const stylesOf = {
  path: ['simple'],
  header: ['simple'],
  cookie: ['form'],
  query: ['form', 'spaceDelimited', 'pipeDelimited', 'deepObject'],
} as const satisfies Readonly<Record<OasParameter['in'], readonly OasParameter['style'][]>>;
const isPlace = (place: unknown): place is OasParameter['in'] =>
  typeof place === 'string' && Object.hasOwn(stylesOf, place);

function parameterOf(written: Placed, reading: Reading): OasParameter | undefined {
  const part = follow(written, reading);
  if (part === undefined || !isObject(part.value)) return undefined;
  const { name, in: place, required, style, explode, allowEmptyValue, content } = part.value;
  const refuse = (member: string, message: string): undefined =>
    void reading.faults.push({ path: `${part.at}/${member}`, message });
  if (typeof name !== 'string' || name === '') return refuse('name', 'is required');
  if (!isPlace(place)) return refuse('in', 'must be path, query, header or cookie');
  if (place === 'header' && notParameters.has(name.toLowerCase())) return undefined;
  const allowed: readonly OasParameter['style'][] = stylesOf[place];
  const [first = 'form'] = allowed;
  const chosen = style === undefined ? first : allowed.find((each) => each === style);
  if (chosen === undefined)
    return refuse('style', `is not supported by this version; allowed here: ${allowed.join(', ')}`);
  const [media] = isObject(content) ? membersOf(memberOf(part, 'content')) : [];
  if (media !== undefined && !isJsonType(media[0].toLowerCase()))
    return refuse(
      'content',
      'must be JSON: other media types of parameters are not supported by this version',
    );
  const schema = memberOf(media?.[1] ?? part, 'schema');
  return {
    name,
    in: place,
    isRequired: required === true || place === 'path',
    style: chosen,
    explode: typeof explode === 'boolean' ? explode : chosen === 'form' || chosen === 'deepObject',
    mayBeEmpty: allowEmptyValue === true,
    isJson: media !== undefined,
    shape: shapeOf(schema, reading),
    schema: schema.value === undefined ? undefined : reading.schemas.take(schema),
  };
}

/** JSON by its media type, in lower case and without parameters. */
export const isJsonType = (type: string): boolean => type === 'application/json' || type.endsWith('+json');

function securityOf(operation: Placed, reading: Reading): OasOperation['security'] {
  const root: Placed = { value: reading.document, at: '' };
  const own = memberOf(operation, 'security');
  const schemes = memberOf(memberOf(root, 'components'), 'securitySchemes');
  return elementsOf(own.value === undefined ? memberOf(root, 'security') : own).map((set) =>
    membersOf(set).flatMap(([name, { at }]) => {
      const scheme = resolved(reading.document, memberOf(schemes, name));
      const known = scheme === undefined ? undefined : schemeOf(scheme.value);
      if (known === undefined)
        reading.faults.push({ path: at, message: 'names no known scheme of components/securitySchemes' });
      return known === undefined ? [] : [known];
    }),
  );
}

function schemeOf(value: unknown): OasScheme | undefined {
  if (!isObject(value)) return undefined;
  const { type, in: place, name, scheme } = value;
  if (type === 'http' && typeof scheme === 'string')
    return { kind: 'authorization', scheme: scheme.toLowerCase() };
  if (type === 'oauth2' || type === 'openIdConnect') return { kind: 'authorization', scheme: 'bearer' };
  if (type === 'mutualTLS') return { kind: 'certificate' };
  const isKey = type === 'apiKey' && typeof name === 'string';
  return isKey && (place === 'header' || place === 'query' || place === 'cookie')
    ? { kind: 'key', in: place, name }
    : undefined;
}
