import { z } from '@hono/zod-openapi';
import { Fault } from '../../../proto/faults/fault.ts';
import { foundApi } from '../apis/api-gate.ts';
import { apiSchema, apiVersionOf } from '../apis/api-shape.ts';
import { listParam } from '../fields.ts';
import { resource, uploadSchema } from '../route.ts';
import { exportDefinition, exportResource, importDefinition } from './definitions.ts';
import { duplicateApi, duplicateSchema } from './duplicate.ts';
import { definitionAt, urlBytesMax } from './from-url.ts';
import { importOpenApi, openApiImportSchema, reimportOpenApi } from './openapi/open-api.ts';
import { importWsdl, reimportWsdl, wsdlImportSchema } from './openapi/wsdl.ts';
import { reimportDefinition } from './reimport.ts';

const define = resource({ tag: 'APIs', scope: 'environment' });
const anything = z.record(z.string(), z.unknown());
/** Longest body that brings an OpenAPI document or a description of WSDL: 10 MiB of it, with what escapes add. */
const descriptionBytesMax = 12 * 1_048_576;
/** Parts of an export that may be left out. */
const exportedParts = ['groups', 'members', 'metadata', 'pages', 'plans'] as const;
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

/** What a migration would say of an API of version 2; none is here. */
const migrationStateSchema = z.enum(['MIGRATED', 'MIGRATABLE', 'CAN_BE_FORCED', 'IMPOSSIBLE']);
const migrationReportSchema = z
  .object({
    state: migrationStateSchema,
    issues: z.array(z.object({ message: z.string(), state: migrationStateSchema })),
  })
  .openapi('MigrationReport');

const dryRunQuery = z.strictObject({ dryRun: z.enum(['true', 'false']).optional() });
const importedSchema = z.union([apiSchema.extend({ conflicts: conflictsSchema }), effectSchema]);

/** The API as it is after an import, or, of a dry run, what would become of it. */
const importedOf = ({ api, effect }: Awaited<ReturnType<typeof reimportDefinition>>, isDryRun: boolean) =>
  isDryRun ? effect : { ...api, conflicts: effect.conflicts };

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
    query: dryRunQuery,
    body: document,
    answer: importedSchema,
    run: async ({ desk, actor, at, params: { apiId }, query, body, ifMatch }) => {
      const isDryRun = query.dryRun === 'true';
      const ref = { at, id: apiId, isDryRun, ifMatch };
      return importedOf(await reimportDefinition(desk, actor, { ...ref, document: body }), isDryRun);
    },
  }),
  define.post('/apis/_import/definition-url', {
    operationId: 'createApiWithImportFromUrl',
    permission: 'environment-api',
    summary: 'The same with a definition that is fetched from a URL, which is the body.',
    body: uploadSchema,
    upload: { type: 'text/*', bytesMax: urlBytesMax },
    answer: apiSchema,
    version: apiVersionOf,
    run: async ({ desk, actor, at, body }) =>
      importDefinition(desk, actor, { at, document: await definitionAt(desk, body) }),
  }),
  define.put('/apis/{apiId}/_import/definition-url', {
    operationId: 'updateApiWithDefinitionFromUrl',
    permission: 'api-definition',
    summary: 'Imports a definition that is fetched from a URL, which is the body, into an API.',
    query: dryRunQuery,
    body: uploadSchema,
    upload: { type: 'text/*', bytesMax: urlBytesMax },
    answer: importedSchema,
    run: async ({ desk, actor, at, params: { apiId }, query, body, ifMatch }) => {
      const document = await definitionAt(desk, body);
      const isDryRun = query.dryRun === 'true';
      const ref = { at, id: apiId, isDryRun, ifMatch };
      return importedOf(await reimportDefinition(desk, actor, { ...ref, document }), isDryRun);
    },
  }),
  define.post('/apis/_import/swagger', {
    operationId: 'createApiFromSwagger',
    permission: 'environment-api',
    summary:
      'Makes an API out of an OpenAPI document, 2.0 to 3.1: an endpoint for each server, and a flow for each operation where they are asked for; stopped and not deployed.',
    body: openApiImportSchema,
    bodyBytesMax: descriptionBytesMax,
    answer: apiSchema,
    version: apiVersionOf,
    run: ({ desk, actor, at, body }) => importOpenApi(desk, actor, { at, wish: body }),
  }),
  define.put('/apis/{apiId}/_import/swagger', {
    operationId: 'updateApiFromSwagger',
    permission: 'api-definition',
    summary:
      'Imports an OpenAPI document into an API, as a definition: plans stay, and so does what was changed here since the last import. With dryRun=true nothing is changed.',
    query: dryRunQuery,
    body: openApiImportSchema,
    bodyBytesMax: descriptionBytesMax,
    answer: importedSchema,
    run: async ({ desk, actor, at, params: { apiId }, query, body, ifMatch }) => {
      const isDryRun = query.dryRun === 'true';
      const ref = { at, id: apiId, isDryRun, ifMatch };
      return importedOf(await reimportOpenApi(desk, actor, { ...ref, wish: body }), isDryRun);
    },
  }),
  define.post('/apis/_import/wsdl', {
    operationId: 'createApiFromWsdl',
    permission: 'environment-api',
    summary:
      'Makes an API out of a description of WSDL 1.1, or one behind a URL: the service is its backend, and each operation a path that takes JSON; stopped and not deployed.',
    body: wsdlImportSchema,
    bodyBytesMax: descriptionBytesMax,
    answer: apiSchema,
    version: apiVersionOf,
    run: ({ desk, actor, at, body }) => importWsdl(desk, actor, { at, wish: body }),
  }),
  define.put('/apis/{apiId}/_import/wsdl', {
    operationId: 'updateApiFromWsdl',
    permission: 'api-definition',
    summary:
      'Imports a description of WSDL 1.1 into an API, as a definition: plans stay, and so does what was changed here since the last import. With dryRun=true nothing is changed.',
    query: dryRunQuery,
    body: wsdlImportSchema,
    bodyBytesMax: descriptionBytesMax,
    answer: importedSchema,
    run: async ({ desk, actor, at, params: { apiId }, query, body, ifMatch }) => {
      const isDryRun = query.dryRun === 'true';
      const ref = { at, id: apiId, isDryRun, ifMatch };
      return importedOf(await reimportWsdl(desk, actor, { ...ref, wish: body }), isDryRun);
    },
  }),
  define.post('/apis/{apiId}/_duplicate', {
    operationId: 'duplicateApi',
    permission: 'environment-api',
    summary: 'Makes another API like this one, in another place; stopped and not deployed.',
    body: duplicateSchema,
    status: 200,
    answer: apiSchema,
    version: apiVersionOf,
    run: ({ desk, actor, at, params: { apiId }, body }) =>
      duplicateApi(desk, actor, { at, id: apiId, wish: body }),
  }),
  define.post('/apis/{apiId}/_migrate', {
    operationId: 'migrateApi',
    permission: 'api-definition',
    action: 'update',
    summary:
      'Is refused: only an API of version 2 can be migrated, and every API is of version 4 from its import on.',
    query: z.strictObject({ mode: z.enum(['DRY_RUN', 'FORCE']).optional() }),
    status: 200,
    answer: migrationReportSchema,
    async run({ desk, at, params: { apiId } }) {
      await foundApi(desk.storage.db, { at, id: apiId });
      throw new Fault('api.not_version_2');
    },
  }),
  define.get('/apis/{apiId}/_export/definition', {
    operationId: 'exportApiDefinition',
    permission: 'api-gateway-definition',
    summary: 'Gets an API with its plans as one document.',
    query: z.strictObject({ excludeAdditionalData: listParam(exportedParts).optional() }),
    answer: anything.openapi('ExportedDefinition'),
    run: ({ desk, actor, at, params: { apiId }, query }) =>
      exportDefinition(desk, actor, { at, id: apiId, exclude: query.excludeAdditionalData }),
  }),
  define.get('/apis/{apiId}/_export/crd', {
    operationId: 'exportApiCRD',
    permission: 'api-gateway-definition',
    summary:
      "Gets an API with its plans as a custom resource of the reference product's operator for Kubernetes, in YAML.",
    contentTypes: ['application/yaml'],
    run: ({ desk, actor, at, params: { apiId } }) => exportResource(desk, actor, { at, id: apiId }),
  }),
];
