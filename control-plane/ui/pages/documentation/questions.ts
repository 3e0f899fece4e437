import { queryOptions } from '@tanstack/react-query';
import { api, answerOf, ifMatch, organization, type Schemas, taggedAnswerOf } from '../../api/client.ts';
import { demandAsSeen } from '../../api/written.ts';

/** What pages about documentation ask: of an API, or of the environment itself, which version 1 of the management API has. */

/** Whose documentation. */
export interface ShelfAt {
  readonly env: string;
  /** Absent for that of the environment. */
  readonly api?: string;
}

/** A page or folder, as both have it. */
export type DocPage = Omit<Schemas['Page'], 'updatedAt' | 'hidden'>;
export type DocType = DocPage['type'];
export type DocSource = NonNullable<DocPage['source']>;

/** What is written of a page. */
export type DocWish = Pick<
  DocPage,
  'name' | 'type' | 'content' | 'source' | 'configuration' | 'accessControls' | 'excludedAccessControls'
> & {
  readonly visibility?: DocPage['visibility'];
  readonly homepage?: boolean;
};

/** What somebody has written of a page and not saved; a source that is undefined is taken away. */
export type DocEdit = Omit<Partial<DocWish>, 'source'> & { readonly source?: DocSource | undefined };

const ofApi = '/management/v2/environments/{envId}/apis/{apiId}/pages';
const ofEnvironment = '/management/organizations/{orgId}/environments/{envId}/portal/pages';
const fetchersPath = '/management/organizations/{orgId}/environments/{envId}/fetchers';
const groupsPath = '/management/organizations/{orgId}/environments/{envId}/configuration/groups/_paged';

const apiParams = (env: string, apiId: string) => ({ envId: env, apiId });
const environmentParams = (env: string) => ({ orgId: organization, envId: env });

export const shelfKey = ({ env, api: id }: ShelfAt): readonly string[] => ['documentation', env, id ?? ''];

/** All pages of a shelf, without contents. */
export const listedPages = (at: ShelfAt) =>
  queryOptions({
    queryKey: [...shelfKey(at), 'list'],
    queryFn: async (): Promise<readonly DocPage[]> => {
      if (at.api === undefined)
        return answerOf(api.GET(ofEnvironment, { params: { path: environmentParams(at.env) } }));
      return (await answerOf(api.GET(ofApi, { params: { path: apiParams(at.env, at.api) } }))).pages;
    },
  });

export const onePage = (at: ShelfAt, pageId: string) =>
  queryOptions({
    queryKey: [...shelfKey(at), pageId],
    queryFn: async () => (await askedPage(at, pageId)).data,
    // What somebody writes is theirs until it is saved.
    refetchOnWindowFocus: false,
  });

/** A page, with the ETag that names what was read. */
const askedPage = (
  at: ShelfAt,
  pageId: string,
): Promise<{ readonly data: DocPage; readonly tag: string | undefined }> =>
  at.api === undefined
    ? taggedAnswerOf(
        api.GET(`${ofEnvironment}/{pageId}`, { params: { path: { ...environmentParams(at.env), pageId } } }),
      )
    : taggedAnswerOf(
        api.GET(`${ofApi}/{pageId}`, { params: { path: { ...apiParams(at.env, at.api), pageId } } }),
      );

export function createPage(at: ShelfAt, body: DocWish & { readonly parentId?: string }): Promise<DocPage> {
  return at.api === undefined
    ? answerOf(api.POST(ofEnvironment, { params: { path: environmentParams(at.env) }, body }))
    : answerOf(api.POST(ofApi, { params: { path: apiParams(at.env, at.api) }, body }));
}

/** Writes a page over what it is now. Errors: Problem, with status 412 when somebody else writes it in the same moment. */
async function rewritePage(
  at: ShelfAt,
  pageId: string,
  bodyOf: (now: DocPage) => DocWish & { readonly order?: number; readonly published?: boolean },
): Promise<DocPage> {
  const { data: now, tag } = await askedPage(at, pageId);
  const body = bodyOf(now);
  const headers = ifMatch(tag);
  return at.api === undefined
    ? answerOf(
        api.PUT(`${ofEnvironment}/{pageId}`, {
          params: { path: { ...environmentParams(at.env), pageId } },
          headers,
          body,
        }),
      )
    : answerOf(
        api.PUT(`${ofApi}/{pageId}`, {
          params: { path: { ...apiParams(at.env, at.api), pageId } },
          headers,
          body,
        }),
      );
}

/** Writes what people wrote of a page over what it is now. Errors: Problem, with status 412 when somebody else wrote the same since it was `seen`. */
export async function savePageOver(
  at: ShelfAt,
  seen: DocPage | undefined,
  written: DocEdit,
): Promise<DocPage | undefined> {
  if (seen === undefined) return undefined;
  return rewritePage(at, seen.id, (now) => {
    demandAsSeen({ seen, now }, written);
    return { ...wishOf(now), ...written } as DocWish;
  });
}

/** Gives it another place among the pages of its folder; the rest of it stays as it is now. */
export function movePage(at: ShelfAt, pageId: string, order: number): Promise<DocPage> {
  return rewritePage(at, pageId, (now) => ({ ...wishOf(now), order }));
}

/** Readers see it from now on, or no more. */
export function publishPage(at: ShelfAt, pageId: string, isPublished: boolean): Promise<DocPage> {
  if (at.api === undefined)
    return rewritePage(at, pageId, (now) => ({ ...wishOf(now), published: isPublished }));
  const params = { path: { ...apiParams(at.env, at.api), pageId } };
  return answerOf(
    isPublished
      ? api.POST(`${ofApi}/{pageId}/_publish`, { params })
      : api.POST(`${ofApi}/{pageId}/_unpublish`, { params }),
  );
}

/** Its content anew from where it comes. */
export function fetchPage(at: ShelfAt, pageId: string): Promise<DocPage> {
  return at.api === undefined
    ? answerOf(
        api.POST(`${ofEnvironment}/{pageId}/_fetch`, {
          params: { path: { ...environmentParams(at.env), pageId } },
        }),
      )
    : answerOf(
        api.POST(`${ofApi}/{pageId}/_fetch`, {
          params: { path: { ...apiParams(at.env, at.api), pageId } },
        }),
      );
}

export async function deletePage(at: ShelfAt, pageId: string): Promise<void> {
  if (at.api === undefined)
    await answerOf(
      api.DELETE(`${ofEnvironment}/{pageId}`, {
        params: { path: { ...environmentParams(at.env), pageId } },
      }),
    );
  else
    await answerOf(
      api.DELETE(`${ofApi}/{pageId}`, { params: { path: { ...apiParams(at.env, at.api), pageId } } }),
    );
}

/** What of a page is written back when it is saved; its content only where it is changed. */
const wishOf = (page: DocPage): DocWish => ({
  name: page.name,
  type: page.type,
  visibility: page.visibility,
  homepage: page.homepage,
  ...(page.source !== undefined && { source: page.source }),
  ...(page.configuration !== undefined && { configuration: page.configuration }),
  ...(page.accessControls !== undefined && { accessControls: page.accessControls }),
  ...(page.excludedAccessControls !== undefined && {
    excludedAccessControls: page.excludedAccessControls,
  }),
});

/** What pages can come from. */
export const fetchersOf = (env: string) =>
  queryOptions({
    queryKey: ['fetchers', env],
    queryFn: () => answerOf(api.GET(fetchersPath, { params: { path: environmentParams(env) } })),
    staleTime: 600_000,
  });

export const fetcherForm = (env: string, fetcherId: string) =>
  queryOptions({
    queryKey: ['fetchers', env, fetcherId],
    queryFn: () =>
      answerOf(
        api.GET(`${fetchersPath}/{fetcherId}/schema`, {
          params: { path: { ...environmentParams(env), fetcherId } },
        }),
      ),
    staleTime: 600_000,
  });

const groupsMax = 100;

/** Groups whose members a page can be for. */
export const groupsOf = (env: string) =>
  queryOptions({
    queryKey: ['groups', env, 'for-pages'],
    queryFn: () =>
      answerOf(
        api.GET(groupsPath, {
          params: { path: environmentParams(env), query: { page: 1, size: groupsMax } },
        }),
      ),
  });
