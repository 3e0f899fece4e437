import type { PlanDefinition } from '../../proto/model/api.ts';
import type { PolicyConfig, PolicyId } from '../../proto/policies/catalog.ts';
import { promptGuardRails } from './ai/ai-prompt-guard-rails.ts';
import { promptTokenTracking } from './ai/ai-prompt-token-tracking.ts';
import { costRateLimit } from './ai/cost-ratelimit.ts';
import { tokenRateLimit } from './ai/token-ratelimit.ts';
import { semanticCaching } from './ai/ai-semantic-caching.ts';
import { piiFiltering } from './ai/pii/pii-filtering.ts';
import { cache } from './cache/cache.ts';
import { dynamicRouting } from './dynamic-routing.ts';
import { httpRedirect } from './http-redirect.ts';
import { latency } from './latency.ts';
import { mock } from './mock.ts';
import { assignAttributes } from './policy-assign-attributes.ts';
import { assignContent } from './policy-assign-content.ts';
import { assignMetrics } from './policy-assign-metrics.ts';
import { dataLoggingMasking } from './policy-data-logging-masking.ts';
import { interrupt } from './policy-interrupt.ts';
import { overrideRequestMethod } from './policy-override-request-method.ts';
import type { Policy, PolicyTools } from './policy.ts';
import { ipFiltering } from './security/ip-filtering.ts';
import { rbac } from './security/rbac.ts';
import { sslEnforcement } from './security/ssl-enforcement.ts';
import { basicAuthentication } from './security/policy-basic-authentication.ts';
import { geoipFiltering } from './security/geoip-filtering.ts';
import { generateHttpSignature } from './security/generate-http-signature.ts';
import { generateJwt } from './security/policy-generate-jwt.ts';
import { httpSignature } from './security/http-signature.ts';
import { openidUserinfo } from './security/policy-openid-userinfo.ts';
import { jws } from './security/jws.ts';
import { resourceFiltering } from './security/resource-filtering.ts';
import { javascript } from './scripts/javascript.ts';
import { js } from './scripts/js.ts';
import { sharedPolicyGroupPolicy } from './shared-policy-group-policy.ts';
import { quota } from './limits/quota.ts';
import { rateLimit } from './limits/rate-limit.ts';
import { spikeArrest } from './limits/spike-arrest.ts';
import { statusCode } from './status-code.ts';
import { jsonThreatProtection } from './threats/json-threat-protection.ts';
import { regexThreatProtection } from './threats/regex-threat-protection.ts';
import { requestContentLimit } from './threats/request-content-limit.ts';
import { xmlThreatProtection } from './threats/xml-threat-protection.ts';
import { jsonToJson } from './transformation/json-to-json.ts';
import { compression } from './transformation/compression.ts';
import { htmlJson } from './transformation/html-json.ts';
import { jsonXml } from './transformation/json-xml.ts';
import { restToSoap } from './transformation/rest-to-soap.ts';
import { xmlJson } from './transformation/xml-json.ts';
import { xslt } from './transformation/xslt.ts';
import { transformHeaders } from './transform-headers.ts';
import { jsonValidation } from './validation/json-validation.ts';
import { oasValidation } from './validation/oas-validation.ts';
import { xmlValidation } from './validation/xml-validation.ts';
import { requestValidation } from './validation/policy-request-validation.ts';
import { transformQueryParams } from './transform-queryparams.ts';
import { retry } from './traffic/retry.ts';
import { circuitBreaker } from './traffic/policy-circuit-breaker.ts';
import { tokenBucket } from './traffic/token-bucket-rate-limit.ts';
import { concurrencyLimit } from './traffic/concurrency-limit.ts';
import { metricsReporter } from './traffic/metrics-reporter.ts';
import { httpCallout } from './traffic/policy-http-callout.ts';
import { trafficShadowing } from './traffic/traffic-shadowing.ts';
import { urlRewriting } from './transformation/url-rewriting.ts';

/** Policies that stand as steps in flows; the others are the security of plans (`security/`), whose plans are asked together. */
export type StepPolicyId = Exclude<PolicyId, PlanDefinition['security']['type']>;

/** The code of every step policy; the compiler of a definition looks here and nowhere else. */
export const policies: {
  readonly [Id in StepPolicyId]: (config: PolicyConfig<Id>, tools: PolicyTools<Id>) => Policy;
} = {
  'ip-filtering': ipFiltering,
  rbac,
  'ssl-enforcement': sslEnforcement,
  'policy-basic-authentication': basicAuthentication,
  'http-signature': httpSignature,
  'geoip-filtering': geoipFiltering,
  'generate-http-signature': generateHttpSignature,
  'policy-generate-jwt': generateJwt,
  'policy-openid-userinfo': openidUserinfo,
  jws,
  'resource-filtering': resourceFiltering,
  'transform-headers': transformHeaders,
  'transform-queryparams': transformQueryParams,
  'policy-assign-attributes': assignAttributes,
  'policy-assign-content': assignContent,
  'policy-assign-metrics': assignMetrics,
  'policy-data-logging-masking': dataLoggingMasking,
  'policy-override-request-method': overrideRequestMethod,
  'policy-interrupt': interrupt,
  cache,
  latency,
  'dynamic-routing': dynamicRouting,
  'http-redirect': httpRedirect,
  'url-rewriting': urlRewriting,
  'traffic-shadowing': trafficShadowing,
  'metrics-reporter': metricsReporter,
  'policy-http-callout': httpCallout,
  'concurrency-limit': concurrencyLimit,
  'token-bucket-rate-limit': tokenBucket,
  'policy-circuit-breaker': circuitBreaker,
  retry,
  mock,
  'rate-limit': rateLimit,
  'shared-policy-group-policy': sharedPolicyGroupPolicy,
  quota,
  'spike-arrest': spikeArrest,
  'status-code': statusCode,
  // Threats.
  'json-threat-protection': jsonThreatProtection,
  'regex-threat-protection': regexThreatProtection,
  'request-content-limit': requestContentLimit,
  'xml-threat-protection': xmlThreatProtection,
  // Transformation.
  'json-to-json': jsonToJson,
  // Validation.
  'json-validation': jsonValidation,
  'oas-validation': oasValidation,
  'xml-validation': xmlValidation,
  'policy-request-validation': requestValidation,
  compression,
  'html-json': htmlJson,
  'json-xml': jsonXml,
  'rest-to-soap': restToSoap,
  'xml-json': xmlJson,
  xslt,
  // Scripts.
  js,
  javascript,
  // AI.
  'ai-prompt-guard-rails': promptGuardRails,
  'ai-prompt-token-tracking': promptTokenTracking,
  'ai-semantic-caching': semanticCaching,
  'pii-filtering': piiFiltering,
  'token-ratelimit': tokenRateLimit,
  'cost-ratelimit': costRateLimit,
};

/** Says whether a policy may stand as a step. */
export function isStepPolicyId(id: string): id is StepPolicyId {
  return Object.hasOwn(policies, id);
}
