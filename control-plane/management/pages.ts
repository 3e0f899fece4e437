import { z } from '@hono/zod-openapi';
import type { PageBounds } from '../storage/read-page.ts';
import { integerParam } from './fields.ts';

/** Most items of a page: who asks for more gets so many, with links to the rest. */
const perPageMax = 100;

/** How many items a page may have: any number from 1 on, of which at most {@link perPageMax} count, so that an answer is bounded. */
const perPageParam = integerParam({ min: 1, max: Number.MAX_SAFE_INTEGER })
  .transform((wanted) => Math.min(wanted, perPageMax))
  .openapi({
    type: 'integer',
    minimum: 1,
    description: `At most ${perPageMax} come; the links lead to the rest.`,
  })
  .optional();

/** `page` and `perPage` of every list. */
export const pageQuery = { page: integerParam({ min: 1, max: 1_000_000 }).optional(), perPage: perPageParam };

/** Which part of a list is asked for. */
export interface PageWish {
  readonly page?: number | undefined;
  readonly perPage?: number | undefined;
}

const perPageDefault = 10;

/** Turns a wish into limit and offset. */
export function boundsOf({ page = 1, perPage = perPageDefault }: PageWish): PageBounds {
  return { limit: perPage, offset: (page - 1) * perPage };
}

/** The reference's shape of a page. */
export interface Page<T> {
  readonly data: readonly T[];
  readonly pagination: {
    readonly page: number;
    readonly perPage: number;
    readonly pageCount: number;
    readonly pageItemsCount: number;
    readonly totalCount: number;
  };
  readonly links: Readonly<Record<string, string>>;
}

/** Makes a page of what was found; links keep every other parameter of the URL. */
export function pageOf<T>(
  found: { readonly data: readonly T[]; readonly total: number },
  wish: PageWish,
  url: string,
): Page<T> {
  const page = wish.page ?? 1;
  const perPage = wish.perPage ?? perPageDefault;
  const pageCount = Math.ceil(found.total / perPage);
  const link = (to: number): string => {
    const target = new URL(url);
    target.searchParams.set('page', String(to));
    target.searchParams.set('perPage', String(perPage));
    return target.href;
  };
  return {
    data: found.data,
    pagination: {
      page,
      perPage,
      pageCount,
      pageItemsCount: found.data.length,
      totalCount: found.total,
    },
    links: {
      self: url,
      ...(pageCount > 0 ? { first: link(1), last: link(pageCount) } : {}),
      ...(page > 1 && page <= pageCount ? { previous: link(page - 1) } : {}),
      ...(page < pageCount ? { next: link(page + 1) } : {}),
    },
  };
}

/** Schema of a page, for the document. */
export function pageSchema(name: string, item: z.ZodType): z.ZodType {
  return z.object({ data: z.array(item), pagination: paginationSchema, links: linksSchema }).openapi(name);
}

const paginationSchema = z
  .object({
    page: z.int(),
    perPage: z.int(),
    pageCount: z.int(),
    pageItemsCount: z.int(),
    totalCount: z.int(),
  })
  .openapi('Pagination');

const linksSchema = z
  .object({
    self: z.string().optional(),
    first: z.string().optional(),
    last: z.string().optional(),
    previous: z.string().optional(),
    next: z.string().optional(),
  })
  .openapi('Links');

/** `page` and `size` of the v1 lists. */
export const v1PageQuery = { page: integerParam({ min: 1, max: 1_000_000 }).optional(), size: perPageParam };

/** The v1 shape of a page. */
export function v1Page<T>(
  { data, total }: { readonly data: readonly T[]; readonly total: number },
  { page = 1, size = 10 }: { readonly page?: number | undefined; readonly size?: number | undefined },
) {
  return {
    data,
    page: {
      current: page,
      size: data.length,
      per_page: size,
      total_pages: Math.ceil(total / size),
      total_elements: total,
    },
  };
}

/** Schema of {@link v1Page}. */
export function v1PageSchema(name: string, item: z.ZodType) {
  const number = z.int();
  return z
    .object({
      data: z.array(item),
      page: z.object({
        current: number,
        size: number,
        per_page: number,
        total_pages: number,
        total_elements: number,
      }),
    })
    .openapi(name);
}

/** Whatever a person typed, as the pattern of a LIKE with `\` as escape. */
export function likePattern(text: string): string {
  return `%${text.toLowerCase().replaceAll(/[\\%_]/g, String.raw`\$&`)}%`;
}
