import { createHash } from 'node:crypto';
import { callOf } from './platform.ts';
import type { Templates } from './templates.ts';

const here = '/console/DEFAULT';

/** Pages of an environment. */
const ofEnvironment = [
  '/overview',
  '/apis',
  '/apis?q=zebra',
  '/apis/import',
  '/applications',
  '/tasks',
  '/topology',
  '/deployments',
  '/gateways',
  '/analytics',
  '/logs',
  '/audit',
  '/settings',
  '/settings/groups',
  '/settings/groups/group-1',
  '/settings/categories',
  '/settings/metadata',
  '/settings/retention',
  '/settings/notifications',
  '/dictionaries',
  '/dictionaries/one-1',
  '/documentation',
  '/policy-groups',
];

/** Pages of an API. */
const ofApi = [
  '',
  '/design',
  '/entrypoints',
  '/backends',
  '/properties',
  '/resources',
  '/plans',
  '/plans/plan-1',
  '/import',
  '/revisions',
  '/revisions/1000',
  '/health',
  '/general',
  '/logs',
  '/analytics',
  '/subscriptions',
  '/subscriptions/sub-20',
  '/docs',
  '/members',
  '/notifications',
];

/** Pages of an application. */
const ofApplication = [
  '',
  '/subscriptions',
  '/subscriptions/sub-20',
  '/settings',
  '/members',
  '/notifications',
];

/** Pages of the organization, and of who is signed in. */
const ofOrganization = [
  '/account',
  '/notifications',
  '/users',
  '/users/user-1',
  '/roles',
  '/roles/API/OWNER',
  '/audit',
  '/fleets',
  '/tags',
  '/policies',
  '/sign-in',
  '/environments',
];

/** Addresses of the console's pages over the world: lists, and what has the most of everything. */
export function consolePages(like: Templates): readonly string[] {
  const n = 777_777;
  const request = createHash('md5').update(String(n)).digest('hex');
  return [
    ...ofEnvironment.map((path) => `${here}${path}`),
    `${here}/logs/api-${callOf(n).api}/${request}`,
    `${here}/policy-groups/${like.policyGroup}`,
    ...ofApi.map((path) => `${here}/apis/api-1${path}`),
    ...ofApplication.map((path) => `${here}/applications/app-1${path}`),
    ...ofOrganization.map((path) => `/console/_org${path}`),
    `/console/_org/fleets/${like.fleet}`,
  ];
}

/** Lists that are searched while somebody types, each with what its field is asked for and what then stands in every row. */
export const searchedPages: readonly { readonly path: string; readonly typed: string }[] = [
  { path: `${here}/apis`, typed: 'zebra' },
  { path: `${here}/applications`, typed: 'zebra' },
  { path: '/console/_org/users', typed: 'zebra' },
];
