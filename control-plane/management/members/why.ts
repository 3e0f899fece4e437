import { z } from '@hono/zod-openapi';
import { Fault } from '../../../proto/faults/fault.ts';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import { getUser } from '../../access/access.store.ts';
import { actorOf } from '../../access/access.ts';
import { heldRights, type HeldRole } from '../../access/actor.ts';
import { listProviders } from '../../access/identity/identity.store.ts';
import { objectRoles, tenantRoles } from '../../access/memberships.store.ts';
import { namesOf } from '../../access/object-names.ts';
import { permissions } from '../../access/permissions.ts';
import { rightsOf } from '../../access/roles.ts';
import { foundApi } from '../apis/api-gate.ts';
import { foundApplication } from '../applications/applications.ts';
import type { Desk } from '../desk.ts';
import { present } from '../fields.ts';

/*
 * Why somebody may do what he may: each role that gives him something on an object, with where he holds it. What all of them give together is
 * what `can` decides by.
 */

const heldSchema = z.record(z.string(), z.array(z.string()));

/** What a user may do, and which roles give it. */
export const whySchema = z
  .object({
    id: z.string(),
    displayName: z.string(),
    status: z.string(),
    permissions: heldSchema,
    sources: z.array(
      z.object({
        scope: z.string(),
        reference: z.string(),
        role: z.string(),
        group: z.object({ id: z.string(), name: z.string() }).optional(),
        /** Whose mapping gave it; absent for what people gave. */
        identityProvider: z.object({ id: z.string(), name: z.string() }).optional(),
        gives: heldSchema,
      }),
    ),
  })
  .openapi('EffectiveRights');

/** What somebody may do something with: an environment, or an API or application of it. */
interface Asked {
  readonly at: EnvironmentRef;
  readonly scope: 'environment' | 'api' | 'application';
  readonly id: string;
  readonly userId: string;
}

/** Says what a user may do with an object, and by which roles. Errors: request.not_found; user.notFound. */
export async function why(desk: Desk, { at, scope, id, userId }: Asked): Promise<z.infer<typeof whySchema>> {
  const { db } = desk.storage;
  if (scope === 'api') await foundApi(db, { at, id });
  if (scope === 'application') await foundApplication(db, { at, id });
  const user = await getUser(db, at.organization, userId);
  if (user === undefined || user.status === 'ARCHIVED') throw new Fault('user.notFound');
  const objects = scope === 'environment' ? [] : [{ scope, reference: id }];
  const who = { organization: at.organization, user: userId };
  const roles = [
    ...(await tenantRoles(db, at.organization, userId)),
    ...(await objectRoles(db, who, objects)),
  ];
  const resource = { ...at, [scope]: id };
  const ids = roles.flatMap(({ group }) => group ?? []);
  const providers = new Map(
    (await listProviders(db, at.organization)).map(({ id: one, name }) => [one, name]),
  );
  const groups = await namesOf(db, at.organization, { type: 'group', ids });
  return {
    id: user.id,
    displayName: user.display_name,
    status: user.status,
    permissions: mutable(heldRights(actorOf(user, roles), scope, resource)),
    sources: roles.flatMap((role) => {
      const gives = mutable(givenBy(role, { at, scope, id, userId }));
      if (Object.keys(gives).length === 0) return [];
      const name = role.group === undefined ? undefined : groups.get(role.group)?.name;
      const group = role.group === undefined ? undefined : { id: role.group, name: name ?? role.group };
      const { reference, source } = role;
      const identityProvider =
        source === undefined ? undefined : { id: source, name: providers.get(source) ?? source };
      const scopeName = role.scope.toUpperCase();
      return [present({ scope: scopeName, reference, role: role.name, group, identityProvider, gives })];
    }),
  };
}

/** What one role gives in the scope that was asked for. */
function givenBy(role: HeldRole, { at, scope, id }: Asked): Readonly<Record<string, readonly string[]>> {
  const opens = { organization: at.organization, environment: at.environment };
  const isAdmin =
    role.name === 'ADMIN' &&
    (role.scope === 'organization' || role.scope === 'environment') &&
    role.reference === opens[role.scope];
  if (isAdmin)
    return Object.fromEntries(
      permissions[scope].map((name) => [name.toUpperCase().replaceAll('-', '_'), ['C', 'R', 'U', 'D']]),
    );
  return role.scope === scope && role.reference === id ? rightsOf(role) : {};
}

const mutable = (held: Readonly<Record<string, readonly string[]>>): Record<string, string[]> =>
  Object.fromEntries(Object.entries(held).map(([name, letters]) => [name, [...letters]]));
