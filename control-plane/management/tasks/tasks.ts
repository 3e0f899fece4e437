import { z } from '@hono/zod-openapi';
import type { UserRow } from '../../access/access.store.ts';
import { type Actor, can, visibleWith } from '../../access/actor.ts';
import { countPendingUsers, pendingUsers } from '../../access/registrations.store.ts';
import { permittingRoles } from '../../access/roles.store.ts';
import { displayNames } from '../../access/users.store.ts';
import { namesIn } from '../analytics/names.store.ts';
import type { Desk } from '../desk.ts';
import { present } from '../fields.ts';
import type { ReviewRow } from '../reviews/reviews.store.ts';
import type { SubscriptionRow } from '../subscriptions/subscriptions.store.ts';
import { listEnvironmentRows } from '../tenants/tenants.store.ts';
import { countWaiting, openReviewRows, pendingRows, type Waiting } from './tasks.store.ts';

/** Tasks that are told at most, the oldest of each environment first. */
export const tasksMax = 1_000;

/** Something that waits for the reader. */
const taskSchema = z
  .object({
    type: z.enum(['SUBSCRIPTION_APPROVAL', 'IN_REVIEW', 'REQUEST_FOR_CHANGES', 'USER_REGISTRATION_APPROVAL']),
    /** What is to be decided: of a subscription `request` is what they wrote, of a review `comment`. Of a registration it is the user, who belongs to no environment. */
    data: z.object({
      id: z.string(),
      environmentId: z.string().optional(),
      api: z.string().optional(),
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
      displayName: z.string().optional(),
      email: z.string().optional(),
    }),
    /** ms since the epoch. */
    created_at: z.int(),
  })
  .openapi('Task');
type TaskView = z.infer<typeof taskSchema>;

/** All of them in one page, as the reference has it, where nobody asks for pages; what ids stand for is in metadata. */
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

/** How much waits, in all, by the ids of environments, those in which nothing does left out, and of the organization itself. */
export const taskCountSchema = z
  .object({ total: z.int(), environments: z.record(z.string(), z.int()), organization: z.int() })
  .openapi('TaskCount');

/** Which part of them is asked for; without a size, all. */
interface TasksWish {
  readonly environmentId?: string | undefined;
  readonly page?: number | undefined;
  readonly size?: number | undefined;
}

/**
 * What waits for the actor in all environments of his organization: subscriptions that he may decide, reviews that he may give or has to answer;
 * and in the organization itself people who have registered.
 * `total_elements` counts all of it, also what is beyond {@link tasksMax}.
 */
export async function listTasks(
  desk: Desk,
  actor: Actor,
  { environmentId, page = 1, size = tasksMax }: TasksWish = {},
): Promise<z.infer<typeof tasksSchema>> {
  const { organization } = actor;
  // Of each source so many may be the oldest of all.
  const reach = Math.min(page * size, tasksMax);
  const { db } = desk.storage;
  const tasks: TaskView[] = [];
  let total = 0;
  for (const waiting of await waitingFor(desk, actor)) {
    if (environmentId !== undefined && waiting.at.environment !== environmentId) continue;
    const pending = await pendingRows(db, waiting, reach);
    const reviews = await openReviewRows(db, waiting, reach);
    tasks.push(...pending.map(subscriptionTask), ...reviews.map(reviewTask));
    const isAll = pending.length < reach && reviews.length < reach;
    total += isAll ? pending.length + reviews.length : await countWaiting(db, waiting);
  }
  const registered = mayDecideOfUsers(actor) ? await pendingUsers(db, organization, reach) : [];
  tasks.push(...registered.map(registrationTask));
  total += registered.length < reach ? registered.length : await countPendingUsers(db, organization);
  const data = tasks.toSorted((a, b) => a.created_at - b.created_at).slice((page - 1) * size, reach);
  return {
    data,
    metadata: await named(desk, organization, data),
    page: {
      current: page,
      size: data.length,
      per_page: size,
      total_pages: Math.ceil(total / size),
      total_elements: total,
    },
  };
}

/** The same as a number, which the database makes: what a console asks again and again. */
export async function countTasks(desk: Desk, actor: Actor): Promise<z.infer<typeof taskCountSchema>> {
  const counts = new Map<string, number>();
  for (const waiting of await waitingFor(desk, actor)) {
    const count = await countWaiting(desk.storage.db, waiting);
    if (count > 0) counts.set(waiting.at.environment, count);
  }
  const organization = mayDecideOfUsers(actor)
    ? await countPendingUsers(desk.storage.db, actor.organization)
    : 0;
  const total = [...counts.values()].reduce((sum, count) => sum + count, organization);
  return { total, environments: Object.fromEntries(counts), organization };
}

/** What the actor may do about it, by environment: the rights are part of the question, so that a limit leaves out nothing that is his. */
async function waitingFor({ storage: { db } }: Desk, actor: Actor): Promise<readonly Waiting[]> {
  const { organization } = actor;
  const roles = await permittingRoles(db, { organization, scope: 'api' });
  return (await listEnvironmentRows(db, organization)).map(({ id: environment }) => {
    const at = { organization, environment };
    return {
      at,
      toDecide: visibleWith(actor, 'api-subscription:update', { at, roles }),
      toReview: visibleWith(actor, 'api-reviews:update', { at, roles }),
      toChange: visibleWith(actor, 'api-definition:update', { at, roles }),
    };
  });
}

const mayDecideOfUsers = (actor: Actor): boolean =>
  can(actor, 'organization-user:update', { organization: actor.organization });

const registrationTask = (row: UserRow): TaskView => ({
  type: 'USER_REGISTRATION_APPROVAL',
  data: present({
    id: row.id,
    referenceType: 'ORGANIZATION',
    referenceId: row.organization,
    state: row.status,
    displayName: row.display_name,
    email: row.email ?? undefined,
  }),
  created_at: Number(row.created_at_ms),
});

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
  for (const environment of new Set(tasks.flatMap(({ data }) => data.environmentId ?? []))) {
    const here = tasks.flatMap(({ data }) => (data.environmentId === environment ? [data] : []));
    const found = await namesIn(
      db,
      { organization, environment },
      {
        api: here.flatMap(({ api }) => api ?? []),
        application: here.map(({ application }) => application),
        plan: here.map(({ plan }) => plan),
      },
    );
    for (const ofKind of [found.api, found.application, found.plan])
      for (const [id, name] of ofKind) names.push([id, { name, environmentId: environment }]);
  }
  return Object.fromEntries(names);
}
