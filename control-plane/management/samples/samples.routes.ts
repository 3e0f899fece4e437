import { z } from '@hono/zod-openapi';
import { resource } from '../route.ts';
import { listSamples, removeSamples, samplesRemovedSchema, samplesSchema } from './samples.ts';

const define = resource({ tag: 'Organizations and environments', scope: 'environment' });

/** The routes of samples. */
export const sampleRoutes = [
  define.get('/samples', {
    operationId: 'listSamples',
    permission: 'environment-api',
    summary: 'Lists what a first start made to be looked at and nobody has taken away.',
    answer: samplesSchema,
    run: ({ desk, at }) => listSamples(desk, at),
  }),
  define.delete('/samples', {
    operationId: 'removeSamples',
    permission: 'environment-settings',
    summary:
      'Takes the samples away, APIs with plans and subscriptions, and applications, and nothing else. With dryRun=true nothing is changed, and the answer says what would be.',
    query: z.strictObject({ dryRun: z.enum(['true', 'false']).optional() }),
    status: 200,
    answer: samplesRemovedSchema,
    run: ({ desk, actor, at, query }) =>
      removeSamples(desk, actor, { at, isDryRun: query.dryRun === 'true' }),
  }),
];
