import { z } from '@hono/zod-openapi';
import { Fault } from '../../../proto/faults/fault.ts';
import type { Actor } from '../../access/actor.ts';
import type { Trx } from '../../storage/storage.ts';
import type { Desk } from '../desk.ts';
import { deletePortal, listPortal, type Reader } from './portal.store.ts';

/** What a user was told, as it is answered. */
export const notificationSchema = z
  .object({ id: z.string(), title: z.string(), message: z.string(), created_at: z.int() })
  .openapi('PortalNotification');

/** A page of what the caller was told. */
export async function listNotifications(
  desk: Desk,
  actor: Actor,
  wish: { readonly page: number; readonly size: number; readonly isNewestFirst: boolean },
) {
  const { page, size, isNewestFirst } = wish;
  const bounds = { limit: size, offset: (page - 1) * size };
  const { rows, total } = await listPortal(desk.storage.db, readerOf(actor), { bounds, isNewestFirst });
  const data = rows.map(({ id, title, message, created_at_ms: at }) => ({
    id,
    title,
    message,
    created_at: at,
  }));
  return { data, total };
}

/** Removes one of them, or all. Errors: notification.portal.notFound. */
export async function removeNotifications(desk: Desk, actor: Actor, id?: string): Promise<void> {
  const gone = await desk.storage.transaction((trx) => deletePortal(trx, readerOf(actor), id));
  if (id !== undefined && gone === 0)
    throw new Fault('notification.portal.notFound', { parameters: { notification: id } });
}

/** Forgets what a user was told, wished to be told, and is to be sent. */
export async function forgetNotified(
  trx: Trx,
  user: Reader & { readonly email: string | null },
): Promise<void> {
  const { organization, userId, email } = user;
  await deletePortal(trx, user);
  await trx
    .deleteFrom('notification_setting')
    .where('organization', '=', organization)
    .where('user_id', '=', userId)
    .execute();
  if (email !== null)
    await trx
      .deleteFrom('outgoing_mail')
      .where('organization', '=', organization)
      .where('recipient', '=', email)
      .execute();
}

const readerOf = (actor: Actor): Reader => ({ organization: actor.organization, userId: actor.id });
