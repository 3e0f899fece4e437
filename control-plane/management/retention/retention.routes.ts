import { z } from '@hono/zod-openapi';
import { pageOf, pageQuery, pageSchema } from '../pages.ts';
import { resource } from '../route.ts';
import {
  askDeletion,
  countDeletion,
  deletionCountSchema,
  deletionSchema,
  getDeletion,
  listDeletions,
  newDeletionSchema,
} from './deletions.ts';
import {
  editRetention,
  getRetention,
  keptRecordsSchema,
  listKept,
  retentionSchema,
  updateRetentionSchema,
} from './retention.ts';

const define = resource({ tag: 'Retention', scope: 'environment' });
const permission = 'environment-settings';
const version = ({ updatedAt }: z.infer<typeof retentionSchema>): number =>
  updatedAt === undefined ? 0 : Date.parse(updatedAt);

/** The routes of what is kept, how long, and of deletions. */
export const retentionRoutes = [
  define.get('/retention', {
    operationId: 'getRetention',
    permission,
    summary: 'Says for how many days records and logs of the environment are kept.',
    answer: retentionSchema,
    version,
    run: ({ desk, at }) => getRetention(desk, at),
  }),
  define.put('/retention', {
    operationId: 'updateRetention',
    permission,
    summary:
      'Chooses for how many days records and logs are kept; what is left out goes by the platform. What is older is deleted within minutes, for good.',
    body: updateRetentionSchema,
    answer: retentionSchema,
    version,
    run: ({ desk, actor, at, body, ifMatch }) => editRetention(desk, actor, { at, wish: body, ifMatch }),
  }),
  define.get('/retention/kept', {
    operationId: 'listKeptRecords',
    permission,
    summary: 'Says what is kept of the environment, since when, and how much it is.',
    answer: keptRecordsSchema,
    run: ({ desk, at }) => listKept(desk, at),
  }),
  define.get('/deletions', {
    operationId: 'listDeletions',
    permission,
    summary: 'Lists what was asked to be deleted of what is recorded, newest first.',
    query: z.strictObject(pageQuery),
    answer: pageSchema('DeletionsResponse', deletionSchema),
    run: async ({ desk, at, query, url }) =>
      pageOf(await listDeletions(desk, { at, page: query }), query, url),
  }),
  define.post('/deletions', {
    operationId: 'askDeletion',
    permission,
    summary:
      'Has everything deleted, for good, that is recorded of an application, a subscription, an API key, an address or the value of a metric, with what is logged of its requests; what arrives late goes too.',
    body: newDeletionSchema,
    answer: deletionSchema,
    run: ({ desk, actor, at, body }) => askDeletion(desk, actor, { at, wish: body }),
  }),
  define.post('/deletions/_count', {
    operationId: 'countDeletion',
    permission,
    action: 'read',
    status: 200,
    summary: 'Counts what would be deleted now, and deletes nothing.',
    body: newDeletionSchema,
    answer: deletionCountSchema,
    run: ({ desk, at, body }) => countDeletion(desk, { at, wish: body }),
  }),
  define.get('/deletions/{deletionId}', {
    operationId: 'getDeletion',
    permission,
    summary: 'Says how far a deletion has come.',
    answer: deletionSchema,
    run: ({ desk, at, params }) => getDeletion(desk, { at, id: params.deletionId }),
  }),
];
