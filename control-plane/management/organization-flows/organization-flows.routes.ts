import { resource } from '../route.ts';
import {
  getOrganizationWithFlows,
  organizationWithFlowsSchema,
  type OrganizationWithFlowsView,
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
