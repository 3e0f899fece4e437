import { z } from '@hono/zod-openapi';
import { resource } from '../route.ts';
import { listQuotas, quotaSchema } from './quotas.ts';

const define = resource({ tag: 'Organizations and environments', scope: 'environment' });

/** The route of quotas. */
export const quotaRoutes = [
  define.get('/quotas', {
    operationId: 'listQuotas',
    permission: 'environment-api',
    summary:
      'Lists how much the environment, and you yourself, may have of what is bounded, and how much there is.',
    answer: z.array(quotaSchema),
    run: ({ desk, actor, at }) => listQuotas(desk, actor, at),
  }),
];
