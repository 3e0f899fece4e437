import { z } from '@hono/zod-openapi';
import type { UserListRow } from '../../access/users.store.ts';
import type { UserRow } from '../../access/access.store.ts';
import { passwordSchema } from '../../access/passwords.ts';
import { nameSchema, present, readOnlyFields } from '../fields.ts';
import { roleSchema } from '../roles/roles.ts';

const usernameExpression = /^[A-Za-z0-9._@+-]{1,128}$/;
const usernameSchema = z
  .string()
  .regex(usernameExpression, 'must be at most 128 letters, digits and . _ @ + -');
/** Whether somebody can have it as user name. */
export const isUsername = (text: string): boolean => usernameExpression.test(text);
/** An address of mail of a user. */
export const emailSchema = z.email().max(256);
const personNameSchema = z.string().trim().max(64);

/** Where users of this installation's own come from; the reference's word. */
const ownSource = 'gravitee';
const sourceSchema = z.literal(
  ownSource,
  `must be ${ownSource}: users of identity providers come by themselves`,
);

/**
 * Body of a creation. `sourceId` is the reference's word for `username`; where neither stands it is the mail address, for a program its name.
 * A person is given a password here, or where mails are sent a link to choose one.
 */
export const userWishSchema = z
  .strictObject({
    username: usernameSchema.optional(),
    sourceId: usernameSchema.optional(),
    source: sourceSchema.optional(),
    password: passwordSchema.optional(),
    displayName: nameSchema.optional(),
    firstname: personNameSchema.optional(),
    lastname: personNameSchema.optional(),
    email: emailSchema.optional(),
    /** An account of a program: it has tokens alone. */
    service: z.boolean().default(false),
    role: z.enum(['ADMIN', 'USER']).default('USER'),
  })
  .openapi('NewUser');
/** What a creation wants. */
export type UserWish = z.infer<typeof userWishSchema>;

const profileFields = {
  displayName: nameSchema.optional(),
  firstname: personNameSchema.optional(),
  lastname: personNameSchema.optional(),
  email: emailSchema.optional(),
};
const answeredOnly = {
  ...readOnlyFields(
    'id',
    'organizationId',
    'username',
    'source',
    'sourceId',
    'role',
    'status',
    'roles',
    'envRoles',
  ),
  ...readOnlyFields(
    'primary_owner',
    'number_of_active_tokens',
    'loginCount',
    'isServiceAccount',
    'hasPassword',
    'hasSecondFactor',
  ),
  ...readOnlyFields('created_at', 'updated_at', 'firstConnectionAt', 'lastConnectionAt'),
};
/** Body of a change of what is known of a user, by whoever. */
export const profileSchema = z.strictObject({ ...profileFields, ...answeredOnly }).openapi('UserProfile');
/** What a change wants. */
export type ProfileWish = z.infer<typeof profileSchema>;

/** A user as it is answered. */
export const userSchema = z
  .object({
    id: z.string(),
    organizationId: z.string(),
    username: z.string(),
    displayName: z.string(),
    firstname: z.string().optional(),
    lastname: z.string().optional(),
    email: z.string().optional(),
    source: z.string(),
    sourceId: z.string(),
    status: z.enum(['ACTIVE', 'PENDING', 'REJECTED', 'DISABLED', 'ARCHIVED']),
    role: z.enum(['ADMIN', 'USER']),
    roles: z.array(roleSchema).optional(),
    envRoles: z.record(z.string(), z.array(roleSchema)).optional(),
    primary_owner: z.boolean(),
    number_of_active_tokens: z.int(),
    loginCount: z.int(),
    isServiceAccount: z.boolean(),
    hasPassword: z.boolean(),
    hasSecondFactor: z.boolean(),
    created_at: z.int(),
    updated_at: z.int(),
    firstConnectionAt: z.int().optional(),
    lastConnectionAt: z.int().optional(),
  })
  .openapi('UserAccount');
/** A user as it is answered. */
export type UserView = z.infer<typeof userSchema>;

/** A user for a reader of users. */
export function userView(row: UserListRow): UserView {
  return present({
    id: row.id,
    organizationId: row.organization,
    username: row.username,
    displayName: row.display_name,
    firstname: row.firstname ?? undefined,
    lastname: row.lastname ?? undefined,
    email: row.email ?? undefined,
    source: row.source ?? ownSource,
    sourceId: row.source_id ?? row.username,
    status: row.status as UserView['status'],
    role: Number(row.admin_roles) > 0 ? ('ADMIN' as const) : ('USER' as const),
    primary_owner: Number(row.owned) > 0,
    number_of_active_tokens: Number(row.tokens),
    loginCount: Number(row.login_count),
    isServiceAccount: row.is_service === 1,
    hasPassword: row.password_hash !== '',
    hasSecondFactor: row.second_factor === 1,
    created_at: row.created_at_ms,
    updated_at: row.updated_at_ms,
    firstConnectionAt: row.first_connection_at_ms ?? undefined,
    lastConnectionAt: row.last_connection_at_ms ?? undefined,
  });
}

/** Columns of a profile; a name for people is made of the two where none is given. */
export function profileColumns(
  wish: Pick<UserWish, 'displayName' | 'firstname' | 'lastname' | 'email'>,
  username: string,
) {
  const whole = [wish.firstname, wish.lastname].filter((part) => part !== undefined && part !== '').join(' ');
  return {
    display_name: wish.displayName ?? (whole === '' ? username : whole),
    firstname: wish.firstname ?? null,
    lastname: wish.lastname ?? null,
    email: wish.email ?? null,
  };
}

/** Somebody whom a search found: `reference` is what bodies of members take. */
export const foundUserSchema = z
  .object({
    id: z.string(),
    reference: z.string(),
    displayName: z.string(),
    firstname: z.string().optional(),
    lastname: z.string().optional(),
    email: z.string().optional(),
  })
  .openapi('SearchableUser');

/** As a search answers one. */
export function foundUserView(row: UserRow): z.infer<typeof foundUserSchema> {
  return present({
    id: row.id,
    reference: row.id,
    displayName: row.display_name,
    firstname: row.firstname ?? undefined,
    lastname: row.lastname ?? undefined,
    email: row.email ?? undefined,
  });
}
