import { managementOpenApi } from '../../../control-plane/doors/openapi.ts';
import type { Templates } from './templates.ts';

/** One request for what is only read. */
export interface Ask {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: object;
}

/** An operation that reads, and the requests that people make of it. */
export interface Operation {
  readonly id: string;
  /** As it is called without any wish. */
  readonly plain: Ask;
  /** Narrowed by each of its parameters, sorted in each of its ways, in the largest pages. */
  readonly varied: readonly Ask[];
  /** The same page by page; undefined of what has no pages. */
  page(number: number): Ask | undefined;
}

interface Schema {
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly items?: { readonly enum?: readonly string[] };
}

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly schema: Schema;
}

interface Described {
  readonly operationId: string;
  readonly parameters?: readonly Parameter[];
}

/** Of what the world has, what paths name by an id of its own. */
type Known = Pick<Templates, 'policyGroup' | 'fleet'>;

/** Of what stands in paths, what the world has. Whatever it has none of is `none`. */
const inPaths = (like: Known): Readonly<Record<string, string>> => ({
  orgId: 'DEFAULT',
  envId: 'DEFAULT',
  apiId: 'api-1',
  applicationId: 'app-1',
  planId: 'plan-1',
  subscriptionId: 'sub-1',
  pageId: 'page-of-one-1',
  groupId: 'group-1',
  userId: 'user-1',
  categoryId: 'one-1',
  dashboardId: 'one-1',
  dictionaryId: 'one-1',
  sharedPolicyGroupId: like.policyGroup,
  fleetId: like.fleet,
  entrypointId: 'one-1',
  metadataKey: 'key-1',
  number: '1000',
  pluginId: 'http-proxy',
  fetcherId: 'http-fetcher',
  scope: 'API',
  roleName: 'OWNER',
  apiName: 'HTTP_PROXY',
  metricName: 'HTTP_REQUESTS',
  filterName: 'API',
});

const none = 'none';
const noneOf = [
  'certificateId',
  'deletionId',
  'eventId',
  'identityProviderId',
  'instanceId',
  'logId',
  'monitoredId',
  'requestId',
  'tagId',
  'templateId',
  'tenantId',
  'viewId',
];

/** Where the name of a parameter alone does not say which object is meant. */
const placed: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  getApplicationSubscription: { applicationId: 'app-1', subscriptionId: 'sub-20' },
  listApplicationApiKeys: { applicationId: 'app-1', subscriptionId: 'sub-20' },
  listSharedApiKeys: { applicationId: 'app-2' },
  getPortalPage: { pageId: 'portal-page-1' },
  getPortalPageContent: { pageId: 'portal-page-1' },
};

/** Values of parameters of a query that the document lists none of. */
const inQueries: Readonly<Record<string, string>> = {
  query: 'zebra',
  apiProductIds: 'none',
  errorKeys: 'REQUEST_TIMEOUT',
  entrypointIds: 'http-proxy',
  requestIds: 'none',
  transactionIds: 'none',
  uri: '/orders',
  bodyText: 'zebra',
  responseTimeMin: '1',
  responseTimeMax: '1000',
  timestamp: '1',
  q: 'zebra',
  name: 'zebra',
  ids: 'api-1,api-2',
  applicationIds: 'app-1,app-2',
  planIds: 'plan-1',
  statuses: 'CLOSED',
  apiKey: 'nobody-has-this-one',
  application: 'app-1',
  api: 'api-1',
  plan: 'plan-1',
  user: 'user-1',
  environment: 'DEFAULT',
  environmentId: 'DEFAULT',
  gatewayId: none,
  subscribableBy: 'app-2',
  parent: 'portal-page-1',
  parentId: 'page-of-one-1',
  connectorId: 'http-get',
  interval: '60000',
  field: 'api',
  ranges: '100:199',
  aggregations: 'avg:response-time',
  aggs: 'avg:response-time',
  order: 'count:api',
  terms: 'api:api-1',
  requestId: none,
  against: '2',
  include: 'total-apis',
  expands: 'primaryOwner,deploymentState',
  types: 'PUBLISH_API',
  events: 'API_UPDATED',
  event: 'API_UPDATED',
  from: '1767225600000',
  to: '1767999999000',
  scope: 'API',
  hook: 'API_DEPLOYED',
};

/** What is asked of searches that have a body, each by itself. */
const bodies: Readonly<Record<string, readonly object[]>> = {
  searchApis: [
    {},
    { query: 'zebra' },
    { query: 'orders maps 99' },
    { query: '/v4711' },
    { query: 'nothing like this' },
    { tags: ['tag-7'], categories: ['category-7', 'category-8'] },
    { apiTypes: ['PROXY'], visibilities: ['PRIVATE'], statuses: ['STARTED'], query: 'label-9' },
  ],
  searchGroups: [{}, { ids: ['group-1', 'group-2'] }],
  verifyPaths: [{ paths: [{ path: '/zebra/v3' }] }],
  verifyHosts: [{ hosts: ['free.example'] }],
};

/** Whatever answers without an end. */
const isStream = (path: string): boolean => path.endsWith('/_live');
const isSearch = (id: string): boolean => bodies[id] !== undefined || /search/i.test(id);

/** Every operation of the document that reads: none is left out, and one of which nobody says what to ask is a fault. */
export function operationsOf(like: Known): readonly Operation[] {
  const { paths } = managementOpenApi() as { readonly paths: Record<string, Record<string, Described>> };
  return Object.entries(paths).flatMap(([path, methods]) => {
    if (!path.startsWith('/management/') || isStream(path)) return [];
    return Object.entries(methods).flatMap(([method, described]) => {
      // The same operation under its second base.
      if (described.operationId.endsWith('InOrganization')) return [];
      const isReading = method === 'get' || (method === 'post' && isSearch(described.operationId));
      return isReading ? [operation(path, method === 'get' ? 'GET' : 'POST', described, like)] : [];
    });
  });
}

// oxlint-disable-next-line max-params -- what the document says of one
function operation(template: string, method: Ask['method'], described: Described, like: Known): Operation {
  const { operationId: id, parameters = [] } = described;
  const values = { ...inPaths(like), ...placed[id] };
  const path = template.replaceAll(/\{(\w+)\}/g, (_all, name: string) => {
    const value = noneOf.includes(name) ? none : values[name];
    if (value === undefined) throw new Error(`${id}: what is a typical ${name}?`);
    return value;
  });
  const queries = parameters.filter((one) => one.in === 'query');
  const perPage = queries.find(({ name }) => name === 'perPage' || name === 'size')?.name;
  const isPaged = perPage !== undefined && queries.some(({ name }) => name === 'page');
  const [first = {}, ...otherBodies] = bodies[id] ?? [{}];
  const ask = (query: Readonly<Record<string, string>>, body = first): Ask => {
    const text = String(new URLSearchParams({ ...(isPaged && { [perPage]: '100' }), ...query }));
    return { method, path: `${path}${text === '' ? '' : '?'}${text}`, ...(method === 'POST' && { body }) };
  };
  const narrowed = queries.filter(({ name }) => !['page', 'perPage', 'size'].includes(name));
  return {
    id,
    plain: ask({}),
    varied: [
      ...narrowed.flatMap(({ name, schema }) =>
        valuesOf(id, name, schema).map((value) => ask({ [name]: value })),
      ),
      ...otherBodies.flatMap((body) => [
        ask({}, body),
        ...(id === 'searchApis' ? [ask({ manageOnly: 'false', sortBy: '-paths' }, body)] : []),
      ]),
    ],
    page: (number) => (isPaged ? ask({ page: String(number) }) : undefined),
  };
}

function valuesOf(id: string, name: string, schema: Schema): readonly string[] {
  if (schema.enum !== undefined) return schema.enum;
  if (schema.items?.enum !== undefined) return [schema.items.enum.join(',')];
  const value = inQueries[name];
  if (value === undefined) throw new Error(`${id}: what is a typical ${name}?`);
  return [value];
}
