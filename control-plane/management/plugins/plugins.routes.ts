import { z } from '@hono/zod-openapi';
import { policyIdOf } from '../../../proto/policies/catalog.ts';
import { type Route, resource } from '../route.ts';
import {
  connectorPluginSchema,
  documentationOf,
  documentationSchema,
  endpointPlugins,
  entrypointPlugins,
  findPlugin,
  formAnswerSchema,
  formOf,
  policyPlugins,
  policyPluginSchema,
  type Plugins,
  resourcePlugins,
  resourcePluginSchema,
  servicePlugins,
  servicePluginSchema,
} from './plugins.ts';

const define = resource({ tag: 'Plugins', scope: 'organization' });
// They are of the program, and the same for everybody who may sign in.
const permission = 'signed-in';

/** The routes of one kind: list, one, its form, its documentation. */
function kind<View>(of: {
  readonly path: string;
  /** In operation ids, e.g. `Policy`, `Policies`. */
  readonly one: string;
  readonly many: string;
  /** In summaries. */
  readonly words: readonly [one: string, many: string];
  readonly plugins: Plugins<View>;
  readonly answer: z.ZodType<View>;
  /** Of another id by which definitions name one. */
  readonly idOf?: (written: string) => string | undefined;
}): readonly Route[] {
  const { one, many, words, plugins, answer } = of;
  const find = (id: string) => findPlugin(plugins, of.idOf?.(id) ?? id);
  const path = `/plugins/${of.path}` as const;
  const onePath = `/plugins/${of.path}/{pluginId}` as const;
  return [
    define.get(path, {
      operationId: `list${many}Plugins`,
      permission,
      summary: `Lists the ${words[1]} of this version, by name.`,
      answer: z.array(answer),
      run: async () => [...plugins.values()].map(({ view }) => view),
    }),
    define.get(onePath, {
      operationId: `get${one}Plugin`,
      permission,
      summary: `Gets ${words[0]}.`,
      answer,
      run: async ({ params: { pluginId } }) => find(pluginId).view,
    }),
    define.get(`${onePath}/schema`, {
      operationId: `get${one}PluginSchema`,
      permission,
      summary: `Gets the JSON Schema of the configuration of ${words[0]}, with hints for a form.`,
      answer: formAnswerSchema,
      run: async ({ params: { pluginId } }) => formOf(find(pluginId)),
    }),
    define.get(`${onePath}/documentation`, {
      operationId: `get${one}PluginDocumentation`,
      permission,
      summary: `Gets the documentation of ${words[0]}.`,
      answer: documentationSchema,
      run: async ({ params: { pluginId } }) => documentationOf(find(pluginId)),
    }),
  ];
}

/** The routes of what a definition can be made of. */
export const pluginRoutes = [
  ...kind({
    path: 'policies',
    idOf: policyIdOf,
    one: 'Policy',
    many: 'Policies',
    words: ['a policy', 'policies'],
    plugins: policyPlugins,
    answer: policyPluginSchema,
  }),
  ...kind({
    path: 'resources',
    one: 'Resource',
    many: 'Resources',
    words: ['a resource', 'resources'],
    plugins: resourcePlugins,
    answer: resourcePluginSchema,
  }),
  ...kind({
    path: 'endpoints',
    one: 'Endpoint',
    many: 'Endpoints',
    words: ['an endpoint', 'endpoints'],
    plugins: endpointPlugins,
    answer: connectorPluginSchema,
  }),
  define.get('/plugins/endpoints/{pluginId}/shared-configuration-schema', {
    operationId: 'getEndpointPluginSharedConfigurationSchema',
    permission,
    summary: 'Gets the JSON Schema of what a group says for all of its endpoints, with hints for a form.',
    answer: formAnswerSchema,
    run: async ({ params: { pluginId } }) => {
      const { config, sharedConfig = config } = findPlugin(endpointPlugins, pluginId);
      return formOf({ config: sharedConfig });
    },
  }),
  ...kind({
    path: 'entrypoints',
    one: 'Entrypoint',
    many: 'Entrypoints',
    words: ['an entrypoint', 'entrypoints'],
    plugins: entrypointPlugins,
    answer: connectorPluginSchema,
  }),
  ...kind({
    path: 'api-services',
    one: 'ApiService',
    many: 'ApiServices',
    words: ['a service of APIs', 'services of APIs'],
    plugins: servicePlugins,
    answer: servicePluginSchema,
  }),
];
