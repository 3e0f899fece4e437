import { resource } from '../route.ts';
import { debugApi, debugBodySchema, debugEventSchema } from './debug.ts';

const define = resource({ tag: 'APIs', scope: 'environment' });

/** The route of debug runs. */
export const debugRoutes = [
  define.post('/apis/{apiId}/debug', {
    operationId: 'debugApi',
    permission: 'api-definition',
    action: 'update',
    summary:
      'Runs one request through the draft of an API, in a process of its own that no caller reaches, and says step by step what became of it.',
    body: debugBodySchema,
    status: 202,
    answer: debugEventSchema,
    run: ({ desk, actor, at, params: { apiId }, body }) =>
      debugApi(desk, actor, { at, id: apiId, wish: body }),
  }),
];
