import assert from 'node:assert/strict';

import { Fault } from '../faults/fault.ts';
import { readApi } from './read.ts';

/** An API as a gateway gets it. */
export const payload = {
  id: 'orders',
  name: 'Orders',
  gravitee: '4.0.0',
  type: 'proxy',
  apiVersion: '1.0',
  listeners: [
    {
      type: 'http',
      paths: [{ host: 'API.acme.com', path: '/orders/' }],
      entrypoints: [{ type: 'http-proxy' }],
    },
  ],
  endpointGroups: [
    {
      name: 'default',
      type: 'http-proxy',
      endpoints: [
        {
          name: 'one',
          type: 'http-proxy',
          weight: 1,
          inheritConfiguration: false,
          configuration: { target: 'http://localhost:9000/v1' },
          sharedConfigurationOverride: { http: { readTimeout: 60_000 } },
        },
      ],
    },
  ],
  plans: {
    'plan-9': { id: 'plan-9', name: 'Keys', security: { type: 'API_KEY' }, status: 'published' },
    'plan-1': { name: 'Open', security: { type: 'key-less' } },
  },
  flows: [
    {
      name: 'all',
      enabled: true,
      condition: '',
      selectors: [
        { type: 'http', path: '/', pathOperator: 'START_WITH', methods: [] },
        { type: 'condition', condition: '' },
      ],
      request: [
        {
          name: 'h',
          enabled: true,
          policy: 'transform-headers',
          configuration: { addHeaders: [{ name: 'A', value: 'b' }] },
        },
        { name: 'off', enabled: false, policy: 'dynamic-routing', configuration: { rules: [] } },
      ],
    },
  ],
  failover: { enabled: false, maxRetries: 3 },
  services: { dynamicProperty: { enabled: false, type: 'http-dynamic-properties' } },
  resources: [],
  analytics: {
    enabled: true,
    logging: { mode: { entrypoint: false }, phase: { request: true }, condition: 'true' },
    tracing: { enabled: false },
  },
};

/** The same API as an export. */
export const exported = {
  api: {
    definitionVersion: 'V4',
    id: 'orders',
    name: 'Orders',
    type: 'PROXY',
    apiVersion: '1.0',
    state: 'STARTED',
    visibility: 'PUBLIC',
    lifecycleState: 'PUBLISHED',
    description: null,
    listeners: [
      {
        type: 'HTTP',
        paths: [{ host: 'api.acme.com', path: '/orders', overrideAccess: false }],
        entrypoints: [{ type: 'http-proxy', qos: 'AUTO', configuration: {} }],
      },
    ],
    endpointGroups: payload.endpointGroups.map((group) => ({
      ...group,
      loadBalancer: { type: 'ROUND_ROBIN' },
    })),
    failover: payload.failover,
    flowExecution: { mode: 'DEFAULT', matchRequired: false },
    flows: [
      {
        name: 'all',
        selectors: [
          { type: 'HTTP', path: '/', pathOperator: 'STARTS_WITH' },
          { type: 'CONDITION', condition: ' ' },
        ],
        request: payload.flows[0]?.request,
        response: [],
      },
    ],
    analytics: payload.analytics,
  },
  plans: [
    {
      id: 'plan-1',
      name: 'Open',
      order: 2,
      security: { type: 'KEY_LESS', configuration: {} },
      mode: 'STANDARD',
      status: 'PUBLISHED',
      validation: 'AUTO',
    },
    {
      id: 'plan-9',
      name: 'Keys',
      order: 1,
      security: { type: 'API_KEY' },
      mode: 'STANDARD',
      status: 'PUBLISHED',
      type: 'API',
    },
  ],
  members: [],
  pages: [],
};

/** Faults of an input by path; empty when it is taken. */
export const faultsOf = (input: unknown): Record<string, string> => {
  try {
    readApi(input);
  } catch (error) {
    assert.ok(error instanceof Fault && error.code === 'request.invalid', String(error));
    return Object.fromEntries(error.details.map(({ path, message }) => [path, message]));
  }
  return {};
};

/** The payload with some fields replaced. */
export const change = (patch: object): unknown => ({ ...payload, ...patch });
/** ... of its endpoint group. */
export const group = (patch: object): unknown =>
  change({ endpointGroups: [{ ...payload.endpointGroups[0], ...patch }] });
/** ... of its endpoint. */
export const endpoint = (patch: object): unknown =>
  group({ endpoints: [{ ...payload.endpointGroups[0]?.endpoints[0], ...patch }] });
/** ... of its listener. */
export const listener = (patch: object): unknown =>
  change({ listeners: [{ ...payload.listeners[0], ...patch }] });
/** ... of its first step. */
export const step = (patch: object): unknown =>
  change({ flows: [{ ...payload.flows[0], request: [{ ...payload.flows[0]?.request[0], ...patch }] }] });
/** ... of how its endpoints are talked to. */
export const shared = (http: object): unknown => group({ sharedConfiguration: http });
