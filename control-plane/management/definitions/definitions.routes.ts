import { z } from '@hono/zod-openapi';
import { Fault } from '../../../proto/faults/fault.ts';
import { foundApi } from '../apis/api-gate.ts';
import { apiSchema, apiVersionOf } from '../apis/api-shape.ts';
import { resource } from '../route.ts';
import { exportDefinition, importDefinition } from './definitions.ts';
import { reimportDefinition } from './reimport.ts';

const define = resource({ tag: 'APIs', scope: 'environment' });
const anything = z.record(z.string(), z.unknown());
const document = anything.openapi('ImportedDefinition');

const conflictsSchema = z.array(
  z.object({ path: z.string(), stands: z.enum(['ours', 'theirs']), reason: z.string() }),
);
const effectSchema = z
  .object({
    differences: z.array(
      z.object({ path: z.string(), before: z.unknown().optional(), after: z.unknown().optional() }),
    ),
    conflicts: conflictsSchema,
  })
  .openapi('ImportEffect');

/** The routes of whole definitions. */
export const definitionRoutes = [
  define.post('/apis/_import/definition', {
    operationId: 'createApiWithImport',
    permission: 'environment-api',
    summary:
      'Makes an API with its plans out of an export, a gateway payload or a custom resource; stopped and not deployed.',
    body: document,
    answer: apiSchema,
    version: apiVersionOf,
    run: ({ desk, actor, at, body }) => importDefinition(desk, actor, { at, document: body }),
  }),
  define.put('/apis/{apiId}/_import/definition', {
    operationId: 'updateApiWithDefinition',
    permission: 'api-definition',
    summary:
      'Imports a definition into an API: what was changed here since the last import stays, where both sides changed something the import counts and `conflicts` names it. With dryRun=true nothing is changed, and the answer says what would be.',
    query: z.strictObject({ dryRun: z.enum(['true', 'false']).optional() }),
    body: document,
    answer: z.union([apiSchema.extend({ conflicts: conflictsSchema }), effectSchema]),
    run: async ({ desk, actor, at, params: { apiId }, query, body, ifMatch }) => {
      const isDryRun = query.dryRun === 'true';
      const { api, effect } = await reimportDefinition(desk, actor, {
        at,
        id: apiId,
        document: body,
        isDryRun,
        ifMatch,
      });
      return isDryRun ? effect : { ...api, conflicts: effect.conflicts };
    },
  }),
  define.post('/apis/{apiId}/_migrate', {
    operationId: 'migrateApi',
    permission: 'api-definition',
    action: 'update',
    summary:
      'Is refused: only an API of version 2 can be migrated, and every API is of version 4 from its import on.',
    query: z.strictObject({ mode: z.enum(['DRY_RUN', 'FORCE']).optional() }),
    status: 200,
    async run({ desk, at, params: { apiId } }) {
      await foundApi(desk.storage.db, { at, id: apiId });
      throw new Fault('api.not_version_2');
    },
  }),
  define.get('/apis/{apiId}/_export/definition', {
    operationId: 'exportApiDefinition',
    permission: 'api-gateway-definition',
    summary: 'Gets an API with its plans as one document.',
    answer: anything.openapi('ExportedDefinition'),
    run: ({ desk, actor, at, params: { apiId } }) => exportDefinition(desk, actor, { at, id: apiId }),
  }),
];
