import { z } from '@hono/zod-openapi';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import { integerParam } from '../fields.ts';
import { v1Page, v1PageQuery, v1PageSchema } from '../pages.ts';
import { resource, type Route } from '../route.ts';
import type { SettingOwner } from './notifications.store.ts';
import { listNotifications, notificationSchema, removeNotifications } from './portal.ts';
import { hookSchema, listHooks, notifierSchema, settingSchema, settingWishSchema } from './setting-shape.ts';
import {
  createSetting,
  deleteGeneric,
  listNotificationSettings,
  listNotifiers,
  updateGeneric,
  writeOwn,
} from './settings.ts';

const own = resource({ tag: 'Users', scope: 'v1-organization' });
const v1 = resource({ tag: 'Notifications', scope: 'v1-environment' });

const kinds = {
  Environment: {
    path: '/configuration',
    hooks: '/configuration/hooks',
    scope: 'PORTAL',
    permission: 'environment-notification',
    ownAction: 'read',
    ownerOf: (at: EnvironmentRef): SettingOwner => ({ at, type: 'ENVIRONMENT', id: at.environment }),
  },
  Api: {
    path: '/apis/{apiId}',
    hooks: '/apis/hooks',
    scope: 'API',
    permission: 'api-notification',
    ownAction: 'update',
    ownerOf: (at: EnvironmentRef, { apiId = '' }: Params): SettingOwner => ({ at, type: 'API', id: apiId }),
  },
  Application: {
    path: '/applications/{applicationId}',
    hooks: '/applications/hooks',
    scope: 'APPLICATION',
    permission: 'application-notification',
    ownAction: 'read',
    ownerOf: (at: EnvironmentRef, { applicationId = '' }: Params): SettingOwner => ({
      at,
      type: 'APPLICATION',
      id: applicationId,
    }),
  },
} as const;

type Params = { readonly apiId?: string; readonly applicationId?: string; readonly notificationId?: string };

/** The operations of one kind of object. */
function routesOf(name: keyof typeof kinds): readonly Route[] {
  const { path, hooks, scope, permission, ownAction, ownerOf } = kinds[name];
  const all = `${path}/notificationsettings`;
  const one = `${path}/notificationsettings/{notificationId}`;
  const of = (at: EnvironmentRef, params: unknown): SettingOwner => ownerOf(at, params as Params);
  const idOf = (params: unknown): string => (params as Params).notificationId ?? '';
  return [
    v1.get(hooks, {
      operationId: `list${name}Hooks`,
      permission: 'signed-in',
      summary: 'Lists what one can be told of.',
      answer: z.array(hookSchema),
      run: async () => listHooks(scope),
    }),
    v1.get(`${path}/notifiers`, {
      operationId: `list${name}Notifiers`,
      permission,
      summary: 'Lists how others can be told, beside the console.',
      answer: z.array(notifierSchema),
      run: ({ desk, at, params }) => listNotifiers(desk, { owner: of(at, params) }),
    }),
    v1.get(all, {
      operationId: `list${name}NotificationSettings`,
      permission,
      summary:
        'Lists what you are told of in the console, and, for who may change them, which addresses and webhooks are told.',
      answer: z.array(settingSchema),
      run: ({ desk, actor, at, params }) => listNotificationSettings(desk, actor, { owner: of(at, params) }),
    }),
    v1.post(all, {
      operationId: `create${name}NotificationSetting`,
      permission,
      action: 'read',
      summary:
        'Has addresses or a webhook told, which takes the right to create notifications, or you in the console.',
      body: settingWishSchema,
      answer: settingSchema,
      run: ({ desk, actor, at, params, body }) =>
        createSetting(desk, actor, { owner: of(at, params), wish: body }),
    }),
    v1.put(all, {
      operationId: `updateOwn${name}NotificationSetting`,
      permission,
      action: ownAction,
      summary: 'Says what you are told of in the console.',
      body: settingWishSchema,
      answer: settingSchema,
      run: ({ desk, actor, at, params, body }) =>
        writeOwn(desk, actor, { owner: of(at, params), wish: body }),
    }),
    v1.put(one, {
      operationId: `update${name}NotificationSetting`,
      permission,
      summary: 'Changes which addresses are told, or which webhook, and of what.',
      body: settingWishSchema,
      answer: settingSchema,
      run: ({ desk, actor, at, params, body }) =>
        updateGeneric(desk, actor, { owner: of(at, params), id: idOf(params), wish: body }),
    }),
    v1.delete(one, {
      operationId: `delete${name}NotificationSetting`,
      permission,
      summary: 'Tells those addresses, or that webhook, no more.',
      run: ({ desk, actor, at, params }) =>
        deleteGeneric(desk, actor, { owner: of(at, params), id: idOf(params) }),
    }),
  ];
}

/** The routes of notifications. */
export const notificationRoutes: readonly Route[] = [
  ...routesOf('Environment'),
  ...routesOf('Api'),
  ...routesOf('Application'),
  own.get('/user/notifications', {
    operationId: 'listNotifications',
    permission: 'signed-in',
    summary: 'Lists what you were told, oldest first; the page counts them all.',
    query: z.strictObject({
      ...v1PageQuery,
      size: integerParam({ min: 1, max: 1_000 }).optional(),
      order: z.enum(['created_at', '-created_at']).optional(),
    }),
    answer: v1PageSchema('PortalNotificationPage', notificationSchema),
    run: async ({ desk, actor, query: { page = 1, size = 100, order } }) =>
      v1Page(await listNotifications(desk, actor, { page, size, isNewestFirst: order === '-created_at' }), {
        page,
        size,
      }),
  }),
  own.delete('/user/notifications', {
    operationId: 'deleteNotifications',
    permission: 'signed-in',
    summary: 'Removes all that you were told.',
    run: ({ desk, actor }) => removeNotifications(desk, actor),
  }),
  own.delete('/user/notifications/{notificationId}', {
    operationId: 'deleteNotification',
    permission: 'signed-in',
    summary: 'Removes one of them.',
    run: ({ desk, actor, params: { notificationId } }) => removeNotifications(desk, actor, notificationId),
  }),
];
