import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import type { SubscriptionsSearch } from '../pages/subscriptions/list.tsx';
import { trafficSearch } from '../pages/traffic/search.ts';
import { listSearch, pageSearch, shell } from './roots.tsx';
import { docSearch } from './settings.ts';

/** The list of APIs, and the pages of one. */

const apis = createRoute({
  getParentRoute: () => shell,
  path: '/apis',
  validateSearch: listSearch,
  component: lazyRouteComponent(() => import('../pages/apis/apis.tsx'), 'Apis'),
});

const apiImport = createRoute({
  getParentRoute: () => shell,
  path: '/apis/import',
  component: lazyRouteComponent(() => import('../pages/apis/transfer/import.tsx'), 'ImportApi'),
});

const api = createRoute({
  getParentRoute: () => shell,
  path: '/apis/$api',
  component: lazyRouteComponent(() => import('../pages/apis/api.tsx'), 'Api'),
});

const apiOverview = createRoute({
  getParentRoute: () => api,
  path: '/',
  component: lazyRouteComponent(() => import('../pages/apis/overview.tsx'), 'ApiOverview'),
});

/** Pages that write into the draft of an API; a link may lead to the field that is meant. */
const apiDraft = createRoute({
  getParentRoute: () => api,
  id: 'draft',
  component: lazyRouteComponent(() => import('../pages/apis/draft/drafted.tsx'), 'Drafted'),
});

const placeSearch = ({ at }: Record<string, unknown>): { readonly at?: string } =>
  typeof at === 'string' ? { at } : {};

const apiDesign = createRoute({
  getParentRoute: () => apiDraft,
  path: '/design',
  validateSearch: placeSearch,
  component: lazyRouteComponent(() => import('../pages/apis/design/studio.tsx'), 'ApiDesign'),
});

const apiEntrypoints = createRoute({
  getParentRoute: () => apiDraft,
  path: '/entrypoints',
  validateSearch: placeSearch,
  component: lazyRouteComponent(() => import('../pages/apis/entrypoints.tsx'), 'ApiEntrypoints'),
});

const apiBackends = createRoute({
  getParentRoute: () => apiDraft,
  path: '/backends',
  validateSearch: placeSearch,
  component: lazyRouteComponent(() => import('../pages/apis/backends.tsx'), 'ApiBackends'),
});

const apiProperties = createRoute({
  getParentRoute: () => apiDraft,
  path: '/properties',
  validateSearch: placeSearch,
  component: lazyRouteComponent(() => import('../pages/apis/inside/properties.tsx'), 'ApiProperties'),
});

const apiResources = createRoute({
  getParentRoute: () => apiDraft,
  path: '/resources',
  validateSearch: placeSearch,
  component: lazyRouteComponent(() => import('../pages/apis/inside/resources.tsx'), 'ApiResources'),
});

const apiPlans = createRoute({
  getParentRoute: () => api,
  path: '/plans',
  component: lazyRouteComponent(() => import('../pages/apis/plans.tsx'), 'ApiPlans'),
});

const apiPlan = createRoute({
  getParentRoute: () => api,
  path: '/plans/$plan',
  component: lazyRouteComponent(() => import('../pages/apis/plan.tsx'), 'ApiPlan'),
});

const apiImportInto = createRoute({
  getParentRoute: () => api,
  path: '/import',
  component: lazyRouteComponent(() => import('../pages/apis/transfer/import.tsx'), 'ImportIntoApi'),
});

const apiRevisions = createRoute({
  getParentRoute: () => api,
  path: '/revisions',
  validateSearch: pageSearch,
  component: lazyRouteComponent(() => import('../pages/apis/revisions/revisions.tsx'), 'ApiRevisions'),
});

const apiRevision = createRoute({
  getParentRoute: () => api,
  path: '/revisions/$number',
  component: lazyRouteComponent(() => import('../pages/apis/revisions/revision.tsx'), 'ApiRevision'),
});

const apiHealth = createRoute({
  getParentRoute: () => api,
  path: '/health',
  component: lazyRouteComponent(() => import('../pages/apis/health.tsx'), 'ApiHealth'),
});

const apiGeneral = createRoute({
  getParentRoute: () => api,
  path: '/general',
  component: lazyRouteComponent(() => import('../pages/apis/general.tsx'), 'ApiGeneral'),
});

const apiLogs = createRoute({
  getParentRoute: () => api,
  path: '/logs',
  validateSearch: trafficSearch,
  component: lazyRouteComponent(() => import('../pages/traffic/pages.tsx'), 'ApiLogs'),
});

const apiAnalytics = createRoute({
  getParentRoute: () => api,
  path: '/analytics',
  validateSearch: trafficSearch,
  component: lazyRouteComponent(() => import('../pages/traffic/pages.tsx'), 'ApiAnalytics'),
});

export const subscriptionsSearch = ({
  shown,
  page,
  subscribe,
}: Record<string, unknown>): SubscriptionsSearch => ({
  ...(subscribe === true && { subscribe }),
  ...((shown === 'pending' || shown === 'ended') && { shown }),
  ...pageSearch({ page }),
});

const apiSubscriptions = createRoute({
  getParentRoute: () => api,
  path: '/subscriptions',
  validateSearch: subscriptionsSearch,
  component: lazyRouteComponent(() => import('../pages/apis/subscriptions.tsx'), 'ApiSubscriptions'),
});

const apiSubscription = createRoute({
  getParentRoute: () => api,
  path: '/subscriptions/$subscription',
  component: lazyRouteComponent(() => import('../pages/apis/subscriptions.tsx'), 'ApiSubscription'),
});

const apiDocs = createRoute({
  getParentRoute: () => api,
  path: '/docs',
  validateSearch: docSearch,
  component: lazyRouteComponent(() => import('../pages/documentation/documentation.tsx'), 'ApiDocumentation'),
});

const apiMembers = createRoute({
  getParentRoute: () => api,
  path: '/members',
  component: lazyRouteComponent(() => import('../pages/members/members.tsx'), 'ApiMembers'),
});

const apiNotifications = createRoute({
  getParentRoute: () => api,
  path: '/notifications',
  component: lazyRouteComponent(() => import('../pages/notifications/settings.tsx'), 'NotificationSettings'),
});

export const apiRoutes = [
  apis,
  apiImport,
  api.addChildren([
    apiOverview,
    apiDraft.addChildren([apiDesign, apiEntrypoints, apiBackends, apiProperties, apiResources]),
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
] as const;
