import { queryOptions } from '@tanstack/react-query';
import { api, answerOf, organization, type Schemas } from '../../api/client.ts';

/** What pages about fleets ask. */

export type Fleet = Schemas['Fleet'];
export type EnrolmentToken = Schemas['EnrolmentToken'];

const path = '/management/v2/organizations/{orgId}/fleets';
const org = { orgId: organization };
const whole = { perPage: 100 };

export const allFleets = queryOptions({
  queryKey: ['fleets'],
  queryFn: () => answerOf(api.GET(path, { params: { path: org, query: whole } })),
});

export const oneFleet = (id: string) =>
  queryOptions({
    queryKey: ['fleets', id],
    queryFn: () => answerOf(api.GET(`${path}/{fleetId}`, { params: { path: { ...org, fleetId: id } } })),
  });

/** What machines enrol with, without the values. */
export const tokensOfFleet = (id: string) =>
  queryOptions({
    queryKey: ['fleets', id, 'tokens'],
    queryFn: () =>
      answerOf(
        api.GET(`${path}/{fleetId}/enrolment-tokens`, {
          params: { path: { ...org, fleetId: id }, query: whole },
        }),
      ),
  });

export function saveFleet(id: string | undefined, body: Schemas['FleetWish']): Promise<Fleet> {
  return id === undefined
    ? answerOf(api.POST(path, { params: { path: org }, body }))
    : answerOf(api.PUT(`${path}/{fleetId}`, { params: { path: { ...org, fleetId: id } }, body }));
}

export async function deleteFleet(id: string): Promise<void> {
  await answerOf(api.DELETE(`${path}/{fleetId}`, { params: { path: { ...org, fleetId: id } } }));
}

export function createEnrolmentToken(
  id: string,
  body: Schemas['EnrolmentTokenWish'],
): Promise<EnrolmentToken> {
  return answerOf(
    api.POST(`${path}/{fleetId}/enrolment-tokens`, { params: { path: { ...org, fleetId: id } }, body }),
  );
}

export async function revokeEnrolmentToken(id: string, token: string): Promise<void> {
  await answerOf(
    api.POST(`${path}/{fleetId}/enrolment-tokens/{tokenId}/_revoke`, {
      params: { path: { ...org, fleetId: id, tokenId: token } },
    }),
  );
}
