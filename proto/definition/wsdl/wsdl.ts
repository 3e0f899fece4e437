import { invalid } from '../clean.ts';
import { isJson, type Json } from '../opened.ts';
import {
  type DescriptionWish,
  readService,
  type Service,
  type SoapOperation,
  type SoapVersion,
} from './description.ts';
import { readDocuments, type WsdlText } from './documents.ts';
import { envelopeOf, headerMember } from './envelope.ts';
import { type Content, type Shape, Shapes } from './shapes.ts';

/** What an operation of OpenAPI says of the SOAP behind it; the first two are the reference's. */
export const soapEnvelope = 'x-graviteeio-soap-envelope';
/** The header SOAPAction, with its quotes. */
export const soapAction = 'x-graviteeio-soap-action';
/** What is sent as Content-Type in place of `text/xml`: SOAP 1.2 has its own, with the action in it. */
export const soapContentType = 'x-isthmus-soap-content-type';

const ours: ReadonlySet<string> = new Set([soapEnvelope, soapAction, soapContentType]);

/** The same OpenAPI document without what it says of SOAP, which is nobody's business but the gateway's. */
export function withoutSoap(document: Json): Json {
  const without = (value: unknown, levels: number): unknown =>
    isJson(value)
      ? Object.fromEntries(
          Object.entries(value)
            .filter(([key]) => !ours.has(key))
            .map(([key, each]) => [key, levels === 0 ? each : without(each, levels - 1)]),
        )
      : value;
  // Operations stand below paths and their methods.
  return isJson(document['paths']) ? { ...document, paths: without(document['paths'], 2) } : document;
}

/** What of a description is imported. */
export interface WsdlWish extends DescriptionWish {
  /** Where the backend is, in place of what the description says. */
  readonly target?: string | undefined;
}

/** What came of a description, or what has to be fetched first. */
export type WsdlRead =
  | { readonly kind: 'document'; readonly document: Json }
  | { readonly kind: 'needs'; readonly urls: readonly string[] };

/**
 * Makes an OpenAPI document out of a description of WSDL 1.1: a path per operation, which takes by POST the members of the operation's
 * element as JSON, and says in {@link soapEnvelope} what is sent to the backend. SOAP 1.1 and 1.2 over HTTP, document/literal and
 * rpc/literal.
 *
 * texts: the description, and what was fetched of its imports. Errors: request.invalid with a detail per fault, with its line.
 */
export function openApiOfWsdl(texts: readonly WsdlText[], wish: WsdlWish): WsdlRead {
  const read = readDocuments(texts);
  if (read.kind === 'needs') return read;
  const service = readService(read.documents, new Shapes(read.documents), wish);
  const target = wish.target ?? service.address;
  if (!/^https?:\/\/[^/]/i.test(target) || !URL.canParse(target))
    throw invalid([
      {
        path: '',
        message: `says that the backend is at ${JSON.stringify(target.slice(0, 200))}, which is no URL of http or https; say in \`target\` where it is`,
      },
    ]);
  return { kind: 'document', document: documentOf(service, target) };
}

const documentOf = (service: Service, target: string): Json => ({
  openapi: '3.0.3',
  info: {
    title: service.name,
    version: '1.0.0',
    ...(service.documentation !== undefined && { description: service.documentation }),
  },
  servers: [{ url: target }],
  paths: Object.fromEntries(
    service.operations.map((operation) => [
      `/${operation.name}`,
      { post: operationOf(operation, service.version) },
    ]),
  ),
});

function operationOf(operation: SoapOperation, version: SoapVersion): Json {
  const { name, documentation, action } = operation;
  if (/[^\x20-\x7e]|["\\{}]/.test(action))
    throw invalid([{ path: '', message: `operation "${name}": its soapAction cannot stand in a header` }]);
  const schema = bodySchema(operation);
  return {
    operationId: name,
    ...(documentation !== undefined && { summary: documentation }),
    ...(schema !== undefined && {
      requestBody: { required: true, content: { 'application/json': { schema } } },
    }),
    responses: {
      200: { description: 'What the service answers.', content: answer },
      default: { description: 'A fault.', content: answer },
    },
    [soapEnvelope]: envelopeOf(operation, version),
    ...(version === '1.1'
      ? { [soapAction]: `"${action}"` }
      : {
          [soapContentType]: `application/soap+xml; charset=utf-8${action === '' ? '' : `; action="${action}"`}`,
        }),
  };
}

/** Which prefixes the members of the answer's envelope have is the backend's choice. */
const answer: Json = { 'application/json': { schema: { type: 'object' } } };

/** What a client sends; undefined where the operation takes nothing. */
function bodySchema({ body, headers, name }: SoapOperation): Json | undefined {
  const own = body === undefined ? undefined : schemaOf(body.content);
  if (headers.length === 0) {
    const isEmpty = body?.content.kind === 'elements' && Object.keys(own?.['properties'] ?? {}).length === 0;
    return isEmpty ? undefined : own;
  }
  if (own !== undefined && own['type'] !== 'object')
    throw invalid([
      { path: '', message: `operation "${name}": has a header beside a body that is a value alone` },
    ]);
  const properties = {
    ...(own?.['properties'] as Json | undefined),
    [headerMember]: objectOf(headers.map((shape) => [shape, memberSchema(shape)])),
  };
  return { type: 'object', ...own, properties, additionalProperties: false };
}

function schemaOf(content: Content): Json {
  if (content.kind === 'value') return content.schema;
  return objectOf([
    ...content.attributes.map((each) => [each, each.schema] as const),
    ...(content.value === undefined
      ? []
      : [[{ local: 'content', isRequired: false }, content.value] as const]),
    ...content.elements.map((each) => [each, memberSchema(each)] as const),
  ]);
}

function memberSchema({ content, isList, isNillable }: Shape): Json {
  const one = { ...schemaOf(content), ...(isNillable && { nullable: true }) };
  return isList ? { type: 'array', items: one } : one;
}

type Member = readonly [of: { readonly local: string; readonly isRequired: boolean }, schema: Json];

function objectOf(members: readonly Member[]): Json {
  const required = members.filter(([{ isRequired }]) => isRequired).map(([{ local }]) => local);
  return {
    type: 'object',
    ...(required.length > 0 && { required }),
    properties: Object.fromEntries(members.map(([{ local }, schema]) => [local, schema])),
    additionalProperties: false,
  };
}
