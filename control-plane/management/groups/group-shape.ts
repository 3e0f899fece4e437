import { z } from '@hono/zod-openapi';
import { groupScopes, type GroupMember, type GroupScope } from '../../access/groups.store.ts';
import { nameSchema, present, readOnlyFields } from '../fields.ts';
import type { GroupRow } from './groups.store.ts';

/** What a group may be given to as soon as it is created. */
const groupEvents = ['API_CREATE', 'APPLICATION_CREATE'] as const;
/** One of them. */
export type GroupEvent = (typeof groupEvents)[number];

/** Members of one group; past it nobody is added. */
export const groupMembersMax = 1_000;
/** Groups of one environment. */
export const groupsMax = 1_000;

const roleNameSchema = z.string().min(1).max(64);
const flag = z.boolean().default(false);
// Nobody is invited by mail, and there are no API products: what would mean nothing is refused instead of kept.
const never = z.literal(false, 'must be false: there is nothing here that it could change').default(false);

const settingsFields = {
  /** How many members those who do no more than administer the group may let it grow to. */
  max_invitation: z.int().min(1).max(groupMembersMax).nullable().optional(),
  lock_api_role: flag,
  lock_api_product_role: never,
  lock_application_role: flag,
  /** Whether those who do no more than administer the group may add users. */
  system_invitation: flag,
  email_invitation: never,
  disable_membership_notifications: flag,
};
const settingsSchema = z.object(settingsFields);
/** What only those decide who may write groups of the environment. */
export type GroupSettings = z.infer<typeof settingsSchema>;

/** Body of a creation and of a change. */
export const groupWishSchema = z
  .strictObject({
    name: nameSchema,
    event_rules: z
      .array(z.strictObject({ event: z.enum(groupEvents) }))
      .max(groupEvents.length)
      .default([]),
    roles: z
      .strictObject({ API: roleNameSchema.optional(), APPLICATION: roleNameSchema.optional() })
      .default({}),
    ...settingsFields,
    ...readOnlyFields('id', 'manageable', 'primary_owner', 'origin'),
    ...readOnlyFields('environmentId', 'created_at', 'updated_at'),
  })
  .openapi('NewGroup');
/** What a creation or change wants. */
export type GroupWish = z.infer<typeof groupWishSchema>;

/** A group as v1 answers it. */
export const groupV1Schema = z
  .object({
    id: z.string(),
    name: z.string(),
    event_rules: z.array(z.object({ event: z.enum(groupEvents) })),
    roles: z.object({ API: z.string().optional(), APPLICATION: z.string().optional() }),
    manageable: z.boolean(),
    max_invitation: z.int().optional(),
    lock_api_role: z.boolean(),
    lock_api_product_role: z.boolean(),
    lock_application_role: z.boolean(),
    system_invitation: z.boolean(),
    email_invitation: z.boolean(),
    disable_membership_notifications: z.boolean(),
    primary_owner: z.boolean(),
    origin: z.literal('MANAGEMENT'),
    environmentId: z.string(),
    created_at: z.int(),
    updated_at: z.int(),
  })
  .openapi('GroupV1');
/** A group as v1 answers it. */
export type GroupV1View = z.infer<typeof groupV1Schema>;

/** A group as v2 answers it. */
export const groupSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    eventRules: z.array(z.enum(groupEvents)),
    apiRole: z.string().optional(),
    applicationRole: z.string().optional(),
    manageable: z.boolean(),
    maxInvitation: z.int().optional(),
    lockApiRole: z.boolean(),
    lockApiProductRole: z.boolean(),
    lockApplicationRole: z.boolean(),
    systemInvitation: z.boolean(),
    emailInvitation: z.boolean(),
    disableMembershipNotifications: z.boolean(),
    primaryOwner: z.boolean(),
    createdAt: z.string(),
    updatedAt: z.string(),
  })
  .openapi('Group');

const scopeNames = ['API', 'APPLICATION', 'GROUP'] as const;

/** Body of an addition or change of members; of a member whose roles are empty nothing is changed. */
export const groupMembersWishSchema = z
  .array(
    z.strictObject({
      id: z.string().min(1).max(64).optional(),
      reference: z.string().max(256).optional(),
      roles: z
        .array(z.strictObject({ scope: z.enum(scopeNames), name: roleNameSchema }))
        .max(scopeNames.length)
        .refine(
          (roles) => new Set(roles.map(({ scope }) => scope)).size === roles.length,
          'must name each scope once',
        ),
    }),
  )
  .min(1)
  .max(100)
  .openapi('GroupMemberships');
/** One of them. */
export type GroupMemberWish = z.infer<typeof groupMembersWishSchema>[number];

/** A member of a group as v1 answers it. */
export const groupMemberV1Schema = z
  .object({
    id: z.string(),
    displayName: z.string(),
    roles: z.record(z.string(), z.string()),
    created_at: z.int(),
    updated_at: z.int(),
  })
  .openapi('GroupMember');

/** The settings of a row. */
export function settingsOf({ settings }: Pick<GroupRow, 'settings'>): GroupSettings {
  return settingsSchema.parse(JSON.parse(settings));
}

/** The settings column of a wish. */
export function settingsText(wish: GroupSettings): string {
  return JSON.stringify(settingsSchema.parse(wish));
}

function rulesOf({ event_rules: rules }: Pick<GroupRow, 'event_rules'>): readonly GroupEvent[] {
  return JSON.parse(rules) as GroupEvent[];
}

/** As v1 answers it; `isManageable` for who may change it. */
export function groupV1View(row: GroupRow, isManageable: boolean): GroupV1View {
  const { max_invitation: membersMax, ...settings } = settingsOf(row);
  return {
    id: row.id,
    name: row.name,
    event_rules: rulesOf(row).map((event) => ({ event })),
    roles: present({ API: row.api_role ?? undefined, APPLICATION: row.application_role ?? undefined }),
    manageable: isManageable,
    ...(typeof membersMax === 'number' && { max_invitation: membersMax }),
    ...settings,
    primary_owner: false,
    origin: 'MANAGEMENT',
    environmentId: row.environment,
    created_at: row.created_at_ms,
    updated_at: row.updated_at_ms,
  };
}

/** As v2 answers it. */
export function groupView(view: GroupV1View): z.infer<typeof groupSchema> {
  return present({
    id: view.id,
    name: view.name,
    eventRules: view.event_rules.map(({ event }) => event),
    apiRole: view.roles.API,
    applicationRole: view.roles.APPLICATION,
    manageable: view.manageable,
    maxInvitation: view.max_invitation,
    lockApiRole: view.lock_api_role,
    lockApiProductRole: view.lock_api_product_role,
    lockApplicationRole: view.lock_application_role,
    systemInvitation: view.system_invitation,
    emailInvitation: view.email_invitation,
    disableMembershipNotifications: view.disable_membership_notifications,
    primaryOwner: view.primary_owner,
    createdAt: new Date(view.created_at).toISOString(),
    updatedAt: new Date(view.updated_at).toISOString(),
  });
}

/** A member as v1 answers it. */
export function groupMemberV1View(member: GroupMember): z.infer<typeof groupMemberV1Schema> {
  return {
    id: member.id,
    displayName: member.displayName,
    roles: Object.fromEntries(rolesOf(member).map(({ scope, name }) => [scope, name])),
    created_at: member.createdAtMs,
    updated_at: member.updatedAtMs,
  };
}

/** A member as v2 answers it. */
export function groupMemberView(member: GroupMember) {
  return { id: member.id, displayName: member.displayName, roles: rolesOf(member) };
}

function rolesOf({ roles }: GroupMember) {
  return groupScopes.flatMap((scope: GroupScope) => {
    const name = roles[scope];
    return name === undefined ? [] : [{ name, scope: spelled(scope) }];
  });
}

/** The scope as it is written in bodies. */
export const spelled = (scope: GroupScope) => scope.toUpperCase() as (typeof scopeNames)[number];
