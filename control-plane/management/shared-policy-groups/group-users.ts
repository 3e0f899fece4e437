import { z } from '@hono/zod-openapi';
import type { Desk } from '../desk.ts';
import { boundsOf, type PageWish } from '../pages.ts';
import { found, type GroupRef } from './shared-policy-groups.ts';
import { findGroup, listNaming } from './shared-policy-groups.store.ts';

/** An API that uses a group. */
export const groupUserSchema = z
  .object({ id: z.string(), name: z.string() })
  .openapi('SharedPolicyGroupUser');

/** The deployed APIs in which a group is in force, by name. */
export async function listGroupUsers(
  desk: Desk,
  { at, id, page }: GroupRef & { readonly page: PageWish },
): Promise<{ readonly data: z.infer<typeof groupUserSchema>[]; readonly total: number }> {
  const group = found(await findGroup(desk.storage.db, at, { column: 'id', value: id }), id);
  const wish = { crossId: group.cross_id, bounds: boundsOf(page) };
  const { rows, total } = await listNaming(desk.storage, at, wish);
  return { data: [...rows], total };
}
