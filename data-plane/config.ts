import { availableParallelism } from 'node:os';
import { z } from 'zod';
import { lameDuckMsSchema } from '../proto/process/listening/ending.ts';

import { isToken } from '../proto/model/head-text.ts';
import { defaultDataDir } from '../proto/process/data-folder.ts';
import { httpUrl, section, secret } from '../proto/process/settings.ts';
import { isHopByHopOrHost } from './http/message/field-kind.ts';
import { discoverySettings } from './endpoints/discovery/settings.ts';
import { redisSettings } from './limits/redis-settings.ts';
import { ListenHost, ListenPort } from '../proto/process/listen-settings.ts';
import { isSecured } from '../proto/process/listening/tls-settings.ts';
import { logLevels } from '../proto/process/log.ts';
import { outboundSettings } from '../proto/process/outbound/settings.ts';
import { cacheSettings } from './resources/cache-settings.ts';
import { policySettings } from './policies/settings.ts';
import { reportSettings } from './report/settings.ts';
import { listenSettings, serversOf, serversSettings } from './servers/settings.ts';

const ms = z.int().min(1);
const headerName = z
  .string()
  .max(256)
  .refine((name) => name === '' || isToken(name), 'must be a header name, or empty for none')
  .refine(
    (name) => !isHopByHopOrHost(name),
    "must not be Host or a header of the connection (Connection, Transfer-Encoding, Content-Length ...): its value is not the client's to choose",
  );

const settings = z.strictObject({
  dataDir: z
    .string()
    .default(defaultDataDir)
    .describe(
      'Folder of everything that the gateway keeps: identity, secrets, last good configuration, spool.',
    ),
  log: section({ level: z.enum(logLevels).default('info').describe('The least that is logged.') }),
  local: z
    .string()
    .optional()
    .describe('Serve the definitions in this folder instead of following a bridge.'),
  tags: z
    .array(z.string().regex(/^!?[^!\s]{1,127}$/, 'must be a tag, or !tag'))
    .max(64)
    .default([])
    .describe(
      'In local mode: sharding tags of this gateway, `a` includes and `!b` excludes; APIs, plans and flows with other tags are not served. None serves all. With a bridge they come from the fleet.',
    ),
  tenant: z
    .string()
    .min(1)
    .max(128)
    .optional()
    .describe(
      'In local mode: tenant of this gateway; endpoints of other tenants are not called. None calls all. With a bridge it comes from the fleet.',
    ),
  listen: listenSettings,
  servers: serversSettings,
  workers: z
    .union([z.literal('auto'), z.int().min(1).max(64)])
    .default(1)
    .describe('Processes that take requests on the one port; 1 is this process alone, auto one per core.'),
  admin: section({
    host: ListenHost.default('127.0.0.1').describe('Address of the node API: health, metrics, APIs.'),
    port: ListenPort.default(18_082).describe('Port of the node API; 0 takes a free one.'),
  }),
  bridge: section({
    url: httpUrl().optional().describe('The bridge. Default: the one enrolled at.'),
    token: secret().optional().describe('Enrolment token, used once when there is no identity yet.'),
    allowPlainHttp: z
      .boolean()
      .default(false)
      .describe('Send the enrolment token to a bridge beyond loopback over plain HTTP; else it is refused.'),
  }),
  outbound: outboundSettings,
  request: section({
    answerMsMax: ms
      .default(30_000)
      .describe(
        "Longest time until an answer begins, the upload of the request included; then 504 REQUEST_TIMEOUT. Over HTTP/2 it does not run while the caller still sends to the backend and begins with the last byte: a call that streams (gRPC, or a body of which some comes within each such time) is bounded by listen.tunnelIdleMsMax and listen.requestMsMax. Deadlines of gRPC are the caller's and are passed on (grpc-timeout); one that is longer does not make this one longer.",
      ),
    streamMsMax: z
      .int()
      .min(0)
      .default(86_400_000)
      .describe(
        'Longest life of a WebSocket or other tunnel, an event stream, and any answer without a length; 0 is no bound. A day, so that clients spread over new gateways and no connection outlives what nobody withdrew.',
      ),
    bufferedBytesMax: z
      .int()
      .min(1)
      .default(10_485_760)
      .describe('Largest body that a policy may read whole.'),
  }),
  upstream: section({
    dnsTtlMs: z
      .int()
      .min(0)
      .default(30_000)
      .describe('How long the addresses of an upstream are remembered; 0 asks for every connection.'),
    connectionAgeMsMax: z
      .int()
      .min(0)
      .default(0)
      .describe('Age at which a connection to an upstream is closed once it is free; 0 is no bound.'),
    allow: z
      .array(z.string().min(1).max(512))
      .max(1_000)
      .default([])
      .describe(
        'Hosts, addresses, CIDR ranges or URLs that endpoints may lead to although they are link-local, metadata of a cloud, multicast or reserved; with its very port (`127.0.0.1:18082`) also the node API of this gateway, which nothing leads to otherwise.',
      ),
    deny: z
      .array(z.string().min(1).max(512))
      .max(1_000)
      .default([])
      .describe(
        'Hosts, addresses, CIDR ranges (each with `:port` if wanted) or URLs that no endpoint may lead to; stronger than upstream.allow.',
      ),
    chosenByRequests: z
      .array(z.string().min(1).max(512))
      .max(1_000)
      .default([])
      .describe(
        'Hosts, addresses, CIDR ranges (each with `:port` if wanted) or URLs that a request may choose: where an expression takes scheme, host or port of a target, of a URL of dynamic-routing, policy-http-callout, traffic-shadowing, policy-circuit-breaker, metrics-reporter or of a service of ai-prompt-guard-rails or ai-semantic-caching, or of the attribute request.endpoint, out of what a client brings. What is not named here is not called. Endpoints of the API need not be named, nor labels below a name that the definition says.',
      ),
    outlierDetection: section({
      consecutive5xx: z
        .int()
        .min(0)
        .max(1_000_000)
        .default(0)
        .describe(
          'After so many requests in a row that found no connection, no answer or a status of 500 or more, an endpoint gets none for a while, unless it is the last one of its group; each process counts by itself. 0 takes none out.',
        ),
      baseEjectionMs: ms
        .default(30_000)
        .describe(
          'How long an endpoint gets no requests the first time; so much longer each time that it comes back no better.',
        ),
      maxEjectionMs: ms
        .max(86_400_000)
        .default(300_000)
        .describe('Longest time that an endpoint gets no requests.'),
    }),
  }),
  healthCheck: section({
    jitterMsMax: z
      .int()
      .min(0)
      .max(5_000)
      .default(900)
      .describe(
        'Each endpoint is checked by up to this much later than its schedule says, always the same for one, so that not all are checked at once.',
      ),
    inFlightMax: z
      .int()
      .min(1)
      .max(10_000)
      .default(128)
      .describe('Most health checks of endpoints that run at a time; the others wait for their turn.'),
    inFlightPerApiMax: z.int().min(1).max(10_000).default(16).describe('Most of them that are of one API.'),
    checkMsMax: ms
      .max(600_000)
      .default(10_000)
      .describe(
        'Longest time of a health check, to the last byte that its assertion reads; the timeouts of the endpoint hold besides.',
      ),
  }),
  discovery: discoverySettings,
  apiKey: section({
    header: headerName
      .default('X-Gravitee-Api-Key')
      .describe('Header of API keys; empty looks in no header.'),
    parameter: z
      .string()
      .regex(/^[\w.-]*$/)
      .default('api-key')
      .describe('Query parameter of API keys; empty looks in no query.'),
    seenMax: z.int().min(1).default(100_000).describe('Keys per environment that are known without hashing.'),
  }),
  jwt: section({
    keys: z
      .array(
        z
          .strictObject({
            issuer: z.string().min(1).max(2_048),
            kid: z.string().min(1).max(256).default('default'),
            key: secret().optional(),
            keyFile: z.string().min(1).optional(),
          })
          .refine(
            ({ key, keyFile }) => (key === undefined) !== (keyFile === undefined),
            'needs either key or keyFile',
          ),
      )
      .max(1_000)
      .default([])
      .describe(
        'Keys of JWT plans with GATEWAY_KEYS, as {issuer, kid, key or keyFile}: a public key or certificate in PEM, ssh-rsa, or the secret of HMAC. A token without kid is of the kid `default`.',
      ),
    seenMax: z
      .int()
      .min(1)
      .max(1_000_000)
      .default(10_000)
      .describe('Tokens per plan that are known as verified or as introspected, each until its exp.'),
    seenBytesMax: z
      .int()
      .min(65_536)
      .default(67_108_864)
      .describe(
        'Memory that what is known of such tokens takes in each process, of all plans together; past it the plan that takes most loses its oldest.',
      ),
  }),
  secretReferences: section({
    folder: z
      .string()
      .optional()
      .describe(
        'Folder of files that expressions of definitions may read as secrets of the provider `file`; without it none.',
      ),
  }),
  limits: section({
    windowsMax: z
      .int()
      .min(1)
      .default(200_000)
      .describe('Counters of rate limits kept in memory; past it the oldest is forgotten.'),
    waitMsMax: ms
      .default(100)
      .describe(
        'With several workers and no Redis: longest wait for the primary, which counts for all; past it each worker lets its share of a limit pass (the limit, divided by the workers) until the primary answers.',
      ),
    waitingMax: z
      .int()
      .min(1)
      .default(10_000)
      .describe(
        'Most counts that wait for an answer, in each process; past it a worker counts by itself, or the count fails where Redis is asked.',
      ),
    redis: redisSettings
      .optional()
      .describe('Counts rate limits of several gateways together; without it each gateway counts in memory.'),
  }),
  cache: cacheSettings,
  policy: policySettings,
  metrics: section({
    endpointsMax: z
      .int()
      .min(0)
      .max(100_000)
      .default(1_000)
      .describe(
        'Endpoints with a health check that have a line of their own in /metrics (isthmus_endpoint_up); isthmus_endpoints_checked counts all.',
      ),
    plansMax: z
      .int()
      .min(1)
      .max(100_000)
      .default(1_000)
      .describe(
        'Pairs of API and plan that have durations of their own in /metrics, from their first request on; the rest are counted together as "other". A pair takes up to 20 lines per class of status.',
      ),
  }),
  report: reportSettings
    .safeExtend({
      enabled: z.boolean().default(true).describe('Write access records.'),
    })
    .prefault({}),
  lameDuckMs: lameDuckMsSchema,
  closeMsMax: ms
    .default(10_000)
    .describe('Longest time for requests in flight to end when the gateway stops.'),
});

/** Settings of a gateway. */
export const gatewayConfigSchema = settings.refine(
  (config) => !config.listen.http2.clearText || serversOf(config).some(({ tls }) => !isSecured(tls)),
  { path: ['listen', 'http2', 'clearText'], error: 'is for servers without TLS, and there is none' },
);

/** Names of parameters that carry keys on this gateway, besides those that everybody knows: what no record and no log may show. */
export function secretParametersOf({
  apiKey,
  report,
}: Pick<GatewayConfig, 'apiKey' | 'report'>): readonly string[] {
  return [apiKey.parameter, apiKey.header, ...report.secretParameters];
}

/** See {@link gatewayConfigSchema}. */
export type GatewayConfig = z.output<typeof gatewayConfigSchema>;

/** How many processes take requests. */
export function workerCount({ workers }: Pick<GatewayConfig, 'workers'>): number {
  return workers === 'auto' ? Math.min(64, availableParallelism()) : workers;
}
