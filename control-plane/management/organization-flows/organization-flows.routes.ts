import { z } from '@hono/zod-openapi';
import { resource } from '../route.ts';
import {
  getOrganizationWithFlows,
  organizationWithFlowsSchema,
  type OrganizationWithFlowsView,
  runsSteps,
  updateOrganization,
  updateOrganizationSchema,
} from './organization-flows.ts';

const define = resource({ tag: 'Organizations and environments', scope: 'v1-organization' });
const permission = 'organization-policies';
const answer = organizationWithFlowsSchema;
const version = ({ updatedAt }: OrganizationWithFlowsView): number => Date.parse(updatedAt);

/** The routes of an organization's flows. */
export const organizationFlowsRoutes = [
  define.get('', {
    operationId: 'getOrganizationV1',
    permission,
    summary: 'Gets the organization with its flows.',
    answer,
    version,
    run: ({ desk, at }) => getOrganizationWithFlows(desk, at.organization),
  }),
  define.get('/configuration/flows', {
    operationId: 'getOrganizationFlowsConfiguration',
    permission,
    summary: 'Says whether the flows of the organization hold a step that runs.',
    answer: z.object({ has_policies: z.boolean() }).openapi('OrganizationFlowsConfiguration'),
    run: async ({ desk, at }) => ({ has_policies: await runsSteps(desk, at.organization) }),
  }),
  define.put('', {
    operationId: 'updateOrganization',
    permission,
    summary:
      'Replaces what can be written of the organization; its flows are in force at once in all of its environments.',
    body: updateOrganizationSchema,
    status: 204,
    version,
    run: ({ desk, actor, at, body, ifMatch }) =>
      updateOrganization(desk, actor, { organization: at.organization, wish: body, ifMatch }),
  }),
];
