import { z } from '@hono/zod-openapi';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import { type Actor, can, visible } from '../../access/actor.ts';
import { displayNames } from '../../access/users.store.ts';
import { namesIn } from '../analytics/names.store.ts';
import type { Desk } from '../desk.ts';
import { present } from '../fields.ts';
import type { ReviewRow } from '../reviews/reviews.store.ts';
import type { SubscriptionRow } from '../subscriptions/subscriptions.store.ts';
import { listEnvironmentRows } from '../tenants/tenants.store.ts';
import { openReviewRows, pendingRows } from './tasks.store.ts';

/** Tasks that are told at most, the oldest of each environment first. */
export const tasksMax = 1_000;

/** Something that waits for the reader. */
const taskSchema = z
  .object({
    type: z.enum(['SUBSCRIPTION_APPROVAL', 'IN_REVIEW', 'REQUEST_FOR_CHANGES']),
    /** What is to be decided: of a subscription `request` is what they wrote, of a review `comment`. */
    data: z.object({
      id: z.string(),
      environmentId: z.string(),
      api: z.string(),
      plan: z.string().optional(),
      application: z.string().optional(),
      status: z.string().optional(),
      request: z.string().optional(),
      subscribed_by: z.string().optional(),
      referenceType: z.string(),
      referenceId: z.string(),
      state: z.string().optional(),
      comment: z.string().optional(),
      user: z.string().optional(),
    }),
    /** ms since the epoch. */
    created_at: z.int(),
  })
  .openapi('Task');
type TaskView = z.infer<typeof taskSchema>;

/** All of them in one page, as the reference has it; what ids stand for is in metadata. */
export const tasksSchema = z
  .object({
    data: z.array(taskSchema),
    metadata: z.record(z.string(), z.object({ name: z.string(), environmentId: z.string().optional() })),
    page: z.object({
      current: z.int(),
      size: z.int(),
      per_page: z.int(),
      total_pages: z.int(),
      total_elements: z.int(),
    }),
  })
  .openapi('TasksPage');

/** What waits for the actor in all environments of his organization: subscriptions that he may decide, reviews that he may give or has to answer. */
export async function listTasks(desk: Desk, actor: Actor): Promise<z.infer<typeof tasksSchema>> {
  const { organization } = actor;
  const { db } = desk.storage;
  // Once for all: which of what he is a member of he may decide is a question of his roles there.
  const known = await desk.access.withScope(actor, 'api');
  const tasks: TaskView[] = [];
  for (const { id: environment } of await listEnvironmentRows(db, organization)) {
    const at: EnvironmentRef = { organization, environment };
    const wish = { at, visible: visible(actor, at), limit: tasksMax };
    const may = (
      right: 'api-subscription:update' | 'api-reviews:update' | 'api-definition:update',
      api: string,
    ) => can(known, right, { ...at, api });
    for (const row of await pendingRows(db, wish))
      if (may('api-subscription:update', row.api_id)) tasks.push(subscriptionTask(row));
    for (const row of await openReviewRows(db, wish))
      if (may(row.state === 'IN_REVIEW' ? 'api-reviews:update' : 'api-definition:update', row.api_id))
        tasks.push(reviewTask(row));
  }
  const data = tasks.toSorted((a, b) => a.created_at - b.created_at).slice(0, tasksMax);
  return {
    data,
    metadata: await named(desk, organization, data),
    page: {
      current: 1,
      size: data.length,
      per_page: data.length,
      total_pages: 1,
      total_elements: data.length,
    },
  };
}

const subscriptionTask = (row: SubscriptionRow): TaskView => ({
  type: 'SUBSCRIPTION_APPROVAL',
  data: present({
    id: row.id,
    environmentId: row.environment,
    api: row.api_id,
    plan: row.plan_id,
    application: row.application_id,
    status: row.status,
    request: row.request ?? undefined,
    subscribed_by: row.subscribed_by,
    referenceType: 'API',
    referenceId: row.api_id,
  }),
  created_at: Number(row.created_at_ms),
});

const reviewTask = (row: ReviewRow): TaskView => ({
  type: row.state === 'IN_REVIEW' ? 'IN_REVIEW' : 'REQUEST_FOR_CHANGES',
  data: present({
    id: row.api_id,
    environmentId: row.environment,
    api: row.api_id,
    referenceType: 'API',
    referenceId: row.api_id,
    state: row.state,
    comment: row.message ?? undefined,
    user: row.user_id,
  }),
  created_at: Number(row.updated_at_ms),
});

/** What the ids of tasks stand for, by id. */
async function named(
  { storage: { db } }: Desk,
  organization: string,
  tasks: readonly TaskView[],
): Promise<Record<string, { name: string; environmentId?: string }>> {
  const users = await displayNames(
    db,
    organization,
    tasks.flatMap(({ data }) => data.subscribed_by ?? data.user ?? []),
  );
  const names: [string, { name: string; environmentId?: string }][] = [...users].map(([id, name]) => [
    id,
    { name },
  ]);
  for (const environment of new Set(tasks.map(({ data }) => data.environmentId))) {
    const here = tasks.flatMap(({ data }) => (data.environmentId === environment ? [data] : []));
    const found = await namesIn(
      db,
      { organization, environment },
      {
        api: here.map(({ api }) => api),
        application: here.map(({ application }) => application),
        plan: here.map(({ plan }) => plan),
      },
    );
    for (const ofKind of [found.api, found.application, found.plan])
      for (const [id, name] of ofKind) names.push([id, { name, environmentId: environment }]);
  }
  return Object.fromEntries(names);
}
