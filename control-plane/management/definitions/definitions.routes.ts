import { z } from '@hono/zod-openapi';
import { apiSchema, apiVersionOf } from '../apis/api-shape.ts';
import { resource } from '../route.ts';
import { exportDefinition, importDefinition } from './definitions.ts';

const define = resource({ tag: 'APIs', scope: 'environment' });
const anything = z.record(z.string(), z.unknown());

/** The routes of whole definitions. */
export const definitionRoutes = [
  define.post('/apis/_import/definition', {
    operationId: 'createApiWithImport',
    permission: 'environment-api',
    summary:
      'Makes an API with its plans out of an export, a gateway payload or a custom resource; stopped and not deployed.',
    body: anything.openapi('ImportedDefinition'),
    answer: apiSchema,
    version: apiVersionOf,
    run: ({ desk, actor, at, body }) => importDefinition(desk, actor, { at, document: body }),
  }),
  define.get('/apis/{apiId}/_export/definition', {
    operationId: 'exportApiDefinition',
    permission: 'api-gateway-definition',
    summary: 'Gets an API with its plans as one document.',
    answer: anything.openapi('ExportedDefinition'),
    run: ({ desk, actor, at, params: { apiId } }) => exportDefinition(desk, actor, { at, id: apiId }),
  }),
];
