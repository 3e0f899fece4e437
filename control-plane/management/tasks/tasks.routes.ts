import { z } from '@hono/zod-openapi';
import { resource } from '../route.ts';
import { idSchema, integerParam } from '../fields.ts';
import { countTasks, listTasks, taskCountSchema, tasksMax, tasksSchema } from './tasks.ts';

const define = resource({ tag: 'Users', scope: 'v1-organization' });

/** The routes of tasks. */
export const taskRoutes = [
  define.get('/user/tasks', {
    operationId: 'listTasks',
    permission: 'signed-in',
    summary: `Lists what waits for you, oldest first: subscriptions to decide, reviews to give and to answer, people who have registered; ${tasksMax} at most, in one page where nobody asks for pages.`,
    query: z.strictObject({
      environmentId: idSchema
        .optional()
        .openapi({ description: 'Only what waits there, and in the organization itself.' }),
      page: integerParam({ min: 1, max: tasksMax }).optional(),
      size: integerParam({ min: 1, max: tasksMax }).optional(),
    }),
    answer: tasksSchema,
    run: ({ desk, actor, query }) => listTasks(desk, actor, query),
  }),
  define.get('/user/tasks/_count', {
    operationId: 'countTasks',
    permission: 'signed-in',
    summary: 'Counts what waits for you, in all and by environment.',
    answer: taskCountSchema,
    run: ({ desk, actor }) => countTasks(desk, actor),
  }),
];
