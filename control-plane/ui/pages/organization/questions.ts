import { queryOptions } from '@tanstack/react-query';
import { api, answerOf, organization, type Schemas } from '../../api/client.ts';
import type { Tone } from '../../kit/status.tsx';

/** What pages about the organization and its people ask. */

export const usersPerPage = 25;
const org = { orgId: organization };
const usersPath = '/management/organizations/{orgId}/users';

export type User = Schemas['UserAccount'];
export type Role = Schemas['Role'];
/** What roles are held on. */
export type RoleScope = 'ORGANIZATION' | 'ENVIRONMENT' | 'API' | 'APPLICATION' | 'GROUP' | 'INTEGRATION';

/** A page of the users of the organization. */
export const listedUsers = ({ q, page }: { readonly q: string | undefined; readonly page: number }) =>
  queryOptions({
    queryKey: ['users', 'list', { q, page }],
    queryFn: () =>
      answerOf(
        api.GET(usersPath, {
          params: { path: org, query: { page, size: usersPerPage, ...(q !== undefined && { q }) } },
        }),
      ),
    placeholderData: (before) => before,
  });

export const oneUser = (id: string) =>
  queryOptions({
    queryKey: ['users', id],
    queryFn: () => answerOf(api.GET(`${usersPath}/{userId}`, { params: { path: { ...org, userId: id } } })),
  });

/** Lets somebody in again, or in no more. */
export const setEnabled = ({ id }: Pick<User, 'id'>, isOn: boolean) =>
  answerOf(
    api.POST(isOn ? `${usersPath}/{userId}/_enable` : `${usersPath}/{userId}/_disable`, {
      params: { path: { ...org, userId: id } },
    }),
  );

/** What somebody holds on APIs, applications or groups. */
export const membershipsOf = (id: string, type: 'api' | 'application' | 'group') =>
  queryOptions({
    queryKey: ['users', id, 'memberships', type],
    queryFn: () =>
      answerOf(
        api.GET(`${usersPath}/{userId}/memberships`, {
          params: { path: { ...org, userId: id }, query: { type } },
        }),
      ),
  });

/** Groups of all environments. */
export const allGroups = queryOptions({
  queryKey: ['organization-groups'],
  queryFn: () => answerOf(api.GET('/management/organizations/{orgId}/groups', { params: { path: org } })),
});

/** People of whom something matches what was typed. */
export const foundPeople = (text: string) =>
  queryOptions({
    queryKey: ['people', text],
    queryFn: () =>
      answerOf(
        api.GET('/management/organizations/{orgId}/search/users', {
          params: { path: org, query: { q: text === '' ? '*' : text } },
        }),
      ),
    placeholderData: (before) => before,
  });

const scopesPath = '/management/organizations/{orgId}/configuration/rolescopes';

/** What can be permitted, by scope. */
export const roleScopes = queryOptions({
  queryKey: ['roles', 'scopes'],
  queryFn: () => answerOf(api.GET(scopesPath, { params: { path: org } })),
  staleTime: Number.POSITIVE_INFINITY,
});

/** The roles of a scope. */
export const rolesOf = (scope: RoleScope) =>
  queryOptions({
    queryKey: ['roles', scope],
    queryFn: () => answerOf(api.GET(`${scopesPath}/{scope}/roles`, { params: { path: { ...org, scope } } })),
    staleTime: 30_000,
  });

const states: Readonly<Record<User['status'], readonly [tone: Tone, word: string]>> = {
  ACTIVE: ['ok', 'Active'],
  PENDING: ['warn', 'Waits for approval'],
  REJECTED: ['bad', 'Rejected'],
  DISABLED: ['bad', 'Disabled'],
  ARCHIVED: ['idle', 'Archived'],
};

/** What the state of a user is called. */
export function stateOf({ status }: Pick<User, 'status'>): readonly [tone: Tone, word: string] {
  return states[status];
}

/** What a scope is called, and what its roles are held on. */
export const scopeWords: Readonly<Record<RoleScope, readonly [name: string, about: string]>> = {
  ORGANIZATION: ['Organization', 'users, roles, fleets and what all environments share'],
  ENVIRONMENT: ['Environment', 'what an environment holds, and who may add to it'],
  API: ['API', 'one API: what it is, who may call it, who runs it'],
  APPLICATION: ['Application', 'one application: what it is, what it may call, who runs it'],
  GROUP: ['Group', 'one group: who administers its members'],
  INTEGRATION: ['Integration', 'one integration'],
};

const spokenWords: ReadonlyMap<string, string> = new Map([
  ['API', 'API'],
  ['APIS', 'APIs'],
  ['APIKEY', 'API key'],
  ['APIKEYS', 'API keys'],
  // The field's name of the event is no English.
  ['ROLLBACKED', 'rolled back'],
]);

/** A name in capitals, as people write it: `SHARED_POLICY_GROUP` is `Shared policy group`, `API` stays. */
export function spoken(name: string): string {
  const words = name
    .split('_')
    .map((word) => spokenWords.get(word) ?? word.toLowerCase())
    .join(' ');
  return words.slice(0, 1).toUpperCase() + words.slice(1);
}
