import { z } from '@hono/zod-openapi';
import { Fault } from '../../../proto/faults/fault.ts';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import type { Desk } from '../desk.ts';
import { boundsOf, pageOf, pageQuery, pageSchema } from '../pages.ts';
import { route } from '../route.ts';
import {
  listEnvironmentRows,
  resolveEnvironment,
  resolveOrganization,
  type EnvironmentRow,
} from './tenants.store.ts';

const organizationSchema = z
  .object({ id: z.string(), name: z.string(), description: z.string(), hrids: z.array(z.string()) })
  .openapi('Organization');
const environmentSchema = organizationSchema.extend({ organizationId: z.string() }).openapi('Environment');

/** An organization as it is answered. */
export type OrganizationView = z.infer<typeof organizationSchema>;
/** An environment as it is answered. */
export type EnvironmentView = z.infer<typeof environmentSchema>;

/** The organization. */
export async function getOrganization(desk: Desk, organization: string): Promise<OrganizationView> {
  const row = await resolveOrganization(desk.storage.db, organization);
  if (row === undefined) throw new Fault('request.not_found');
  return { id: row.id, name: row.name, description: row.description, hrids: [row.hrid] };
}

/** The environments of the organization. */
export async function listEnvironments(
  desk: Desk,
  organization: string,
): Promise<readonly EnvironmentView[]> {
  return (await listEnvironmentRows(desk.storage.db, organization)).map(view);
}

/** One environment. */
export async function getEnvironment(desk: Desk, at: EnvironmentRef): Promise<EnvironmentView> {
  const row = await resolveEnvironment(desk.storage.db, at.organization, at.environment);
  if (row === undefined) throw new Fault('request.not_found');
  return view(row);
}

function view(row: EnvironmentRow): EnvironmentView {
  return {
    id: row.id,
    name: row.name,
    description: row.description,
    hrids: [row.hrid],
    organizationId: row.organization,
  };
}

const tag = 'Organizations and environments';

/** The routes of organizations and environments. */
export const tenantRoutes = [
  route({
    method: 'get',
    path: '',
    scope: 'organization',
    tag,
    operationId: 'getOrganization',
    permission: 'signed-in',
    summary: 'Gets the organization.',
    status: 200,
    answer: organizationSchema,
    run: ({ desk, at }) => getOrganization(desk, at.organization),
  }),
  route({
    method: 'get',
    path: '/environments',
    scope: 'organization',
    tag,
    operationId: 'listEnvironments',
    permission: 'organization-environment',
    summary: 'Lists the environments of the organization.',
    query: z.strictObject(pageQuery),
    status: 200,
    answer: pageSchema('EnvironmentsResponse', environmentSchema),
    run: async ({ desk, at, query, url }) => {
      const all = await listEnvironments(desk, at.organization);
      const { limit, offset } = boundsOf(query);
      return pageOf({ data: all.slice(offset, offset + limit), total: all.length }, query, url);
    },
  }),
  route({
    method: 'get',
    path: '',
    scope: 'environment',
    tag,
    operationId: 'getEnvironment',
    permission: 'organization-environment',
    summary: 'Gets the environment.',
    status: 200,
    answer: environmentSchema,
    run: ({ desk, at }) => getEnvironment(desk, at),
  }),
  route({
    method: 'get',
    path: '',
    scope: 'v1-organization',
    tag,
    operationId: 'getOrganizationV1',
    permission: 'signed-in',
    summary: 'Gets the organization.',
    status: 200,
    answer: organizationSchema,
    run: ({ desk, at }) => getOrganization(desk, at.organization),
  }),
  route({
    method: 'get',
    path: '/environments',
    scope: 'v1-organization',
    tag,
    operationId: 'listEnvironmentsV1',
    permission: 'organization-environment',
    summary: 'Lists the environments of the organization.',
    status: 200,
    answer: z.array(environmentSchema),
    run: ({ desk, at }) => listEnvironments(desk, at.organization),
  }),
];
