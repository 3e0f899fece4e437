import { z } from '@hono/zod-openapi';
import type { Actor } from '../../access/actor.ts';
import { hooks, type HookScope } from '../../mail/hooks.ts';
import { idSchema, nameSchema, present } from '../fields.ts';
import type { SettingOwner, SettingRow } from './notifications.store.ts';

/** What stands for the secret of a webhook. */
export const mask = '********';
/** The name of each user's own. */
export const portalName = 'Console Notification';

/** A notifier as it is answered. */
export const notifierSchema = z
  .object({ id: z.string(), type: z.enum(['EMAIL', 'WEBHOOK']), name: z.string() })
  .openapi('Notifier');

/** A hook as it is answered. */
export const hookSchema = z
  .object({
    id: z.string(),
    label: z.string(),
    description: z.string(),
    scope: z.string(),
    category: z.string(),
  })
  .openapi('Hook');

/** Whose hooks an object's settings may name. */
export const scopeOf = { API: 'API', APPLICATION: 'APPLICATION', ENVIRONMENT: 'PORTAL' } as const;

/** What one can be told of. */
export const listHooks = (scope: HookScope) =>
  hooks
    .filter((hook) => hook.scope === scope)
    .map(({ id, label, description, category }) => ({ id, label, description, scope, category }));

const hookIds = z.array(z.string().max(64)).max(100);
const none = (words: string) => z.array(z.string()).max(0, words).optional();

/** Body of a setting that is made or changed. */
export const settingWishSchema = z
  .strictObject({
    id: idSchema.optional(),
    config_type: z.enum(['PORTAL', 'GENERIC']),
    name: nameSchema.optional(),
    referenceType: z.string().max(64).optional(),
    referenceId: z.string().max(64).optional(),
    hooks: hookIds.optional(),
    notifier: z.string().max(64).optional(),
    config: z.string().max(4_096).optional(),
    secret: z
      .string()
      .min(8)
      .max(256)
      .optional()
      .openapi({ description: 'Of a webhook: what its calls are signed with (X-Isthmus-Signature).' }),
    user: z.string().max(64).optional(),
    origin: z.string().max(64).optional(),
    organizationId: z.string().max(64).optional(),
    groups: none('groups cannot be told by this version'),
    groupHooks: none('groups cannot be told by this version'),
    useSystemProxy: z
      .literal(false, 'is for whoever runs the control plane to choose (outbound.proxy)')
      .optional(),
  })
  .openapi('NotificationSetting');
/** See {@link settingWishSchema}. */
export type SettingWish = z.infer<typeof settingWishSchema>;

/** A setting as it is answered. */
export const settingSchema = z
  .object({
    config_type: z.enum(['PORTAL', 'GENERIC']),
    id: z.string().optional(),
    name: z.string(),
    referenceType: z.string(),
    referenceId: z.string(),
    hooks: z.array(z.string()),
    user: z.string().optional(),
    notifier: z.string().optional(),
    config: z.string().optional(),
    secret: z.string().optional(),
    groups: z.array(z.string()).optional(),
    groupHooks: z.array(z.string()).optional(),
    origin: z.string().optional(),
    useSystemProxy: z.boolean().optional(),
    organizationId: z.string(),
  })
  .openapi('NotificationSettingView');
/** See {@link settingSchema}. */
export type SettingView = z.infer<typeof settingSchema>;

/** A setting as it is answered; the secret never is. */
export function view(row: SettingRow): SettingView {
  const shared = {
    name: row.name,
    referenceType: row.reference_type,
    referenceId: row.reference_id,
    hooks: JSON.parse(row.hooks) as string[],
    organizationId: row.organization,
  };
  if (row.config_type === 'PORTAL') return { config_type: 'PORTAL', ...shared, ...portal(row.user_id ?? '') };
  return present({
    config_type: 'GENERIC' as const,
    id: row.id,
    ...shared,
    notifier: row.notifier ?? undefined,
    config: row.config ?? undefined,
    secret: row.sealed_secret === null ? undefined : mask,
    useSystemProxy: false,
  });
}

const portal = (user: string) => ({ user, groups: [], groupHooks: [], origin: 'MANAGEMENT' });

/** Of who has said nothing yet. */
export const viewOfNone = ({ at, type, id }: SettingOwner, actor: Actor): SettingView => ({
  config_type: 'PORTAL',
  name: portalName,
  referenceType: type,
  referenceId: id,
  hooks: [],
  organizationId: at.organization,
  ...portal(actor.id),
});
