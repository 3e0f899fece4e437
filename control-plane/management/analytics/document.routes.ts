import { z } from '@hono/zod-openapi';
import { listParam, momentParam } from '../fields.ts';
import { pageOf, pageQuery, pageSchema } from '../pages.ts';
import { resource } from '../route.ts';
import { freshness } from './analytics.ts';
import {
  apiNames,
  customFacet,
  customFilter,
  customMetric,
  customMetricsOf,
  facets,
  figureFilters,
  type FilterSpec,
  filters,
  metricOf,
  metrics,
  signals,
} from './catalogue.ts';
import {
  facetsAnswerSchema,
  facetsOf,
  facetsRequestSchema,
  measuresAnswerSchema,
  measuresOf,
  measuresRequestSchema,
  timeSeriesAnswerSchema,
  timeSeriesOf,
  timeSeriesRequestSchema,
} from './document-figures.ts';
import { apiNameOf, labelsOf, resolveSchema, resolvedSchema, valuesOf } from './filter-values.ts';
import { operators } from '../../analytics/questions/conditions.ts';
import { measures } from '../../analytics/questions/figure-sql.ts';

const compute = resource({ tag: 'computation', scope: 'environment' });
const define = resource({ tag: 'definition', scope: 'environment' });
const permission = 'environment-api';
const read = { permission, action: 'read', status: 200, headers: freshness } as const;

const listOf = (name: string, item: z.ZodType) => z.object({ data: z.array(item) }).openapi(name);
const facetNames = z.array(z.string());
const filterSpecs = listOf(
  'FilterSpecsResponse',
  z.object({
    name: z.string(),
    label: z.string(),
    type: z.enum(['KEYWORD', 'STRING', 'NUMBER', 'ENUM']),
    operators: z.array(z.enum(operators)),
    enumValues: z.array(z.string()).optional(),
    range: z.object({ min: z.number(), max: z.number() }).optional(),
    apiTypes: z.array(z.enum(apiNames)).optional(),
    signals: z.array(z.enum(signals)).optional(),
  }),
);
const apis = ['HTTP_PROXY'] as const;

/** The routes of figures as they are asked for in one place, and of what can be asked. */
export const documentRoutes = [
  compute.post('/analytics/measures', {
    ...read,
    operationId: 'queryMeasures',
    summary: 'Computes figures of requests of all APIs whose figures the caller may read.',
    body: measuresRequestSchema,
    answer: measuresAnswerSchema,
    run: ({ desk, actor, at, body }) => measuresOf(desk, { actor, at }, body),
  }),
  compute.post('/analytics/facets', {
    ...read,
    operationId: 'queryFacets',
    summary: 'Computes figures of groups of requests, and of groups in them.',
    body: facetsRequestSchema,
    answer: facetsAnswerSchema,
    run: ({ desk, actor, at, body }) => facetsOf(desk, { actor, at }, body),
  }),
  compute.post('/analytics/time-series', {
    ...read,
    operationId: 'queryTimeSeries',
    summary:
      'Computes figures of requests over time; days begin where the zone of timeRange.from has them begin.',
    body: timeSeriesRequestSchema,
    answer: timeSeriesAnswerSchema,
    run: ({ desk, actor, at, body }) => timeSeriesOf(desk, { actor, at }, body),
  }),
  define.get('/analytics/definition/apis', {
    operationId: 'queryApiSpecs',
    permission,
    summary: 'Lists the types of APIs that there are figures of.',
    answer: listOf('ApiSpecsResponse', z.object({ name: z.enum(apiNames), label: z.string() })),
    run: async () => ({ data: [{ name: 'HTTP_PROXY', label: 'HTTP proxy' }] }),
  }),
  define.get('/analytics/definition/apis/{apiName}/metrics', {
    operationId: 'queryMetricSpecs',
    permission,
    summary: 'Lists what can be computed of requests of a type of API.',
    answer: listOf(
      'MetricSpecsResponse',
      z.object({
        name: z.string(),
        label: z.string(),
        apis: z.array(z.enum(apiNames)),
        unit: z.enum(['BYTES', 'MILLISECONDS', 'NUMBER', 'PERCENT']).optional(),
        measures: z.array(z.enum(measures)),
        facets: facetNames,
        filters: facetNames,
      }),
    ),
    run: async ({ desk, actor, at, params: { apiName } }) => {
      if (apiNameOf(apiName) !== 'HTTP_PROXY') return { data: [] };
      const own = await customMetricsOf(desk, { actor, at });
      const all = [...metrics, ...own.map((name) => [name, customMetric(name)] as const)];
      const facetsOfAll = [...facets.keys(), ...own];
      const filtersOfAll = [...figureFilters.map((filter) => filter.name), ...own];
      return {
        data: all.map(([name, { of: _of, ...metric }]) => ({
          name,
          ...metric,
          apis,
          facets: facetsOfAll,
          filters: filtersOfAll,
        })),
      };
    },
  }),
  define.get('/analytics/definition/metrics/{metricName}/filters', {
    operationId: 'queryFilterSpecsForMetric',
    permission,
    summary: 'Lists what a metric can be narrowed by.',
    answer: filterSpecs,
    run: async ({ desk, actor, at, params: { metricName } }) => {
      metricOf(metricName, 'metricName');
      return { data: [...figureFilters, ...(await customMetricsOf(desk, { actor, at })).map(customFilter)] };
    },
  }),
  define.get('/analytics/definition/metrics/{metricName}/facets', {
    operationId: 'queryFacetSpecsForMetric',
    permission,
    summary: 'Lists what a metric can be grouped by.',
    answer: listOf(
      'FacetSpecsResponse',
      z.object({ name: z.string(), label: z.string(), type: z.enum(['STRING', 'KEYWORD', 'NUMBER']) }),
    ),
    run: async ({ desk, actor, at, params: { metricName } }) => {
      metricOf(metricName, 'metricName');
      const own = (await customMetricsOf(desk, { actor, at })).map(customFacet);
      return { data: [...[...facets].map(([name, facet]) => ({ name, ...facet })), ...own] };
    },
  }),
  define.get('/observability/filters/definition', {
    operationId: 'queryObservabilityFilterDefinitions',
    permission,
    summary: 'Lists what logs and figures can be narrowed by.',
    query: z.strictObject({ signal: listParam(signals).optional() }),
    answer: filterSpecs,
    run: async ({ desk, actor, at, query: { signal } }) => {
      const own = (await customMetricsOf(desk, { actor, at })).map(customFilter);
      const isOf = (filter: FilterSpec): boolean =>
        (signal ?? signals).some((one) => filter.signals.includes(one));
      return { data: [...filters, ...own].filter(isOf) };
    },
  }),
  define.post('/observability/filters/resolve', {
    operationId: 'resolveObservabilityFilterLabels',
    permission,
    action: 'read',
    status: 200,
    summary: 'Names what values of filters stand for; what the caller may not know is left out.',
    body: resolveSchema,
    answer: resolvedSchema,
    run: ({ desk, actor, at, body }) => labelsOf(desk, { actor, at }, body),
  }),
  define.get('/observability/filters/{filterName}/values', {
    operationId: 'getObservabilityFilterValues',
    permission,
    summary: 'Lists values of a filter: those that there can be, or those of requests in a span, most first.',
    query: z.strictObject({
      ...pageQuery,
      from: momentParam,
      to: momentParam,
      query: z.string().max(256).optional(),
    }),
    answer: pageSchema('FilterValuesResponse', z.object({ value: z.string(), id: z.string().optional() })),
    headers: freshness,
    run: async ({ desk, actor, at, params: { filterName }, query, url }) =>
      pageOf(await valuesOf(desk, { actor, at, filter: filterName, ...query }), query, url),
  }),
];
