import { queryOptions, useQuery } from '@tanstack/react-query';
import { api, answerOf, organization } from '../api/client.ts';
import type { CheckChoice } from '../kit/checks.tsx';

/** Words that the organization shards its gateways by, which forms of APIs and fleets offer. */

const org = { orgId: organization };

export const tagsQuery = queryOptions({
  queryKey: ['tags'],
  queryFn: () =>
    answerOf(api.GET('/management/organizations/{orgId}/configuration/tags', { params: { path: org } })),
});

export const tenantsQuery = queryOptions({
  queryKey: ['tenants'],
  queryFn: () =>
    answerOf(api.GET('/management/organizations/{orgId}/configuration/tenants', { params: { path: org } })),
});

interface Word {
  readonly key: string;
  readonly name: string;
  readonly description?: string | undefined;
}

const choiceOf = ({ key, name, description }: Word): CheckChoice => ({
  id: key,
  name: name === key ? key : `${name} (${key})`,
  about: description,
});

/** Sharding tags that somebody made; none until they are known. */
export function useKnownTags(): readonly CheckChoice[] {
  const { data = [] } = useQuery(tagsQuery);
  return data.map(choiceOf);
}

/** Tenants of gateways that somebody made; none until they are known. */
export function useKnownTenants(): readonly CheckChoice[] {
  const { data = [] } = useQuery(tenantsQuery);
  return data.map(choiceOf);
}
