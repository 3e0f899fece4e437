import type { QueryClient } from '@tanstack/react-query';
import { createRootRouteWithContext, createRoute, notFound, redirect } from '@tanstack/react-router';
import { Problem } from '../api/problem.ts';
import { rightsOn } from '../api/rights.ts';
import { whoAmI } from '../api/session.ts';
import { NotHere, Unwell } from '../shell/not-here.tsx';
import { OrganizationShell, Shell } from '../shell/shell.tsx';

/** What every page hangs below: the root, what stands around pages of an environment, and around those of the organization. */

export const root = createRootRouteWithContext<{ readonly queries: QueryClient }>()({
  notFoundComponent: NotHere,
  errorComponent: Unwell,
});

export const shell = createRoute({
  getParentRoute: () => root,
  path: '/$env',
  beforeLoad: async ({ context: { queries }, location, params: { env } }) => {
    await demandSession(queries, location.href);
    await demandEnvironment(queries, env);
  },
  component: Shell,
});

export const organizationShell = createRoute({
  getParentRoute: () => root,
  path: '/_org',
  beforeLoad: ({ context: { queries }, location }) => demandSession(queries, location.href),
  component: OrganizationShell,
});

/** Leads to sign-in, and back, who is not signed in; to a second factor who has to have one first. */
export async function demandSession(queries: QueryClient, back: string): Promise<void> {
  const me = await queries.ensureQueryData(whoAmI);
  if (me === null) throw redirect({ to: '/sign-in', search: { back } });
  if (me.mustEnrol === true) throw redirect({ to: '/second-factor', search: { back } });
}

/** An environment that is not there has no pages: not empty ones around which its name stands. Whatever else is wrong, the pages say. */
async function demandEnvironment(queries: QueryClient, env: string): Promise<void> {
  try {
    await queries.ensureQueryData(rightsOn({ env }));
  } catch (error) {
    // oxlint-disable-next-line typescript/only-throw-error -- as the router wants it
    if (Problem.of(error).status === 404) throw notFound();
  }
}

/** A path of this console: never where somebody else's link wants to lead. */
export const backSearch = ({ back }: Record<string, unknown>): { readonly back?: string } =>
  typeof back === 'string' && /^\/(?!\/|\\)/.test(back) ? { back } : {};

/** Which page of a list an address says; the first is not said. */
export const pageSearch = ({ page }: Record<string, unknown>): { readonly page?: number } =>
  typeof page === 'number' && Number.isInteger(page) && page > 1 ? { page } : {};

/** What of a list its address says. */
export interface ListSearch {
  readonly q?: string;
  readonly page?: number;
  readonly sort?: string;
}

export const listSearch = ({ q, page, sort }: Record<string, unknown>): ListSearch => ({
  ...(typeof q === 'string' && q !== '' && { q }),
  ...pageSearch({ page }),
  ...(typeof sort === 'string' && { sort }),
});
