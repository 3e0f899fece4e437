import { wordsIn } from './place.ts';

/**
 * Policies of the reference that APIs of version 1 and 2 use, by where they act: on requests alone, on answers alone, or on whichever of them
 * their `scope` says.
 */
const requests: ReadonlySet<string> = new Set(
  wordsIn(`
  api-key key-less jwt oauth2 mtls policy-basic-authentication http-signature rbac ip-filtering
  resource-filtering ssl-enforcement geoip-filtering policy-geoip-filtering policy-generate-jwt jws
  policy-openid-userinfo openid-connect-userinfo json-threat-protection xml-threat-protection regex-threat-protection
  request-content-limit policy-request-content-limit xml-validation policy-request-validation
  rate-limit quota spike-arrest cache retry latency mock policy-circuit-breaker traffic-shadowing
  dynamic-routing http-redirect rest-to-soap transform-queryparams policy-override-request-method
  token-bucket-rate-limit wssecurity-authentication policy-wssecurity-authentication
`),
);
const responses: ReadonlySet<string> = new Set(
  wordsIn(`
  url-rewriting html-json metrics-reporter transform-status-code status-code
`),
);
const scoped: ReadonlySet<string> = new Set(
  wordsIn(`
  transform-headers policy-assign-content policy-assign-attributes policy-assign-metrics json-to-json
  json-validation xml-json json-xml xslt policy-http-callout aws-lambda policy-interrupt
  generate-http-signature policy-data-logging-masking oas-validation json-to-toon js
`),
);
/** They have no scope: each of their scripts says where it runs. */
const scripts: ReadonlySet<string> = new Set(['groovy', 'javascript']);
const others: ReadonlySet<string> = new Set(
  wordsIn(`
  shared-policy-group-policy cloud-events message-filtering
`),
);

const bodies: ReadonlySet<string> = new Set(
  wordsIn(`
  policy-assign-content json-to-json json-validation xml-json json-xml xslt xml-validation
  rest-to-soap html-json json-to-toon
`),
);

/** Says whether a policy reads or changes bodies whatever its configuration. */
export function isOfBodies(policy: string): boolean {
  return bodies.has(policy);
}

/** Where a policy acts, as far as that is known of its name. */
export type PolicyPlace = 'requests' | 'responses' | 'scoped' | 'scripts' | 'elsewhere' | 'unknown';

/** See {@link PolicyPlace}. */
export function placeOfPolicy(policy: string): PolicyPlace {
  if (requests.has(policy)) return 'requests';
  if (responses.has(policy)) return 'responses';
  if (scoped.has(policy)) return 'scoped';
  if (scripts.has(policy)) return 'scripts';
  return others.has(policy) ? 'elsewhere' : 'unknown';
}
