import { z } from '@hono/zod-openapi';
import { resource } from '../route.ts';
import {
  createEntrypoint,
  editEntrypoint,
  entrypointSchema,
  exposedEntrypoints,
  exposedSchema,
  getEntrypoint,
  listEntrypoints,
  newEntrypointSchema,
  removeEntrypoint,
  updateEntrypointSchema,
} from './entrypoints.ts';

const v1 = resource({ tag: 'Entrypoints', scope: 'v1-organization' });
const v2 = resource({ tag: 'APIs', scope: 'environment' });
const path = '/configuration/entrypoints';
const onePath = '/configuration/entrypoints/{entrypointId}';
const permission = 'organization-entrypoint';

/** The routes of entrypoints. */
export const entrypointRoutes = [
  v1.get(path, {
    operationId: 'listEntrypoints',
    permission,
    summary: 'Lists where gateways are reached, by their sharding tags.',
    answer: z.array(entrypointSchema),
    run: ({ desk, at }) => listEntrypoints(desk, at.organization),
  }),
  v1.post(path, {
    operationId: 'createEntrypoint',
    permission,
    summary: 'Says where gateways with those sharding tags are reached.',
    body: newEntrypointSchema,
    status: 200,
    answer: entrypointSchema,
    run: ({ desk, actor, at, body }) =>
      createEntrypoint(desk, actor, { organization: at.organization, wish: body }),
  }),
  v1.put(path, {
    operationId: 'updateEntrypoint',
    permission,
    summary: 'Replaces an entrypoint, which the body names by its id.',
    body: updateEntrypointSchema,
    answer: entrypointSchema,
    run: ({ desk, actor, at, body }) =>
      editEntrypoint(desk, actor, { organization: at.organization, wish: body }),
  }),
  v1.get(onePath, {
    operationId: 'getEntrypoint',
    permission,
    summary: 'Gets an entrypoint.',
    answer: entrypointSchema,
    run: ({ desk, at, params: { entrypointId } }) => getEntrypoint(desk, at.organization, entrypointId),
  }),
  v1.delete(onePath, {
    operationId: 'deleteEntrypoint',
    permission,
    summary: 'Removes an entrypoint.',
    run: ({ desk, actor, at, params: { entrypointId } }) =>
      removeEntrypoint(desk, actor, { organization: at.organization, id: entrypointId }),
  }),
  v2.get('/apis/{apiId}/exposedEntrypoints', {
    operationId: 'exposedEntrypoints',
    permission: ['environment-api', 'api-definition'],
    summary: 'Lists where an API is reached.',
    answer: exposedSchema,
    run: ({ desk, actor, at, params: { apiId } }) => exposedEntrypoints(desk, actor, { at, id: apiId }),
  }),
];
