import { z } from '@hono/zod-openapi';
import { resource } from '../route.ts';
import {
  createTemplate,
  deleteTemplate,
  getTemplate,
  listTemplates,
  previewTemplate,
  templatePreviewSchema,
  templateSchema,
  type TemplateView,
  templateWishSchema,
  updateTemplate,
} from './templates.ts';

const define = resource({ tag: 'Notifications', scope: 'v1-organization' });
const path = '/configuration/notification-templates';
const onePath = '/configuration/notification-templates/{templateId}';
const permission = 'organization-notification-templates';
const body = templateWishSchema;
const answer = templateSchema;
const version = ({ updated_at: updatedAt = 0 }: TemplateView): number => updatedAt;

/** The routes of what mails and notifications say. */
export const templateRoutes = [
  define.get(path, {
    operationId: 'listNotificationTemplates',
    permission,
    summary: 'Lists what mails and notifications say; those without id have the words of the product.',
    query: z.strictObject({ scope: z.string().max(64).optional(), hook: z.string().max(64).optional() }),
    answer: z.array(templateSchema),
    run: ({ desk, at: { organization }, query }) => listTemplates(desk, organization, query),
  }),
  define.post(path, {
    operationId: 'createNotificationTemplate',
    permission,
    summary: 'Writes words in place of those of the product, as templates of FreeMarker.',
    body,
    status: 200,
    answer,
    run: ({ desk, actor, at: { organization }, body: wish }) =>
      createTemplate(desk, actor, { organization, wish }),
  }),
  define.post(`${path}/_preview`, {
    operationId: 'previewNotificationTemplate',
    permission,
    action: 'read',
    summary: 'Says what words would become, with facts to look at them with; nothing is kept.',
    body,
    status: 200,
    answer: templatePreviewSchema,
    run: async ({ desk, body: wish }) => previewTemplate(desk, wish),
  }),
  define.get(onePath, {
    operationId: 'getNotificationTemplate',
    permission,
    summary: 'Gives the words that the organization has written.',
    answer,
    version,
    run: ({ desk, at: { organization }, params: { templateId } }) =>
      getTemplate(desk, organization, templateId),
  }),
  define.put(onePath, {
    operationId: 'updateNotificationTemplate',
    permission,
    summary: 'Changes them; `enabled: false` says the words of the product.',
    body,
    answer,
    version,
    run: ({ desk, actor, at: { organization }, params: { templateId }, body: wish, ifMatch }) =>
      updateTemplate(desk, actor, { organization, id: templateId, wish, ifMatch }),
  }),
  define.delete(onePath, {
    operationId: 'deleteNotificationTemplate',
    permission,
    summary: 'Gives them up: the words of the product are said again.',
    run: ({ desk, actor, at: { organization }, params: { templateId }, ifMatch }) =>
      deleteTemplate(desk, actor, { organization, id: templateId, ifMatch }),
  }),
];
