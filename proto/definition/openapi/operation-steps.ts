import { sample } from 'openapi-sampler';
import { isJson, type Json } from '../opened.ts';
import { soapAction, soapContentType, soapEnvelope } from '../wsdl/wsdl.ts';
import { followed } from './references.ts';

/** Policies that an operation's description can be made a configuration of. */
export const operationPolicies = ['mock', 'rest-to-soap', 'xml-json'] as const;
/** One of {@link operationPolicies}. */
export type OperationPolicy = (typeof operationPolicies)[number];

/** An operation in its document. */
export interface Operation {
  readonly document: Json;
  readonly method: string;
  /** What is written of it. */
  readonly described: Json;
  /** What is written of its path. */
  readonly item: Json;
}

/** Steps of both phases. */
export interface OperationSteps {
  readonly request: readonly Json[];
  readonly response: readonly Json[];
}

/** The steps of a policy for an operation. What makes SOAP has none where the operation does not say what its envelope is. */
export function stepsOf(operation: Operation, policy: OperationPolicy): OperationSteps {
  const step = (id: string, configuration: Json): Json => ({
    name: '',
    enabled: true,
    policy: id,
    configuration,
  });
  if (policy === 'mock') return { request: [step(policy, mockOf(operation))], response: [] };
  const { described } = operation;
  const envelope = described[soapEnvelope];
  if (typeof envelope !== 'string') return { request: [], response: [] };
  if (policy === 'xml-json') return { request: [], response: [step(policy, {})] };
  const action = described[soapAction];
  const type = described[soapContentType];
  // The address of the service is whole: nothing of the path below the API belongs behind it.
  const configuration = { envelope, soapAction: action ?? '', stripPath: true };
  const typed = { scope: 'REQUEST', addHeaders: [{ name: 'Content-Type', value: type }] };
  return {
    request: [step(policy, configuration), ...(type === undefined ? [] : [step('transform-headers', typed)])],
    response: [],
  };
}

/** The first answer that the document promises, with its example, or one that is made by its schema. */
function mockOf({ document, described }: Operation): Json {
  const responses = isJson(described['responses']) ? described['responses'] : {};
  const statuses = Object.keys(responses);
  const status =
    statuses.find((one) => /^2\d\d$/.test(one)) ?? statuses.find((one) => /^[3-5]\d\d$/.test(one));
  const wildcard = statuses.find((one) => /^2XX$/i.test(one)) ?? 'default';
  const response = followed(document, responses[status ?? wildcard]);
  const found = isJson(response) ? contentOf(document, response, described) : undefined;
  return {
    status: status ?? '200',
    headers: found === undefined ? [] : [{ name: 'Content-Type', value: found.type }],
    content: found?.text ?? '',
  };
}

/** Media type and text of an answer. */
interface Content {
  readonly type: string;
  readonly text: string;
}

function contentOf(document: Json, response: Json, described: Json): Content | undefined {
  if (isJson(response['content'])) {
    const [entry] = jsonFirst(Object.entries(response['content']));
    if (entry === undefined) return undefined;
    const media = isJson(entry[1]) ? entry[1] : {};
    const examples = isJson(media['examples']) ? Object.values(media['examples']) : [];
    const first = followed(document, examples[0]);
    const example = media['example'] ?? (isJson(first) ? first['value'] : undefined);
    return written(entry[0], example ?? sampleOf(document, media['schema']));
  }
  // 2.0: examples by media type, or a schema for those that the operation, or the document, produces.
  const [entry] = jsonFirst(Object.entries(isJson(response['examples']) ? response['examples'] : {}));
  if (entry !== undefined) return written(entry[0], entry[1]);
  if (response['schema'] === undefined) return undefined;
  const produced = [described['produces'], document['produces']].find(Array.isArray) ?? [];
  const type = (produced as readonly unknown[]).find((one) => typeof one === 'string') ?? 'application/json';
  return written(String(type), sampleOf(document, response['schema']));
}

/** JSON before other types, since a schema can be made an example of it. */
function jsonFirst(entries: readonly [string, unknown][]): readonly [string, unknown][] {
  const isJsonType = ([type]: [string, unknown]): boolean => /[/+]json\b/i.test(type);
  return [...entries.filter(isJsonType), ...entries.filter((entry) => !isJsonType(entry))];
}

function sampleOf(document: Json, schema: unknown): unknown {
  if (!isJson(schema)) return undefined;
  try {
    return sample(schema, { quiet: true }, document) as unknown;
  } catch {
    // A schema that refers to what is not there has no example.
    return undefined;
  }
}

function written(type: string, value: unknown): Content {
  const text =
    value === undefined
      ? ''
      : typeof value === 'string'
        ? value
        : (JSON.stringify(value, undefined, 2) ?? '');
  // A mock renders expressions, and an example has none.
  return { type, text: text.includes('{#') ? '' : text };
}
