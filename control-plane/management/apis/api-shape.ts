import { z } from '@hono/zod-openapi';
import type { Owner } from '../../access/memberships.store.ts';
import { apiLimits } from '../../../proto/model/api-limits.ts';
import { momentText, present, readOnlyFields, textSchema, wordsSchema, wordsUpTo } from '../fields.ts';
import type { Words } from '../../../proto/model/fetched/words.ts';
import { type ReviewState, reviewStates } from '../reviews/reviews.store.ts';
import type { ApiRow } from './apis.store.ts';
import { definitionFields, definitionNameSchema } from './definition.ts';
import { withFetched } from './fetched-properties.ts';

/** Who sees an API in the portal. */
export const visibilities = ['PUBLIC', 'PRIVATE'] as const;
/** Life of an API in the portal. */
export const lifecycleStates = ['ARCHIVED', 'CREATED', 'DEPRECATED', 'PUBLISHED', 'UNPUBLISHED'] as const;
/** Whether gateways serve an API. */
export const states = ['STARTED', 'STOPPED'] as const;

const detailFields = {
  labels: wordsSchema.optional(),
  categories: wordsSchema.optional(),
  disableMembershipNotifications: z.boolean().optional(),
  allowedInApiProducts: z.boolean().optional(),
  allowMultiJwtOauth2Subscriptions: z.boolean().optional(),
};

const writableFields = {
  name: definitionNameSchema,
  apiVersion: z.string().trim().min(1).max(apiLimits.versionCharsMax),
  definitionVersion: z.literal('V4'),
  description: textSchema.optional(),
  visibility: z.enum(visibilities).optional(),
  tags: wordsUpTo(apiLimits.tagsMax).optional(),
  /** Ids of groups: they stand in rows of their own. */
  groups: wordsSchema.optional(),
  ...detailFields,
  ...definitionFields,
};

/** Body of a creation. */
export const createApiSchema = z.strictObject(writableFields).openapi('CreateApiV4');

/** Body of an update: the whole writable part. */
export const updateApiSchema = z
  .strictObject({
    ...readOnlyFields(
      'id',
      'crossId',
      'createdAt',
      'updatedAt',
      'deployedAt',
      'state',
      'deploymentState',
      'primaryOwner',
      'originContext',
      'definitionContext',
      'workflowState',
      '_links',
      'sync',
      'hasDraft',
    ),
    ...writableFields,
    lifecycleState: z.enum(lifecycleStates).optional(),
  })
  .openapi('UpdateApiV4');

/** Who owns an API or application. */
export const primaryOwnerSchema = z.object({
  id: z.string(),
  displayName: z.string(),
  type: z.literal('USER'),
});

/** An API as the management API answers it; readers without the right to manage see no inside. */
export const apiSchema = z
  .object({
    id: z.string(),
    ...writableFields,
    listeners: definitionFields.listeners.optional(),
    endpointGroups: definitionFields.endpointGroups.optional(),
    lifecycleState: z.enum(lifecycleStates),
    state: z.enum(states),
    deploymentState: z.enum(['NEED_REDEPLOY', 'DEPLOYED']),
    createdAt: z.string(),
    updatedAt: z.string(),
    deployedAt: z.string().optional(),
    primaryOwner: primaryOwnerSchema.optional(),
    originContext: z.object({ origin: z.literal('MANAGEMENT') }),
    /** Where it stands in its review; absent when nobody asked for one. */
    workflowState: z.enum(reviewStates).optional(),
    /** How far gateways are with it; in lists with expands=sync, of what is published. */
    sync: z.object({ gateways: z.int(), applied: z.int(), refused: z.int(), pending: z.int() }).optional(),
    /** Whether somebody is writing a draft of it; where one API is asked for. */
    hasDraft: z.boolean().optional(),
  })
  .openapi('ApiV4');

/** What a creation wants. */
export type ApiWish = z.infer<typeof createApiSchema>;
/** What an update wants. */
export type ApiUpdate = z.infer<typeof updateApiSchema>;
/** An API as it is answered. */
export type ApiView = Readonly<Record<string, unknown>> & { readonly id: string; readonly updatedAt: string };

/** Columns that an author writes. */
export function writtenColumns(wish: ApiWish | ApiUpdate) {
  const kept = [...Object.keys(definitionFields), ...Object.keys(detailFields)];
  const definition = Object.fromEntries(Object.entries(wish).filter(([name]) => kept.includes(name)));
  return {
    name: wish.name,
    name_key: wish.name.toLowerCase(),
    api_version: wish.apiVersion,
    description: wish.description ?? '',
    definition: JSON.stringify(definition),
    tags: JSON.stringify((wish.tags ?? []).toSorted()),
  };
}

// What a definition holds is for those who manage the API: it names backends and may hold their credentials.
const insideFields = [
  'endpointGroups',
  'flows',
  'resources',
  'properties',
  'services',
  'responseTemplates',
  'failover',
  'analytics',
];

/** The API as a reader may see it: with its inside, or without. */
export function apiView(
  row: ApiRow,
  {
    owner,
    isInside,
    groups,
    fetched,
    review,
  }: {
    readonly owner: Owner | undefined;
    readonly isInside: boolean;
    /** Ids of the groups that it has. */
    readonly groups: readonly string[] | undefined;
    /** Properties that were fetched. */
    readonly fetched?: Words | undefined;
    readonly review?: ReviewState | undefined;
  },
): ApiView {
  const written = JSON.parse(row.definition) as Record<string, unknown> & Pick<ApiWish, 'properties'>;
  const definition =
    fetched === undefined
      ? written
      : { ...written, properties: withFetched(written.properties ?? [], fetched) };
  // Older versions kept words there that meant nothing.
  const hidden = isInside ? ['groups'] : ['groups', ...insideFields];
  const isInStep = row.deployed_number > 0 && row.is_out_of_sync === 0;
  return present({
    id: row.id,
    name: row.name,
    description: row.description,
    apiVersion: row.api_version,
    definitionVersion: 'V4',
    ...Object.fromEntries(Object.entries(definition).filter(([name]) => !hidden.includes(name))),
    tags: JSON.parse(row.tags) as unknown,
    groups,
    visibility: row.visibility,
    lifecycleState: row.lifecycle_state,
    state: row.state,
    deploymentState: isInStep ? 'DEPLOYED' : 'NEED_REDEPLOY',
    createdAt: new Date(row.created_at_ms).toISOString(),
    updatedAt: new Date(row.updated_at_ms).toISOString(),
    deployedAt: momentText(row.deployed_at_ms),
    primaryOwner: owner === undefined ? undefined : { ...owner, type: 'USER' },
    originContext: { origin: 'MANAGEMENT' },
    workflowState: review,
  });
}

/** The number that the ETag of an API is made of. */
export function apiVersionOf(view: ApiView): number {
  return Date.parse(view.updatedAt);
}
