import { z } from '@hono/zod-openapi';
import type { Permission } from '../../access/permissions.ts';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import { listParam } from '../fields.ts';
import { boundsOf, pageOf, pageQuery, pageSchema } from '../pages.ts';
import { contentVersionOf, resource, type Route } from '../route.ts';
import {
  createMetadata,
  editMetadata,
  environmentOwner,
  getMetadata,
  keyedMetadataSchema,
  listMetadata,
  metadataSchema,
  type MetadataView,
  newMetadataSchema,
  removeMetadata,
  updateMetadataSchema,
} from './metadata.ts';
import type { MetadataOwner } from './metadata.store.ts';

const v1 = resource({ tag: 'Metadata', scope: 'v1-environment' });
const environmentPath = '/configuration/metadata';
const v2 = resource({ tag: 'APIs', scope: 'environment' });

type Params = Readonly<Record<string, string>>;

/** The five operations of one kind of object. */
function routesOf(of: {
  readonly path: string;
  /** In ids of operations and in words, e.g. Api. */
  readonly name: string;
  readonly permission: Permission;
  readonly ownerOf: (at: EnvironmentRef, params: Params) => MetadataOwner;
}): readonly Route[] {
  const { path, name, permission, ownerOf } = of;
  const onePath = `${path}/{metadataKey}`;
  const one = (at: EnvironmentRef, params: unknown) => ({
    owner: ownerOf(at, params as Params),
    key: (params as Params)['metadataKey'] ?? '',
  });
  return [
    v1.get(path, {
      operationId: `list${name}Metadata`,
      permission,
      summary: 'Lists metadata; of an API or application with those of the environment.',
      answer: z.array(metadataSchema),
      run: ({ desk, at, params }) => listMetadata(desk, ownerOf(at, params as Params)),
    }),
    v1.post(path, {
      operationId: `create${name}Metadata`,
      permission,
      summary: 'Notes a field; its key is made of the name.',
      body: newMetadataSchema,
      answer: metadataSchema,
      run: ({ desk, actor, at, params, body }) =>
        createMetadata(desk, actor, { owner: ownerOf(at, params as Params), wish: body }),
    }),
    v1.get(onePath, {
      operationId: `get${name}Metadata`,
      permission,
      summary: 'Gets a field.',
      answer: metadataSchema,
      version: contentVersionOf,
      run: ({ desk, at, params }) => getMetadata(desk, one(at, params).owner, one(at, params).key),
    }),
    v1.put(onePath, {
      operationId: `update${name}Metadata`,
      permission,
      summary: 'Replaces a field.',
      body: updateMetadataSchema,
      answer: metadataSchema,
      version: contentVersionOf,
      run: ({ desk, actor, at, params, body, ifMatch }) =>
        editMetadata(desk, actor, { ...one(at, params), wish: body, ifMatch }),
    }),
    v1.delete(onePath, {
      operationId: `delete${name}Metadata`,
      permission,
      summary: 'Removes a field.',
      run: ({ desk, actor, at, params, ifMatch }) =>
        removeMetadata(desk, actor, { ...one(at, params), ifMatch }),
    }),
  ];
}

const sorts = ['key', '-key', 'name', '-name', 'format', '-format', 'value', '-value'] as const;

/** The routes of metadata. */
export const metadataRoutes: readonly Route[] = [
  v1.get(environmentPath, {
    operationId: 'listEnvironmentMetadata',
    permission: 'environment-metadata',
    summary: 'Lists the metadata of an environment, which its APIs and applications have as well.',
    answer: z.array(metadataSchema),
    run: ({ desk, at }) => listMetadata(desk, environmentOwner(at)),
  }),
  v1.post(environmentPath, {
    operationId: 'createEnvironmentMetadata',
    permission: 'environment-metadata',
    summary: 'Notes a field; its key is made of the name.',
    body: newMetadataSchema,
    status: 200,
    answer: metadataSchema,
    run: ({ desk, actor, at, body }) =>
      createMetadata(desk, actor, { owner: environmentOwner(at), wish: body }),
  }),
  v1.put(environmentPath, {
    operationId: 'updateEnvironmentMetadata',
    permission: 'environment-metadata',
    summary: 'Replaces a field, which the body names by its key.',
    body: keyedMetadataSchema,
    answer: metadataSchema,
    run: ({ desk, actor, at, body }) =>
      editMetadata(desk, actor, { owner: environmentOwner(at), key: body.key, wish: body }),
  }),
  v1.delete(`${environmentPath}/{metadataKey}`, {
    operationId: 'deleteEnvironmentMetadata',
    permission: 'environment-metadata',
    summary: 'Removes a field.',
    run: ({ desk, actor, at, params: { metadataKey } }) =>
      removeMetadata(desk, actor, { owner: environmentOwner(at), key: metadataKey }),
  }),
  ...routesOf({
    path: '/apis/{apiId}/metadata',
    name: 'ApiV1',
    permission: 'api-metadata',
    ownerOf: (at, { apiId = '' }) => ({ at, scope: 'api', id: apiId }),
  }),
  ...routesOf({
    path: '/applications/{applicationId}/metadata',
    name: 'Application',
    permission: 'application-metadata',
    ownerOf: (at, { applicationId = '' }) => ({ at, scope: 'application', id: applicationId }),
  }),
  v2.get('/apis/{apiId}/metadata', {
    operationId: 'getApiMetadata',
    permission: 'api-metadata',
    summary: 'Lists the metadata of an API with those of its environment.',
    query: z.strictObject({
      ...pageQuery,
      source: listParam(['GLOBAL', 'API']).optional(),
      sortBy: z.enum(sorts).optional(),
    }),
    answer: pageSchema('MetadataResponse', metadataSchema),
    run: async ({ desk, at, params: { apiId }, query, url }) => {
      const all = await listMetadata(desk, { at, scope: 'api', id: apiId });
      const found = all.filter((one) => isOf(one, query.source)).toSorted(orderBy(query.sortBy ?? 'key'));
      const { limit, offset } = boundsOf(query);
      return pageOf({ data: found.slice(offset, offset + limit), total: found.length }, query, url);
    },
  }),
];

function isOf({ defaultValue }: MetadataView, sources: readonly string[] | undefined): boolean {
  if (sources === undefined || sources.length === 0) return true;
  return sources.includes(defaultValue === undefined ? 'API' : 'GLOBAL');
}

function orderBy(sort: (typeof sorts)[number]) {
  const field = sort.replace('-', '') as 'key' | 'name' | 'format' | 'value';
  const sign = sort.startsWith('-') ? -1 : 1;
  return (a: MetadataView, b: MetadataView): number => {
    const [left, right] = [a[field] ?? '', b[field] ?? ''];
    return left === right ? 0 : sign * (left < right ? -1 : 1);
  };
}
