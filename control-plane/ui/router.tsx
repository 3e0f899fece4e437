import type { QueryClient } from '@tanstack/react-query';
import { createRoute, createRouter, lazyRouteComponent, redirect } from '@tanstack/react-router';
import { firstEnvironment } from './api/preferences.ts';
import { identityProviders, waysIn } from './api/session.ts';
import { auditSearch } from './pages/audit/questions.ts';
import { trafficSearch } from './pages/traffic/search.ts';
import { apiRoutes, subscriptionsSearch } from './routes/apis.ts';
import { dashboardRoutes } from './routes/dashboards.ts';
import { accountRoute, organizationRoutes } from './routes/organization.ts';
import { runRoutes } from './routes/run.ts';
import { settingsRoutes } from './routes/settings.ts';
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

const register = createRoute({
  getParentRoute: () => root,
  path: '/register',
  component: lazyRouteComponent(() => import('./pages/registration.tsx'), 'Register'),
});

const finishRegistration = createRoute({
  getParentRoute: () => root,
  path: '/finish-registration',
  component: lazyRouteComponent(() => import('./pages/registration.tsx'), 'FinishRegistration'),
});

const home = createRoute({
  getParentRoute: () => root,
  path: '/',
  beforeLoad: async ({ context: { queries }, location }) => {
    await demandSession(queries, location.href);
    const first = await firstEnvironment(queries);
    if (first !== undefined)
      throw redirect({ to: '/$env/overview', params: { env: first.hrids[0] ?? first.id } });
  },
  component: NotHere,
});

const kit = createRoute({
  getParentRoute: () => root,
  path: '/kit',
  beforeLoad: ({ context: { queries }, location }) => demandSession(queries, location.href),
  component: lazyRouteComponent(() => import('./pages/kit/kit.tsx'), 'Kit'),
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

const applicationAnalytics = createRoute({
  getParentRoute: () => application,
  path: '/analytics',
  validateSearch: trafficSearch,
  component: lazyRouteComponent(() => import('./pages/traffic/pages.tsx'), 'ApplicationAnalytics'),
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

const applicationNotifications = createRoute({
  getParentRoute: () => application,
  path: '/notifications',
  component: lazyRouteComponent(() => import('./pages/notifications/settings.tsx'), 'NotificationSettings'),
});

const tasks = createRoute({
  getParentRoute: () => shell,
  path: '/tasks',
  validateSearch: pageSearch,
  component: lazyRouteComponent(() => import('./pages/tasks.tsx'), 'Tasks'),
});

const audit = createRoute({
  getParentRoute: () => shell,
  path: '/audit',
  validateSearch: auditSearch,
  component: lazyRouteComponent(() => import('./pages/audit/audit.tsx'), 'EnvironmentAudit'),
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
  register,
  finishRegistration,
  secondFactor,
  home,
  kit,
  shell.addChildren([
    ...runRoutes,
    ...apiRoutes,
    applications,
    application.addChildren([
      applicationOverview,
      applicationSubscriptions,
      applicationSubscription,
      applicationAnalytics,
      applicationSettings,
      applicationMembers,
      applicationNotifications,
    ]),
    tasks,
    audit,
    analytics,
    ...dashboardRoutes,
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
