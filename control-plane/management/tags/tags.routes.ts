import { z } from '@hono/zod-openapi';
import { contentVersionOf, resource } from '../route.ts';
import {
  createTag,
  deleteTag,
  getTag,
  listOwnTags,
  listTags,
  newTagSchema,
  tagSchema,
  updateTag,
  updateTagSchema,
} from './tags.ts';

const define = resource({ tag: 'Sharding tags', scope: 'v1-organization' });
const path = '/configuration/tags';
const onePath = '/configuration/tags/{tagId}';
const permission = 'organization-tag';
const answer = tagSchema;
const version = contentVersionOf;

/** The routes of sharding tags. */
export const tagRoutes = [
  define.get(path, {
    operationId: 'listTags',
    permission: 'signed-in',
    summary: 'Lists sharding tags by name.',
    answer: z.array(tagSchema),
    run: ({ desk, at: { organization } }) => listTags(desk, organization),
  }),
  define.post(path, {
    operationId: 'createTag',
    permission,
    summary: 'Makes a sharding tag; one that is kept for groups is given to APIs by their members alone.',
    body: newTagSchema,
    status: 200,
    answer,
    version,
    run: ({ desk, actor, at: { organization }, body }) =>
      createTag(desk, actor, { organization, wish: body }),
  }),
  define.get(onePath, {
    operationId: 'getTag',
    permission,
    summary: 'Gets a sharding tag by its key.',
    answer,
    version,
    run: ({ desk, at: { organization }, params: { tagId } }) => getTag(desk, { organization, key: tagId }),
  }),
  define.put(onePath, {
    operationId: 'updateTag',
    permission,
    summary: 'Replaces name, description and groups of a sharding tag; its key stays.',
    body: updateTagSchema,
    answer,
    version,
    run: ({ desk, actor, at: { organization }, params: { tagId }, body, ifMatch }) =>
      updateTag(desk, actor, { organization, key: tagId, wish: body, ifMatch }),
  }),
  define.delete(onePath, {
    operationId: 'deleteTag',
    permission,
    summary: 'Removes a sharding tag that no API, plan, fleet or entrypoint names.',
    run: ({ desk, actor, at: { organization }, params: { tagId }, ifMatch }) =>
      deleteTag(desk, actor, { organization, key: tagId, ifMatch }),
  }),
  define.get('/user/tags', {
    operationId: 'listOwnTags',
    permission: 'signed-in',
    summary: 'Lists the keys of the sharding tags that you may give to APIs.',
    answer: z.array(z.string()),
    run: ({ desk, actor }) => listOwnTags(desk, actor),
  }),
];
