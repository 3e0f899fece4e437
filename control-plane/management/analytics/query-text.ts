import { namedMethods } from '../../../proto/model/access-record.ts';
import { Fault } from '../../../proto/faults/fault.ts';
import {
  type Condition,
  type Dimension,
  hasNumbers,
  isCustomMetric,
} from '../../analytics/questions/conditions.ts';

/** Fields of the reference's records, of both generations, with what they are here. */
const fields: ReadonlyMap<string, Dimension> = new Map([
  ['api', 'API'],
  ['api-id', 'API'],
  ['application', 'APPLICATION'],
  ['application-id', 'APPLICATION'],
  ['plan', 'PLAN'],
  ['plan-id', 'PLAN'],
  ['subscription', 'SUBSCRIPTION'],
  ['subscription-id', 'SUBSCRIPTION'],
  ['gateway', 'GATEWAY'],
  ['entrypoint-id', 'ENTRYPOINT'],
  ['method', 'HTTP_METHOD'],
  ['http-method', 'HTTP_METHOD'],
  ['status', 'HTTP_STATUS'],
  ['uri', 'URI'],
  ['path', 'HTTP_PATH'],
  ['path-info', 'HTTP_PATH'],
  ['mapped-path', 'HTTP_PATH_MAPPING'],
  ['host', 'HOST'],
  ['endpoint', 'ENDPOINT'],
  ['remote-address', 'CONSUMER_IP'],
  ['user-agent', 'USER_AGENT'],
  ['security-type', 'SECURITY_TYPE'],
  ['error-key', 'ERROR_KEY'],
  ['_id', 'REQUEST_ID'],
  ['request-id', 'REQUEST_ID'],
  ['transaction', 'TRANSACTION_ID'],
  ['transaction-id', 'TRANSACTION_ID'],
  ['response-time', 'HTTP_GATEWAY_RESPONSE_TIME'],
  ['gateway-response-time-ms', 'HTTP_GATEWAY_RESPONSE_TIME'],
  ['api-response-time', 'HTTP_ENDPOINT_RESPONSE_TIME'],
  ['endpoint-response-time-ms', 'HTTP_ENDPOINT_RESPONSE_TIME'],
  ['proxy-latency', 'HTTP_GATEWAY_LATENCY'],
  ['gateway-latency-ms', 'HTTP_GATEWAY_LATENCY'],
  ['request-content-length', 'HTTP_REQUEST_CONTENT_LENGTH'],
  ['response-content-length', 'HTTP_RESPONSE_CONTENT_LENGTH'],
]);

/** Records of the reference hold methods as numbers, and so do links of its console. */
const methodNumbers = ['OTHER', ...namedMethods] as const;

/** Most conditions of one text. */
const conditionsMax = 50;

/** What a field of the reference's records is here. Errors: request.invalid, which names the parameter. */
export function dimensionOf(field: string, param: string): Dimension {
  const by = isCustomMetric(field) ? field : fields.get(field);
  if (by === undefined)
    throw new Fault('request.invalid', {
      details: [{ path: param, message: `records here have no field ${field}` }],
    });
  return by;
}

/** What is told of a call to who may read the logs of its API alone: where its backend is, and by which gateway it went. */
const ofProvider: ReadonlySet<Dimension | undefined> = new Set<Dimension>(['ENDPOINT', 'GATEWAY']);

/**
 * Refuses a consumer's question about what he is not told: whoever may ask whether a text holds something finds all of it in the end.
 * Errors: request.invalid, which names the parameter.
 */
export function checkForConsumer({
  query = '',
  field,
  aggs = '',
}: {
  readonly query?: string | undefined;
  readonly field?: string | undefined;
  readonly aggs?: string | undefined;
}): void {
  const asked = [
    ...conditionsIn(query).map(({ by }) => ({ by, path: 'query' })),
    ...aggs.split(/[;,]/).map((one) => ({ by: fields.get(one.split(':')[1] ?? ''), path: 'aggs' })),
    { by: fields.get(field ?? ''), path: 'field' },
  ];
  const foreign = asked.filter(({ by }) => ofProvider.has(by));
  if (foreign.length === 0) return;
  const message = 'asks for a gateway or an endpoint, which whoever calls an API is not told';
  throw new Fault('request.invalid', { details: foreign.map(({ path }) => ({ path, message })) });
}

const parts = {
  open: /\s*(\(*)\s*([\w.@-]+):/y,
  range: /\[\s*(\*|-?\d+(?:\.\d+)?)\s+TO\s+(\*|-?\d+(?:\.\d+)?)\s*\]/y,
  group: /\(([^()]*)\)/y,
  quoted: /"((?:[^"\\]|\\.)*)"/y,
  bare: /((?:[^\s()\\]|\\.)+)/y,
  next: /\s*(\)*)\s*(AND\s|OR\s|$)/y,
} as const;

/**
 * The conditions of a text in the reference's query language: `api:x AND status:[500 TO 599] AND (plan:a OR plan:b)`.
 *
 * Values may stand in quotes, a `*` at their ends asks for a part of the text. Alternatives are of one field. Errors: request.invalid for
 * whatever else the language has, so that no condition is passed over.
 */
export function conditionsIn(query: string, param = 'query'): readonly Condition[] {
  const refuse = (message: string): never => {
    throw new Fault('request.invalid', { details: [{ path: param, message }] });
  };
  const conditions: Condition[] = [];
  let at = 0;
  let depth = 0;
  let isAlternative = false;
  const take = (part: RegExp): RegExpExecArray | undefined => {
    part.lastIndex = at;
    const found = part.exec(query);
    if (found !== null) at = part.lastIndex;
    return found ?? undefined;
  };
  if (query.trim() === '' || query.trim() === '*') return [];
  while (true) {
    const open = take(parts.open) ?? refuse(`field:value was expected at character ${at + 1}`);
    depth += (open[1] ?? '').length;
    const by = dimensionOf(open[2] ?? '', param);
    const found = conditionsAt(by, take) ?? refuse(`a value was expected at character ${at + 1}`);
    const [first] = found;
    const former = conditions.at(-1);
    if (!isAlternative) conditions.push(...found);
    else if (former?.by === by && former.operator === 'IN' && first?.operator === 'IN')
      conditions.splice(-1, 1, { ...former, values: [...former.values, ...first.values] });
    else refuse('OR is between values of one field');
    if (conditions.length > conditionsMax) refuse(`no more than ${conditionsMax} conditions`);
    const next = take(parts.next) ?? refuse(`AND was expected at character ${at + 1}`);
    depth -= (next[1] ?? '').length;
    if (depth < 0) refuse('a parenthesis is closed that was not opened');
    if (next[2] === '') break;
    isAlternative = next[2]?.trim() === 'OR';
  }
  if (depth !== 0) refuse('a parenthesis is not closed');
  return conditions;
}

type Take = (part: RegExp) => RegExpExecArray | undefined;

function conditionsAt(by: Dimension, take: Take): readonly Condition[] | undefined {
  const range = take(parts.range);
  if (range !== undefined) return rangeOf(by, [range[1] ?? '*', range[2] ?? '*']);
  const group = take(parts.group)?.[1];
  if (group !== undefined) {
    const values = group.split(/\s+OR\s+/).map((value) => value.trim().replaceAll(/^"|"$/g, ''));
    return values.includes('') ? undefined : [{ by, operator: 'IN', values: values.map(valueOf(by)) }];
  }
  const text = take(parts.quoted)?.[1] ?? take(parts.bare)?.[1];
  if (text === undefined) return undefined;
  const value = text.replaceAll(/\\(.)/g, '$1');
  const part = value.replaceAll(/^\*+|\*+$/g, '');
  if (part === value) return [{ by, operator: 'IN', values: [valueOf(by)(value)] }];
  return part === '' ? undefined : [{ by, operator: 'CONTAINS', values: [part] }];
}

function rangeOf(by: Dimension, [from, to]: readonly [string, string]): readonly Condition[] | undefined {
  if (!hasNumbers(by)) return undefined;
  return [
    ...(from === '*' ? [] : [{ by, operator: 'GTE', values: [from] } as const]),
    ...(to === '*' ? [] : [{ by, operator: 'LTE', values: [to] } as const]),
  ];
}

const valueOf =
  (by: Dimension) =>
  (value: string): string =>
    by === 'HTTP_METHOD' && /^\d$/.test(value) ? (methodNumbers[Number(value)] ?? value) : value;
