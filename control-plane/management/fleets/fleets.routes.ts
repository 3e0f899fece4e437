import { z } from '@hono/zod-openapi';
import { idSchema } from '../fields.ts';
import { boundsOf, type Page, pageOf, pageQuery, pageSchema, type PageWish } from '../pages.ts';
import { resource } from '../route.ts';
import {
  createEnrolmentToken,
  createFleet,
  deleteFleet,
  enrolmentTokenSchema,
  enrolmentTokenWishSchema,
  type FleetAnswer,
  fleetSchema,
  fleetWishSchema,
  gatewayEventSchema,
  gatewaySchema,
  getFleet,
  listAllGateways,
  listEnrolmentTokens,
  listFleets,
  listGatewayEvents,
  listGateways,
  revokeEnrolmentToken,
  revokeGateway,
  updateFleet,
  updateFleetSchema,
} from './fleets.ts';

const define = resource({ tag: 'Fleets', scope: 'organization' });
const onePath = '/fleets/{fleetId}';
const query = z.strictObject(pageQuery);
const version = ({ updatedAt }: FleetAnswer): number => Date.parse(updatedAt);

function cut<T>(all: readonly T[], wish: PageWish, url: string): Page<T> {
  const { limit, offset } = boundsOf(wish);
  return pageOf({ data: all.slice(offset, offset + limit), total: all.length }, wish, url);
}

/** The routes of fleets, their enrolment tokens and gateways; the reference has nothing like them. */
export const fleetRoutes = [
  define.get('/fleets', {
    operationId: 'listFleets',
    permission: 'organization-fleet',
    summary: 'Lists the fleets of the organization.',
    query,
    answer: pageSchema('FleetsResponse', fleetSchema),
    run: async ({ desk, at, query: wish, url }) => cut(await listFleets(desk, at.organization), wish, url),
  }),
  define.post('/fleets', {
    operationId: 'createFleet',
    permission: 'organization-fleet',
    summary: 'Creates a fleet; environments by id or human-readable id.',
    body: fleetWishSchema,
    answer: fleetSchema,
    version,
    run: ({ desk, actor, at, body }) =>
      createFleet(desk, actor, { organization: at.organization, wish: body }),
  }),
  define.get(onePath, {
    operationId: 'getFleet',
    permission: 'organization-fleet',
    summary: 'Gets a fleet.',
    answer: fleetSchema,
    version,
    run: ({ desk, at, params: { fleetId } }) =>
      getFleet(desk, { organization: at.organization, id: fleetId }),
  }),
  define.put(onePath, {
    operationId: 'updateFleet',
    permission: 'organization-fleet',
    summary: 'Replaces a fleet; its gateways follow at once.',
    body: updateFleetSchema,
    answer: fleetSchema,
    version,
    run: ({ desk, actor, at, params: { fleetId }, body, ifMatch }) =>
      updateFleet(desk, actor, { organization: at.organization, id: fleetId, wish: body, ifMatch }),
  }),
  define.delete(onePath, {
    operationId: 'deleteFleet',
    permission: 'organization-fleet',
    summary: 'Deletes a fleet and revokes its gateways.',
    run: ({ desk, actor, at, params: { fleetId }, ifMatch }) =>
      deleteFleet(desk, actor, { organization: at.organization, id: fleetId, ifMatch }),
  }),
  define.get(`${onePath}/enrolment-tokens`, {
    operationId: 'listEnrolmentTokens',
    permission: 'organization-fleet',
    summary: 'Lists the enrolment tokens of a fleet, without their values.',
    query,
    answer: pageSchema('EnrolmentTokensResponse', enrolmentTokenSchema),
    run: async ({ desk, at, params: { fleetId }, query: wish, url }) =>
      cut(await listEnrolmentTokens(desk, { organization: at.organization, id: fleetId }), wish, url),
  }),
  define.post(`${onePath}/enrolment-tokens`, {
    operationId: 'createEnrolmentToken',
    permission: 'organization-fleet',
    summary: 'Creates an enrolment token, shown only in this answer.',
    body: enrolmentTokenWishSchema,
    answer: enrolmentTokenSchema,
    run: ({ desk, actor, at, params: { fleetId }, body }) =>
      createEnrolmentToken(desk, actor, { organization: at.organization, id: fleetId, wish: body }),
  }),
  define.post(`${onePath}/enrolment-tokens/{tokenId}/_revoke`, {
    operationId: 'revokeEnrolmentToken',
    permission: 'organization-fleet',
    action: 'update',
    summary: 'Revokes an enrolment token.',
    status: 204,
    run: ({ desk, actor, at, params: { fleetId, tokenId } }) =>
      revokeEnrolmentToken(desk, actor, { organization: at.organization, id: fleetId, tokenId }),
  }),
  define.get(`${onePath}/gateways`, {
    operationId: 'listGateways',
    permission: 'organization-fleet',
    summary: 'Lists the gateways of a fleet with what they serve.',
    query,
    answer: pageSchema('GatewaysResponse', gatewaySchema),
    run: async ({ desk, at, params: { fleetId }, query: wish, url }) =>
      cut(await listGateways(desk, { organization: at.organization, id: fleetId }), wish, url),
  }),
  define.get('/gateways', {
    operationId: 'listAllGateways',
    permission: 'organization-fleet',
    summary: 'Lists the gateways of all fleets with what they serve.',
    query,
    answer: pageSchema('AllGatewaysResponse', gatewaySchema),
    run: async ({ desk, at, query: wish, url }) =>
      cut(await listAllGateways(desk, at.organization), wish, url),
  }),
  define.get(`${onePath}/events`, {
    operationId: 'listGatewayEvents',
    permission: 'organization-fleet',
    summary: 'Lists what gateways of a fleet were refused for, newest first; kept for 30 days.',
    query: query.extend({ gatewayId: idSchema.optional() }),
    answer: pageSchema('GatewayEventsResponse', gatewayEventSchema),
    run: async ({ desk, at, params: { fleetId }, query: { gatewayId, ...page }, url }) => {
      const ref = { organization: at.organization, id: fleetId };
      return pageOf(await listGatewayEvents(desk, { ...ref, gatewayId, page }), page, url);
    },
  }),
  define.post(`${onePath}/gateways/{gatewayId}/_revoke`, {
    operationId: 'revokeGateway',
    permission: 'organization-fleet',
    action: 'update',
    summary: 'Revokes a gateway.',
    status: 204,
    run: ({ desk, actor, at, params: { fleetId, gatewayId } }) =>
      revokeGateway(desk, actor, { organization: at.organization, id: fleetId, gatewayId }),
  }),
];
