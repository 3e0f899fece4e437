import { createRoute, lazyRouteComponent, redirect } from '@tanstack/react-router';
import { trafficSearch } from '../pages/traffic/search.ts';
import { pageSearch, shell } from './roots.tsx';

/** Pages of what runs in an environment. */

/** The bare address of an environment. */
const start = createRoute({
  getParentRoute: () => shell,
  path: '/',
  beforeLoad: ({ params }) => {
    throw redirect({ to: '/$env/overview', params, replace: true });
  },
});

const overview = createRoute({
  getParentRoute: () => shell,
  path: '/overview',
  validateSearch: trafficSearch,
  component: lazyRouteComponent(() => import('../pages/overview/overview.tsx'), 'Overview'),
});

const topology = createRoute({
  getParentRoute: () => shell,
  path: '/topology',
  component: lazyRouteComponent(() => import('../pages/topology/topology.tsx'), 'Topology'),
});

const deployments = createRoute({
  getParentRoute: () => shell,
  path: '/deployments',
  validateSearch: pageSearch,
  component: lazyRouteComponent(() => import('../pages/deployments.tsx'), 'Deployments'),
});

const gateways = createRoute({
  getParentRoute: () => shell,
  path: '/gateways',
  component: lazyRouteComponent(() => import('../pages/gateways.tsx'), 'Gateways'),
});

const gateway = createRoute({
  getParentRoute: () => shell,
  path: '/gateways/$gateway',
  component: lazyRouteComponent(() => import('../pages/gateway.tsx'), 'GatewayPage'),
});

export const runRoutes = [start, overview, topology, deployments, gateways, gateway] as const;
