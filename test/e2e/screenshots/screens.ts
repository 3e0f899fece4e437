import type { Page } from 'playwright-core';
import type { Furnished } from './furnish.ts';

/** A screen of the console. */
export interface Screen {
  readonly name: string;
  /** Below /console. */
  readonly path: string;
  /** What is done on the page before it is looked at. */
  readonly act?: (page: Page) => Promise<unknown>;
}

const button = (name: string) => (page: Page) =>
  page.getByRole('button', { name, exact: true }).first().click();

/** A key that opens a dialog, which may have to be loaded first. */
const pressed = (key: string) => async (page: Page) => {
  await page.keyboard.press(key);
  await page.getByRole('dialog').waitFor();
};

/** Every screen, by what is there. */
export function screensOf(made: Furnished): readonly Screen[] {
  const env = '/DEFAULT';
  const api = `${env}/apis/${made.api}`;
  const application = `${env}/applications/${made.application}`;
  return [
    { name: 'overview', path: `${env}/overview` },
    { name: 'apis', path: `${env}/apis` },
    { name: 'api-create', path: `${env}/apis`, act: button('Create API') },
    { name: 'apis-none', path: `${env}/apis?q=nothing-like-it` },
    { name: 'api-import', path: `${env}/apis/import` },
    { name: 'api', path: api },
    { name: 'api-design', path: `${api}/design` },
    {
      name: 'api-design-step',
      path: `${api}/design`,
      act: async (page) =>
        page
          .getByRole('button', { name: /Resource filtering/ })
          .first()
          .click(),
    },
    { name: 'api-entrypoints', path: `${api}/entrypoints` },
    { name: 'api-backends', path: `${api}/backends` },
    { name: 'api-properties', path: `${api}/properties` },
    { name: 'api-resources', path: `${api}/resources` },
    { name: 'api-plans', path: `${api}/plans` },
    { name: 'api-plan-new', path: `${api}/plans/new` },
    { name: 'api-plan', path: `${api}/plans/${made.plan}` },
    { name: 'api-subscriptions', path: `${api}/subscriptions` },
    { name: 'api-subscription', path: `${api}/subscriptions/${made.subscription}` },
    { name: 'api-docs', path: `${api}/docs` },
    { name: 'api-members', path: `${api}/members` },
    { name: 'api-analytics', path: `${api}/analytics?from=now-1h` },
    { name: 'api-logs', path: `${api}/logs?from=now-1h` },
    { name: 'api-health', path: `${api}/health` },
    { name: 'api-revisions', path: `${api}/revisions` },
    { name: 'api-revision', path: `${api}/revisions/1` },
    { name: 'api-notifications', path: `${api}/notifications` },
    { name: 'api-general', path: `${api}/general` },
    { name: 'policy-groups', path: `${env}/policy-groups` },
    { name: 'policy-group', path: `${env}/policy-groups/${made.policyGroup}` },
    { name: 'dictionaries', path: `${env}/dictionaries` },
    { name: 'dictionary', path: `${env}/dictionaries/${made.dictionary}` },
    { name: 'documentation', path: `${env}/documentation` },
    { name: 'applications', path: `${env}/applications` },
    { name: 'application', path: application },
    { name: 'application-subscriptions', path: `${application}/subscriptions` },
    { name: 'application-analytics', path: `${application}/analytics?from=now-1h` },
    { name: 'application-settings', path: `${application}/settings` },
    { name: 'application-members', path: `${application}/members` },
    { name: 'application-notifications', path: `${application}/notifications` },
    { name: 'tasks', path: `${env}/tasks` },
    { name: 'topology', path: `${env}/topology` },
    {
      name: 'topology-gateway',
      path: `${env}/topology`,
      act: (page) =>
        page
          .getByRole('button', { name: /Up to date/ })
          .first()
          .click(),
    },
    { name: 'deployments', path: `${env}/deployments` },
    { name: 'gateways', path: `${env}/gateways` },
    { name: 'analytics', path: `${env}/analytics?from=now-1h` },
    { name: 'dashboards', path: `${env}/dashboards` },
    { name: 'dashboard', path: `${env}/dashboards/http-apis?from=now-1h` },
    { name: 'logs', path: `${env}/logs?from=now-1h` },
    { name: 'call', path: `${env}/logs/${made.call.api}/${made.call.request}` },
    { name: 'audit', path: `${env}/audit` },
    { name: 'settings-groups', path: `${env}/settings/groups` },
    { name: 'settings-categories', path: `${env}/settings/categories` },
    { name: 'settings-metadata', path: `${env}/settings/metadata` },
    { name: 'settings-api-headers', path: `${env}/settings/api-headers` },
    { name: 'settings-notifications', path: `${env}/settings/notifications` },
    { name: 'palette', path: `${env}/apis`, act: pressed('Control+k') },
    { name: 'keys', path: `${env}/apis`, act: pressed('?') },
    { name: 'nothing', path: `${env}/nowhere/at/all` },
    { name: 'users', path: '/_org/users' },
    { name: 'user-create', path: '/_org/users', act: button('Create user') },
    { name: 'roles', path: '/_org/roles' },
    { name: 'sign-in-settings', path: '/_org/sign-in' },
    { name: 'templates', path: '/_org/templates' },
    { name: 'environments', path: '/_org/environments' },
    { name: 'tags', path: '/_org/tags' },
    { name: 'policies', path: '/_org/policies' },
    { name: 'fleets', path: '/_org/fleets' },
    { name: 'organization-audit', path: '/_org/audit' },
    { name: 'notifications', path: '/_org/notifications' },
    { name: 'account', path: '/_org/account' },
  ];
}
