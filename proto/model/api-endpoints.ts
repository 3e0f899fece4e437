import { z } from 'zod';

import { compileCondition } from '../expression/condition.ts';
import { discoverySchema } from './api/discovery.ts';
import { endpointHealthCheckSchema, groupHealthCheckSchema } from './api/health-check.ts';
import { endpointHeadersSchema, targetSchema } from './api/target.ts';
import { apiLimits } from './api-limits.ts';
import { proxySchema, sslSchema } from './api-tls.ts';
import { choice, milliseconds, names, orJsonText, section, withExpressions } from './sections.ts';

const only = (value: boolean, why: string) =>
  z
    .boolean()
    .default(value)
    .refine((given) => given === value, `${why} by this version; allowed: ${String(value)}`)
    .meta({ offOnly: String(value) });

/** RFC 9113 section 6.9.1. */
const windowBytesMax = 2 ** 31 - 1;
const limitOrNone = 'must be -1 for no limit, or a whole number of at least 1';
const windowOrNone = (least: number): string =>
  `must be -1 for the protocol's own, or a whole number of ${least} to ${windowBytesMax}`;

const httpSchema = section({
  version: z
    .enum(['HTTP_1_1', 'HTTP_2'])
    .default('HTTP_1_1')
    .meta({
      title: 'HTTP version',
      words: { HTTP_1_1: 'HTTP/1.1', HTTP_2: 'HTTP/2' },
    }),
  keepAlive: z.boolean().default(true).meta({ title: 'Keep connections open' }),
  keepAliveTimeout: milliseconds(apiLimits.timeoutMsMax, 30_000).meta({
    title: 'An idle connection stays open for',
  }),
  connectTimeout: milliseconds(apiLimits.timeoutMsMax, 3_000).meta({
    title: 'Longest wait for a connection',
  }),
  readTimeout: milliseconds(apiLimits.timeoutMsMax, 10_000).meta({ title: 'Longest wait for an answer' }),
  idleTimeout: milliseconds(apiLimits.timeoutMsMax, 60_000).meta({
    title: 'Longest silence in the midst of one',
  }),
  pipelining: only(false, 'is not supported'),
  /** Bodies are never recoded: the client's Accept-Encoding passes, and is taken away only when both of these are off. */
  useCompression: z.boolean().default(true).meta({ title: 'Ask for compressed answers' }),
  propagateClientAcceptEncoding: z
    .boolean()
    .default(false)
    .meta({ title: 'Pass on what encodings the caller accepts' }),
  propagateClientHost: z.boolean().default(false).meta({ title: 'Pass on the host that the caller named' }),
  followRedirects: z.boolean().default(false).meta({ title: 'Follow redirects' }),
  maxConcurrentConnections: z
    .int()
    .min(1)
    .max(apiLimits.connectionsMax)
    .default(20)
    .meta({ title: 'Most connections at a time' }),
  maxWaitQueueSize: z
    .int()
    .min(-1)
    .max(1_000_000)
    .default(-1)
    .meta({ title: 'Most calls that wait for one', description: '-1: no limit' }),
  // HTTP/2 settings: of no effect with HTTP_1_1, where the reference's console writes them all the same.
  /** No upgrade is made either way: HTTP/2 in clear text is spoken from the first byte. */
  clearTextUpgrade: z.boolean().optional().meta({ isWithoutEffect: true }),
  /** Requests on one connection at a time; -1: as many as the backend takes. */
  http2MultiplexingLimit: z
    .union([z.literal(-1), z.int().min(1)], limitOrNone)
    .default(-1)
    .meta({ title: 'HTTP/2: most calls on a connection', description: '-1: as many as the backend takes' }),
  /** What may come before it was read, on a connection and on one of its streams, in bytes; -1: as the protocol has it. */
  http2ConnectionWindowSize: z
    .union([z.literal(-1), z.int().min(65_535).max(windowBytesMax)], windowOrNone(65_535))
    .default(-1)
    .meta({
      title: 'HTTP/2: unread bytes of a connection',
      description: '-1: as the protocol has it',
      unit: 'bytes',
    }),
  http2StreamWindowSize: z
    .union([z.literal(-1), z.int().min(1).max(windowBytesMax)], windowOrNone(1))
    .default(-1)
    .meta({
      title: 'HTTP/2: unread bytes of a call',
      description: '-1: as the protocol has it',
      unit: 'bytes',
    }),
  http2MaxFrameSize: z.int().min(16_384).max(16_777_215).default(16_384).meta({
    title: 'HTTP/2: largest frame',
    unit: 'bytes',
  }),
});

/** How to talk to endpoints; names and defaults of the reference. */
export const sharedConfigurationSchema = section({
  http: httpSchema.prefault({}).meta({ title: 'HTTP and time limits' }),
  headers: endpointHeadersSchema.meta({
    title: 'Headers',
    description: 'Set on every call of a backend',
  }),
  proxy: proxySchema.prefault({}).meta({ title: 'Proxy' }),
  ssl: sslSchema.prefault({}).meta({ title: 'TLS' }),
});

/** How to talk to endpoints. */
export type SharedConfiguration = z.output<typeof sharedConfigurationSchema>;

/** What runs beside endpoints; absent when nothing does. */
function services<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  return section(shape)
    .transform((all) => (Object.values(all).every((each) => each === undefined) ? undefined : all))
    .optional();
}

/** Where an endpoint is, which may be an expression. */
export const endpointTargetSchema = withExpressions(targetSchema, {
  charsMax: apiLimits.targetCharsMax,
  readsBody: false,
}).meta({
  description:
    'The URL that answers, e.g. https://rates.internal:8443/v3; what follows the path of the API is added to it',
});

/** What an endpoint is, beside how it is reached. */
export const endpointConfigurationSchema = section({ target: endpointTargetSchema });

const endpointSchema = section({
  name: z.string().min(1).max(apiLimits.nameCharsMax),
  type: choice(['http-proxy'], 'mock', 'kafka', 'tcp-proxy'),
  weight: z.int().min(1).max(apiLimits.weightMax).default(1),
  secondary: z.boolean().default(false),
  tenants: names(),
  inheritConfiguration: z.boolean().default(true),
  configuration: orJsonText(endpointConfigurationSchema),
  sharedConfigurationOverride: orJsonText(sharedConfigurationSchema.partial()).prefault({}),
  services: services({ healthCheck: endpointHealthCheckSchema }),
});

/** One backend. */
export type EndpointDefinition = z.output<typeof endpointSchema>;

/** Backends that stand in for each other. */
export const endpointGroupSchema = section({
  name: z.string().min(1).max(apiLimits.nameCharsMax),
  type: choice(['http-proxy'], 'mock', 'kafka', 'tcp-proxy'),
  loadBalancer: section({
    type: choice(['round-robin', 'random', 'weighted-round-robin', 'weighted-random']).default('round-robin'),
  }).prefault({}),
  sharedConfiguration: orJsonText(sharedConfigurationSchema).prefault({}),
  endpoints: z.array(endpointSchema).max(apiLimits.endpointsPerGroupMax).default([]),
  services: services({ healthCheck: groupHealthCheckSchema, discovery: discoverySchema }),
});

/** Backends that stand in for each other. */
export type EndpointGroupDefinition = z.output<typeof endpointGroupSchema>;

/** How to talk to one endpoint: its group's configuration, or its own over the defaults when it does not inherit. */
export function configurationOf(
  group: EndpointGroupDefinition,
  endpoint: EndpointDefinition,
): SharedConfiguration {
  if (endpoint.inheritConfiguration) return group.sharedConfiguration;
  const defaults = sharedConfigurationSchema.parse({});
  return {
    http: endpoint.sharedConfigurationOverride.http ?? defaults.http,
    headers: endpoint.sharedConfigurationOverride.headers ?? defaults.headers,
    proxy: endpoint.sharedConfigurationOverride.proxy ?? defaults.proxy,
    ssl: endpoint.sharedConfigurationOverride.ssl ?? defaults.ssl,
  };
}

/** What happens when a backend fails: the call is made again at the next endpoint, and a circuit spares backends that keep failing. */
export const failoverSchema = section({
  enabled: z.boolean().default(false).meta({
    title: 'Call another endpoint when one fails',
  }),
  /** Calls after the first. */
  maxRetries: z.int().min(0).max(apiLimits.retriesMax).default(2).meta({
    title: 'Calls after the first',
  }),
  /** Longest wait for the head of an answer, in ms; one that is slower has failed. */
  slowCallDuration: z.int().min(50).max(apiLimits.timeoutMsMax).default(2_000).meta({
    title: 'A call has failed after',
    unit: 'ms',
  }),
  /** How long an open circuit calls no backend, in ms. */
  openStateDuration: z.int().min(500).max(apiLimits.timeoutMsMax).default(10_000).meta({
    title: 'A backend that keeps failing is spared for',
    unit: 'ms',
  }),
  /** So many requests in a row that fail open the circuit. */
  maxFailures: z.int().min(1).max(apiLimits.failuresMax).default(5).meta({
    title: 'Failures in a row until it is spared',
  }),
  /** Each subscription has a circuit of its own; else all callers share one. */
  perSubscription: z.boolean().default(true).meta({
    title: 'Judge it for each subscription apart',
  }),
  /** An answer for which it holds has failed, whatever its status. */
  failureCondition: z.string().max(apiLimits.conditionCharsMax).default('').meta({
    title: 'An answer has failed where',
    description: 'A condition, e.g. {#response.status == 503}; without one, no answer has',
  }),
  /** Calls after the first go through the endpoints of its group in their order; else to the endpoint whose turn it is, or the one that a step named. */
  forceNextEndpointOnFailure: z.boolean().default(false).meta({
    title: 'Go through the endpoints of the group in their order',
  }),
}).superRefine(({ enabled, failureCondition }, context) => {
  const compiled = enabled ? compileCondition(failureCondition) : undefined;
  if (compiled !== undefined && 'kind' in compiled)
    context.addIssue({ code: 'custom', path: ['failureCondition'], message: compiled.message });
});

/** What happens when a backend fails. */
export type FailoverDefinition = z.output<typeof failoverSchema>;
