import { resource } from '../route.ts';
import {
  discardDraft,
  draftSchema,
  draftUpdateSchema,
  draftVersionOf,
  getDraft,
  putDraft,
} from './drafts.ts';

const define = resource({ tag: 'APIs', scope: 'environment' });
const path = '/apis/{apiId}/draft';
// What was typed may hold secrets, so that nobody reads it but who could have typed it.
const writers = { permission: 'api-definition', action: 'update' } as const;

/** The routes of drafts. */
export const draftRoutes = [
  define.get(path, {
    operationId: 'getApiDraft',
    ...writers,
    summary: 'Gets the draft of an API as it was typed.',
    answer: draftSchema,
    version: draftVersionOf,
    run: ({ desk, actor, at, params: { apiId } }) => getDraft(desk, actor, { at, id: apiId }),
  }),
  define.put(path, {
    operationId: 'updateApiDraft',
    ...writers,
    summary:
      'Keeps what is being written of an API, valid or not: the body of a PUT of it, as text. The next deployment takes it over.',
    body: draftUpdateSchema,
    answer: draftSchema,
    version: draftVersionOf,
    run: ({ desk, actor, at, params: { apiId }, body: { content }, ifMatch }) =>
      putDraft(desk, actor, { at, id: apiId, content, ifMatch }),
  }),
  define.delete(path, {
    operationId: 'deleteApiDraft',
    ...writers,
    summary: 'Throws the draft of an API away.',
    run: ({ desk, actor, at, params: { apiId }, ifMatch }) =>
      discardDraft(desk, actor, { at, id: apiId, ifMatch }),
  }),
];
