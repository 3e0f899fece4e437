import { z } from '@hono/zod-openapi';
import { boundsOf, pageOf, pageQuery, pageSchema } from '../pages.ts';
import { contentVersionOf, resource } from '../route.ts';
import {
  archiveEnvironment,
  createEnvironment,
  editEnvironment,
  newEnvironmentSchema,
  updateEnvironmentSchema,
} from './environments.ts';
import {
  environmentSchema,
  getEnvironment,
  getOrganization,
  listEnvironments,
  organizationSchema,
} from './tenants.ts';

const tag = 'Organizations and environments';
const inOrganization = resource({ tag, scope: 'organization' });
const inEnvironment = resource({ tag, scope: 'environment' });
const inV1 = resource({ tag, scope: 'v1-organization' });

/** The routes of organizations and environments. */
export const tenantRoutes = [
  inOrganization.get('', {
    operationId: 'getOrganization',
    permission: 'signed-in',
    summary: 'Gets the organization.',
    answer: organizationSchema,
    run: ({ desk, at }) => getOrganization(desk, at.organization),
  }),
  inOrganization.get('/environments', {
    operationId: 'listEnvironments',
    permission: 'organization-environment',
    summary: 'Lists the environments of the organization.',
    query: z.strictObject(pageQuery),
    answer: pageSchema('EnvironmentsResponse', environmentSchema),
    run: async ({ desk, at, query, url }) => {
      const all = await listEnvironments(desk, at.organization);
      const { limit, offset } = boundsOf(query);
      return pageOf({ data: all.slice(offset, offset + limit), total: all.length }, query, url);
    },
  }),
  inOrganization.post('/environments', {
    operationId: 'createEnvironment',
    permission: 'organization-environment',
    summary:
      'Creates an environment. You are its ADMIN, everybody else has the default role in it; gateways serve it once a fleet names it.',
    body: newEnvironmentSchema,
    answer: environmentSchema,
    run: ({ desk, actor, at, body }) =>
      createEnvironment(desk, actor, { organization: at.organization, wish: body }),
  }),
  inEnvironment.put('', {
    operationId: 'updateEnvironment',
    permission: 'organization-environment',
    summary: 'Replaces name and description of the environment; its ids stay.',
    body: updateEnvironmentSchema,
    answer: environmentSchema,
    version: contentVersionOf,
    run: ({ desk, actor, at, body, ifMatch }) => editEnvironment(desk, actor, { at, wish: body, ifMatch }),
  }),
  inEnvironment.delete('', {
    operationId: 'archiveEnvironment',
    permission: 'organization-environment',
    summary:
      'Archives the environment, for good: nobody works in it any more. It must have no APIs, no applications in use, and no fleet that serves it; its audit and records stay.',
    run: ({ desk, actor, at, ifMatch }) => archiveEnvironment(desk, actor, { ...at, ifMatch }),
  }),
  inEnvironment.get('', {
    operationId: 'getEnvironment',
    permission: 'organization-environment',
    summary: 'Gets the environment.',
    answer: environmentSchema,
    version: contentVersionOf,
    run: ({ desk, at }) => getEnvironment(desk, at),
  }),
  inV1.get('/environments', {
    operationId: 'listEnvironmentsV1',
    permission: 'organization-environment',
    summary: 'Lists the environments of the organization.',
    answer: z.array(environmentSchema),
    run: ({ desk, at }) => listEnvironments(desk, at.organization),
  }),
];
