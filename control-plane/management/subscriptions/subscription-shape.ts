import { z } from '@hono/zod-openapi';
import {
  apiKeyModeSchema,
  consumerStatusSchema,
  customApiKeySchema,
  subscriptionStatusSchema,
} from '../../../proto/model/subscription.ts';
import { wireLimits } from '../../../proto/wire/limits.ts';
import type { ApiKeyRow } from '../api-keys/api-keys.store.ts';
import type { ApiRow } from '../apis/apis.store.ts';
import type { ApplicationRow } from '../applications/applications.store.ts';
import { configurationSchema, idSchema, momentSchema, momentText, present, textSchema } from '../fields.ts';
import type { PlanRow } from '../plans/plans.store.ts';
import type { SubscriptionRow } from './subscriptions.store.ts';

/** Body of a creation. */
export const createSubscriptionSchema = z
  .strictObject({
    applicationId: idSchema,
    planId: idSchema,
    customApiKey: customApiKeySchema.optional(),
    metadata: z
      .record(z.string().min(1).max(128), z.string().max(1_024))
      .refine(
        (metadata) => Object.keys(metadata).length <= wireLimits.metadataEntriesMax,
        `at most ${wireLimits.metadataEntriesMax} entries`,
      )
      .optional(),
    apiKeyMode: apiKeyModeSchema.optional(),
    consumerConfiguration: configurationSchema.optional(),
  })
  .openapi('CreateSubscription');

/** Body of an acceptance. */
export const acceptSubscriptionSchema = z
  .strictObject({
    reason: textSchema.optional(),
    customApiKey: customApiKeySchema.optional(),
    startingAt: momentSchema.optional(),
    endingAt: momentSchema.optional(),
  })
  .openapi('AcceptSubscription');

/** Body of a rejection. */
export const rejectSubscriptionSchema = z
  .strictObject({ reason: textSchema.optional() })
  .openapi('RejectSubscription');

/** A key as it is answered; `key` only when it was just made. */
export const apiKeySchema = z
  .object({
    id: z.string(),
    key: z.string().optional(),
    hash8: z.string(),
    application: z.object({ id: z.string(), name: z.string().optional() }),
    subscriptions: z.array(z.object({ id: z.string() })),
    revoked: z.boolean(),
    paused: z.boolean(),
    expired: z.boolean(),
    createdAt: z.string(),
    updatedAt: z.string(),
    expireAt: z.string().optional(),
    revokedAt: z.string().optional(),
  })
  .openapi('ApiKey');

const namedSchema = z.object({ id: z.string(), name: z.string().optional() });

/** A subscription as it is answered. */
export const subscriptionSchema = z
  .object({
    id: z.string(),
    api: namedSchema,
    plan: namedSchema.extend({ security: z.object({ type: z.string() }).optional() }),
    application: namedSchema,
    status: subscriptionStatusSchema,
    consumerStatus: consumerStatusSchema,
    consumerMessage: z.string().optional(),
    publisherMessage: z.string().optional(),
    metadata: z.record(z.string(), z.string()),
    subscribedBy: z.object({ id: z.string() }),
    processedBy: z.object({ id: z.string() }).optional(),
    createdAt: z.string(),
    updatedAt: z.string(),
    processedAt: z.string().optional(),
    startingAt: z.string().optional(),
    endingAt: z.string().optional(),
    pausedAt: z.string().optional(),
    closedAt: z.string().optional(),
    origin: z.literal('MANAGEMENT'),
    apiKey: apiKeySchema.optional(),
  })
  .openapi('Subscription');

/** A subscription as it is answered. */
export type SubscriptionView = Readonly<Record<string, unknown>> & {
  readonly id: string;
  readonly updatedAt: string;
};
/** A key as it is answered. */
export type ApiKeyView = z.infer<typeof apiKeySchema>;

/** What a subscription refers to, as far as it was looked up. */
export interface Referred {
  readonly api?: Pick<ApiRow, 'name'> | undefined;
  readonly plan?: PlanRow | undefined;
  readonly application?: ApplicationRow | undefined;
  /** A key that was just made. */
  readonly apiKey?: ApiKeyView | undefined;
}

/** The subscription for a reader. */
export function subscriptionView(row: SubscriptionRow, referred: Referred): SubscriptionView {
  const { api, plan, application, apiKey } = referred;
  return present({
    id: row.id,
    api: present({ id: row.api_id, name: api?.name }),
    plan: present({
      id: row.plan_id,
      name: plan?.name,
      security: plan === undefined ? undefined : { type: plan.security_type },
    }),
    application: present({ id: row.application_id, name: application?.name }),
    status: row.status,
    consumerStatus: row.consumer_status,
    consumerMessage: row.request ?? undefined,
    publisherMessage: row.reason ?? undefined,
    metadata: JSON.parse(row.metadata) as unknown,
    subscribedBy: { id: row.subscribed_by },
    processedBy: row.processed_by === null ? undefined : { id: row.processed_by },
    createdAt: new Date(row.created_at_ms).toISOString(),
    updatedAt: new Date(row.updated_at_ms).toISOString(),
    processedAt: momentText(row.processed_at_ms),
    startingAt: momentText(row.starting_at_ms),
    endingAt: momentText(row.ending_at_ms),
    pausedAt: momentText(row.paused_at_ms),
    closedAt: momentText(row.closed_at_ms),
    origin: 'MANAGEMENT',
    apiKey,
  });
}

/** The key for a reader; `hash8` is what access records carry, so that people can tell keys apart. */
export function apiKeyView(
  row: ApiKeyRow,
  extra: {
    readonly nowMs: number;
    readonly key?: string;
    readonly isPaused?: boolean;
    readonly applicationName?: string | undefined;
  },
): ApiKeyView {
  return present({
    id: row.id,
    key: extra.key,
    hash8: row.hash.slice(0, 8),
    application: present({ id: row.application_id, name: extra.applicationName }),
    subscriptions: [{ id: row.subscription_id }],
    revoked: row.revoked_at_ms !== null,
    paused: extra.isPaused === true,
    expired: row.expire_at_ms !== null && row.expire_at_ms <= extra.nowMs,
    createdAt: new Date(row.created_at_ms).toISOString(),
    updatedAt: new Date(row.updated_at_ms).toISOString(),
    expireAt: momentText(row.expire_at_ms),
    revokedAt: momentText(row.revoked_at_ms),
  });
}

/** The number that the ETag of a subscription is made of. */
export function subscriptionVersionOf(view: SubscriptionView): number {
  return Date.parse(view.updatedAt);
}
