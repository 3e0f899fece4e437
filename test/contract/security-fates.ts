import { all, type FieldFate, idle, observed } from './field-fate.ts';

/** Fields of the policies of the family `security/`, and of what they use; see `definition-fields.ts`. */
export const securityFates: readonly (readonly [string, FieldFate])[] = [
  ...all(
    'resource-filtering.',
    'whitelist[].pattern whitelist[].methods[] blacklist[].pattern blacklist[].methods[] normalizeRequestPath decodeEncodedSlash',
    observed('data-plane/policies/security/resource-filtering.test.ts'),
  ),
  ...all(
    'ip-filtering.',
    'matchAllFromXForwardedFor useCustomIPAddress customIPAddress whitelistIps[] blacklistIps[] lookupIpVersion isInclusiveHostCount',
    observed('data-plane/policies/security/ip-filtering.test.ts'),
  ),
  ...all('rbac.', 'roles[] strict', observed('data-plane/policies/security/rbac.test.ts')),
  ...all(
    'ssl-enforcement.',
    'requiresSsl useXForwardedProto requiresClientAuthentication certificateLocation certificateHeaderName whitelistClientCertificates[] whitelistIssuers[] requiredCertificatePolicies[] whitelistSubjectAlternativeNames[]',
    observed('data-plane/policies/security/ssl-enforcement.test.ts'),
  ),
  ...all(
    'policy-basic-authentication.',
    'authenticationProviders[] realm',
    observed('data-plane/policies/security/policy-basic-authentication.test.ts'),
  ),
  ...all(
    'resources/auth-provider-inline-resource.',
    'users[].username users[].password users[].roles[]',
    observed('data-plane/resources/auth-provider-inline-resource.test.ts'),
  ),
  ...all(
    'resources/auth-provider-http-resource.',
    'method url headers[].name headers[].value body condition',
    observed('data-plane/resources/auth-provider-http-resource.test.ts'),
  ),
  [
    'resources/auth-provider-http-resource.useSystemProxy',
    idle('calls of definitions go by one client, whose way the gateway has set'),
  ],
  ...all(
    'resources/auth-provider-ldap-resource.',
    'contextSourceUrl useStartTLS contextSourceBase contextSourceUsername contextSourcePassword userSearchFilter userSearchBase attributes[] cacheMaxElements cacheTimeToLive connectTimeout responseTimeout minPoolSize maxPoolSize',
    observed('data-plane/resources/auth-provider-ldap-resource.test.ts'),
  ),
  ...all(
    'http-signature.',
    'scheme secret algorithms[] enforceHeaders[] clockSkew decodeSignature strictMode',
    observed('data-plane/policies/security/http-signature.test.ts'),
  ),
  ...all(
    'geoip-filtering.',
    'failOnUnknown whitelistRules[].type whitelistRules[].country whitelistRules[].latitude whitelistRules[].longitude whitelistRules[].distance exposeGeoIpMatching useCustomIPAddress customIPAddress',
    observed('data-plane/policies/security/geoip-filtering.test.ts'),
  ),
  ...all(
    'generate-http-signature.',
    'scheme targetSignatureHeader keyId secret algorithm headers[] signHeaders signPayload prependHeadersToBody headersDelimiter signMethod signUri created expires validityDuration',
    observed('data-plane/policies/security/generate-http-signature.test.ts'),
  ),
  ...all(
    'policy-generate-jwt.',
    'signature keyResolver content kid x509CertificateChain secretBase64Encoded id audiences[] issuer subject expiresIn expiresInUnit customClaims[].name customClaims[].value',
    observed('data-plane/policies/security/policy-generate-jwt.test.ts'),
  ),
  ...all('policy-generate-jwt.', 'alias storepass keypass', idle('of stores, which are refused')),
  ...all(
    'policy-openid-userinfo.',
    'oauthResource extractPayload',
    observed('data-plane/policies/security/policy-openid-userinfo.test.ts'),
  ),
  ...all(
    'jws.',
    'checkCertificateValidity checkCertificateRevocation',
    observed('data-plane/policies/security/jws.test.ts'),
  ),
];
