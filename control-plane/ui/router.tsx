import type { QueryClient } from '@tanstack/react-query';
import { createRoute, createRouter, lazyRouteComponent, redirect } from '@tanstack/react-router';
import { environments, identityProviders, waysIn } from './api/session.ts';
import { auditSearch } from './pages/audit/questions.ts';
import { trafficSearch } from './pages/traffic/search.ts';
import type { SubscriptionsSearch } from './pages/subscriptions/list.tsx';
import { accountRoute, organizationRoutes } from './routes/organization.ts';
import { docSearch, settingsRoutes } from './routes/settings.ts';
import {
  backSearch,
  demandSession,
  listSearch,
  organizationShell,
  pageSearch,
  root,
  shell,
} from './routes/roots.tsx';
import { NotHere } from './shell/not-here.tsx';

/** Every page and its address. What a page is filtered by stands in its address, so that a link shows the same. */

/** What the sign-in page is told. */
interface SignInSearch {
  readonly back?: string;
  /** Why an identity provider did not lead in; the page has words for those that it knows. */
  readonly problem?: string;
}

const signIn = createRoute({
  getParentRoute: () => root,
  path: '/sign-in',
  validateSearch: ({ back, problem }: Record<string, unknown>): SignInSearch => ({
    ...backSearch({ back }),
    ...(typeof problem === 'string' && { problem }),
  }),
  // So that no way in appears, or goes, under somebody's hand. Whatever of it does not arrive, the page stands without.
  loader: async ({ context: { queries } }) => {
    await Promise.allSettled([queries.ensureQueryData(waysIn), queries.ensureQueryData(identityProviders)]);
  },
  component: lazyRouteComponent(() => import('./pages/sign-in.tsx'), 'SignIn'),
});

const secondFactor = createRoute({
  getParentRoute: () => root,
  path: '/second-factor',
  validateSearch: backSearch,
  component: lazyRouteComponent(() => import('./pages/account/must-enrol.tsx'), 'MustEnrol'),
});

const forgotPassword = createRoute({
  getParentRoute: () => root,
  path: '/forgot-password',
  component: lazyRouteComponent(() => import('./pages/passwords.tsx'), 'ForgotPassword'),
});

const newPassword = createRoute({
  getParentRoute: () => root,
  path: '/new-password',
  component: lazyRouteComponent(() => import('./pages/passwords.tsx'), 'NewPassword'),
});

const home = createRoute({
  getParentRoute: () => root,
  path: '/',
  beforeLoad: async ({ context: { queries }, location }) => {
    await demandSession(queries, location.href);
    const { data } = await queries.ensureQueryData(environments);
    const first = data[0];
    if (first !== undefined)
      throw redirect({ to: '/$env/apis', params: { env: first.hrids[0] ?? first.id } });
  },
  component: NotHere,
});

const kit = createRoute({
  getParentRoute: () => root,
  path: '/kit',
  beforeLoad: ({ context: { queries }, location }) => demandSession(queries, location.href),
  component: lazyRouteComponent(() => import('./pages/kit/kit.tsx'), 'Kit'),
});

const apis = createRoute({
  getParentRoute: () => shell,
  path: '/apis',
  validateSearch: listSearch,
  component: lazyRouteComponent(() => import('./pages/apis/apis.tsx'), 'Apis'),
});

const apiImport = createRoute({
  getParentRoute: () => shell,
  path: '/apis/import',
  component: lazyRouteComponent(() => import('./pages/apis/transfer/import.tsx'), 'ImportApi'),
});

const api = createRoute({
  getParentRoute: () => shell,
  path: '/apis/$api',
  component: lazyRouteComponent(() => import('./pages/apis/api.tsx'), 'Api'),
});

const apiOverview = createRoute({
  getParentRoute: () => api,
  path: '/',
  component: lazyRouteComponent(() => import('./pages/apis/overview.tsx'), 'ApiOverview'),
});

/** Pages that write into the draft of an API; a link may lead to the field that is meant. */
const apiDraft = createRoute({
  getParentRoute: () => api,
  id: 'draft',
  component: lazyRouteComponent(() => import('./pages/apis/draft/drafted.tsx'), 'Drafted'),
});

const placeSearch = ({ at }: Record<string, unknown>): { readonly at?: string } =>
  typeof at === 'string' ? { at } : {};

const apiDesign = createRoute({
  getParentRoute: () => apiDraft,
  path: '/design',
  validateSearch: placeSearch,
  component: lazyRouteComponent(() => import('./pages/apis/design/studio.tsx'), 'ApiDesign'),
});

const apiEntrypoints = createRoute({
  getParentRoute: () => apiDraft,
  path: '/entrypoints',
  validateSearch: placeSearch,
  component: lazyRouteComponent(() => import('./pages/apis/entrypoints.tsx'), 'ApiEntrypoints'),
});

const apiBackends = createRoute({
  getParentRoute: () => apiDraft,
  path: '/backends',
  validateSearch: placeSearch,
  component: lazyRouteComponent(() => import('./pages/apis/backends.tsx'), 'ApiBackends'),
});

const apiPlans = createRoute({
  getParentRoute: () => api,
  path: '/plans',
  component: lazyRouteComponent(() => import('./pages/apis/plans.tsx'), 'ApiPlans'),
});

const apiPlan = createRoute({
  getParentRoute: () => api,
  path: '/plans/$plan',
  component: lazyRouteComponent(() => import('./pages/apis/plan.tsx'), 'ApiPlan'),
});

const apiImportInto = createRoute({
  getParentRoute: () => api,
  path: '/import',
  component: lazyRouteComponent(() => import('./pages/apis/transfer/import.tsx'), 'ImportIntoApi'),
});

const apiRevisions = createRoute({
  getParentRoute: () => api,
  path: '/revisions',
  validateSearch: pageSearch,
  component: lazyRouteComponent(() => import('./pages/apis/revisions/revisions.tsx'), 'ApiRevisions'),
});

const apiRevision = createRoute({
  getParentRoute: () => api,
  path: '/revisions/$number',
  component: lazyRouteComponent(() => import('./pages/apis/revisions/revision.tsx'), 'ApiRevision'),
});

const apiHealth = createRoute({
  getParentRoute: () => api,
  path: '/health',
  component: lazyRouteComponent(() => import('./pages/apis/health.tsx'), 'ApiHealth'),
});

const apiGeneral = createRoute({
  getParentRoute: () => api,
  path: '/general',
  component: lazyRouteComponent(() => import('./pages/apis/general.tsx'), 'ApiGeneral'),
});

const apiLogs = createRoute({
  getParentRoute: () => api,
  path: '/logs',
  validateSearch: trafficSearch,
  component: lazyRouteComponent(() => import('./pages/traffic/pages.tsx'), 'ApiLogs'),
});

const apiAnalytics = createRoute({
  getParentRoute: () => api,
  path: '/analytics',
  validateSearch: trafficSearch,
  component: lazyRouteComponent(() => import('./pages/traffic/pages.tsx'), 'ApiAnalytics'),
});

const subscriptionsSearch = ({ shown, page }: Record<string, unknown>): SubscriptionsSearch => ({
  ...((shown === 'pending' || shown === 'ended') && { shown }),
  ...pageSearch({ page }),
});

const apiSubscriptions = createRoute({
  getParentRoute: () => api,
  path: '/subscriptions',
  validateSearch: subscriptionsSearch,
  component: lazyRouteComponent(() => import('./pages/apis/subscriptions.tsx'), 'ApiSubscriptions'),
});

const apiSubscription = createRoute({
  getParentRoute: () => api,
  path: '/subscriptions/$subscription',
  component: lazyRouteComponent(() => import('./pages/apis/subscriptions.tsx'), 'ApiSubscription'),
});

const apiDocs = createRoute({
  getParentRoute: () => api,
  path: '/docs',
  validateSearch: docSearch,
  component: lazyRouteComponent(() => import('./pages/documentation/documentation.tsx'), 'ApiDocumentation'),
});

const apiMembers = createRoute({
  getParentRoute: () => api,
  path: '/members',
  component: lazyRouteComponent(() => import('./pages/members/members.tsx'), 'ApiMembers'),
});

const applications = createRoute({
  getParentRoute: () => shell,
  path: '/applications',
  validateSearch: listSearch,
  component: lazyRouteComponent(() => import('./pages/applications/applications.tsx'), 'Applications'),
});

const application = createRoute({
  getParentRoute: () => shell,
  path: '/applications/$application',
  component: lazyRouteComponent(() => import('./pages/applications/application.tsx'), 'Application'),
});

const applicationOverview = createRoute({
  getParentRoute: () => application,
  path: '/',
  component: lazyRouteComponent(() => import('./pages/applications/application.tsx'), 'ApplicationOverview'),
});

const applicationSubscriptions = createRoute({
  getParentRoute: () => application,
  path: '/subscriptions',
  validateSearch: subscriptionsSearch,
  component: lazyRouteComponent(
    () => import('./pages/applications/subscriptions.tsx'),
    'ApplicationSubscriptions',
  ),
});

const applicationSubscription = createRoute({
  getParentRoute: () => application,
  path: '/subscriptions/$subscription',
  component: lazyRouteComponent(
    () => import('./pages/applications/subscriptions.tsx'),
    'ApplicationSubscription',
  ),
});

const applicationSettings = createRoute({
  getParentRoute: () => application,
  path: '/settings',
  component: lazyRouteComponent(() => import('./pages/applications/settings.tsx'), 'ApplicationSettings'),
});

const applicationMembers = createRoute({
  getParentRoute: () => application,
  path: '/members',
  component: lazyRouteComponent(() => import('./pages/members/members.tsx'), 'ApplicationMembers'),
});

const told = {
  path: '/notifications',
  component: lazyRouteComponent(() => import('./pages/notifications/settings.tsx'), 'NotificationSettings'),
} as const;
const apiNotifications = createRoute({ getParentRoute: () => api, ...told });
const applicationNotifications = createRoute({ getParentRoute: () => application, ...told });

const tasks = createRoute({
  getParentRoute: () => shell,
  path: '/tasks',
  component: lazyRouteComponent(() => import('./pages/tasks.tsx'), 'Tasks'),
});

const audit = createRoute({
  getParentRoute: () => shell,
  path: '/audit',
  validateSearch: auditSearch,
  component: lazyRouteComponent(() => import('./pages/audit/audit.tsx'), 'EnvironmentAudit'),
});

const topology = createRoute({
  getParentRoute: () => shell,
  path: '/topology',
  component: lazyRouteComponent(() => import('./pages/topology.tsx'), 'Topology'),
});

const deployments = createRoute({
  getParentRoute: () => shell,
  path: '/deployments',
  validateSearch: pageSearch,
  component: lazyRouteComponent(() => import('./pages/deployments.tsx'), 'Deployments'),
});

const gateways = createRoute({
  getParentRoute: () => shell,
  path: '/gateways',
  component: lazyRouteComponent(() => import('./pages/gateways.tsx'), 'Gateways'),
});

const analytics = createRoute({
  getParentRoute: () => shell,
  path: '/analytics',
  validateSearch: trafficSearch,
  component: lazyRouteComponent(() => import('./pages/traffic/pages.tsx'), 'EnvironmentAnalytics'),
});

const logs = createRoute({
  getParentRoute: () => shell,
  path: '/logs',
  validateSearch: trafficSearch,
  component: lazyRouteComponent(() => import('./pages/traffic/pages.tsx'), 'EnvironmentLogs'),
});

const call = createRoute({
  getParentRoute: () => shell,
  path: '/logs/$api/$request',
  component: lazyRouteComponent(() => import('./pages/traffic/call.tsx'), 'Call'),
});

const routeTree = root.addChildren([
  signIn,
  forgotPassword,
  newPassword,
  secondFactor,
  home,
  kit,
  shell.addChildren([
    apis,
    apiImport,
    api.addChildren([
      apiOverview,
      apiDraft.addChildren([apiDesign, apiEntrypoints, apiBackends]),
      apiPlans,
      apiPlan,
      apiGeneral,
      apiImportInto,
      apiRevisions,
      apiRevision,
      apiHealth,
      apiSubscriptions,
      apiSubscription,
      apiDocs,
      apiMembers,
      apiNotifications,
      apiAnalytics,
      apiLogs,
    ]),
    applications,
    application.addChildren([
      applicationOverview,
      applicationSubscriptions,
      applicationSubscription,
      applicationSettings,
      applicationMembers,
      applicationNotifications,
    ]),
    tasks,
    audit,
    topology,
    deployments,
    gateways,
    analytics,
    logs,
    call,
    ...settingsRoutes,
  ]),
  organizationShell.addChildren([...organizationRoutes, accountRoute]),
]);

/** Makes the router of the console. */
export function createConsoleRouter(queries: QueryClient) {
  return createRouter({
    routeTree,
    basepath: '/console',
    context: { queries },
    defaultPreload: 'intent',
    scrollRestoration: true,
  });
}

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof createConsoleRouter>;
  }
}
