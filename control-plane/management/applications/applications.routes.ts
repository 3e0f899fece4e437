import { z } from '@hono/zod-openapi';
import { applicationStatusSchema } from '../../../proto/model/application.ts';
import { v1Page, v1PageQuery, v1PageSchema } from '../pages.ts';
import { resource } from '../route.ts';
import {
  applicationSchema,
  type ApplicationView,
  createApplicationSchema,
  updateApplicationSchema,
} from './application-shape.ts';
import { applicationTypes, applicationTypeViewSchema } from './application-types.ts';
import { restoreApplication, subscribedApis } from './restoring.ts';
import {
  archiveApplication,
  createApplication,
  getApplication,
  listApplications,
  updateApplication,
} from './applications.ts';

const define = resource({ tag: 'Applications', scope: 'v1-environment' });
const path = '/applications';
const onePath = '/applications/{applicationId}';
const answer = applicationSchema;
const version = (view: ApplicationView): number => view.updated_at;

const filterQuery = {
  query: z.string().max(256).optional(),
  status: applicationStatusSchema.optional(),
};
// v1 lists without paging are whole in the reference; ours end here, and _paged goes on.
const listMax = 1_000;

/** The v1 routes of applications. */
export const applicationRoutes = [
  define.get(path, {
    operationId: 'listApplications',
    permission: 'environment-application',
    summary: `Lists applications, the first ${listMax} by name.`,
    query: z.strictObject(filterQuery),
    answer: z.array(applicationSchema),
    run: async ({ desk, actor, at, query }) =>
      (
        await listApplications(desk, actor, {
          at,
          filter: { ...query, status: query.status ?? 'ACTIVE' },
          page: { page: 1, perPage: listMax },
        })
      ).data,
  }),
  define.get(`${path}/_paged`, {
    operationId: 'listApplicationsPaged',
    permission: 'environment-application',
    summary: 'Lists applications in pages.',
    query: z.strictObject({ ...filterQuery, ...v1PageQuery }),
    answer: v1PageSchema('ApplicationsPage', applicationSchema),
    run: async ({ desk, actor, at, query }) =>
      v1Page(
        await listApplications(desk, actor, {
          at,
          filter: { ...query, status: query.status ?? 'ACTIVE' },
          page: { page: query.page, perPage: query.size },
        }),
        query,
      ),
  }),
  define.post(path, {
    operationId: 'createApplication',
    permission: 'environment-application',
    summary: 'Creates an application.',
    body: createApplicationSchema,
    answer,
    version,
    run: ({ desk, actor, at, body }) => createApplication(desk, actor, { at, wish: body }),
  }),
  define.post(`${onePath}/_restore`, {
    operationId: 'restoreApplication',
    // The reference leaves it to the organization's administrators.
    permission: 'organization-settings',
    action: 'update',
    summary: 'Brings an archived application back; its subscriptions wait to be accepted again.',
    status: 200,
    answer,
    version,
    run: ({ desk, actor, at, params: { applicationId } }) =>
      restoreApplication(desk, actor, { at, id: applicationId }),
  }),
  define.get(`${onePath}/configuration`, {
    operationId: 'getApplicationType',
    permission: 'application-definition',
    summary: 'Says what kind of application it is.',
    answer: applicationTypeViewSchema,
    run: async ({ desk, at, params: { applicationId } }) => {
      const { type } = await getApplication(desk, { at, id: applicationId });
      return applicationTypes.find(({ id }) => id.toUpperCase() === type);
    },
  }),
  define.get(`${onePath}/subscribed`, {
    operationId: 'listSubscribedApis',
    permission: 'application-subscription',
    summary: 'Lists the APIs that an application subscribed to.',
    answer: z.array(z.object({ id: z.string(), name: z.string() })),
    run: ({ desk, at, params: { applicationId } }) => subscribedApis(desk, { at, id: applicationId }),
  }),
  define.get('/configuration/applications/types', {
    operationId: 'listApplicationTypes',
    permission: 'signed-in',
    summary: 'Lists the kinds of applications.',
    answer: z.array(applicationTypeViewSchema),
    run: async () => applicationTypes,
  }),
  define.get(onePath, {
    operationId: 'getApplication',
    permission: 'application-definition',
    summary: 'Gets an application.',
    answer,
    version,
    run: ({ desk, at, params: { applicationId } }) => getApplication(desk, { at, id: applicationId }),
  }),
  define.put(onePath, {
    operationId: 'updateApplication',
    permission: 'application-definition',
    summary: 'Replaces what can be written of an application.',
    body: updateApplicationSchema,
    answer,
    version,
    run: ({ desk, actor, at, params: { applicationId }, body, ifMatch }) =>
      updateApplication(desk, actor, { at, id: applicationId, wish: body, ifMatch }),
  }),
  define.delete(onePath, {
    operationId: 'deleteApplication',
    permission: 'application-definition',
    summary: 'Archives an application and closes its subscriptions.',
    run: ({ desk, actor, at, params: { applicationId }, ifMatch }) =>
      archiveApplication(desk, actor, { at, id: applicationId, ifMatch }),
  }),
];
