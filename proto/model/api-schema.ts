import { z } from 'zod';

import { type AnalyticsDefinition, analyticsSchema } from './api/analytics.ts';
import { type ApiServices, apiServicesSchema } from './api/dynamic-properties.ts';
import {
  type EndpointGroupDefinition,
  endpointGroupSchema,
  type FailoverDefinition,
  failoverSchema,
} from './api-endpoints.ts';
import { type FlowDefinition, flowsSchema } from './api-flows.ts';
import { apiLimits } from './api-limits.ts';
import { type ListenerDefinition, listenerSchema } from './api-listeners.ts';
import { type PlanDefinition, planSchema } from './api-plans.ts';
import { type ResourceDefinition, resourcesSchema } from './api-resources.ts';
import { type ResponseTemplate, responseTemplatesSchema } from './api-templates.ts';
import { choice, elsewhere, names, off, section } from './sections.ts';

const version4 = z.preprocess(
  (value) => (value === 'V4' || value === '4.0.0' ? '4.0.0' : value),
  z.literal('4.0.0', { error: () => 'is not supported by this version; allowed: V4, 4.0.0' }),
);
const propertySchema = z.preprocess(
  withEncrypted,
  section({
    key: z.string().min(1).max(256),
    value: z.string().max(apiLimits.propertyCharsMax).default(''),
    /** Its value is a secret (proto/model/secrets); here it is plain. */
    encrypted: z.boolean().default(false),
    dynamic: z.boolean().default(false),
    encryptable: elsewhere(),
  }),
);

/** Exports and custom resources say of a property that is to become encrypted that it is `encryptable`. */
function withEncrypted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('encryptable' in value)) return value;
  return value.encryptable === true ? { ...value, encrypted: true } : value;
}

/** What the console keeps of an API beside its definition. */
export const apiConsoleFields = Object.fromEntries(
  [
    'definitionContext',
    'description',
    'crossId',
    'hrid',
    'environmentId',
    'createdAt',
    'updatedAt',
    'deployedAt',
    'deploymentState',
    'disableMembershipNotifications',
    'groups',
    'state',
    'visibility',
    'lifecycleState',
    'workflowState',
    'categories',
    'labels',
    'originContext',
    'primaryOwner',
    'picture',
    'background',
    'responseTemplatesEnabled',
    '_links',
    'links',
    'metadata',
    'members',
    'pages',
  ].map((key) => [key, elsewhere()]),
);

/** The version of an API whose author says none. */
export const apiVersionDefault = '1.0';

/** A definition after its spelling was made one: a strict object that names what it does not know. */
export const apiSchema = section(
  {
    id: z.string().min(1).max(apiLimits.idCharsMax),
    name: z.string().min(1).max(apiLimits.nameCharsMax),
    apiVersion: z.coerce.string().max(apiLimits.versionCharsMax).default(apiVersionDefault),
    gravitee: version4,
    engine: z.literal('v3').optional(),
    type: choice(
      ['proxy'],
      'message',
      'native',
      'mcp-proxy',
      'llm-proxy',
      'a2a-proxy',
      'edge',
      'authz',
    ).default('proxy'),
    tags: names(),
    allowedInApiProducts: off('false'),
    allowMultiJwtOauth2Subscriptions: off('false'),
    listeners: z.array(listenerSchema).min(1).max(apiLimits.listenersMax),
    endpointGroups: z.array(endpointGroupSchema).min(1).max(apiLimits.endpointGroupsMax),
    plans: z.array(planSchema).max(apiLimits.plansMax).default([]),
    flowExecution: section({
      mode: choice(['default', 'best-match']).default('default'),
      matchRequired: z.boolean().default(false),
    }).prefault({}),
    flows: flowsSchema,
    properties: z.array(propertySchema).max(apiLimits.propertiesMax).default([]),
    resources: resourcesSchema,
    responseTemplates: responseTemplatesSchema,
    services: apiServicesSchema,
    failover: failoverSchema.prefault({}),
    analytics: analyticsSchema.prefault({}),
    ...apiConsoleFields,
  },
  apiConsoleFields,
);

/**
 * An API as the platform knows it: one shape whatever the source, all defaults filled, safe to store as JSON and to
 * parse again.
 *
 * Shape: the reference's gateway payload with lower-case words (`http`, `round-robin`, `key-less`), but `plans` is a
 *        list in order of evaluation, since a map keeps no order of ids that look like numbers.
 */
export interface ApiDefinition {
  readonly id: string;
  readonly name: string;
  readonly apiVersion: string;
  readonly gravitee: '4.0.0';
  /** Present when it runs by the rules of the engine before version 4, where those differ. */
  readonly engine?: 'v3';
  readonly type: 'proxy';
  readonly tags: readonly string[];
  readonly listeners: readonly ListenerDefinition[];
  readonly endpointGroups: readonly EndpointGroupDefinition[];
  readonly plans: readonly PlanDefinition[];
  readonly flowExecution: { readonly mode: 'default' | 'best-match'; readonly matchRequired: boolean };
  readonly flows: readonly FlowDefinition[];
  readonly properties: readonly { readonly key: string; readonly value: string; readonly dynamic: boolean }[];
  readonly resources: readonly ResourceDefinition[];
  readonly responseTemplates: Readonly<Record<string, Readonly<Record<string, ResponseTemplate>>>>;
  readonly services?: ApiServices;
  readonly failover: FailoverDefinition;
  readonly analytics: AnalyticsDefinition;
}
