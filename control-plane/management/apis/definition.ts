import { z } from '@hono/zod-openapi';
import { namedMethods } from '../../../proto/model/access-record.ts';
import { endpointTargetSchema } from '../../../proto/model/api-endpoints.ts';
import { apiLimits } from '../../../proto/model/api-limits.ts';
import { sizeAtMost } from '../../../proto/model/api-templates.ts';
import {
  headerNameCharsMax,
  headersPerPlaceMax,
  headerValueCharsMax,
  methodCharsMax,
  originCharsMax,
} from '../../../proto/model/head-text.ts';
import { configurationSchema, demanding, textSchema, wordsSchema, wordsUpTo } from '../fields.ts';

/**
 * The parts of an API's definition in the management API's spelling (v4, UPPER_CASE enums).
 *
 * This is the shape of drafts. Whether gateways can run it is asked when it is deployed: a draft may name a policy or a
 * listener that no gateway knows yet, but never a field that the reference does not have. Bounds are the model's (api-limits.ts), and
 * definition.test.ts proves that every field of one is in the other.
 */

/** A name in a definition. */
export const definitionNameSchema = z.string().trim().min(1).max(apiLimits.nameCharsMax);
const expressionSchema = z.string().max(apiLimits.conditionCharsMax);
const pluginSchema = z
  .string()
  .min(1)
  .max(apiLimits.pluginCharsMax)
  .regex(/^[a-z0-9][a-z0-9-]*$/, 'must be the id of a plugin, e.g. http-proxy');

const stepSchema = demanding(
  z.strictObject({
    name: z.string().max(apiLimits.nameCharsMax).optional(),
    description: textSchema.optional(),
    enabled: z.boolean().optional(),
    policy: pluginSchema,
    configuration: configurationSchema.optional(),
    condition: expressionSchema.optional(),
    messageCondition: expressionSchema.optional(),
  }),
  'policy',
).openapi('StepV4');
/** The steps of one phase. */
export const stepsSchema = z.array(stepSchema).max(apiLimits.stepsPerPhaseMax).optional();

const operatorSchema = z.enum(['EQUALS', 'STARTS_WITH']);
const methodSchema = z.enum([...namedMethods, 'OTHER']);

const selectorSchema = z
  .discriminatedUnion('type', [
    z.strictObject({
      type: z.literal('HTTP'),
      path: z.string().max(apiLimits.pathCharsMax).optional(),
      pathOperator: operatorSchema.optional(),
      methods: z.array(methodSchema).max(apiLimits.methodsMax).optional(),
    }),
    z.strictObject({
      type: z.literal('CHANNEL'),
      channel: z.string().max(apiLimits.pathCharsMax),
      channelOperator: operatorSchema,
      operations: z.array(z.enum(['PUBLISH', 'SUBSCRIBE'])).optional(),
      entrypoints: wordsSchema.optional(),
    }),
    z.strictObject({ type: z.literal('CONDITION'), condition: expressionSchema }),
    z.strictObject({ type: z.literal('MCP'), methods: wordsSchema }),
  ])
  .openapi('Selector');

/** A flow: when it applies, and what runs before and after the backend. */
const flowSchema = z
  .strictObject({
    id: z.string().max(apiLimits.idCharsMax).optional(),
    name: z.string().max(apiLimits.nameCharsMax).optional(),
    enabled: z.boolean().optional(),
    selectors: z.array(selectorSchema).max(apiLimits.selectorsMax).optional(),
    request: stepsSchema,
    response: stepsSchema,
    subscribe: stepsSchema,
    publish: stepsSchema,
    entrypointConnect: stepsSchema,
    interact: stepsSchema,
    tags: wordsUpTo(apiLimits.tagsMax).optional(),
  })
  .openapi('FlowV4');

/** All flows of an API or a plan. */
export const flowsSchema = z.array(flowSchema).max(apiLimits.flowsMax);

const entrypointSchema = z.strictObject({
  type: pluginSchema,
  qos: z.enum(['NONE', 'AUTO', 'AT_MOST_ONCE', 'AT_LEAST_ONCE']).optional(),
  dlq: demanding(z.strictObject({ endpoint: z.string().max(apiLimits.nameCharsMax) }), 'endpoint').optional(),
  configuration: configurationSchema.optional(),
});
const entrypointsSchema = z.array(entrypointSchema).min(1).max(apiLimits.entrypointsMax);

/** The name of a host. */
export const hostSchema = z
  .string()
  .max(apiLimits.hostCharsMax)
  .regex(/^([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*$/, {
    error: 'must be a host name such as api.example.com',
  });

/** A host with a context path. */
export const pathSchema = z
  .strictObject({
    host: hostSchema.optional(),
    path: z
      .string()
      .max(apiLimits.pathCharsMax)
      .regex(/^\/([A-Za-z0-9_.~-]+\/)*([A-Za-z0-9_.~-]+)?$/, {
        error: 'must start with / and have segments of letters, digits and - _ . ~',
      })
      .refine((path) => !path.split('/').some((segment) => segment === '.' || segment === '..'), {
        error: 'must not have the segments . and ..',
      })
      .default('/'),
    overrideAccess: z.boolean().optional(),
  })
  .openapi('PathV4');

const listOf = (charsMax: number) =>
  z.array(z.string().min(1).max(charsMax)).max(headersPerPlaceMax).optional();
const corsSchema = z.strictObject({
  enabled: z.boolean().optional(),
  allowOrigin: listOf(originCharsMax),
  allowOriginRegex: listOf(originCharsMax),
  allowMethods: listOf(methodCharsMax),
  allowHeaders: listOf(headerNameCharsMax),
  exposeHeaders: listOf(headerNameCharsMax),
  allowCredentials: z.boolean().optional(),
  maxAge: z.int().min(-1).max(apiLimits.corsMaxAgeMax).optional(),
  runPolicies: z.boolean().optional(),
  errorStatusCode: z.int().min(400).max(599).optional(),
  allowPrivateNetwork: z.boolean().optional(),
});

const serversSchema = wordsUpTo(apiLimits.serversMax).optional();
const listenerSchema = z
  .discriminatedUnion('type', [
    demanding(
      z.strictObject({
        type: z.literal('HTTP'),
        paths: z.array(pathSchema).min(1).max(apiLimits.pathsMax),
        pathMappings: z
          .array(z.string().max(apiLimits.pathCharsMax))
          .max(apiLimits.pathMappingsMax)
          .optional(),
        entrypoints: entrypointsSchema,
        cors: corsSchema.optional(),
        requestValidation: z.strictObject({ rejectNullByte: z.boolean().optional() }).optional(),
        servers: serversSchema,
      }),
      'entrypoints',
    ),
    demanding(
      z.strictObject({
        type: z.literal('SUBSCRIPTION'),
        entrypoints: entrypointsSchema,
        servers: serversSchema,
      }),
      'entrypoints',
    ),
    demanding(
      z.strictObject({
        type: z.literal('TCP'),
        hosts: z.array(z.string().max(apiLimits.hostCharsMax)).min(1).max(apiLimits.pathsMax),
        entrypoints: entrypointsSchema,
        servers: serversSchema,
      }),
      'entrypoints',
    ),
    demanding(
      z.strictObject({
        type: z.literal('KAFKA'),
        host: z.string().max(apiLimits.hostCharsMax),
        port: z.int().min(1).max(65_535).optional(),
        entrypoints: entrypointsSchema,
        servers: serversSchema,
      }),
      'entrypoints',
    ),
  ])
  .openapi('Listener');

const serviceSchema = z
  .strictObject({
    enabled: z.boolean().optional(),
    type: pluginSchema.optional(),
    overrideConfiguration: z.boolean().optional(),
    configuration: configurationSchema.optional(),
  })
  .openapi('ServiceV4');

const endpointSchema = demanding(
  z.strictObject({
    name: definitionNameSchema,
    type: pluginSchema,
    weight: z.int().min(1).max(apiLimits.weightMax).optional(),
    secondary: z.boolean().optional(),
    tenants: wordsUpTo(apiLimits.tagsMax).optional(),
    inheritConfiguration: z.boolean().optional(),
    configuration: configurationSchema.optional(),
    sharedConfigurationOverride: configurationSchema.optional(),
    services: z.strictObject({ healthCheck: serviceSchema.optional() }).optional(),
  }),
  'name',
)
  .superRefine(demandTarget)
  .openapi('EndpointV4');

/** What is written as the target of a proxy's endpoint is one; a draft may have none yet. */
function demandTarget(
  {
    type,
    configuration,
  }: { readonly type: string; readonly configuration?: Readonly<Record<string, unknown>> | undefined },
  context: z.RefinementCtx,
): void {
  const target = type === 'http-proxy' ? configuration?.['target'] : undefined;
  if (target === undefined) return;
  for (const { message } of endpointTargetSchema.safeParse(target).error?.issues ?? [])
    context.addIssue({ code: 'custom', path: ['configuration', 'target'], message });
}

const endpointGroupSchema = demanding(
  z.strictObject({
    name: definitionNameSchema,
    type: pluginSchema,
    loadBalancer: z
      .strictObject({
        type: z.enum(['RANDOM', 'ROUND_ROBIN', 'WEIGHTED_RANDOM', 'WEIGHTED_ROUND_ROBIN']).optional(),
      })
      .optional(),
    sharedConfiguration: configurationSchema.optional(),
    endpoints: z.array(endpointSchema).max(apiLimits.endpointsPerGroupMax).optional(),
    services: z
      .strictObject({ discovery: serviceSchema.optional(), healthCheck: serviceSchema.optional() })
      .optional(),
  }),
  'name',
).openapi('EndpointGroupV4');

const failoverSchema = z.strictObject({
  enabled: z.boolean().optional(),
  maxRetries: z.int().min(0).max(apiLimits.retriesMax).optional(),
  slowCallDuration: z.int().min(50).max(apiLimits.timeoutMsMax).optional(),
  openStateDuration: z.int().min(500).max(apiLimits.timeoutMsMax).optional(),
  maxFailures: z.int().min(1).max(apiLimits.failuresMax).optional(),
  perSubscription: z.boolean().optional(),
  failureCondition: expressionSchema.optional(),
  forceNextEndpointOnFailure: z.boolean().optional(),
});

const switchesSchema = <const Names extends readonly string[]>(...names: Names) =>
  z.strictObject(
    Object.fromEntries(names.map((name) => [name, z.boolean().optional()])) as Record<
      Names[number],
      z.ZodOptional<z.ZodBoolean>
    >,
  );

const analyticsSchema = z.strictObject({
  enabled: z.boolean().optional(),
  sampling: z
    .strictObject({
      type: z.enum(['PROBABILITY', 'TEMPORAL', 'COUNT', 'WINDOWED_COUNT']),
      value: z.string().max(64).optional(),
    })
    .optional(),
  logging: z
    .strictObject({
      condition: expressionSchema.optional(),
      messageCondition: expressionSchema.optional(),
      content: switchesSchema(
        'headers',
        'payload',
        'messageHeaders',
        'messagePayload',
        'messageMetadata',
      ).optional(),
      phase: switchesSchema('request', 'response').optional(),
      mode: switchesSchema('entrypoint', 'endpoint').optional(),
    })
    .optional(),
  tracing: z
    .strictObject({
      enabled: z.boolean().optional(),
      verbose: z.boolean().optional(),
      redaction: configurationSchema.optional(),
    })
    .optional(),
  otelLogs: switchesSchema('enabled').optional(),
  reporterMetricsEnabled: z
    .boolean()
    .transform((): undefined => undefined)
    .optional()
    .openapi({
      type: 'boolean',
      description: 'Of native APIs alone; ignored, as in the reference, and not answered.',
    }),
});

const responseTemplateSchema = z.strictObject({
  statusCode: z.int().min(apiLimits.templateStatusMin).max(599).optional(),
  headers: z
    .record(z.string().min(1).max(headerNameCharsMax), z.string().max(headerValueCharsMax))
    .refine(sizeAtMost(headersPerPlaceMax), `at most ${headersPerPlaceMax} headers`)
    .optional(),
  body: z.string().max(apiLimits.templateBodyCharsMax).optional(),
  propagateErrorKeyToLogs: z.boolean().optional(),
});

const resourceSchema = z.strictObject({
  name: definitionNameSchema,
  type: pluginSchema,
  enabled: z.boolean().optional(),
  configuration: configurationSchema,
});

const propertySchema = z.strictObject({
  key: z.string().min(1).max(256),
  value: z.string().max(apiLimits.propertyCharsMax),
  encrypted: z.boolean().optional(),
  dynamic: z.boolean().optional(),
  encryptable: z.boolean().optional(),
});

/** What reaches gateways, as fields of an API. */
export const definitionFields = {
  type: z.enum(['A2A_PROXY', 'AUTHZ', 'EDGE', 'LLM_PROXY', 'MCP_PROXY', 'MESSAGE', 'NATIVE', 'PROXY']),
  listeners: z.array(listenerSchema).min(1).max(apiLimits.listenersMax),
  endpointGroups: z.array(endpointGroupSchema).min(1).max(apiLimits.endpointGroupsMax),
  analytics: analyticsSchema.optional(),
  failover: failoverSchema.optional(),
  flowExecution: z
    .strictObject({
      mode: z.enum(['DEFAULT', 'BEST_MATCH']).optional(),
      matchRequired: z.boolean().optional(),
    })
    .optional(),
  flows: flowsSchema.optional(),
  services: z.strictObject({ dynamicProperty: serviceSchema.optional() }).optional(),
  resources: z.array(resourceSchema).max(apiLimits.resourcesMax).optional(),
  properties: z.array(propertySchema).max(apiLimits.propertiesMax).optional(),
  responseTemplates: z
    .record(
      z.string().min(1).max(128),
      z
        .record(z.string().min(1).max(256), responseTemplateSchema)
        .refine(
          sizeAtMost(apiLimits.templatesPerKeyMax),
          `at most ${apiLimits.templatesPerKeyMax} content types`,
        ),
    )
    .refine(sizeAtMost(apiLimits.templateKeysMax), `at most ${apiLimits.templateKeysMax} keys`)
    .optional(),
};

const definitionSchema = z.object(definitionFields);
/** What reaches gateways, checked. */
export type DraftDefinition = z.infer<typeof definitionSchema>;
