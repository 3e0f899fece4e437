import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { dashboardSearch } from '../pages/dashboards/search.ts';
import { pageSearch, shell } from './roots.tsx';

/** Pages of dashboards. */

const dashboards = createRoute({
  getParentRoute: () => shell,
  path: '/dashboards',
  validateSearch: pageSearch,
  component: lazyRouteComponent(() => import('../pages/dashboards/dashboards.tsx'), 'Dashboards'),
});

const dashboard = createRoute({
  getParentRoute: () => shell,
  path: '/dashboards/$dashboard',
  validateSearch: dashboardSearch,
  component: lazyRouteComponent(() => import('../pages/dashboards/dashboard.tsx'), 'DashboardPage'),
});

export const dashboardRoutes = [dashboards, dashboard] as const;
