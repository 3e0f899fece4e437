import { queryOptions } from '@tanstack/react-query';
import { api, answerOf, ifMatch, type Schemas, taggedAnswerOf } from '../../api/client.ts';
import type { Tone } from '../../kit/status.tsx';

/** What pages about shared policy groups ask. */

export type PolicyGroup = Schemas['SharedPolicyGroup'];
export type Phase = PolicyGroup['phase'];

const path = '/management/v2/environments/{envId}/shared-policy-groups';
const one = `${path}/{sharedPolicyGroupId}` as const;
const at = (env: string, sharedPolicyGroupId: string) => ({ envId: env, sharedPolicyGroupId });

export const policyGroupsPerPage = 25;

/** A page of them by name. */
export const listedPolicyGroups = (
  env: string,
  { q, page }: { readonly q: string | undefined; readonly page: number },
) =>
  queryOptions({
    queryKey: ['policy-groups', env, 'list', { q, page }],
    queryFn: () =>
      answerOf(
        api.GET(path, {
          params: {
            path: { envId: env },
            query: { page, perPage: policyGroupsPerPage, sortBy: 'name', ...(q !== undefined && { q }) },
          },
        }),
      ),
    placeholderData: (before) => before,
  });

/** One with its ETag. */
export const onePolicyGroup = (env: string, id: string) =>
  queryOptions({
    queryKey: ['policy-groups', env, id],
    queryFn: () => taggedAnswerOf(api.GET(one, { params: { path: at(env, id) } })),
    // What somebody writes is theirs until it is saved.
    refetchOnWindowFocus: false,
  });

/** What its deployments sent to gateways, the newest first. */
export const historyOfGroup = (env: string, id: string, page: number) =>
  queryOptions({
    queryKey: ['policy-groups', env, id, 'history', page],
    queryFn: () =>
      answerOf(
        api.GET(`${one}/histories`, {
          params: { path: at(env, id), query: { page, perPage: policyGroupsPerPage, sortBy: '-version' } },
        }),
      ),
    placeholderData: (before) => before,
  });

/** The deployed APIs that have a step which stands for it. */
export const usersOfGroup = (env: string, id: string, page: number) =>
  queryOptions({
    queryKey: ['policy-groups', env, id, 'apis', page],
    queryFn: () =>
      answerOf(
        api.GET(`${one}/apis`, {
          params: { path: at(env, id), query: { page, perPage: policyGroupsPerPage } },
        }),
      ),
    placeholderData: (before) => before,
  });

export function createPolicyGroup(
  env: string,
  { name, phase }: { readonly name: string; readonly phase: Phase },
): Promise<PolicyGroup> {
  return answerOf(
    api.POST(path, { params: { path: { envId: env } }, body: { name, phase, apiType: 'PROXY', steps: [] } }),
  );
}

/** Errors: Problem with status 412 when somebody else wrote it meanwhile. */
export function savePolicyGroup(
  env: string,
  { data: { id, crossId, name, description, prerequisiteMessage, steps }, tag }: TaggedGroup,
): Promise<PolicyGroup> {
  return answerOf(
    api.PUT(one, {
      params: { path: at(env, id) },
      headers: ifMatch(tag),
      body: {
        crossId,
        name,
        ...(description !== undefined && { description }),
        ...(prerequisiteMessage !== undefined && { prerequisiteMessage }),
        steps: steps ?? [],
      },
    }),
  );
}

export interface TaggedGroup {
  readonly data: PolicyGroup;
  readonly tag: string | undefined;
}

/** Sends it to gateways, or takes it from them. */
export function doWithPolicyGroup(
  env: string,
  id: string,
  deed: 'deploy' | 'undeploy',
): Promise<PolicyGroup> {
  const params = { path: at(env, id) };
  return answerOf(
    deed === 'deploy' ? api.POST(`${one}/_deploy`, { params }) : api.POST(`${one}/_undeploy`, { params }),
  );
}

export async function deletePolicyGroup(env: string, id: string): Promise<void> {
  await answerOf(api.DELETE(one, { params: { path: at(env, id) } }));
}

/** What its state is called. */
export const stateOf = ({ lifecycleState }: PolicyGroup): readonly [tone: Tone, word: string] =>
  (
    {
      DEPLOYED: ['ok', 'Deployed'],
      PENDING: ['warn', 'Changed since'],
      UNDEPLOYED: ['idle', 'Not deployed'],
    } as const
  )[lifecycleState];

export const phaseWords: Readonly<Record<Phase, string>> = { REQUEST: 'Request', RESPONSE: 'Response' };
