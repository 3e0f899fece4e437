import { z } from '@hono/zod-openapi';
import { applicationStatusSchema } from '../../../proto/model/application.ts';
import { idSchema, integerParam } from '../fields.ts';
import { route } from '../route.ts';
import {
  applicationSchema,
  createApplicationSchema,
  updateApplicationSchema,
  type ApplicationView,
} from './application-shape.ts';
import {
  archiveApplication,
  createApplication,
  getApplication,
  listApplications,
  updateApplication,
} from './applications.ts';

const tag = 'Applications';
const scope = 'v1-environment';
const path = '/applications';
const onePath = '/applications/{applicationId}';
const params = z.object({ applicationId: idSchema });
const answer = applicationSchema;
const version = (view: ApplicationView): number => view.updated_at;

const filterQuery = {
  query: z.string().max(256).optional(),
  status: applicationStatusSchema.optional(),
};
/** `page` and `size` of the v1 lists. */
export const v1PageQuery = {
  page: integerParam({ min: 1, max: 1_000_000 }).optional(),
  size: integerParam({ min: 1, max: 100 }).optional(),
};

/** The v1 shape of a page. */
export function v1Page<T>(
  { data, total }: { readonly data: readonly T[]; readonly total: number },
  { page = 1, size = 10 }: { readonly page?: number | undefined; readonly size?: number | undefined },
) {
  return {
    data,
    page: {
      current: page,
      size: data.length,
      per_page: size,
      total_pages: Math.ceil(total / size),
      total_elements: total,
    },
  };
}

/** Schema of {@link v1Page}. */
export function v1PageSchema(name: string, item: z.ZodType) {
  const number = z.int();
  return z
    .object({
      data: z.array(item),
      page: z.object({
        current: number,
        size: number,
        per_page: number,
        total_pages: number,
        total_elements: number,
      }),
    })
    .openapi(name);
}

// v1 lists without paging are whole in the reference; ours end here, and _paged goes on.
const listMax = 1_000;

/** The v1 routes of applications. */
export const applicationRoutes = [
  route({
    method: 'get',
    path,
    scope,
    tag,
    operationId: 'listApplications',
    permission: 'environment-application',
    summary: `Lists applications, the first ${listMax} by name.`,
    query: z.strictObject(filterQuery),
    status: 200,
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
  route({
    method: 'get',
    path: `${path}/_paged`,
    scope,
    tag,
    operationId: 'listApplicationsPaged',
    permission: 'environment-application',
    summary: 'Lists applications in pages.',
    query: z.strictObject({ ...filterQuery, ...v1PageQuery }),
    status: 200,
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
  route({
    method: 'post',
    path,
    scope,
    tag,
    operationId: 'createApplication',
    permission: 'environment-application',
    summary: 'Creates an application.',
    body: createApplicationSchema,
    status: 201,
    answer,
    version,
    run: ({ desk, actor, at, body }) => createApplication(desk, actor, { at, wish: body }),
  }),
  route({
    method: 'get',
    path: onePath,
    scope,
    tag,
    operationId: 'getApplication',
    permission: 'application-definition',
    summary: 'Gets an application.',
    params,
    status: 200,
    answer,
    version,
    run: ({ desk, at, params: { applicationId } }) => getApplication(desk, { at, id: applicationId }),
  }),
  route({
    method: 'put',
    path: onePath,
    scope,
    tag,
    operationId: 'updateApplication',
    permission: 'application-definition',
    summary: 'Replaces what can be written of an application.',
    params,
    body: updateApplicationSchema,
    status: 200,
    answer,
    version,
    run: ({ desk, actor, at, params: { applicationId }, body, ifMatch }) =>
      updateApplication(desk, actor, { at, id: applicationId, wish: body, ifMatch }),
  }),
  route({
    method: 'delete',
    path: onePath,
    scope,
    tag,
    operationId: 'deleteApplication',
    permission: 'application-definition',
    summary: 'Archives an application and closes its subscriptions.',
    params,
    status: 204,
    run: ({ desk, actor, at, params: { applicationId }, ifMatch }) =>
      archiveApplication(desk, actor, { at, id: applicationId, ifMatch }),
  }),
];
