import type { FaultDetail } from '../../faults/fault.ts';
import { invalid } from '../clean.ts';
import { isJson, type Json } from '../opened.ts';
import { slugOf } from '../plans.ts';
import { withoutSoap } from '../wsdl/wsdl.ts';
import { type Operation, type OperationPolicy, stepsOf } from './operation-steps.ts';
import { followed, referred } from './references.ts';
import { backendsOf } from './servers.ts';
import { validationBy } from './validated.ts';

/** How a document is made an API of. */
export interface OpenApiWish {
  /** A flow for each operation, with whatever `policies` add to it. */
  readonly isFlowPerOperation: boolean;
  /** What each operation's flow gets. */
  readonly policies: readonly OperationPolicy[];
  /** Requests and answers are held against the document. */
  readonly isValidated?: boolean;
  /** Where the backend is, when no server of the document says so; wins over them. */
  readonly target?: string | undefined;
}

/** Most operations that become flows; more make an API that nobody can look after. */
const operationsMax = 2_000;
const methods = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'] as const;

/**
 * Makes an export of version 4 out of an OpenAPI document, 2.0 ("Swagger") to 3.1: the name, version and description of its `info`, an
 * endpoint for each of its servers, the path of the first, and a flow for each operation. `x-graviteeio-definition` says what OpenAPI has no
 * word for: virtual hosts, categories, labels, groups, picture, visibility, properties, tags.
 *
 * References are followed within the document alone, and no deeper than {@link followed} has it. Errors: request.invalid with a detail for each
 * fault, by its place in the document.
 */
export function readOpenApi(document: unknown, wish: OpenApiWish): Json {
  const source = demandOpenApi(document);
  const details: FaultDetail[] = [];
  const info = isJson(source['info']) ? source['info'] : {};
  const name = textAt(info, 'title');
  const apiVersion = textAt(info, 'version');
  if (name === undefined) details.push({ path: 'info.title', message: 'is needed: it names the API' });
  if (apiVersion === undefined) details.push({ path: 'info.version', message: 'is needed' });
  if (!isJson(source['paths']) && !isJson(source['webhooks']))
    details.push({ path: 'paths', message: 'is needed, even if it is empty' });
  const extension = extensionOf(source, details);
  const backends = backendsOf(source, wish.target);
  if (backends.targets.length === 0)
    details.push({
      path: 'servers',
      message: 'name no absolute http or https URL; add one, or say in `target` where the backend is',
    });
  const validation = wish.isValidated === true ? validationBy(withoutSoap(source), details) : undefined;
  const flows =
    wish.isFlowPerOperation || wish.policies.length > 0 ? flowsOf(source, wish.policies, details) : [];
  if (details.length > 0 || name === undefined || apiVersion === undefined) throw invalid(details);
  const path = backends.path === '/' ? `/${slugOf(name).replaceAll('-', '')}` : backends.path;
  const paths = extension.virtualHosts ?? [{ path }];
  return {
    api: {
      definitionVersion: 'V4',
      type: 'PROXY',
      name,
      apiVersion,
      ...defined('description', textAt(info, 'description')),
      ...extension.fields,
      listeners: [{ type: 'HTTP', paths, entrypoints: [{ type: 'http-proxy' }] }],
      endpointGroups: [
        {
          name: 'default-group',
          type: 'http-proxy',
          endpoints: backends.targets.map((target, n) => ({
            name: n === 0 ? 'default' : `default-${n + 1}`,
            type: 'http-proxy',
            configuration: { target },
          })),
        },
      ],
      flowExecution: { mode: 'BEST_MATCH', matchRequired: false },
      ...(wish.policies.includes('xml-json') && { responseTemplates: noXmlAnswered }),
      ...(validation === undefined
        ? { flows }
        : {
            resources: [validation.resource],
            flows: [validation.flow, ...flows.map((flow) => withStep(flow, validation.step))],
          }),
    },
  };
}

const noXml = {
  statusCode: 502,
  body: JSON.stringify({ message: 'The service answered what is no XML', http_status_code: 502 }),
};

/** Steps of an operation make JSON of answers alone: one that is no XML is a fault of the service (RFC 9110 section 15.6.3), for which the policy has 500. */
const noXmlAnswered: Json = { XML_INVALID_PAYLOAD: { '*/*': noXml } };

/** A flow in which a step sees what clients send and get: what matches best is the only one that runs. */
const withStep = (flow: Json, step: Json): Json => ({
  ...flow,
  request: [step, ...(flow['request'] as readonly Json[])],
  response: [...(flow['response'] as readonly Json[]), step],
});

/** Says what the document is. Errors: request.invalid for anything but OpenAPI 2.0 to 3.1. */
function demandOpenApi(document: unknown): Json {
  if (!isJson(document)) throw invalid([{ path: '', message: 'must be an OpenAPI document: an object' }]);
  const { swagger, openapi } = document;
  // YAML reads 2.0 without quotes as a number.
  if (swagger !== undefined && swagger !== '2.0' && swagger !== 2)
    throw invalid([
      { path: 'swagger', message: `is ${JSON.stringify(swagger)}; versions 2.0, 3.0 and 3.1 are read` },
    ]);
  if (swagger === undefined && !/^3\.[01](\.|$)/.test(textAt(document, 'openapi') ?? ''))
    throw invalid([
      openapi === undefined
        ? { path: 'openapi', message: 'is needed: this is no OpenAPI document' }
        : { path: 'openapi', message: `is ${JSON.stringify(openapi)}; versions 2.0, 3.0 and 3.1 are read` },
    ]);
  return document;
}

function flowsOf(
  document: Json,
  policies: readonly OperationPolicy[],
  details: FaultDetail[],
): readonly Json[] {
  const flows: Json[] = [];
  const paths = isJson(document['paths']) ? document['paths'] : {};
  for (const [path, written] of Object.entries(paths)) {
    if (path.startsWith('x-')) continue;
    const place = `paths.${path}`;
    if (!path.startsWith('/')) {
      details.push({ path: place, message: 'must begin with /' });
      continue;
    }
    const item = followed(document, written);
    if (!isJson(item)) {
      details.push({ path: place, message: notFollowed(written) });
      continue;
    }
    for (const method of methods) {
      const described = item[method];
      if (!isJson(described)) continue;
      if (flows.length === operationsMax) {
        details.push({ path: 'paths', message: `has more than ${operationsMax} operations` });
        return flows;
      }
      const operation: Operation = { document, method, described, item };
      flows.push(flowOf(path, operation, policies));
    }
  }
  return flows;
}

function notFollowed(written: unknown): string {
  const reference = referred(written);
  if (reference === undefined) return 'must be an object';
  return `refers to ${JSON.stringify(reference)}, which is not in the document; put what it names into the document`;
}

function flowOf(path: string, operation: Operation, policies: readonly OperationPolicy[]): Json {
  const { method, described } = operation;
  const texts = ['summary', 'operationId', 'description'].map((field) => textAt(described, field));
  const description = texts.find((text) => text !== undefined);
  const steps = policies.map((policy) => stepsOf(operation, policy));
  const about = (step: Json): Json => ({ ...step, ...defined('description', description) });
  return {
    name: '',
    enabled: true,
    selectors: [
      { type: 'HTTP', path: flowPathOf(path), pathOperator: 'EQUALS', methods: [method.toUpperCase()] },
    ],
    request: steps.flatMap(({ request }) => request.map(about)),
    response: steps.flatMap(({ response }) => response.map(about)),
  };
}

/** `/orders/{id}.pdf` as a flow has it: a parameter is a whole segment there. */
function flowPathOf(path: string): string {
  const segments = path.split('/').map((segment) => {
    const name = /\{([^{}]*)\}/.exec(segment)?.[1];
    return name === undefined ? segment : `:${name.replaceAll(/\W/g, '_')}`;
  });
  return segments.join('/');
}

/** What a document says beside OpenAPI. */
interface Extension {
  readonly fields: Json;
  readonly virtualHosts?: readonly Json[];
}

const listed = ['categories', 'labels', 'groups', 'tags', 'properties'] as const;
const known = new Set([...listed, 'virtualHosts', 'picture', 'visibility', 'metadata']);

function extensionOf(document: Json, details: FaultDetail[]): Extension {
  const place = 'x-graviteeio-definition';
  const info = isJson(document['info']) ? document['info'] : {};
  const extension = document[place] ?? info[place];
  if (extension === undefined) return { fields: {} };
  if (!isJson(extension)) {
    details.push({ path: place, message: 'must be an object' });
    return { fields: {} };
  }
  for (const key of Object.keys(extension))
    if (!known.has(key)) details.push({ path: `${place}.${key}`, message: 'is not known' });
  for (const key of ['picture', 'metadata'])
    if (extension[key] !== undefined)
      details.push({
        path: `${place}.${key}`,
        message: 'is not taken from a document; set it on the API when it is imported',
      });
  const fields: [string, unknown][] = listed.flatMap((key) =>
    extension[key] === undefined ? [] : [[key, extension[key]] as [string, unknown]],
  );
  const visibility = textAt(extension, 'visibility');
  if (visibility !== undefined) fields.push(['visibility', visibility.toUpperCase()]);
  const hosts = extension['virtualHosts'];
  if (hosts !== undefined && !(Array.isArray(hosts) && hosts.length > 0 && hosts.every(isJson)))
    details.push({
      path: `${place}.virtualHosts`,
      message: 'must be a list of {host, path, overrideEntrypoint}',
    });
  const virtualHosts =
    Array.isArray(hosts) && hosts.length > 0 ? hosts.filter(isJson).map(virtualHost) : undefined;
  return { fields: Object.fromEntries(fields), ...(virtualHosts !== undefined && { virtualHosts }) };
}

const virtualHost = ({ overrideEntrypoint, ...host }: Json): Json => ({
  ...host,
  ...(overrideEntrypoint !== undefined && { overrideAccess: overrideEntrypoint }),
});

function textAt(object: Json, field: string): string | undefined {
  const value = object[field];
  // YAML reads `version: 1.0` as a number.
  if (typeof value === 'number') return String(value);
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;
}

const defined = (name: string, value: unknown): Json => (value === undefined ? {} : { [name]: value });
