import { queryOptions } from '@tanstack/react-query';
import { api, answerOf, ifMatch, type Schemas, taggedAnswerOf } from '../../api/client.ts';

export type Plan = Schemas['PlanV4'];

interface OfApi {
  readonly env: string;
  readonly id: string;
}
interface OfPlan extends OfApi {
  readonly plan: string;
}

const plansPath = '/management/v2/environments/{envId}/apis/{apiId}/plans';
const pathOf = ({ env, id }: OfApi) => ({ envId: env, apiId: id });
const planPathOf = (at: OfPlan) => ({ ...pathOf(at), planId: at.plan });

/** A plan with its ETag. */
export const onePlan = (at: OfPlan) =>
  queryOptions({
    queryKey: ['api', at.env, at.id, 'plans', at.plan],
    queryFn: () => taggedAnswerOf(api.GET(`${plansPath}/{planId}`, { params: { path: planPathOf(at) } })),
    // What somebody writes is theirs until it is saved.
    refetchOnWindowFocus: false,
  });

/** What of a plan its form writes. */
export interface PlanWish {
  readonly name: string;
  readonly description: string;
  readonly security: Plan['security'];
  readonly validation: 'AUTO' | 'MANUAL';
  readonly commentRequired: boolean;
  readonly selectionRule: string;
  readonly tags: readonly string[];
}

export const blankPlan: PlanWish = {
  name: '',
  description: '',
  security: { type: 'API_KEY' },
  validation: 'AUTO',
  commentRequired: false,
  selectionRule: '',
  tags: [],
};

export const wishOf = ({
  name,
  description = '',
  security,
  validation = 'AUTO',
  commentRequired = false,
  selectionRule = '',
  tags = [],
}: Plan): PlanWish => ({ name, description, security, validation, commentRequired, selectionRule, tags });

/** Makes a plan. Errors: Problem with the faults of its security when it is published. */
export function createPlan(at: OfApi, wish: PlanWish, status: 'STAGING' | 'PUBLISHED'): Promise<Plan> {
  const { selectionRule, tags, ...rest } = wish;
  return answerOf(
    api.POST(plansPath, {
      params: { path: pathOf(at) },
      body: {
        definitionVersion: 'V4',
        mode: 'STANDARD',
        status,
        ...rest,
        ...(selectionRule !== '' && { selectionRule }),
        ...(tags.length > 0 && { tags: [...tags] }),
      },
    }),
  );
}

/** Writes a plan over the one of that ETag. Errors: Problem, with status 412 when somebody else wrote it meanwhile. */
export async function savePlan(at: OfPlan, wish: PlanWish, tag: string | undefined): Promise<void> {
  // As operations: a merge would keep what was taken out of the configuration.
  const patch = Object.entries(wish).map(([field, value]) => ({
    op: 'add' as const,
    path: `/${field}`,
    value: value as unknown,
  }));
  await answerOf(
    api.PATCH(`${plansPath}/{planId}`, {
      params: { path: planPathOf(at) },
      headers: {
        'content-type': 'application/json-patch+json',
        ...ifMatch(tag),
      },
      body: patch as Schemas['JsonPatch'],
    }),
  );
}

/**
 * Writes in which order callers are matched with plans: the places of those that do not stand at theirs yet, which are parts of no patch.
 * Errors: Problem, with status 412 when somebody else wrote one meanwhile.
 */
export async function orderPlans(at: OfApi, plans: readonly Plan[]): Promise<void> {
  for (const [order, { id: planId, order: before }] of plans.entries()) {
    if (order === before) continue;
    const params = { path: { ...pathOf(at), planId } };
    const { data, tag } = await taggedAnswerOf(api.GET(`${plansPath}/{planId}`, { params }));
    await answerOf(
      api.PUT(`${plansPath}/{planId}`, {
        params,
        headers: ifMatch(tag),
        body: { ...data, order },
      }),
    );
  }
}

/** What becomes of a plan. */
export type PlanDeed = 'publish' | 'deprecate' | 'close' | 'delete';

export async function doWithPlan(at: OfPlan, deed: PlanDeed): Promise<void> {
  const params = { path: planPathOf(at) };
  const one = `${plansPath}/{planId}` as const;
  if (deed === 'publish') await answerOf(api.POST(`${one}/_publish`, { params }));
  if (deed === 'deprecate') await answerOf(api.POST(`${one}/_deprecate`, { params }));
  if (deed === 'close') await answerOf(api.POST(`${one}/_close`, { params }));
  if (deed === 'delete') await answerOf(api.DELETE(one, { params }));
}

/** How many subscriptions to a plan are in force or wait. */
export const openOfPlan = (at: OfPlan) =>
  queryOptions({
    queryKey: ['subscriptions', at.env, 'api', at.id, 'of-plan', at.plan],
    queryFn: async () => {
      const { pagination } = await answerOf(
        api.GET('/management/v2/environments/{envId}/apis/{apiId}/subscriptions', {
          params: {
            path: pathOf(at),
            query: { planIds: [at.plan], statuses: ['ACCEPTED', 'PENDING', 'PAUSED'], perPage: 1 },
          },
        }),
      );
      return pagination.totalCount;
    },
  });
