import { z } from 'zod';

import { headerNameSchema } from '../../model/head-text.ts';
import { readDistinguishedName } from '../../trust/certificate-facts.ts';
import { definePolicy } from '../policy-schema.ts';

const names = z
  .array(
    z
      .string()
      .max(1_000)
      .refine(
        (text) => readDistinguishedName(text) !== undefined,
        'must be a distinguished name such as CN=orders, O=Acme',
      ),
  )
  .max(200)
  .default([]);

/** Of CN=orders, O=Acme; its key is nobody's. */
const exampleCertificate =
  'MIIC5jCCAc6gAwIBAgIBATANBgkqhkiG9w0BAQsFADAgMQ0wCwYDVQQKEwRBY21lMQ8wDQYDVQQDEwZvcmRlcnMwIBcNMjAwMTAxMDAwMDAwWhgPMjEyMDAxMDEwMDAwMDBaMCAxDTALBgNVBAoTBEFjbWUxDzANBgNVBAMTBm9yZGVyczCCASIwDQYJKoZIhvcNAQEBBQADggEPADCCAQoCggEBAJwrnfn/ff7CoS/oNV9+JXUYn4e3nHMcjEQtqXHsP9jP48fQaJFYAO73Gl3dewzcFAhojh8MP2QpaHOzppR6Zpd5h1O1bIidCQUKPszK6auNVjAjwWShLUu+bRCOHfbnC8Xu8CA9i3PnOfAjPQgiwuqXkJn7soegHuDOCANFMvicgdxcnOrLGnhWhW79nePu4/UF4N8yncb3BP3eqsr+Vxg1cY9lkDPNr4AvLjwtCwvphg6mInr+Wi+oWu0oUFUqZVz32As162tD9P0arZ/CNA6GpF3iaocOM9ut40SPTbHvS2j50293hkEZa+qov5mk3VZnENuIdKDPDXqi5Eq6lj8CAwEAAaMpMCcwCQYDVR0TBAIwADAaBgNVHREEEzARgg9vcmRlcnMuYWNtZS5jb20wDQYJKoZIhvcNAQELBQADggEBAGqeTfPJFhRkdzNuhBkk2Ot8BSz85kAsFYZeAIibe5nEZzVF4ROqlxE70Z87FyRHNeLUxaEgo1Sd2vfKzEAz6N4dSlJBgSsd/VuNtJz1Lqc0GkdxGL70QLrRRxQJXbbsoEp2+H03wzrNCrBOsEBV4/ufPpvIbetSaKTeaESIIs0/3QSIRQux5vyiRvCEiZqhI8R1+OliiSFUz5Ybe5NpzhC1Zs60ziEOglqmTAuYTUkDLWov0NLkL9td8eVT7YhMI8ZfJ94EsnExlvRtea4vuxWnLQ3DovLM0C/EEm5xbu6JfrXHcly+54M7X/6dFxQJaw5LAAGGEKDUgqKsdF/H3D8=';

/** Lets requests over TLS pass, and clients with some certificates. */
export const sslEnforcement = definePolicy({
  id: 'ssl-enforcement',
  title: 'SSL enforcement',
  summary: 'Refuses requests without TLS, or without a client certificate that fits.',
  category: 'security',
  phases: ['request'],
  config: () =>
    z.strictObject({
      requiresSsl: z.boolean().default(true),
      /** Whether the word of a proxy counts. */
      useXForwardedProto: z.boolean().default(false),
      requiresClientAuthentication: z.boolean().default(false),
      certificateLocation: z.enum(['SESSION', 'HEADER']).default('SESSION'),
      certificateHeaderName: headerNameSchema.default('ssl-client-cert'),
      whitelistClientCertificates: names,
      whitelistIssuers: names,
      requiredCertificatePolicies: z
        .array(
          z
            .string()
            .max(256)
            .refine((text) => /^\d+(?:\.\d+)+$/.test(text), 'must be an OID such as 1.3.6.1.4.1.99999.1'),
        )
        .max(100)
        .default([]),
      whitelistSubjectAlternativeNames: z.array(z.string().min(1).max(1_000)).max(200).default([]),
    }),
  errors: {
    SSL_ENFORCEMENT_SSL_REQUIRED: { status: 403, message: 'TLS is required here' },
    SSL_ENFORCEMENT_AUTHENTICATION_REQUIRED: {
      status: 401,
      message: 'A client certificate is required here',
    },
    SSL_ENFORCEMENT_CLIENT_FORBIDDEN: {
      status: 403,
      message: 'The client certificate of {name} is not let in here',
    },
    SSL_ENFORCEMENT_ISSUER_MISMATCH: {
      status: 403,
      message: 'Client certificates that {issuer} has issued are not let in here',
    },
    SSL_ENFORCEMENT_OID_MISMATCH: {
      status: 403,
      message: 'The client certificate has not the policies {required}',
    },
    SSL_ENFORCEMENT_SAN_MISMATCH: {
      status: 403,
      message: 'The client certificate has none of the names {whitelist}',
    },
  },
  docs: 'With `useXForwardedProto` a request counts as one over TLS where a proxy of `listen.trustedProxies` says so in `X-Forwarded-Proto` or `Forwarded`; of others nothing counts. Without TLS, where `requiresSsl` is false, nothing else is asked.\n\nWith `requiresClientAuthentication` there has to be a certificate, in date: that of the handshake (`clientAuth` of the listener is `request` or `required`), or of `certificateHeaderName` (PEM with escapes, base64, or as Envoy writes it), which counts from proxies of `listen.trustedProxies` alone. Each list that is not empty is asked then: the subject or the issuer has to be one of the names (as many parts, in any order, values with `*` and `?`), every policy has to be there, and one of the alternative names (DNS, mail, URI, IP; in any case of letters, `*` and `?`).\n\nWhat a certificate says counts for a list only where an authority of the listener (`caFile`), or the proxy, stands behind it: one that is trusted for a subscription alone is none.',
  example: () => ({
    about:
      'A terminator of TLS in front says how its client came, and which certificate he has shown (`listen.trustedProxies`).',
    request: [
      {
        policy: 'ssl-enforcement',
        configuration: {
          useXForwardedProto: true,
          requiresClientAuthentication: true,
          certificateLocation: 'HEADER',
          certificateHeaderName: 'X-Certificate',
          whitelistClientCertificates: ['CN=orders, O=*'],
        },
      },
    ],
    settings: { listen: { trustedProxies: ['127.0.0.1'] } },
    calls: [
      {
        request: { headers: { 'X-Forwarded-Proto': 'https', 'X-Certificate': exampleCertificate } },
        answer: { body: 'hello' },
      },
      {
        request: { headers: { 'X-Forwarded-Proto': 'https' } },
        received: 'nothing',
        answer: { status: 401 },
      },
      {
        request: { headers: { 'X-Certificate': exampleCertificate } },
        received: 'nothing',
        answer: { status: 403 },
      },
    ],
  }),
});
