import { aiFates } from './ai-fates.ts';
import { all, type FieldFate, idle, observed, portal, refused } from './field-fate.ts';
import { scriptFates } from './script-fates.ts';
import { securityFates } from './security-fates.ts';
import { threatFates } from './threat-fates.ts';
import { transformationFates } from './transformation-fates.ts';
import { trafficFates } from './traffic-fates.ts';

const options = observed('data-plane/endpoints/options.test.ts');
const health = observed('data-plane/endpoints/health/health.test.ts');
const consul = observed('data-plane/endpoints/discovery/consul.test.ts');
const dns = observed('data-plane/endpoints/discovery/dns.test.ts');
const balancing = observed('data-plane/endpoints/balancing.test.ts');
const cors = observed('data-plane/gateway/compile/cors.test.ts');
const flows = observed('data-plane/gateway/compile/flows.test.ts');
const conditions = observed('data-plane/gateway/compile/conditions.test.ts');
const errors = observed('data-plane/gateway/errors/errors.test.ts');
const effects = observed('data-plane/gateway/call/definition.test.ts');
const standing = observed('data-plane/gateway/compile/standing.test.ts');
const headers = observed('data-plane/policies/transform-headers.test.ts');
const jwt = observed('data-plane/security/jwt.test.ts');
const hostileJwt = observed('data-plane/security/jwt-hostile.test.ts');
const ownWay = idle(
  'calls of definitions go by one client, whose way the gateway has set; what asks for another is refused',
);
const oauth2 = observed('data-plane/security/oauth2.test.ts');
const groups = observed('data-plane/gateway/compile/shared-groups.test.ts');
const keySet = observed('data-plane/security/tokens/key-set.test.ts');
const mock = observed('data-plane/policies/mock.test.ts');
const http2 = observed('data-plane/endpoints/http2.test.ts');
const messages = idle('of messages, which a proxy does not have');
const http = 'api.endpointGroups[].sharedConfiguration.http.';
const ssl = 'api.endpointGroups[].sharedConfiguration.ssl.';

/**
 * Every field of the model with what becomes of it.
 *
 * Flows of plans stand for flows, steps of answers for steps, an endpoint's own configuration for its group's: they have one schema.
 */
export const fieldFates: ReadonlyMap<string, FieldFate> = new Map<string, FieldFate>([
  ['api.id', observed('data-plane/gateway/deploy/deployments.test.ts')],
  ['api.name', idle('names the API in records and to people')],
  ['api.apiVersion', observed('data-plane/local/local.test.ts')],
  ['api.gravitee', observed('proto/definition/refusals.test.ts')],
  ['shared-policy-group-policy.sharedPolicyGroupId', groups],
  ['shared-policy-group-policy.hrid', idle('names the group for people; its id is what is looked up')],
  ['api.engine', observed('data-plane/gateway/compile/engine.test.ts')],
  ['api.type', observed('proto/definition/refusals.test.ts')],
  ['api.tags[]', observed('control-plane/publish/backup.slow.test.ts')],
  ...all('api.', 'allowedInApiProducts allowMultiJwtOauth2Subscriptions', refused(true)),
  ...all(
    'api.services.dynamicProperty.',
    'enabled configuration.schedule configuration.url configuration.method configuration.headers[].name configuration.headers[].value configuration.body configuration.transformation configuration.http.readTimeout configuration.http.connectTimeout',
    observed('control-plane/management/deployments/dynamic-properties.test.ts'),
  ),
  ['api.services.dynamicProperty.type', idle('http-dynamic-properties is the only word')],
  ['api.services.dynamicProperty.overrideConfiguration', idle('says nothing of an API')],
  ...all(
    'api.failover.',
    'enabled maxRetries slowCallDuration openStateDuration maxFailures perSubscription failureCondition forceNextEndpointOnFailure',
    observed('data-plane/gateway/steps/failover.test.ts'),
  ),
  ['api.resources[].id', idle('of the console: resources are used by their names')],
  ...all('api.resources[].', 'name type enabled configuration{}', oauth2),

  ...all('api.listeners[].', 'type paths[].host paths[].path', observed('proto/definition/fixtures.ts')),
  ['api.listeners[].paths[].overrideAccess', portal],
  ...all('api.listeners[].', 'pathMappings[] requestValidation.rejectNullByte', effects),
  ['api.listeners[].pathMappingsPattern', portal],
  ['api.listeners[].entrypoints[].type', idle('http-proxy is the only word')],
  ['api.listeners[].entrypoints[].qos', messages],
  ['api.listeners[].entrypoints[].configuration', idle('an empty object')],
  ['api.listeners[].entrypoints[].dlq', refused({ endpoint: 'x' })],
  ['api.listeners[].servers[]', observed('test/behaviour/subjects/servers.ts')],
  ...all(
    'api.listeners[].cors.',
    'enabled allowOrigin[] allowOriginRegex[] runPolicies allowMethods[] allowHeaders[] exposeHeaders[] allowCredentials maxAge errorStatusCode allowPrivateNetwork',
    cors,
  ),

  ['api.endpointGroups[].name', idle('names it to people; unique')],
  ...all('api.endpointGroups[].', 'type endpoints[].type', idle('http-proxy is the only word')),
  ['api.endpointGroups[].loadBalancer.type', balancing],
  ...all(
    'api.endpointGroups[].services.healthCheck.',
    'enabled configuration.schedule configuration.target configuration.method configuration.overrideEndpointPath configuration.headers[].name configuration.headers[].value configuration.body configuration.assertion configuration.successThreshold configuration.failureThreshold',
    health,
  ),
  ['api.endpointGroups[].services.healthCheck.overrideConfiguration', idle('says nothing of a group')],
  ['api.endpointGroups[].services.healthCheck.type', idle('http-health-check is the only word')],
  ['api.endpointGroups[].services.discovery.enabled', observed('proto/definition/refusals.test.ts')],
  ['api.endpointGroups[].services.discovery.type', consul],
  ['api.endpointGroups[].services.discovery.overrideConfiguration', idle('says nothing of a group')],
  ...all('api.endpointGroups[].services.discovery.configuration.', 'url service dc acl', consul),
  ...all('api.endpointGroups[].services.discovery.configuration.', 'host record port scheme path', dns),
  ['api.endpointGroups[].endpoints[].name', idle('names it to people; unique')],
  ...all('api.endpointGroups[].endpoints[].', 'weight secondary', balancing),
  ['api.endpointGroups[].endpoints[].tenants[]', standing],
  ['api.endpointGroups[].endpoints[].services.healthCheck.overrideConfiguration', health],
  ...all('api.endpointGroups[].endpoints[].', 'inheritConfiguration configuration.target', effects),
  [`${http}version`, http2],
  ...all(
    http,
    'keepAlive keepAliveTimeout connectTimeout readTimeout idleTimeout maxConcurrentConnections maxWaitQueueSize',
    options,
  ),
  [`${http}pipelining`, refused(true)],
  [`${http}followRedirects`, observed('data-plane/gateway/call/redirects.test.ts')],
  ...all(http, 'useCompression propagateClientAcceptEncoding', effects),
  [`${http}propagateClientHost`, observed('data-plane/gateway/call/host.test.ts')],
  ...all(
    http,
    'http2MultiplexingLimit http2ConnectionWindowSize http2StreamWindowSize http2MaxFrameSize',
    http2,
  ),
  [`${http}clearTextUpgrade`, idle('no upgrade is made: HTTP/2 in clear text is spoken from the first byte')],
  ...all('api.endpointGroups[].sharedConfiguration.headers[].', 'name value', options),
  ...all(
    'api.endpointGroups[].sharedConfiguration.proxy.',
    'enabled useSystemProxy host port username password',
    options,
  ),
  ['api.endpointGroups[].sharedConfiguration.proxy.type', observed('data-plane/http/upstream/socks.test.ts')],
  ...all(
    ssl,
    'hostnameVerifier trustAll trustStore.type trustStore.content trustStore.path trustStore.password',
    options,
  ),
  ...all(`${ssl}keyStore.`, 'type certContent certPath keyContent keyPath content path password', options),
  [`${ssl}keyStore.keyPassword`, observed('proto/definition/refusals.test.ts')],
  ...all(ssl, 'trustStore.alias keyStore.alias', refused('x')),

  ...all('api.plans[].', 'id security.type status', observed('data-plane/security/plans.test.ts')),
  ['api.plans[].name', portal],
  [
    'api.plans[].security.configuration{}',
    idle('belongs to the security: api-key, jwt, key-less, oauth2 below'),
  ],
  ['api.plans[].mode', refused('push')],
  ...all('api.plans[].', 'bootstrapPort brokerRangeStart brokerRangeEnd', refused(9_092)),
  ['api.plans[].selectionRule', observed('data-plane/security/plan-choice.test.ts')],
  ['api.plans[].tags[]', standing],
  ['api.plans[].order', observed('proto/definition/fixtures.ts')],
  ...all(
    'api.plans[].',
    'definitionVersion description apiId apiType environmentId referenceId referenceType crossId hrid validation characteristics excludedGroups commentRequired comment_required commentMessage generalConditions generalConditionsHrid type createdAt updatedAt publishedAt closedAt needRedeployAt',
    portal,
  ),

  ['api.flowExecution.mode', flows],
  ['api.flowExecution.matchRequired', flows],
  ...all('api.flows[].', 'id name', portal),
  ['api.flows[].enabled', effects],
  ['api.flows[].tags[]', standing],
  ...all('api.flows[].', 'subscribe publish connect entrypointConnect interact pre post', refused(['x'])),
  ['api.flows[].condition', conditions],
  ['api.flows[].methods[]', refused('GET')],
  ...all('api.flows[].selectors[].', 'type path pathOperator methods[]', flows),
  ['api.flows[].selectors[].condition', conditions],
  ...all('api.flows[].request[].', 'name description', portal),
  ...all('api.flows[].request[].', 'enabled policy', effects),
  ['api.flows[].request[].configuration{}', idle('belongs to the policy: see those below')],
  ['api.flows[].request[].condition', conditions],
  ['api.flows[].request[].messageCondition', refused('{#x}')],

  ...all('api.properties[].', 'key value', observed('data-plane/gateway/call/surroundings.test.ts')),
  ['api.properties[].encrypted', observed('test/e2e/secrets.slow.test.ts')],
  ['api.properties[].dynamic', portal],
  ['api.properties[].encryptable', portal],
  ...all('api.responseTemplates{}{}.', 'status statusCode headers{} body', errors),
  [
    'api.responseTemplates{}{}.propagateErrorKeyToLogs',
    idle('records always name the key of the error, whatever template answered'),
  ],
  ['api.analytics.enabled', observed('data-plane/gateway/call/early-answers.test.ts')],
  ...all('api.analytics.', 'messageSampling sampling', messages),
  ...all(
    'api.analytics.logging.',
    'mode.entrypoint mode.endpoint phase.request phase.response content.headers content.payload condition',
    observed('data-plane/gateway/logs/logs.test.ts'),
  ),
  ...all(
    'api.analytics.logging.',
    'content.messageHeaders content.messagePayload content.messageMetadata messageCondition',
    observed('proto/model/api/analytics.test.ts'),
  ),
  ['api.analytics.tracing.enabled', observed('data-plane/gateway/call/trace.test.ts')],
  ['api.analytics.tracing.verbose', observed('proto/model/api/analytics.test.ts')],
  ['api.analytics.tracing.redaction', idle('of spans, and this version writes none')],
  ['api.analytics.otelLogs', refused()],
  ['api.analytics.reporterMetricsEnabled', idle('of native APIs alone; the reference ignores it of others')],
  ...all(
    'api.',
    'definitionContext description crossId hrid environmentId createdAt updatedAt deployedAt deploymentState disableMembershipNotifications groups visibility lifecycleState workflowState categories labels originContext primaryOwner picture background responseTemplatesEnabled _links links metadata members pages',
    portal,
  ),

  ['api.state', observed('data-plane/gateway/errors/errors.test.ts')],

  ['key-less', idle('an empty object')],
  ['mtls', idle('an empty object')],
  ...all(
    'api-key.',
    'propagateApiKey source apiKeyHeader enableCustomApiKeyHeader',
    observed('data-plane/security/plans.test.ts'),
  ),
  ...all(
    'jwt.',
    'signature publicKeyResolver resolverParameter extractClaims propagateAuthHeader userClaim clientIdClaim checkRequiredScopes requiredScopes[] modeStrict',
    jwt,
  ),
  ...all('jwt.', 'connectTimeout requestTimeout followRedirects', keySet),
  ...all('jwt.', 'useSystemProxy', ownWay),
  ['jwt.protectedResourceMetadata.authorizationServers[]', hostileJwt],
  ...all(
    'jwt.confirmationMethodValidation.',
    'ignoreMissing certificateBoundThumbprint.enabled certificateBoundThumbprint.extractCertificateFromHeader certificateBoundThumbprint.headerName',
    hostileJwt,
  ),
  ...all('jwt.tokenTypValidation.', 'enabled ignoreMissing expectedValues[] ignoreCase', jwt),
  ...all(
    'jwt.revocationCheck.',
    'enabled revocationClaim revocationListUrl refreshInterval connectTimeout requestTimeout followRedirects auth.type auth.basic.username auth.basic.password auth.token.value',
    hostileJwt,
  ),
  ['jwt.revocationCheck.useSystemProxy', ownWay],
  ...all(
    'oauth2.',
    'oauthResource oauthCacheResource extractPayload checkRequiredScopes requiredScopes[] modeStrict propagateAuthHeader',
    oauth2,
  ),
  ...all(
    'resources/oauth2.',
    'authorizationServerUrl introspectionEndpoint introspectionEndpointMethod scopeSeparator clientId clientSecret useClientAuthorizationHeader clientAuthorizationHeaderScheme tokenIsSuppliedByQueryParam tokenQueryParamName tokenIsSuppliedByHttpHeader tokenHeaderName tokenIsSuppliedByFormUrlEncoded tokenFormUrlEncodedName userClaim clientAuthorizationHeaderName',
    oauth2,
  ),
  ['resources/oauth2.authorizationServerMetadataEndpoint', idle('nothing of this version asks for metadata')],
  ...all(
    'resources/oauth2.',
    'userInfoEndpoint userInfoEndpointMethod',
    observed('data-plane/policies/security/policy-openid-userinfo.test.ts'),
  ),
  ...all(
    'resources/oauth2-am-resource.',
    'serverURL version securityDomain clientId clientSecret userClaim',
    oauth2,
  ),
  ...all(
    'cache.',
    'key methods[] scope allowRefreshAction',
    observed('test/behaviour/subjects/caches/asked.ts'),
  ),
  ['cache.cacheName', observed('proto/model/api/resources.test.ts')],
  ['cache.responseCondition', observed('test/behaviour/subjects/caches/answers.ts')],
  ['cache.useResponseCacheHeaders', observed('test/behaviour/subjects/caches/answers.ts')],
  ['cache.timeToLiveSeconds', observed('data-plane/policies/cache/cache.test.ts')],
  ...all(
    'resources/cache.',
    'timeToIdleSeconds timeToLiveSeconds',
    observed('data-plane/policies/cache/cache.test.ts'),
  ),
  [
    'resources/cache.name',
    idle('of the reference: a resource is found by the name beside its configuration'),
  ],
  ['resources/cache.maxEntriesLocalHeap', observed('test/behaviour/subjects/caches/asked.ts')],
  ...all(
    'resources/cache-redis.',
    'host port password useSsl timeout releaseCache standalone.enabled standalone.host standalone.port sentinelMode',
    observed('data-plane/policies/cache/in-redis.test.ts'),
  ),
  ...all(
    'resources/cache-redis.',
    'username timeToLiveSeconds sentinel.enabled sentinel.masterId sentinel.username sentinel.password sentinel.nodes[].host sentinel.nodes[].port ssl.hostnameVerifier ssl.trustAll ssl.trustStore ssl.keyStore',
    observed('data-plane/caches.test.ts'),
  ),
  ['resources/cache-redis.maxTotal', idle('of pools: a connection is shared and takes all commands')],
  ...['oauth2', 'oauth2-am-resource'].flatMap((id) =>
    all(`resources/${id}.http.`, 'connectTimeout readTimeout', oauth2),
  ),
  ['api.services.dynamicProperty.configuration.systemProxy', ownWay],
  ...[
    'resources/oauth2',
    'resources/oauth2-am-resource',
    'api.services.dynamicProperty.configuration',
  ].flatMap((place) => [
    ...all(
      `${place}.http.`,
      'version followRedirects keepAlive keepAliveTimeout idleTimeout pipelining useCompression maxConcurrentConnections clearTextUpgrade http2MultiplexingLimit http2ConnectionWindowSize http2StreamWindowSize http2MaxFrameSize',
      ownWay,
    ),
    ...all(`${place}.proxy.`, 'enabled useSystemProxy type host port username password', ownWay),
    ...all(`${place}.ssl.`, 'hostnameVerifier trustAll trustStore keyStore', ownWay),
  ]),
  ...[
    'transform-headers',
    'policy-assign-attributes',
    'policy-assign-content',
    'policy-assign-metrics',
    'policy-data-logging-masking',
    'policy-interrupt',
    'policy-circuit-breaker',
  ].map(
    (id) =>
      [`${id}.scope`, idle('of version 2: where the step stands decides, as in the reference')] as const,
  ),
  ...all(
    'transform-queryparams.',
    'clearAll removeQueryParameters[] addQueryParameters[].name addQueryParameters[].value addQueryParameters[].appendToExistingArray',
    observed('data-plane/policies/transform-queryparams.test.ts'),
  ),
  ...all(
    'policy-assign-attributes.',
    'attributes[].name attributes[].value',
    observed('data-plane/policies/policy-assign-attributes.test.ts'),
  ),
  ...all(
    'policy-assign-metrics.',
    'metrics[].name metrics[].value',
    observed('data-plane/policies/policy-assign-metrics.test.ts'),
  ),
  ...all(
    'policy-data-logging-masking.',
    'headerRules[].path headerRules[].replacer bodyRules[].path bodyRules[].type bodyRules[].regex bodyRules[].replacer',
    observed('data-plane/policies/policy-data-logging-masking.test.ts'),
  ),
  ...all(
    'http-redirect.',
    'rules[].path rules[].location rules[].status',
    observed('data-plane/policies/http-redirect.test.ts'),
  ),
  ...all('http-redirect.', 'cache.maxItems cache.timeToLive', idle('patterns are compiled with the API')),
  ...all(
    'status-code.',
    'statusMappings[].inputStatusCode statusMappings[].outputStatusCode',
    observed('data-plane/policies/status-code.test.ts'),
  ),
  ...threatFates,
  ...transformationFates,
  ['policy-assign-content.body', observed('data-plane/policies/policy-assign-content.test.ts')],
  [
    'policy-override-request-method.method',
    observed('data-plane/policies/policy-override-request-method.test.ts'),
  ],
  ...all(
    'policy-interrupt.',
    'errorKey message statusCode variables[].name variables[].value',
    observed('data-plane/policies/policy-interrupt.test.ts'),
  ),
  ...all(
    'dynamic-routing.',
    'rules[].pattern rules[].url',
    observed('data-plane/gateway/call/routing.test.ts'),
  ),
  ...securityFates,
  ...trafficFates,
  ...scriptFates,
  ...aiFates,
  ...all('latency.', 'time timeUnit', observed('data-plane/policies/latency.test.ts')),
  ...all(
    'transform-headers.',
    'removeHeaders[] whitelistHeaders[] addHeaders[].name addHeaders[].value appendHeaders[].name appendHeaders[].value',
    headers,
  ),
  ...all('mock.', 'status headers[].name headers[].value content', mock),
  ...(['rate-limit.rate.', 'quota.quota.', 'spike-arrest.spike.'] as const).flatMap((place) =>
    all(
      place,
      'key useKeyOnly limit dynamicLimit periodTime dynamicPeriodTime periodTimeUnit',
      observed('data-plane/policies/limits/limiting.test.ts'),
    ),
  ),
  ...(['rate-limit.', 'quota.', 'spike-arrest.'] as const).flatMap((place) =>
    all(
      place,
      'errorStrategy async addHeaders strategy',
      observed('data-plane/policies/limits/limiting.test.ts'),
    ),
  ),
]);

/** Places of one schema are one place. */
export const onePlace = (place: string): string =>
  place
    .replace('api.plans[].flows[]', 'api.flows[]')
    .replace('flows[].response[]', 'flows[].request[]')
    .replace('endpoints[].sharedConfigurationOverride', 'sharedConfiguration')
    .replace('services.discovery.configuration.ssl', 'sharedConfiguration.ssl')
    .replace(/endpoints\[\]\.(services\.healthCheck\.(?!overrideConfiguration))/, '$1');
