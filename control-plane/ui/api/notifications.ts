import { queryOptions } from '@tanstack/react-query';
import { api, answerOf, organization, type Schemas } from './client.ts';

/** Something that the reader was told. */
export type Told = Schemas['PortalNotification'];

const lookEveryMs = 30_000;
const path = '/management/organizations/{orgId}/user/notifications';
const org = { orgId: organization };

/** A page of what the reader was told, newest first. */
export const toldPage = (page: number) =>
  queryOptions({
    queryKey: ['notifications', 'page', String(page)],
    queryFn: () =>
      answerOf(
        api.GET(path, { params: { path: org, query: { page, size: pageSize, order: '-created_at' } } }),
      ),
    refetchInterval: lookEveryMs,
  });

/** How many of them there are: one row is asked for, and the count beside it. */
export const toldCount = queryOptions({
  queryKey: ['notifications', 'count'],
  queryFn: async () => {
    const { page } = await answerOf(api.GET(path, { params: { path: org, query: { size: 1 } } }));
    return page.total_elements;
  },
  refetchInterval: lookEveryMs,
});

/** Rows of a page. */
export const pageSize = 25;

/** Removes one, or all. */
export async function forgetTold(id: string | undefined): Promise<void> {
  await (id === undefined
    ? answerOf(api.DELETE(path, { params: { path: org } }))
    : answerOf(api.DELETE(`${path}/{notificationId}`, { params: { path: { ...org, notificationId: id } } })));
}
