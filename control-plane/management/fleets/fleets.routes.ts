import { z } from '@hono/zod-openapi';
import { idSchema } from '../fields.ts';
import { boundsOf, pageOf, pageQuery, pageSchema, type Page, type PageWish } from '../pages.ts';
import { route } from '../route.ts';
import {
  createEnrolmentToken,
  createFleet,
  deleteFleet,
  enrolmentTokenSchema,
  enrolmentTokenWishSchema,
  fleetSchema,
  fleetWishSchema,
  gatewayEventSchema,
  gatewaySchema,
  getFleet,
  listEnrolmentTokens,
  listFleets,
  listGatewayEvents,
  listGateways,
  revokeEnrolmentToken,
  revokeGateway,
  updateFleet,
} from './fleets.ts';

const tag = 'Fleets';
const scope = 'organization';
const onePath = '/fleets/{fleetId}';
const params = z.object({ fleetId: idSchema });
const query = z.strictObject(pageQuery);

function cut<T>(all: readonly T[], wish: PageWish, url: string): Page<T> {
  const { limit, offset } = boundsOf(wish);
  return pageOf({ data: all.slice(offset, offset + limit), total: all.length }, wish, url);
}

/** The routes of fleets, their enrolment tokens and gateways; the reference has nothing like them. */
export const fleetRoutes = [
  route({
    method: 'get',
    path: '/fleets',
    scope,
    tag,
    operationId: 'listFleets',
    permission: 'organization-fleet',
    summary: 'Lists the fleets of the organization.',
    query,
    status: 200,
    answer: pageSchema('FleetsResponse', fleetSchema),
    run: async ({ desk, at, query: wish, url }) => cut(await listFleets(desk, at.organization), wish, url),
  }),
  route({
    method: 'post',
    path: '/fleets',
    scope,
    tag,
    operationId: 'createFleet',
    permission: 'organization-fleet',
    summary: 'Creates a fleet; environments by id or human-readable id.',
    body: fleetWishSchema,
    status: 201,
    answer: fleetSchema,
    run: ({ desk, actor, at, body }) =>
      createFleet(desk, actor, { organization: at.organization, wish: body }),
  }),
  route({
    method: 'get',
    path: onePath,
    scope,
    tag,
    operationId: 'getFleet',
    permission: 'organization-fleet',
    summary: 'Gets a fleet.',
    params,
    status: 200,
    answer: fleetSchema,
    run: ({ desk, at, params: { fleetId } }) =>
      getFleet(desk, { organization: at.organization, id: fleetId }),
  }),
  route({
    method: 'put',
    path: onePath,
    scope,
    tag,
    operationId: 'updateFleet',
    permission: 'organization-fleet',
    summary: 'Replaces a fleet; its gateways follow at once.',
    params,
    body: fleetWishSchema,
    status: 200,
    answer: fleetSchema,
    run: ({ desk, actor, at, params: { fleetId }, body }) =>
      updateFleet(desk, actor, { organization: at.organization, id: fleetId, wish: body }),
  }),
  route({
    method: 'delete',
    path: onePath,
    scope,
    tag,
    operationId: 'deleteFleet',
    permission: 'organization-fleet',
    summary: 'Deletes a fleet and revokes its gateways.',
    params,
    status: 204,
    run: ({ desk, actor, at, params: { fleetId } }) =>
      deleteFleet(desk, actor, { organization: at.organization, id: fleetId }),
  }),
  route({
    method: 'get',
    path: `${onePath}/enrolment-tokens`,
    scope,
    tag,
    operationId: 'listEnrolmentTokens',
    permission: 'organization-fleet',
    summary: 'Lists the enrolment tokens of a fleet, without their values.',
    params,
    query,
    status: 200,
    answer: pageSchema('EnrolmentTokensResponse', enrolmentTokenSchema),
    run: async ({ desk, at, params: { fleetId }, query: wish, url }) =>
      cut(await listEnrolmentTokens(desk, { organization: at.organization, id: fleetId }), wish, url),
  }),
  route({
    method: 'post',
    path: `${onePath}/enrolment-tokens`,
    scope,
    tag,
    operationId: 'createEnrolmentToken',
    permission: 'organization-fleet',
    summary: 'Creates an enrolment token, shown only in this answer.',
    params,
    body: enrolmentTokenWishSchema,
    status: 201,
    answer: enrolmentTokenSchema,
    run: ({ desk, actor, at, params: { fleetId }, body }) =>
      createEnrolmentToken(desk, actor, { organization: at.organization, id: fleetId, wish: body }),
  }),
  route({
    method: 'post',
    path: `${onePath}/enrolment-tokens/{tokenId}/_revoke`,
    scope,
    tag,
    operationId: 'revokeEnrolmentToken',
    permission: 'organization-fleet',
    action: 'update',
    summary: 'Revokes an enrolment token.',
    params: params.extend({ tokenId: idSchema }),
    status: 204,
    run: ({ desk, actor, at, params: { fleetId, tokenId } }) =>
      revokeEnrolmentToken(desk, actor, { organization: at.organization, id: fleetId, tokenId }),
  }),
  route({
    method: 'get',
    path: `${onePath}/gateways`,
    scope,
    tag,
    operationId: 'listGateways',
    permission: 'organization-fleet',
    summary: 'Lists the gateways of a fleet with what they serve.',
    params,
    query,
    status: 200,
    answer: pageSchema('GatewaysResponse', gatewaySchema),
    run: async ({ desk, at, params: { fleetId }, query: wish, url }) =>
      cut(await listGateways(desk, { organization: at.organization, id: fleetId }), wish, url),
  }),
  route({
    method: 'get',
    path: `${onePath}/events`,
    scope,
    tag,
    operationId: 'listGatewayEvents',
    permission: 'organization-fleet',
    summary: 'Lists what gateways of a fleet were refused for, newest first; kept for 30 days.',
    params,
    query: query.extend({ gatewayId: idSchema.optional() }),
    status: 200,
    answer: pageSchema('GatewayEventsResponse', gatewayEventSchema),
    run: async ({ desk, at, params: { fleetId }, query: { gatewayId, ...page }, url }) => {
      const ref = { organization: at.organization, id: fleetId };
      return pageOf(await listGatewayEvents(desk, { ...ref, gatewayId, page }), page, url);
    },
  }),
  route({
    method: 'post',
    path: `${onePath}/gateways/{gatewayId}/_revoke`,
    scope,
    tag,
    operationId: 'revokeGateway',
    permission: 'organization-fleet',
    action: 'update',
    summary: 'Revokes a gateway.',
    params: params.extend({ gatewayId: idSchema }),
    status: 204,
    run: ({ desk, actor, at, params: { fleetId, gatewayId } }) =>
      revokeGateway(desk, actor, { organization: at.organization, id: fleetId, gatewayId }),
  }),
];
