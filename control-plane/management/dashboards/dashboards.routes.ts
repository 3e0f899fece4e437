import { z } from '@hono/zod-openapi';
import { pageOf, pageQuery, pageSchema } from '../pages.ts';
import { resource } from '../route.ts';
import {
  createDashboard,
  dashboardSchema,
  type DashboardView,
  dashboardWishSchema,
  deleteDashboard,
  getDashboard,
  listDashboards,
  updateDashboard,
} from './dashboards.ts';

const define = resource({ tag: 'Dashboards', scope: 'environment' });
const permission = 'environment-dashboard';
const path = '/analytics/dashboards';
const onePath = '/analytics/dashboards/{dashboardId}';
const answer = dashboardSchema;
const version = ({ lastModified }: DashboardView): number => Date.parse(lastModified);

/** The routes of dashboards. */
export const dashboardRoutes = [
  define.get(path, {
    operationId: 'listDashboards',
    permission,
    summary: 'Lists the dashboards of an environment by name.',
    query: z.strictObject(pageQuery),
    answer: pageSchema('DashboardsResponse', dashboardSchema),
    run: async ({ desk, at, query, url }) =>
      pageOf(await listDashboards(desk, { at, page: query }), query, url),
  }),
  define.post(path, {
    operationId: 'createDashboard',
    permission,
    summary: 'Makes a dashboard of widgets, each with the figures that it asks for.',
    body: dashboardWishSchema,
    answer,
    version,
    run: ({ desk, actor, at, body }) => createDashboard(desk, actor, { at, wish: body }),
  }),
  define.get(onePath, {
    operationId: 'getDashboard',
    permission,
    summary: 'Gets a dashboard.',
    answer,
    version,
    run: ({ desk, at, params }) => getDashboard(desk, { at, id: params.dashboardId }),
  }),
  define.put(onePath, {
    operationId: 'updateDashboard',
    permission,
    summary: 'Changes a dashboard; what is left out stays.',
    body: dashboardWishSchema,
    answer,
    version,
    run: ({ desk, actor, at, params, body, ifMatch }) =>
      updateDashboard(desk, actor, { at, id: params.dashboardId, wish: body, ifMatch }),
  }),
  define.delete(onePath, {
    operationId: 'deleteDashboard',
    permission,
    summary: 'Removes a dashboard.',
    run: ({ desk, actor, at, params, ifMatch }) =>
      deleteDashboard(desk, actor, { at, id: params.dashboardId, ifMatch }),
  }),
];
