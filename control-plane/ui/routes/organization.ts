import { createRoute, lazyRouteComponent, redirect } from '@tanstack/react-router';
import { whoAmI } from '../api/session.ts';
import { auditSearch } from '../pages/audit/questions.ts';
import type { RoleScope } from '../pages/organization/questions.ts';
import { listSearch, organizationShell } from './roots.tsx';

/** Pages of the organization, and of the reader's own account. */

const home = createRoute({
  getParentRoute: () => organizationShell,
  path: '/',
  beforeLoad: async ({ context: { queries } }) => {
    const me = await queries.ensureQueryData(whoAmI);
    const maySeeUsers = me?.roles.some(
      ({ scope, permissions }) => scope === 'ORGANIZATION' && permissions['USER']?.includes('R') === true,
    );
    throw redirect({ to: maySeeUsers === true ? '/_org/users' : '/_org/account' });
  },
});

export const accountRoute = createRoute({
  getParentRoute: () => organizationShell,
  path: '/account',
  component: lazyRouteComponent(() => import('../pages/account/account.tsx'), 'Account'),
});

const notifications = createRoute({
  getParentRoute: () => organizationShell,
  path: '/notifications',
  component: lazyRouteComponent(() => import('../pages/notifications/told.tsx'), 'Notifications'),
});

const users = createRoute({
  getParentRoute: () => organizationShell,
  path: '/users',
  validateSearch: listSearch,
  component: lazyRouteComponent(() => import('../pages/organization/users.tsx'), 'Users'),
});

const user = createRoute({
  getParentRoute: () => organizationShell,
  path: '/users/$user',
  component: lazyRouteComponent(() => import('../pages/organization/user.tsx'), 'UserPage'),
});

const scopes: readonly RoleScope[] = ['ORGANIZATION', 'ENVIRONMENT', 'API', 'APPLICATION', 'GROUP'];

const roles = createRoute({
  getParentRoute: () => organizationShell,
  path: '/roles',
  validateSearch: ({ scope }: Record<string, unknown>): { readonly scope?: RoleScope } => {
    const known = scopes.find((each) => each === scope);
    return known === undefined ? {} : { scope: known };
  },
  component: lazyRouteComponent(() => import('../pages/organization/roles.tsx'), 'Roles'),
});

const role = createRoute({
  getParentRoute: () => organizationShell,
  path: '/roles/$scope/$role',
  component: lazyRouteComponent(() => import('../pages/organization/role.tsx'), 'RolePage'),
});

const audit = createRoute({
  getParentRoute: () => organizationShell,
  path: '/audit',
  validateSearch: auditSearch,
  component: lazyRouteComponent(() => import('../pages/audit/audit.tsx'), 'OrganizationAudit'),
});

const fleets = createRoute({
  getParentRoute: () => organizationShell,
  path: '/fleets',
  component: lazyRouteComponent(() => import('../pages/organization/fleets.tsx'), 'Fleets'),
});

const fleet = createRoute({
  getParentRoute: () => organizationShell,
  path: '/fleets/$fleet',
  component: lazyRouteComponent(() => import('../pages/organization/fleet.tsx'), 'FleetPage'),
});

const tags = createRoute({
  getParentRoute: () => organizationShell,
  path: '/tags',
  component: lazyRouteComponent(() => import('../pages/organization/tags.tsx'), 'Tags'),
});

const policies = createRoute({
  getParentRoute: () => organizationShell,
  path: '/policies',
  component: lazyRouteComponent(
    () => import('../pages/organization/policies/policies.tsx'),
    'OrganizationPolicies',
  ),
});

const signIn = createRoute({
  getParentRoute: () => organizationShell,
  path: '/sign-in',
  component: lazyRouteComponent(() => import('../pages/organization/sign-in/sign-in.tsx'), 'SignInSettings'),
});

const provider = createRoute({
  getParentRoute: () => organizationShell,
  path: '/sign-in/$provider',
  component: lazyRouteComponent(
    () => import('../pages/organization/sign-in/provider.tsx'),
    'IdentityProviderPage',
  ),
});

const environments = createRoute({
  getParentRoute: () => organizationShell,
  path: '/environments',
  component: lazyRouteComponent(
    () => import('../pages/organization/environments/environments.tsx'),
    'Environments',
  ),
});

const environment = createRoute({
  getParentRoute: () => organizationShell,
  path: '/environments/$environment',
  component: lazyRouteComponent(
    () => import('../pages/organization/environments/environment.tsx'),
    'EnvironmentPage',
  ),
});

const templates = createRoute({
  getParentRoute: () => organizationShell,
  path: '/templates',
  validateSearch: ({ q }: Record<string, unknown>): { readonly q?: string } =>
    typeof q === 'string' ? { q } : {},
  component: lazyRouteComponent(() => import('../pages/organization/templates/templates.tsx'), 'Templates'),
});

const template = createRoute({
  getParentRoute: () => organizationShell,
  path: '/templates/$template',
  component: lazyRouteComponent(() => import('../pages/organization/templates/template.tsx'), 'TemplatePage'),
});

export const organizationRoutes = [
  home,
  users,
  user,
  roles,
  role,
  fleets,
  fleet,
  tags,
  policies,
  signIn,
  provider,
  environments,
  environment,
  audit,
  templates,
  template,
  notifications,
] as const;
