import { queryOptions } from '@tanstack/react-query';
import { useChange } from '../../api/change.ts';
import { api, answerOf, organization, type Schemas } from '../../api/client.ts';
import type { Tone } from '../../kit/status.tsx';

/** From where subscriptions are looked at: by those who run an API, or by those of an application. Each side has addresses of its own. */
export interface Side {
  readonly env: string;
  readonly of: 'api' | 'application';
  /** Of the API or application. */
  readonly id: string;
}

export type Subscription = Schemas['Subscription'];
export type Key = Schemas['ApiKey'];

const v2 = '/management/v2/environments/{envId}/apis/{apiId}/subscriptions';
const v1 =
  '/management/organizations/{orgId}/environments/{envId}/applications/{applicationId}/subscriptions';
const sharedKeys =
  '/management/organizations/{orgId}/environments/{envId}/applications/{applicationId}/apikeys';
const apiPath = ({ env, id }: Side) => ({ envId: env, apiId: id });
const applicationPath = ({ env, id }: Side) => ({ orgId: organization, envId: env, applicationId: id });

export const subscriptionsPerPage = 25;

/** What a list can be narrowed to. */
export type Shown = 'open' | 'pending' | 'ended';
const statusesOf: Readonly<Record<Shown, readonly Subscription['status'][]>> = {
  open: ['PENDING', 'ACCEPTED', 'PAUSED'],
  pending: ['PENDING'],
  ended: ['REJECTED', 'CLOSED'],
};

/** A page of subscriptions, and how many there are. */
export const listedSubscriptions = (
  side: Side,
  { shown, page }: { readonly shown: Shown; readonly page: number },
) =>
  queryOptions({
    queryKey: ['subscriptions', side.env, side.of, side.id, { shown, page }],
    queryFn: async () => {
      const statuses = [...statusesOf[shown]];
      if (side.of === 'api') {
        const { data, pagination } = await answerOf(
          api.GET(v2, {
            params: { path: apiPath(side), query: { page, perPage: subscriptionsPerPage, statuses } },
          }),
        );
        return { rows: data, total: pagination.totalCount };
      }
      const { data, page: of } = await answerOf(
        api.GET(v1, {
          params: {
            path: applicationPath(side),
            query: { page, size: subscriptionsPerPage, status: statuses },
          },
        }),
      );
      return { rows: data, total: of.total_elements };
    },
    placeholderData: (before) => before,
  });

export const oneSubscription = (side: Side, subscriptionId: string) =>
  queryOptions({
    queryKey: ['subscriptions', side.env, side.of, side.id, subscriptionId],
    queryFn: () =>
      side.of === 'api'
        ? answerOf(
            api.GET(`${v2}/{subscriptionId}`, { params: { path: { ...apiPath(side), subscriptionId } } }),
          )
        : answerOf(
            api.GET(`${v1}/{subscriptionId}`, {
              params: { path: { ...applicationPath(side), subscriptionId } },
            }),
          ),
  });

/** Keys of a subscription, without their values. */
export const keysOf = (side: Side, subscriptionId: string) =>
  queryOptions({
    queryKey: ['subscriptions', side.env, side.of, side.id, subscriptionId, 'keys'],
    queryFn: async () =>
      side.of === 'api'
        ? (
            await answerOf(
              api.GET(`${v2}/{subscriptionId}/api-keys`, {
                params: { path: { ...apiPath(side), subscriptionId }, query: { perPage: 100 } },
              }),
            )
          ).data
        : answerOf(
            api.GET(`${v1}/{subscriptionId}/apikeys`, {
              params: { path: { ...applicationPath(side), subscriptionId } },
            }),
          ),
  });

/** What subscribing needs: the two that meet, and from which of them it is asked. */
interface Wish {
  readonly planId: string;
  readonly applicationId: string;
  readonly customApiKey?: string;
}

/** Subscribes; a key that was made at once is in this answer and in no other. */
export function subscribe(side: Side, { planId, applicationId, customApiKey }: Wish): Promise<Subscription> {
  return side.of === 'api'
    ? answerOf(
        api.POST(v2, {
          params: { path: apiPath(side) },
          body: { planId, applicationId, ...(customApiKey !== undefined && { customApiKey }) },
        }),
      )
    : answerOf(api.POST(v1, { params: { path: applicationPath(side), query: { plan: planId } }, body: {} }));
}

/** What can be done with a subscription. */
export type Deed =
  | {
      readonly verb: 'accept';
      readonly reason?: string;
      readonly endingAt?: string;
      readonly customApiKey?: string;
    }
  | { readonly verb: 'reject'; readonly reason?: string }
  | { readonly verb: 'close' | 'pause' | 'resume' };

/** The right that closing takes: for those of an application it is a deletion. */
export const closingRight = ({ of }: Side): 'U' | 'D' => (of === 'api' ? 'U' : 'D');

/** Does it; the answer is there only where a key may have been made. */
export async function doWith(
  side: Side,
  subscriptionId: string,
  deed: Deed,
): Promise<Subscription | undefined> {
  if (side.of === 'application') {
    const path = { ...applicationPath(side), subscriptionId };
    await answerOf(api.DELETE(`${v1}/{subscriptionId}`, { params: { path } }));
    return undefined;
  }
  const params = { path: { ...apiPath(side), subscriptionId } };
  const { verb, ...body } = deed;
  if (verb === 'accept') return answerOf(api.POST(`${v2}/{subscriptionId}/_accept`, { params, body }));
  if (verb === 'reject') return answerOf(api.POST(`${v2}/{subscriptionId}/_reject`, { params, body }));
  if (verb === 'pause') return answerOf(api.POST(`${v2}/{subscriptionId}/_pause`, { params }));
  if (verb === 'resume') return answerOf(api.POST(`${v2}/{subscriptionId}/_resume`, { params }));
  return answerOf(api.POST(`${v2}/{subscriptionId}/_close`, { params }));
}

/** Whether its key opens all subscriptions of the application, which alone can change it. */
export const isShared = ({ application }: Subscription): boolean => application.apiKeyMode === 'SHARED';

/** Makes another key, which is shown only in this answer. */
export function renewKey(side: Side, subscription: Subscription): Promise<Key> {
  const subscriptionId = subscription.id;
  if (side.of === 'application' && isShared(subscription))
    return answerOf(api.POST(`${sharedKeys}/_renew`, { params: { path: applicationPath(side) }, body: {} }));
  return side.of === 'api'
    ? answerOf(
        api.POST(`${v2}/{subscriptionId}/api-keys/_renew`, {
          params: { path: { ...apiPath(side), subscriptionId } },
          body: {},
        }),
      )
    : answerOf(
        api.POST(`${v1}/{subscriptionId}/apikeys/_renew`, {
          params: { path: { ...applicationPath(side), subscriptionId } },
          body: {},
        }),
      );
}

export async function revokeKey(side: Side, subscription: Subscription, key: string): Promise<void> {
  const subscriptionId = subscription.id;
  if (side.of === 'application' && isShared(subscription))
    await answerOf(
      api.DELETE(`${sharedKeys}/{keyId}`, { params: { path: { ...applicationPath(side), keyId: key } } }),
    );
  else if (side.of === 'api')
    await answerOf(
      api.POST(`${v2}/{subscriptionId}/api-keys/{apiKeyId}/_revoke`, {
        params: { path: { ...apiPath(side), subscriptionId, apiKeyId: key } },
      }),
    );
  else
    await answerOf(
      api.DELETE(`${v1}/{subscriptionId}/apikeys/{keyId}`, {
        params: { path: { ...applicationPath(side), subscriptionId, keyId: key } },
      }),
    );
}

/** A change of subscriptions of an environment: what pages show of them is asked anew, from both sides. */
export const useSubscriptionChange = <Answer>(
  env: string,
  change: () => Promise<Answer>,
  done: Pick<Parameters<typeof useChange<Answer>>[0], 'onDone' | 'said'>,
) => useChange({ change, touches: [['subscriptions', env], ['tasks']], ...done });

const states: Readonly<Record<Subscription['status'], readonly [Tone, string]>> = {
  PENDING: ['warn', 'Pending'],
  ACCEPTED: ['ok', 'Accepted'],
  PAUSED: ['warn', 'Paused'],
  RESUMED: ['ok', 'Accepted'],
  REJECTED: ['bad', 'Rejected'],
  CLOSED: ['idle', 'Closed'],
};

/** What the state of a subscription is called; an accepted one that has ended or not begun says so. */
export function stateOf(
  { status, startingAt, endingAt }: Pick<Subscription, 'status' | 'startingAt' | 'endingAt'>,
  nowMs: number,
): readonly [tone: Tone, word: string] {
  if (status === 'ACCEPTED' && endingAt !== undefined && Date.parse(endingAt) <= nowMs)
    return ['idle', 'Ended'];
  if (status === 'ACCEPTED' && startingAt !== undefined && Date.parse(startingAt) > nowMs)
    return ['info', 'Not begun'];
  return states[status];
}

/** What the state of a key is called. */
export function keyStateOf({ revoked, expired, paused }: Key): readonly [tone: Tone, word: string] {
  if (revoked) return ['bad', 'Revoked'];
  if (expired) return ['idle', 'Ended'];
  return paused ? ['warn', 'Paused'] : ['ok', 'Active'];
}
