import { queryOptions, type QueryClient } from '@tanstack/react-query';
import { api, answerOf, ifMatch, organization, taggedAnswerOf, type Schemas } from '../../../api/client.ts';
import { Problem } from '../../../api/problem.ts';
import { rightsOn } from '../../../api/rights.ts';
import { demandAsSeen } from '../../../api/written.ts';
import { plansOf } from '../questions.ts';
import { areFlows, type Design, type DesignFault, type Flow } from './flows.ts';

/** Which API is designed. */
export interface DesignAt {
  readonly env: string;
  readonly id: string;
}

const pathOf = ({ env, id }: DesignAt) => ({ envId: env, apiId: id });
const draftPath = '/management/v2/environments/{envId}/apis/{apiId}/draft';
const planPath = '/management/v2/environments/{envId}/apis/{apiId}/plans/{planId}';

/** A design as the management API has it, with what is told of it when it is written over. */
export interface Loaded {
  /** The API as it is stored, without what only the API itself writes. */
  readonly stored: Design;
  readonly design: Design;
  readonly tags: Tags;
  /** Of the draft; undefined without one. */
  readonly savedAt: string | undefined;
  /** The API was changed since by another way, so that no deployment takes the draft. */
  readonly isOutdated: boolean;
  /** The draft is no JSON, or its flows are none: it cannot be drawn. */
  readonly isStrange: boolean;
  readonly plans: readonly Schemas['PlanV4'][];
}

/** ETags of the draft (`"0"` where none is) and of plans by their ids. */
export interface Tags {
  readonly draft: string;
  readonly plans: Readonly<Record<string, string | undefined>>;
}

/** ETag of a draft that is not there. */
const noDraft = '"0"';

/** The draft of an API over what is stored of it, and the flows of its plans. */
export const loadedDesign = (at: DesignAt, deployedAt: string | undefined) =>
  queryOptions({
    queryKey: ['api', at.env, at.id, 'design', deployedAt],
    queryFn: ({ client }) => loadDesign(at, client),
    // What somebody writes is theirs until it is saved: nothing is asked anew behind their back.
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
  });

async function loadDesign(at: DesignAt, client: QueryClient): Promise<Loaded> {
  const [of, listed, rights] = await Promise.all([
    answerOf(api.GET('/management/v2/environments/{envId}/apis/{apiId}', { params: { path: pathOf(at) } })),
    client.fetchQuery({ ...plansOf(at), staleTime: 0 }),
    client.fetchQuery(rightsOn({ env: at.env, api: at.id })),
  ]);
  // A draft is for those who could have written it.
  const canWrite = rights['DEFINITION']?.includes('U') === true;
  const draft = canWrite && of.hasDraft === true ? await loadDraft(at) : undefined;
  const plans = listed.data.filter(({ status }) => status !== 'CLOSED');
  // Each alone, for its ETag: a list has none.
  const tagged = await Promise.all(
    plans.map(({ id: planId }) =>
      taggedAnswerOf(api.GET(planPath, { params: { path: { ...pathOf(at), planId } } })),
    ),
  );
  const flows = Object.fromEntries(tagged.map(({ data: { id, flows: own = [] } }) => [id, own]));
  const stored: Design = { api: writable(of), plans: flows };
  const parsed = draft === undefined ? undefined : parsedOf(draft.data.content);
  return {
    stored,
    design: { api: parsed ?? stored.api, plans: flows },
    tags: {
      draft: draft?.tag ?? noDraft,
      plans: Object.fromEntries(tagged.map(({ data: { id }, tag }) => [id, tag])),
    },
    savedAt: draft?.data.updatedAt,
    isOutdated: draft?.data.isOutdated === true,
    isStrange: draft !== undefined && parsed === undefined,
    plans,
  };
}

/** The draft; undefined when somebody has thrown it away in between. */
async function loadDraft(at: DesignAt) {
  try {
    return await taggedAnswerOf(api.GET(draftPath, { params: { path: pathOf(at) } }));
  } catch (error) {
    if (Problem.of(error).status === 404) return undefined;
    throw error;
  }
}

/** What of an API its authors write. */
function writable(of: Schemas['ApiV4']): Design['api'] {
  const {
    id: _id,
    state: _state,
    deploymentState: _deploymentState,
    createdAt: _createdAt,
    updatedAt: _updatedAt,
    deployedAt: _deployedAt,
    primaryOwner: _primaryOwner,
    originContext: _originContext,
    sync: _sync,
    hasDraft: _hasDraft,
    ...body
  } = of;
  return { ...body, flows: body.flows ?? [] };
}

function parsedOf(content: string): Design['api'] | undefined {
  try {
    const value: unknown = JSON.parse(content);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    const { flows = [], ...body } = value as Record<string, unknown>;
    return areFlows(flows) ? { ...body, flows } : undefined;
  } catch {
    return undefined;
  }
}

/** Keeps the draft as it is; says its new ETag. Errors: Problem with status 412 when somebody else wrote it meanwhile. */
export async function saveDraft(at: DesignAt, of: Design['api'], tag: string): Promise<string> {
  const { tag: next } = await taggedAnswerOf(
    api.PUT(draftPath, {
      params: { path: pathOf(at) },
      headers: ifMatch(tag),
      body: { content: JSON.stringify(of, null, 2) },
    }),
  );
  return next ?? noDraft;
}

/**
 * Writes fields of an API that count at once, whatever is drafted: a draft is carried along, so that it stays one of the API as it is then.
 * Errors: Problem, with status 412 when somebody wrote the draft meanwhile.
 */
export async function saveGeneral(at: DesignAt, seen: object, part: object): Promise<void> {
  const params = { path: pathOf(at) };
  const path = '/management/v2/environments/{envId}/apis/{apiId}';
  const { data: now, tag } = await taggedAnswerOf(api.GET(path, { params }));
  demandAsSeen({ seen, now }, part);
  const draft = await loadDraft(at);
  await answerOf(
    api.PATCH(path, {
      params,
      headers: ifMatch(tag),
      body: { ...part },
    }),
  );
  const drafted = draft === undefined ? undefined : parsedOf(draft.data.content);
  // One that was outdated before, or is no API at all, is left for its author.
  if (draft === undefined || drafted === undefined || draft.data.isOutdated) return;
  await saveDraft(at, { ...drafted, ...part }, draft.tag ?? noDraft);
}

/** Writes the flows of a plan; says its new ETag. Errors: Problem with status 412, and 400 when they are refused. */
export async function savePlan(
  at: DesignAt & { readonly plan: string },
  flows: readonly Flow[],
  tag: string | undefined,
): Promise<string | undefined> {
  const { tag: next } = await taggedAnswerOf(
    api.PATCH(planPath, {
      params: { path: { ...pathOf(at), planId: at.plan } },
      headers: ifMatch(tag),
      body: { flows: [...flows] },
    }),
  );
  return next;
}

export async function discardDraft(at: DesignAt): Promise<void> {
  await answerOf(api.DELETE(draftPath, { params: { path: pathOf(at) } }));
}

/** What a deployment of the draft would be refused for. */
export async function verify(at: DesignAt): Promise<readonly DesignFault[]> {
  const {
    ok,
    reason,
    faults = [],
  } = await answerOf(
    api.POST('/management/v2/environments/{envId}/apis/{apiId}/deployments/_verify', {
      params: { path: pathOf(at) },
    }),
  );
  if (ok) return [];
  return faults.length > 0 ? faults : [{ location: '', message: reason ?? 'A deployment would be refused.' }];
}

const params = { path: { orgId: organization } };
const staleTime = 600_000;

export const policies = queryOptions({
  queryKey: ['policies'],
  queryFn: () => answerOf(api.GET('/management/v2/organizations/{orgId}/plugins/policies', { params })),
  staleTime,
});

/** The shared policy groups of an environment, each as the step that stands for it. */
export const groupSteps = (env: string) =>
  queryOptions({
    queryKey: ['policy-groups', env, 'steps'],
    queryFn: () =>
      answerOf(
        api.GET('/management/v2/environments/{envId}/shared-policy-groups/policy-plugins', {
          params: { path: { envId: env } },
        }),
      ),
    // Who may not read them is offered none.
    retry: false,
  });

export const policyForm = (pluginId: string) =>
  queryOptions({
    queryKey: ['policies', pluginId, 'form'],
    queryFn: () =>
      answerOf(
        api.GET('/management/v2/organizations/{orgId}/plugins/policies/{pluginId}/schema', {
          params: { path: { ...params.path, pluginId } },
        }),
      ),
    staleTime,
  });

export const policyDocs = (pluginId: string) =>
  queryOptions({
    queryKey: ['policies', pluginId, 'docs'],
    queryFn: () =>
      answerOf(
        api.GET('/management/v2/organizations/{orgId}/plugins/policies/{pluginId}/documentation', {
          params: { path: { ...params.path, pluginId } },
        }),
      ),
    staleTime,
  });
