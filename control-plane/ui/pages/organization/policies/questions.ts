import { queryOptions } from '@tanstack/react-query';
import { api, answerOf, ifMatch, organization, type Schemas, taggedAnswerOf } from '../../../api/client.ts';
import type { Flow } from '../../apis/design/flows.ts';
import { flowOf } from './flow-words.ts';

const path = '/management/organizations/{orgId}';
const params = { path: { orgId: organization } };

/** What of an organization requests pass: its flows, and which of them run. */
export interface Policies {
  readonly flows: readonly Flow[];
  /** `BEST_MATCH`: of the flows that take a request, only the one whose path fits best. */
  readonly flowMode: Schemas['OrganizationWithFlows']['flowMode'];
  /** A request that no flow takes is refused. */
  readonly matchRequired: boolean;
}

/** The flows in force, with what else a PUT has to say, and their ETag. */
export interface KeptPolicies {
  readonly policies: Policies;
  readonly name: string;
  readonly description: string;
  readonly tag: string | undefined;
}

/** The flows that requests of all APIs pass. */
export const organizationPolicies = queryOptions({
  queryKey: ['organization', 'policies'],
  queryFn: async (): Promise<KeptPolicies> => {
    const { data, tag } = await taggedAnswerOf(api.GET(path, { params }));
    const { flows, flowMode, matchRequired, name, description } = data;
    return { policies: { flows: flows.map(flowOf), flowMode, matchRequired }, name, description, tag };
  },
  // What somebody writes is theirs until it is saved.
  refetchOnWindowFocus: false,
});

/** Puts other flows in force, at once. Errors: Problem with status 412 when somebody else wrote them meanwhile, 400 naming what is wrong. */
export async function savePolicies(
  { name, description, tag }: KeptPolicies,
  { flows, ...how }: Policies,
): Promise<void> {
  await answerOf(
    api.PUT(path, {
      params,
      headers: ifMatch(tag),
      body: { name, description, ...how, flows: flows.map((flow) => ({ ...flow })) },
    }),
  );
}
