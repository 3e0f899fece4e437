import { z } from '@hono/zod-openapi';
import { foundApi } from '../apis/api-gate.ts';
import { idSchema, integerParam, momentParam, wordsParam } from '../fields.ts';
import { pageOf, pageQuery, pageSchema } from '../pages.ts';
import { resource } from '../route.ts';
import {
  auditSchema,
  eventNames,
  exportAudits,
  exportTypes,
  listAudits,
  listV1Audits,
  v1AuditsSchema,
} from './audit.ts';

const define = resource({ tag: 'API Audits', scope: 'environment' });
const defineV1 = resource({ tag: 'Audit', scope: 'v1-environment' });
const defineOrganization = resource({ tag: 'Audit', scope: 'v1-organization' });

const span = { from: momentParam, to: momentParam };
const events = wordsParam(/^[A-Z_]{1,64}$/, 'must be names of events').optional();
const v1Query = z.strictObject({
  ...span,
  event: wordsParam(/^[A-Z_]{1,64}$/, 'must be the name of an event').optional(),
  user: idSchema.optional(),
  page: integerParam({ min: 1, max: 1_000_000 }).optional(),
  size: integerParam({ min: 1, max: 100 }).optional(),
});
const scopedQuery = v1Query.extend({
  type: z.enum(['ORGANIZATION', 'ENVIRONMENT', 'API', 'APPLICATION', 'GROUP']).optional(),
  api: idSchema.optional(),
  application: idSchema.optional(),
});
const organizationQuery = scopedQuery.extend({ environment: idSchema.optional() });
const names = z.array(z.string());
const contentTypes = Object.values(exportTypes);
const format = z.enum(['ndjson', 'csv']).optional();

type V1Query = z.output<typeof v1Query> & Partial<z.output<typeof organizationQuery>>;

/** What a query of version 1 means; an API or application is a type and an id at once. */
function filterOf({ from, to, event, user, type, api, application, environment }: V1Query) {
  const id = api ?? application;
  const named = api === undefined ? (application === undefined ? undefined : 'APPLICATION') : 'API';
  const types = [type, named].filter((one) => one !== undefined);
  return {
    fromMs: from,
    toMs: to,
    events: event,
    user,
    id,
    environment,
    // Both an API and a type of something else: nothing is both.
    types: types.length === 0 ? undefined : types.length === 2 && type !== named ? [''] : types,
  };
}

const v1Size = 20;
const pageOfV1 = ({ page, size = v1Size }: V1Query) => ({ page, perPage: size });

/** The routes of the audit: of an API, an environment and an organization. */
export const auditRoutes = [
  define.get('/apis/{apiId}/audits', {
    operationId: 'getApiAudits',
    permission: 'api-audit',
    summary: 'Lists what was changed of an API, by whom and from where, newest first; patch is a JSON Patch.',
    query: z.strictObject({ ...pageQuery, ...span, events }),
    answer: pageSchema('AuditsResponse', auditSchema),
    run: async ({ desk, at, params: { apiId }, query: { from, to, events: wanted, ...page }, url }) => {
      await foundApi(desk.storage.db, { at, id: apiId });
      const filter = { ...at, types: ['API'], id: apiId, events: wanted, fromMs: from, toMs: to };
      return pageOf(await listAudits(desk, filter, page), page, url);
    },
  }),
  define.get('/apis/{apiId}/audits/events', {
    operationId: 'ListApiAuditEvents',
    permission: 'api-audit',
    summary: 'Names what the audit tells of.',
    answer: z.object({ data: names }).openapi('AuditEventsResponse'),
    run: async ({ desk, at, params: { apiId } }) => {
      await foundApi(desk.storage.db, { at, id: apiId });
      return { data: eventNames };
    },
  }),
  defineV1.get('/apis/{apiId}/audit', {
    operationId: 'listApiV1Audit',
    permission: 'api-audit',
    summary: 'Lists what was changed of an API, newest first.',
    query: v1Query,
    answer: v1AuditsSchema,
    run: async ({ desk, at, params: { apiId }, query }) => {
      await foundApi(desk.storage.db, { at, id: apiId });
      return listV1Audits(desk, { ...filterOf({ ...query, api: apiId }), ...at }, pageOfV1(query));
    },
  }),
  defineV1.get('/apis/{apiId}/audit/events', {
    operationId: 'listApiV1AuditEvents',
    permission: 'api-audit',
    summary: 'Names what the audit tells of.',
    answer: names,
    run: async ({ desk, at, params: { apiId } }) => {
      await foundApi(desk.storage.db, { at, id: apiId });
      return eventNames;
    },
  }),
  defineV1.get('/audit', {
    operationId: 'listEnvironmentAudit',
    permission: 'environment-audit',
    summary: 'Lists what was changed in an environment, newest first.',
    query: scopedQuery,
    answer: v1AuditsSchema,
    run: ({ desk, at, query }) => listV1Audits(desk, { ...filterOf(query), ...at }, pageOfV1(query)),
  }),
  defineV1.get('/audit/events', {
    operationId: 'listEnvironmentAuditEvents',
    permission: 'environment-audit',
    summary: 'Names what the audit tells of.',
    answer: names,
    run: async () => eventNames,
  }),
  defineV1.get('/audit/_export', {
    operationId: 'exportEnvironmentAudit',
    permission: 'environment-audit',
    summary:
      'Sends what was changed in an environment as NDJSON or CSV, oldest first, with the hashes of its chain.',
    query: scopedQuery.extend({ format }),
    contentTypes,
    run: ({ desk, at, query }) => exportAudits(desk, { ...filterOf(query), ...at }, query.format ?? 'ndjson'),
  }),
  defineOrganization.get('/audit', {
    operationId: 'listOrganizationAudit',
    permission: 'organization-audit',
    summary: 'Lists what was changed in an organization and its environments, newest first.',
    query: organizationQuery,
    answer: v1AuditsSchema,
    run: ({ desk, at: { organization }, query }) =>
      listV1Audits(desk, { ...filterOf(query), organization }, pageOfV1(query)),
  }),
  defineOrganization.get('/audit/events', {
    operationId: 'listOrganizationAuditEvents',
    permission: 'organization-audit',
    summary: 'Names what the audit tells of.',
    answer: names,
    run: async () => eventNames,
  }),
  defineOrganization.get('/audit/_export', {
    operationId: 'exportOrganizationAudit',
    permission: 'organization-audit',
    summary:
      'Sends what was changed in an organization as NDJSON or CSV, oldest first, with the hashes of its chain.',
    query: organizationQuery.extend({ format }),
    contentTypes,
    run: ({ desk, at: { organization }, query }) =>
      exportAudits(desk, { ...filterOf(query), organization }, query.format ?? 'ndjson'),
  }),
];
