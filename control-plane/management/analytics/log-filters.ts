import { z } from '@hono/zod-openapi';
import { customMetrics } from '../../../proto/model/access-record.ts';
import { Fault } from '../../../proto/faults/fault.ts';
import {
  type Condition,
  type Dimension,
  customPrefix,
  hasNumbers,
  isCustomMetric,
  isDimension,
  operators,
} from '../../analytics/questions/conditions.ts';
import { idsParam, integerParam, listParam, wordsParam } from '../fields.ts';
import { methods } from './log-shape.ts';

/** Longest name of what calls are narrowed by: that of a metric of an API's own. */
export const nameCharsMax = customPrefix.length + customMetrics.nameCharsMax;

const longTime = integerParam({ min: 0, max: 3_600_000 }).optional();
const requestIds = wordsParam(/^[\w.:-]{1,128}$/, 'must be ids of requests');

/** What a list of calls may be narrowed by in a query: any of the values of each. */
export const callFilters = {
  applicationIds: idsParam.optional(),
  planIds: idsParam.optional(),
  apiProductIds: idsParam.optional(),
  methods: listParam(methods).optional(),
  statuses: wordsParam(/^[0-9]{1,3}$/, 'must be statuses such as 404').optional(),
  errorKeys: wordsParam(/^[A-Za-z0-9_.-]{1,128}$/, 'must be keys of errors').optional(),
  entrypointIds: idsParam.optional(),
  requestIds: requestIds.optional(),
  transactionIds: requestIds.optional(),
  /** A part of path and query, in whatever case. */
  uri: z.string().min(1).max(2_048).optional(),
  /** A part of a logged body, in whatever case. */
  bodyText: z.string().min(1).max(1_024).optional(),
  responseTimeMin: longTime,
  responseTimeMax: longTime,
};

/** Values of {@link callFilters}. */
type CallFilter = {
  readonly [Name in keyof typeof callFilters]?: z.output<(typeof callFilters)[Name]>;
};

const listed = {
  applicationIds: 'APPLICATION',
  planIds: 'PLAN',
  methods: 'HTTP_METHOD',
  statuses: 'HTTP_STATUS',
  errorKeys: 'ERROR_KEY',
  entrypointIds: 'ENTRYPOINT',
  requestIds: 'REQUEST_ID',
  transactionIds: 'TRANSACTION_ID',
} as const satisfies Readonly<Record<string, Dimension>>;

/** The conditions of a filter. */
export function conditionsOf(filter: CallFilter): readonly Condition[] {
  const conditions: Condition[] = [];
  for (const [name, by] of Object.entries(listed)) {
    const values = filter[name as keyof typeof listed] ?? [];
    if (values.length > 0) conditions.push({ by, operator: 'IN', values });
  }
  // There are no API products, so nothing is a call of one.
  if ((filter.apiProductIds ?? []).length > 0) conditions.push({ by: 'API', operator: 'IN', values: [] });
  if (filter.uri !== undefined) conditions.push({ by: 'URI', operator: 'CONTAINS', values: [filter.uri] });
  const by = 'HTTP_GATEWAY_RESPONSE_TIME';
  const { responseTimeMin: min, responseTimeMax: max } = filter;
  if (min !== undefined) conditions.push({ by, operator: 'GTE', values: [String(min)] });
  if (max !== undefined) conditions.push({ by, operator: 'LTE', values: [String(max)] });
  return conditions;
}

/** Older names of the reference, which its saved links still have. */
const formerNames: ReadonlyMap<string, Dimension> = new Map([
  ['RESPONSE_TIME', 'HTTP_GATEWAY_RESPONSE_TIME'],
]);

const valueSchema = z.union([z.string().max(2_048), z.number(), z.array(z.string().max(2_048)).max(1_000)]);

/** A filter of a search or a figure in the reference's documents; names and operators are judged by {@link documentConditions}. */
export const filterSchema = z
  .strictObject({ name: z.string().max(nameCharsMax), operator: z.enum(operators), value: valueSchema })
  .openapi('AnalyticsFilter');

/** A filter that somebody sent. */
type DocumentFilter = z.infer<typeof filterSchema>;

/** Conditions that filters of a document mean, and the text that bodies have to hold. */
interface DocumentConditions {
  readonly conditions: readonly Condition[];
  readonly bodyText: string | undefined;
}

/**
 * The conditions of filters; `path` is where they stand in the body.
 *
 * Errors: request.invalid for what records here do not say (tenant, zone, products, what models and messages are about), for a bound that is
 * no number, and for PAYLOAD with anything but CONTAINS.
 */
export function documentConditions(
  filters: readonly DocumentFilter[],
  { path, withPayload }: { readonly path: string; readonly withPayload: boolean },
): DocumentConditions {
  const conditions: Condition[] = [];
  let bodyText: string | undefined;
  filters.forEach(({ name, operator, value }, n) => {
    const refuse = (field: string, message: string): never => {
      throw new Fault('request.invalid', { details: [{ path: `${path}[${n}].${field}`, message }] });
    };
    if (name === 'PAYLOAD' && withPayload) {
      if (operator !== 'CONTAINS' || typeof value !== 'string' || value === '')
        return refuse('operator', 'PAYLOAD is searched with CONTAINS and a text');
      if (bodyText !== undefined) return refuse('name', 'must stand there once');
      bodyText = value;
      return;
    }
    const by = formerNames.get(name) ?? name;
    if (!isDimension(by)) return refuse('name', 'is nothing that records here say');
    const values = Array.isArray(value) ? value : [String(value)];
    if (operator !== 'IN' && values.length !== 1) return refuse('value', `${operator} takes one value`);
    const isBound = operator === 'GTE' || operator === 'LTE';
    if (isBound && !hasNumbers(by)) return refuse('operator', `${operator} is for numbers`);
    const isNumber = isCustomMetric(by) ? isBound : hasNumbers(by);
    if (isNumber && operator !== 'CONTAINS' && values.some((one) => !/^-?\d{1,15}(\.\d{1,6})?$/.test(one)))
      return refuse('value', 'must be a number');
    conditions.push({ by, operator, values });
  });
  return { conditions, bodyText };
}
