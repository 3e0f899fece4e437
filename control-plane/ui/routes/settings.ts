import { createRoute, lazyRouteComponent, redirect } from '@tanstack/react-router';
import { listSearch, pageSearch, shell } from './roots.tsx';

/** Pages of an environment's settings, and of what its APIs share. */

const settings = createRoute({
  getParentRoute: () => shell,
  path: '/settings',
  component: lazyRouteComponent(() => import('../pages/settings/settings.tsx'), 'EnvironmentSettings'),
});

const home = createRoute({
  getParentRoute: () => settings,
  path: '/',
  beforeLoad: ({ params }) => {
    throw redirect({ to: '/$env/settings/groups', params });
  },
});

const groups = createRoute({
  getParentRoute: () => settings,
  path: '/groups',
  validateSearch: listSearch,
  component: lazyRouteComponent(() => import('../pages/settings/groups.tsx'), 'Groups'),
});

const group = createRoute({
  getParentRoute: () => settings,
  path: '/groups/$group',
  component: lazyRouteComponent(() => import('../pages/settings/group.tsx'), 'GroupPage'),
});

const categories = createRoute({
  getParentRoute: () => settings,
  path: '/categories',
  component: lazyRouteComponent(() => import('../pages/settings/categories.tsx'), 'Categories'),
});

const metadata = createRoute({
  getParentRoute: () => settings,
  path: '/metadata',
  component: lazyRouteComponent(() => import('../pages/settings/metadata.tsx'), 'EnvironmentMetadata'),
});

const apiHeaders = createRoute({
  getParentRoute: () => settings,
  path: '/api-headers',
  component: lazyRouteComponent(() => import('../pages/settings/api-headers.tsx'), 'ApiHeaders'),
});

const retention = createRoute({
  getParentRoute: () => settings,
  path: '/retention',
  validateSearch: pageSearch,
  component: lazyRouteComponent(() => import('../pages/settings/retention.tsx'), 'EnvironmentRetention'),
});

const notifications = createRoute({
  getParentRoute: () => settings,
  path: '/notifications',
  component: lazyRouteComponent(() => import('../pages/notifications/settings.tsx'), 'NotificationSettings'),
});

const dictionaries = createRoute({
  getParentRoute: () => shell,
  path: '/dictionaries',
  validateSearch: listSearch,
  component: lazyRouteComponent(() => import('../pages/dictionaries/dictionaries.tsx'), 'Dictionaries'),
});

const dictionary = createRoute({
  getParentRoute: () => shell,
  path: '/dictionaries/$dictionary',
  component: lazyRouteComponent(() => import('../pages/dictionaries/dictionary.tsx'), 'DictionaryPage'),
});

/** Which page is shown. */
export const docSearch = ({ page }: Record<string, unknown>): { readonly page?: string } =>
  typeof page === 'string' && page !== '' ? { page } : {};

const documentation = createRoute({
  getParentRoute: () => shell,
  path: '/documentation',
  validateSearch: docSearch,
  component: lazyRouteComponent(
    () => import('../pages/documentation/documentation.tsx'),
    'EnvironmentDocumentation',
  ),
});

const policyGroups = createRoute({
  getParentRoute: () => shell,
  path: '/policy-groups',
  validateSearch: listSearch,
  component: lazyRouteComponent(() => import('../pages/policy-groups/policy-groups.tsx'), 'PolicyGroups'),
});

const policyGroup = createRoute({
  getParentRoute: () => shell,
  path: '/policy-groups/$group',
  component: lazyRouteComponent(() => import('../pages/policy-groups/policy-group.tsx'), 'PolicyGroupPage'),
});

export const settingsRoutes = [
  policyGroups,
  policyGroup,
  documentation,
  dictionaries,
  dictionary,
  settings.addChildren([home, groups, group, categories, metadata, apiHeaders, retention, notifications]),
] as const;
