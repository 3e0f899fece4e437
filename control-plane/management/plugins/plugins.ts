import { z } from '@hono/zod-openapi';
import { Fault } from '../../../proto/faults/fault.ts';
import {
  endpointConfigurationSchema,
  sharedConfigurationSchema,
} from '../../../proto/model/api-endpoints.ts';
import { entrypointConfigurationSchema } from '../../../proto/model/api-listeners.ts';
import { healthCheckConfigurationSchema } from '../../../proto/model/api/health-check.ts';
import { discoveryCatalog } from '../../../proto/model/api/discovery.ts';
import { dynamicPropertiesSchema } from '../../../proto/model/api/dynamic-properties.ts';
import { catalog } from '../../../proto/policies/catalog.ts';
import { type FormSchema, formSchema } from '../../../proto/policies/form-schema.ts';
import type { PolicyPhase, PolicySchema } from '../../../proto/policies/policy-schema.ts';
import { policyForm, resourceForm } from '../../../proto/policies/reference/described-form.ts';
import { policyPage } from '../../../proto/policies/reference/page.ts';
import { resourceCatalog } from '../../../proto/resources/catalog.ts';
import type { ResourceSchema } from '../../../proto/resources/resource-schema.ts';
import { iconOf } from './icons.ts';

/*
 * What a definition can be made of, for the forms and palettes of those who write one. All of it follows from the schemas of this version;
 * nothing here is stored, and nothing is anybody's own.
 */

const pluginFields = {
  id: z.string(),
  name: z.string(),
  description: z.string(),
  category: z.string(),
  icon: z.string().openapi({ description: 'A picture as a data URI.' }),
  deployed: z.boolean(),
};

const phaseSchema = z.enum(['REQUEST', 'RESPONSE']);

/** A policy as it is answered; `flowPhaseCompatibility` is empty for what can only be the security of a plan. */
export const policyPluginSchema = z
  .object({
    ...pluginFields,
    flowPhaseCompatibility: z.object({ HTTP_PROXY: z.array(phaseSchema) }),
    isPlanSecurity: z.boolean(),
  })
  .openapi('PolicyPlugin');
/** A resource as it is answered; `category` is what it serves. */
export const resourcePluginSchema = z.object(pluginFields).openapi('ResourcePlugin');
/** An endpoint or entrypoint as it is answered. */
export const connectorPluginSchema = z
  .object({
    ...pluginFields,
    supportedApiType: z.enum(['PROXY']),
    supportedModes: z.array(z.enum(['REQUEST_RESPONSE'])),
    supportedListenerType: z.enum(['HTTP']),
    supportedQos: z.array(z.string()),
    availableFeatures: z.array(z.string()),
  })
  .openapi('ConnectorPlugin');
/** A service of an API as it is answered. */
export const servicePluginSchema = z.object(pluginFields).openapi('ApiServicePlugin');
/** A JSON Schema of draft 2020-12 with hints for forms: `format: password`, `mayHoldExpressions`, `offOnly`, `isElsewhere`. */
export const formAnswerSchema = z.looseObject({}).openapi('PluginSchemaForm');
/** Documentation as it is answered. */
export const documentationSchema = z
  .object({ content: z.string(), language: z.enum(['MARKDOWN']) })
  .openapi('PluginDocumentation');

/** A policy as it is answered. */
export type PolicyPlugin = z.infer<typeof policyPluginSchema>;
/** A resource as it is answered. */
export type ResourcePlugin = z.infer<typeof resourcePluginSchema>;
/** An endpoint or entrypoint as it is answered. */
export type ConnectorPlugin = z.infer<typeof connectorPluginSchema>;

/** Something that a definition names by id. */
export interface Plugin<View> {
  readonly view: View;
  readonly docs: string;
  readonly config: z.ZodType;
  /** The form of that, where more is said there than in the schema. */
  readonly form?: FormSchema;
  /** Of an endpoint: what a group says for all of its endpoints. */
  readonly sharedConfig?: z.ZodType;
}

/** All of one kind, by id. */
export type Plugins<View> = ReadonlyMap<string, Plugin<View>>;

interface Described {
  readonly id: string;
  readonly title: string;
  readonly category: string;
  readonly summary: string;
}

/** What is described here and nowhere else. */
type Documented = Described & Pick<Plugin<unknown>, 'docs'>;

const common = ({ id, title, category, summary }: Described) => ({
  id,
  name: title,
  description: summary,
  category,
  icon: iconOf(category),
  deployed: true,
});

const byId = <View extends { readonly id: string; readonly name: string }>(
  plugins: readonly Plugin<View>[],
): Plugins<View> =>
  new Map(
    plugins
      .toSorted(({ view: a }, { view: b }) => (a.name < b.name ? -1 : 1))
      .map((plugin) => [plugin.view.id, plugin]),
  );

/** The policies of this version. */
export const policyPlugins: Plugins<PolicyPlugin> = byId(
  Object.values<PolicySchema>(catalog).map((policy) => ({
    view: {
      ...common(policy),
      flowPhaseCompatibility: { HTTP_PROXY: policy.phases.flatMap(flowPhasesOf) },
      isPlanSecurity: policy.phases.includes('security'),
    },
    get docs() {
      return policyPage(policy);
    },
    config: policy.config,
    get form() {
      return policyForm(policy);
    },
  })),
);

/** The resources of this version. */
export const resourcePlugins: Plugins<ResourcePlugin> = byId(
  Object.values<ResourceSchema>(resourceCatalog).map((resource) => ({
    view: common({ ...resource, category: resource.serves[0] ?? '' }),
    docs: resource.docs,
    config: resource.config,
    get form() {
      return resourceForm(resource);
    },
  })),
);

const connector = {
  supportedApiType: 'PROXY',
  supportedModes: ['REQUEST_RESPONSE'],
  supportedListenerType: 'HTTP',
  supportedQos: ['AUTO', 'NONE'],
  availableFeatures: [],
} as const satisfies Partial<ConnectorPlugin>;

const endpoint: Documented = {
  id: 'http-proxy',
  title: 'HTTP proxy',
  category: 'endpoint',
  summary: 'Passes requests on to a backend over HTTP/1.1, HTTP/2 or gRPC.',
  docs: '`target` is a URL or an expression that gives one; how it is reached (time limits, TLS, proxy, headers) stands in the shared configuration of its group or in its own.',
};
const entrypoint: Documented = {
  id: 'http-proxy',
  title: 'HTTP proxy',
  category: 'entrypoint',
  summary: 'Takes requests on the paths of its listener.',
  docs: 'It has no configuration: each request is answered with what its backend says.',
};
/** The endpoints of this version. */
export const endpointPlugins: Plugins<ConnectorPlugin> = byId([
  {
    view: { ...common(endpoint), ...connector },
    docs: endpoint.docs,
    config: endpointConfigurationSchema,
    sharedConfig: sharedConfigurationSchema,
  },
]);

/** The entrypoints of this version. */
export const entrypointPlugins: Plugins<ConnectorPlugin> = byId([
  {
    view: { ...common(entrypoint), ...connector },
    docs: entrypoint.docs,
    config: entrypointConfigurationSchema,
  },
]);

const services: readonly (Documented & Pick<Plugin<unknown>, 'config'>)[] = [
  {
    id: 'http-health-check',
    title: 'Health check',
    category: 'service',
    summary: 'Asks endpoints by a schedule whether they are up.',
    docs: 'Each check is a request of its own. Enough answers in a row that fulfil the assertion bring it up, enough that do not take it out.',
    config: healthCheckConfigurationSchema,
  },
  {
    id: 'http-dynamic-properties',
    title: 'Dynamic properties over HTTP',
    category: 'service',
    summary: 'Fetches properties of an API by a schedule.',
    docs: 'The control plane asks, and gateways get what it learned. An answer that differs deploys the properties; `transformation` is a JOLT specification that makes a list of `key` and `value` of it.',
    config: dynamicPropertiesSchema,
  },
  {
    id: 'consul-service-discovery',
    title: 'Discovery by Consul',
    category: 'service',
    summary: 'Finds endpoints of a group in a registry of Consul.',
    docs: 'Each gateway asks for itself, in `services.discovery` of an endpoint group. What is found is used beside the endpoints that the group names.',
    config: discoveryCatalog['consul-service-discovery'].config,
  },
  {
    id: 'dns-service-discovery',
    title: 'Discovery by DNS',
    category: 'service',
    summary: 'Finds endpoints of a group by A, AAAA or SRV records.',
    docs: 'Each gateway asks for itself, in `services.discovery` of an endpoint group. SRV records say ports; with the others `port` counts, or the one of the scheme.',
    config: discoveryCatalog['dns-service-discovery'].config,
  },
];

/** The services of an API and of its endpoint groups in this version. */
export const servicePlugins: Plugins<ResourcePlugin> = byId(
  services.map((service) => ({ view: common(service), docs: service.docs, config: service.config })),
);

/** One of a kind. Errors: request.not_found, with what there is. */
export function findPlugin<View>(plugins: Plugins<View>, id: string): Plugin<View> {
  const plugin = plugins.get(id);
  if (plugin !== undefined) return plugin;
  throw new Fault('request.not_found', {
    detail: `There is no plugin "${id}" in this version.`,
    hint: `There are ${[...plugins.keys()].join(', ')}.`,
  });
}

/** The form of a configuration. */
export const formOf = ({
  config,
  form = formSchema(config),
}: Pick<Plugin<unknown>, 'config' | 'form'>): z.infer<typeof formAnswerSchema> => ({ ...form });

/** Markdown. */
export const documentationOf = ({ docs }: Plugin<unknown>): z.infer<typeof documentationSchema> => ({
  content: docs,
  language: 'MARKDOWN',
});

function flowPhasesOf(phase: PolicyPhase): readonly z.infer<typeof phaseSchema>[] {
  if (phase === 'request') return ['REQUEST'];
  return phase === 'response' ? ['RESPONSE'] : [];
}
