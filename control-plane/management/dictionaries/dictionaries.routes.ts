import { z } from '@hono/zod-openapi';
import { resource } from '../route.ts';
import {
  actOnDictionary,
  createDictionary,
  deleteDictionary,
  deployDictionary,
  dictionariesMax,
  getDictionary,
  listDictionaries,
  undeployDictionary,
  updateDictionary,
} from './dictionaries.ts';
import {
  createDictionarySchema,
  dictionaryItemSchema,
  dictionarySchema,
  type DictionaryView,
  updateDictionarySchema,
} from './dictionary-shape.ts';

const define = resource({ tag: 'Dictionaries', scope: 'v1-environment' });
const permission = 'environment-dictionary';
const path = '/configuration/dictionaries';
const onePath = '/configuration/dictionaries/{dictionaryId}';
const answer = dictionarySchema;
const version = (view: DictionaryView): number => view.updated_at;

/** The v1 routes of dictionaries. */
export const dictionaryRoutes = [
  define.get(path, {
    operationId: 'listDictionaries',
    permission,
    summary: `Lists the dictionaries of an environment, of which there are ${dictionariesMax} at most.`,
    answer: z.array(dictionaryItemSchema),
    run: ({ desk, at }) => listDictionaries(desk, at),
  }),
  define.post(path, {
    operationId: 'createDictionary',
    permission,
    summary: 'Creates a dictionary that gateways do not have.',
    body: createDictionarySchema,
    answer,
    version,
    run: ({ desk, actor, at, body }) => createDictionary(desk, actor, { at, wish: body }),
  }),
  define.get(onePath, {
    operationId: 'getDictionary',
    permission,
    summary: 'Gets a dictionary; the words of a dynamic one are those that were fetched last.',
    answer,
    version,
    run: ({ desk, at, params }) => getDictionary(desk, { at, id: params.dictionaryId }),
  }),
  define.put(onePath, {
    operationId: 'updateDictionary',
    permission,
    summary:
      'Replaces what can be written of a dictionary; words of a manual one reach gateways when it is deployed.',
    body: updateDictionarySchema,
    answer,
    version,
    run: ({ desk, actor, at, params, body, ifMatch }) =>
      updateDictionary(desk, actor, { at, id: params.dictionaryId, wish: body, ifMatch }),
  }),
  define.delete(onePath, {
    operationId: 'deleteDictionary',
    permission,
    summary: 'Removes a dictionary, from gateways too.',
    run: ({ desk, actor, at, params, ifMatch }) =>
      deleteDictionary(desk, actor, { at, id: params.dictionaryId, ifMatch }),
  }),
  define.post(onePath, {
    operationId: 'actOnDictionary',
    permission,
    action: 'update',
    summary: 'Starts to fetch a dynamic dictionary, or stops it and takes it from gateways.',
    query: z.strictObject({ action: z.enum(['START', 'STOP']) }),
    status: 200,
    answer,
    version,
    run: ({ desk, actor, at, params, query }) =>
      actOnDictionary(desk, actor, { at, id: params.dictionaryId, action: query.action }),
  }),
  define.post(`${onePath}/_deploy`, {
    operationId: 'deployDictionary',
    permission,
    action: 'update',
    summary: 'Sends the words of a manual dictionary to gateways; they count for the next request.',
    status: 200,
    answer,
    version,
    run: ({ desk, actor, at, params }) => deployDictionary(desk, actor, { at, id: params.dictionaryId }),
  }),
  define.post(`${onePath}/_undeploy`, {
    operationId: 'undeployDictionary',
    permission,
    action: 'update',
    summary: 'Takes a manual dictionary from gateways.',
    status: 200,
    answer,
    version,
    run: ({ desk, actor, at, params }) => undeployDictionary(desk, actor, { at, id: params.dictionaryId }),
  }),
];
