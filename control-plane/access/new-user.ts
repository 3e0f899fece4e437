import { randomUUID } from 'node:crypto';
import type { Trx } from '../storage/storage.ts';
import type { UserRow } from './access.store.ts';
import type { HeldRole } from './actor.ts';
import { addMembership } from './memberships.store.ts';
import { defaultRole } from './roles.store.ts';

/** A user to be made. */
export interface NewUser {
  /** Where it is known before. */
  readonly id?: string | undefined;
  readonly organization: string;
  readonly username: string;
  readonly passwordHash: string;
  readonly displayName: string;
  readonly email?: string | undefined;
  readonly firstname?: string | undefined;
  readonly lastname?: string | undefined;
  /** For a program, which comes in by tokens alone; its hash is empty. */
  readonly isService?: boolean;
  readonly role: 'ADMIN' | 'USER';
  /** Who has registered and waits for somebody's word: he holds nothing yet. */
  readonly isPending?: boolean;
  /** The identity provider that says who he is, which gives him his roles too; his hash is empty. */
  readonly from?: { readonly source: string; readonly sourceId: string } | undefined;
}

/** The row of a new user. */
export function userRow(user: NewUser, nowMs: number): UserRow {
  return {
    id: user.id ?? randomUUID(),
    organization: user.organization,
    username: user.username,
    password_hash: user.passwordHash,
    display_name: user.displayName,
    email: user.email ?? null,
    firstname: user.firstname ?? null,
    lastname: user.lastname ?? null,
    status: user.isPending === true ? 'PENDING' : 'ACTIVE',
    is_service: user.isService === true ? 1 : 0,
    source: user.from?.source ?? null,
    source_id: user.from?.sourceId ?? null,
    password_until_ms: null,
    second_factor: 0,
    login_count: 0,
    first_connection_at_ms: null,
    last_connection_at_ms: null,
    created_at_ms: nowMs,
    updated_at_ms: nowMs,
  };
}

/** A new user is ADMIN of the organization and of the environments that it has now, or has the roles that are given where none is named. */
export async function giveFirstRoles(
  trx: Trx,
  user: UserRow,
  name: 'ADMIN' | 'USER',
): Promise<readonly HeldRole[]> {
  const environments = await trx
    .selectFrom('environment')
    .select('id')
    .where('organization', '=', user.organization)
    .execute();
  const named = (scope: 'organization' | 'environment'): string | Promise<string> =>
    name === 'ADMIN' ? name : defaultRole(trx, { organization: user.organization, scope });
  const inEnvironments = await named('environment');
  const roles: HeldRole[] = [
    { scope: 'organization', reference: user.organization, name: await named('organization') },
    ...environments.map(({ id }) => ({
      scope: 'environment' as const,
      reference: id,
      name: inEnvironments,
    })),
  ];
  const of = { organization: user.organization, user: user.id, nowMs: user.created_at_ms };
  for (const role of roles) await addMembership(trx, { ...of, ...role });
  return roles;
}
