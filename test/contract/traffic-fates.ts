import { all, type FieldFate, idle, observed } from './field-fate.ts';

const ownWay = idle('calls of definitions go by one client, whose way the gateway has set');

/** Fields of the policies of the family `traffic/`, and of `url-rewriting`; see `definition-fields.ts`. */
export const trafficFates: readonly (readonly [string, FieldFate])[] = [
  ...all(
    'retry.',
    'condition maxRetries delay timeout lastResponse',
    observed('data-plane/policies/traffic/retry.test.ts'),
  ),
  ...all(
    'policy-circuit-breaker.',
    'failureRateThreshold slowCallRateThreshold slowCallDurationThreshold windowSize waitDurationInOpenState redirectToURL minimumNumberOfCalls permittedNumberOfCallsInHalfOpenState maxWaitDurationInHalfOpenState recordInterruptedCallsAsFailures',
    observed('data-plane/policies/traffic/policy-circuit-breaker.test.ts'),
  ),
  ...all(
    'token-bucket-rate-limit.',
    'errorStrategy async addHeaders key useKeyOnly burstCapacity dynamicBurstCapacity refillRate dynamicRefillRate refillPeriodTime refillPeriodTimeUnit',
    observed('data-plane/policies/traffic/token-bucket-rate-limit.test.ts'),
  ),
  ...all(
    'concurrency-limit.',
    'limit per queue.max queue.waitMs',
    observed('data-plane/policies/traffic/concurrency-limit.test.ts'),
  ),
  ...all(
    'metrics-reporter.',
    'method url headers[].name headers[].value body useSystemProxy http.connectTimeout http.readTimeout ssl.trustAll proxy.enabled',
    observed('data-plane/policies/traffic/metrics-reporter.test.ts'),
  ),
  ...all(
    'metrics-reporter.http.',
    'version followRedirects keepAlive keepAliveTimeout idleTimeout pipelining useCompression maxConcurrentConnections clearTextUpgrade http2MultiplexingLimit http2ConnectionWindowSize http2StreamWindowSize http2MaxFrameSize',
    ownWay,
  ),
  ...all('metrics-reporter.proxy.', 'useSystemProxy type host port username password', ownWay),
  ...all('metrics-reporter.ssl.', 'hostnameVerifier trustStore keyStore', ownWay),
  ...all(
    'policy-http-callout.',
    'method url headers[].name headers[].value body fireAndForget variables[].name variables[].value variables[].evaluateAsString exitOnError errorCondition errorStatusCode errorContent http.maxConcurrentConnections',
    observed('data-plane/policies/traffic/policy-http-callout.test.ts'),
  ),
  [
    'policy-http-callout.useSystemProxy',
    idle('calls of definitions go by one client, whose way the gateway has set'),
  ],
  ['policy-http-callout.scope', idle('of version 2: the phase is where the step stands')],
  ...all(
    'traffic-shadowing.',
    'target headers[].name headers[].value',
    observed('data-plane/policies/traffic/traffic-shadowing.test.ts'),
  ),
  ...all(
    'url-rewriting.',
    'rewriteResponseHeaders rewriteResponseBody fromRegex toReplacement',
    observed('data-plane/policies/transformation/url-rewriting.test.ts'),
  ),
];
