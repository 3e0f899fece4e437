import type { z } from 'zod';

import { promptGuardRails } from './ai/ai-prompt-guard-rails.ts';
import { promptTokenTracking } from './ai/ai-prompt-token-tracking.ts';
import { costRateLimit } from './ai/cost-ratelimit.ts';
import { tokenRateLimit } from './ai/token-ratelimit.ts';
import { semanticCaching } from './ai/ai-semantic-caching.ts';
import { piiFiltering } from './ai/pii-filtering.ts';
import { apiKey } from './api-key.ts';
import { cache } from './cache.ts';
import { jwt } from './jwt.ts';
import { keyLess } from './key-less.ts';
import { mock } from './mock.ts';
import { mtls } from './mtls.ts';
import { oauth2 } from './oauth2.ts';
import type { PolicySchema } from './policy-schema.ts';
import { quota } from './limits/quota.ts';
import { rateLimit } from './limits/rate-limit.ts';
import { dynamicRouting } from './dynamic-routing.ts';
import { httpRedirect } from './http-redirect.ts';
import { latency } from './latency.ts';
import { assignAttributes } from './policy-assign-attributes.ts';
import { assignContent } from './policy-assign-content.ts';
import { assignMetrics } from './policy-assign-metrics.ts';
import { dataLoggingMasking } from './policy-data-logging-masking.ts';
import { interrupt } from './policy-interrupt.ts';
import { overrideRequestMethod } from './policy-override-request-method.ts';
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

/** Every policy this version knows, by id; a new one is its schema file and a line here. */
export const catalog = {
  'key-less': keyLess,
  'api-key': apiKey,
  jwt,
  oauth2,
  mtls,
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
} as const satisfies Readonly<Record<string, PolicySchema>>;

/** Id of a policy of this version. */
export type PolicyId = keyof typeof catalog;

/** Parsed configuration of a policy, defaults filled. */
export type PolicyConfig<Id extends PolicyId> = z.output<(typeof catalog)[Id]['config']>;

const isPolicyId = (id: string): id is PolicyId => Object.hasOwn(catalog, id);

const aliases: ReadonlyMap<string, PolicyId> = new Map(
  Object.keys(catalog)
    .filter(isPolicyId)
    .flatMap((id) => {
      const { aliases: others = [] }: PolicySchema = catalog[id];
      return others.map((alias) => [alias, id] as const);
    }),
);

/** The id of a policy that a definition names by it or by an alias; undefined for what this version does not know. */
export function policyIdOf(written: string): PolicyId | undefined {
  return isPolicyId(written) ? written : aliases.get(written);
}

/** Finds a policy by its id or an alias; undefined for what this version does not know. */
export function policySchema(written: string): PolicySchema | undefined {
  const id = policyIdOf(written);
  return id === undefined ? undefined : catalog[id];
}

/** Says whether a policy may refuse a request or answer in place of the backend; of an unknown one it is to be feared. */
export function mayRefuse(id: string): boolean {
  const schema = policySchema(id);
  return schema === undefined || schema.answers === true || Object.keys(schema.errors).length > 0;
}

/** Ids of the policies that may stand in a phase, sorted; for messages and for the console's palette. */
export function policyIds(phase: PolicySchema['phases'][number]): readonly string[] {
  return Object.values<PolicySchema>(catalog)
    .filter((policy) => policy.phases.includes(phase))
    .map((policy) => policy.id)
    .toSorted();
}
