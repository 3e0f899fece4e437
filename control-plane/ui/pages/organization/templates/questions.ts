import { queryOptions } from '@tanstack/react-query';
import { api, answerOf, organization, type Schemas } from '../../../api/client.ts';

/** What pages about words of mails and notifications ask. */

export type Template = Schemas['NotificationTemplate'];

const org = { orgId: organization };
const path = '/management/organizations/{orgId}/configuration/notification-templates';
const one = `${path}/{templateId}` as const;

export const templates = queryOptions({
  queryKey: ['notification-templates'],
  queryFn: () => answerOf(api.GET(path, { params: { path: org } })),
  // What somebody writes is theirs until it is saved.
  refetchOnWindowFocus: false,
});

/** The same in an address. */
export const keyOf = ({ scope, hook, type }: Template): string => `${scope}.${hook}.${type}`;

const bodyOf = ({ scope, hook, type, title, content }: Template) => ({
  scope,
  hook,
  type,
  title,
  content,
  enabled: true,
});

/** Says these words from now on. */
export const saveTemplate = (written: Template): Promise<Template> =>
  answerOf(
    written.id === undefined
      ? api.POST(path, { params: { path: org }, body: bodyOf(written) })
      : api.PUT(one, { params: { path: { ...org, templateId: written.id } }, body: bodyOf(written) }),
  );

/** Gives up the words of the organization. */
export async function resetTemplate(id: string): Promise<void> {
  await answerOf(api.DELETE(one, { params: { path: { ...org, templateId: id } } }));
}

/** What the words would become. */
export const previewTemplate = (written: Template): Promise<Schemas['NotificationTemplatePreview']> =>
  answerOf(api.POST(`${path}/_preview`, { params: { path: org }, body: bodyOf(written) }));

export const scopeWords: Readonly<Record<Template['scope'], string>> = {
  API: 'Of an API',
  APPLICATION: 'Of an application',
  PORTAL: 'Of users',
  TEMPLATES_FOR_ACTION: 'Somebody waits for it',
};

export const typeWords: Readonly<Record<Template['type'], string>> = { EMAIL: 'Mail', PORTAL: 'Console' };
