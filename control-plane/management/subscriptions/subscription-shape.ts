import { z } from '@hono/zod-openapi';
import {
  apiKeyModeSchema,
  consumerStatusSchema,
  customApiKeySchema,
  subscriptionStatusSchema,
} from '../../../proto/model/subscription.ts';
import { wireLimits } from '../../../proto/wire/limits.ts';
import type { Owner } from '../../access/memberships.store.ts';
import type { ApiKeyRow } from '../api-keys/api-keys.store.ts';
import { primaryOwnerSchema } from '../apis/api-shape.ts';
import type { ApiRow } from '../apis/apis.store.ts';
import type { ApplicationRow } from '../applications/applications.store.ts';
import {
  configurationSchema,
  idSchema,
  momentSchema,
  momentText,
  present,
  readOnlyFields,
  textSchema,
} from '../fields.ts';
import type { PlanRow } from '../plans/plans.store.ts';
import type { SubscriptionRow } from './subscriptions.store.ts';

const notedFields = {
  metadata: z
    .record(z.string().min(1).max(128), z.string().max(1_024))
    .refine(
      (metadata) => Object.keys(metadata).length <= wireLimits.metadataEntriesMax,
      `at most ${wireLimits.metadataEntriesMax} entries`,
    )
    .optional(),
  consumerConfiguration: z
    .strictObject({
      entrypointId: z.string().min(1).max(128),
      channel: z.string().max(1_024).optional(),
      entrypointConfiguration: configurationSchema.optional(),
    })
    .optional(),
};

/** Body of a creation. */
export const createSubscriptionSchema = z
  .strictObject({
    applicationId: idSchema,
    planId: idSchema,
    customApiKey: customApiKeySchema.optional(),
    apiKeyMode: apiKeyModeSchema.optional(),
    ...notedFields,
  })
  .openapi('CreateSubscription');

/** Body of an update; what a reader got may come back. */
export const updateSubscriptionSchema = z
  .strictObject({
    ...readOnlyFields(
      'id',
      'api',
      'plan',
      'application',
      'status',
      'consumerStatus',
      'consumerMessage',
      'publisherMessage',
      'subscribedBy',
      'processedBy',
      'createdAt',
      'updatedAt',
      'processedAt',
      'pausedAt',
      'consumerPausedAt',
      'closedAt',
      'origin',
    ),
    startingAt: momentSchema.optional(),
    endingAt: momentSchema.optional(),
    ...notedFields,
  })
  .openapi('UpdateSubscription');

/** What an update wants. */
export type SubscriptionUpdate = z.infer<typeof updateSubscriptionSchema>;

/** Body of a transfer. */
export const transferSubscriptionSchema = z
  .strictObject({ planId: idSchema.optional() })
  .openapi('TransferSubscription');

/** Body of the question whether an application could have a key. */
export const verifySubscriptionSchema = z
  .strictObject({ applicationId: idSchema, apiKey: z.string().max(1_024) })
  .openapi('VerifySubscription');
/** What the question asks. */
export type VerifyWish = z.infer<typeof verifySubscriptionSchema>;
/** Its answer. */
export const verifiedSubscriptionSchema = z
  .object({ ok: z.boolean(), reason: z.string().optional() })
  .openapi('VerifySubscriptionResponse');
/** Its answer. */
export type Verified = z.infer<typeof verifiedSubscriptionSchema>;

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

const namedSchema = z.object({
  id: z.string(),
  name: z.string().optional(),
  description: z.string().optional(),
});
const userSchema = z.object({ id: z.string(), displayName: z.string().optional() });

/** An application as others see it that deal with it. */
export const baseApplicationSchema = namedSchema
  .extend({
    domain: z.string().optional(),
    type: z.string().optional(),
    apiKeyMode: apiKeyModeSchema.optional(),
    primaryOwner: primaryOwnerSchema.optional(),
  })
  .openapi('BaseApplication');

/** A key as it is answered; `key` only when it was just made. */
export const apiKeySchema = z
  .object({
    id: z.string(),
    key: z.string().optional(),
    hash8: z.string(),
    application: baseApplicationSchema,
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

/** A subscription as it is answered. */
export const subscriptionSchema = z
  .object({
    id: z.string(),
    api: namedSchema,
    plan: namedSchema.extend({
      apiId: z.string(),
      mode: z.string().optional(),
      security: z.object({ type: z.string(), configuration: configurationSchema.optional() }).optional(),
    }),
    application: baseApplicationSchema,
    status: subscriptionStatusSchema,
    consumerStatus: consumerStatusSchema,
    consumerMessage: z.string().optional(),
    publisherMessage: z.string().optional(),
    metadata: z.record(z.string(), z.string()),
    consumerConfiguration: notedFields.consumerConfiguration,
    subscribedBy: userSchema,
    processedBy: userSchema.optional(),
    createdAt: z.string(),
    updatedAt: z.string(),
    processedAt: z.string().optional(),
    startingAt: z.string().optional(),
    endingAt: z.string().optional(),
    pausedAt: z.string().optional(),
    consumerPausedAt: z.string().optional(),
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
  readonly api?: Pick<ApiRow, 'name' | 'description'> | undefined;
  readonly plan?: PlanRow | undefined;
  readonly application?: ApplicationRow | undefined;
  readonly owner?: Owner | undefined;
  /** Names of users by id. */
  readonly users?: ReadonlyMap<string, string> | undefined;
  /** A key that was just made. */
  readonly apiKey?: ApiKeyView | undefined;
}

/** The application for those who deal with it. */
export function baseApplication(
  id: string,
  application: ApplicationRow | undefined,
  owner?: Owner,
): z.infer<typeof baseApplicationSchema> {
  if (application === undefined) return { id };
  return present({
    id,
    name: application.name,
    description: application.description,
    domain: application.domain ?? undefined,
    type: application.type,
    apiKeyMode: apiKeyModeSchema.parse(application.api_key_mode),
    primaryOwner: owner === undefined ? undefined : ({ ...owner, type: 'USER' } as const),
  });
}

function basePlan(row: SubscriptionRow, plan: PlanRow | undefined) {
  const base = { id: row.plan_id, apiId: row.api_id };
  if (plan === undefined) return base;
  const { security } = JSON.parse(plan.definition) as { readonly security?: object };
  const { name, description, mode } = plan;
  return { ...base, name, description, mode, security: { ...security, type: plan.security_type } };
}

/** The subscription for a reader. */
export function subscriptionView(row: SubscriptionRow, referred: Referred): SubscriptionView {
  const { api, plan, application, owner, users, apiKey } = referred;
  const user = (id: string) => present({ id, displayName: users?.get(id) });
  return present({
    id: row.id,
    api: present({ id: row.api_id, name: api?.name, description: api?.description }),
    plan: basePlan(row, plan),
    application: baseApplication(row.application_id, application, owner),
    status: row.status,
    consumerStatus: row.consumer_status,
    consumerMessage: row.request ?? undefined,
    publisherMessage: row.reason ?? undefined,
    metadata: JSON.parse(row.metadata) as unknown,
    consumerConfiguration:
      row.configuration === null ? undefined : (JSON.parse(row.configuration) as unknown),
    subscribedBy: user(row.subscribed_by),
    processedBy: row.processed_by === null ? undefined : user(row.processed_by),
    createdAt: new Date(row.created_at_ms).toISOString(),
    updatedAt: new Date(row.updated_at_ms).toISOString(),
    processedAt: momentText(row.processed_at_ms),
    startingAt: momentText(row.starting_at_ms),
    endingAt: momentText(row.ending_at_ms),
    pausedAt: momentText(row.paused_at_ms),
    consumerPausedAt: momentText(row.consumer_paused_at_ms),
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
    readonly application?: ApplicationRow | undefined;
    /** All that it opens, when it is not exclusive to one. */
    readonly subscriptions?: readonly string[] | undefined;
  },
): ApiKeyView {
  return present({
    id: row.id,
    key: extra.key,
    hash8: row.hash.slice(0, 8),
    application: baseApplication(row.application_id, extra.application),
    subscriptions: (row.exclusive_to === null ? (extra.subscriptions ?? []) : [row.exclusive_to]).map(
      (id) => ({ id }),
    ),
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
