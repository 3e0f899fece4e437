import { z } from '@hono/zod-openapi';
import { resource } from '../route.ts';
import {
  createTenants,
  deleteTenant,
  gatewayTenantSchema,
  getTenant,
  listTenants,
  tenantWishesSchema,
  updateTenants,
} from './gateway-tenants.ts';

const define = resource({ tag: 'Tenants of gateways', scope: 'v1-organization' });
const path = '/configuration/tenants';
const onePath = '/configuration/tenants/{tenantId}';
const permission = 'organization-tenant';
const answer = z.array(gatewayTenantSchema);

/** The routes of tenants: places of gateways, for which endpoints may be kept. */
export const gatewayTenantRoutes = [
  define.get(path, {
    operationId: 'listTenants',
    permission: 'signed-in',
    summary: 'Lists tenants of gateways by name.',
    answer,
    run: ({ desk, at: { organization } }) => listTenants(desk, organization),
  }),
  define.post(path, {
    operationId: 'createTenants',
    permission,
    summary: 'Makes tenants of gateways.',
    body: tenantWishesSchema,
    status: 200,
    answer,
    run: ({ desk, actor, at: { organization }, body }) =>
      createTenants(desk, actor, { organization, wishes: body }),
  }),
  define.put(path, {
    operationId: 'updateTenants',
    permission,
    summary: 'Replaces name and description of several tenants, which the body names by key.',
    body: tenantWishesSchema,
    answer,
    run: ({ desk, actor, at: { organization }, body }) =>
      updateTenants(desk, actor, { organization, wishes: body }),
  }),
  define.get(onePath, {
    operationId: 'getTenant',
    permission,
    summary: 'Gets a tenant of gateways by its key.',
    answer: gatewayTenantSchema,
    run: ({ desk, at: { organization }, params: { tenantId } }) => getTenant(desk, organization, tenantId),
  }),
  define.delete(onePath, {
    operationId: 'deleteTenant',
    permission,
    summary: 'Removes a tenant in which no fleet stands.',
    run: ({ desk, actor, at: { organization }, params: { tenantId } }) =>
      deleteTenant(desk, actor, { organization, key: tenantId }),
  }),
];
