import { z } from 'zod';

import { definePolicy } from './policy-schema.ts';

const refused = { status: 401, message: 'Unauthorized', parent: 'GATEWAY_PLAN_UNRESOLVABLE' } as const;

/** Plan security by a client's certificate. */
export const mtls = definePolicy({
  id: 'mtls',
  title: 'Mutual TLS',
  summary: "Lets in who shows a client certificate of a subscription's application.",
  category: 'security',
  phases: ['security'],
  config: z.strictObject({}),
  errors: {
    SSL_SESSION_REQUIRED: refused,
    CLIENT_CERTIFICATE_MISSING: refused,
    CLIENT_CERTIFICATE_INVALID: refused,
  },
  docs: 'Takes the certificate of the handshake (`clientAuth` of the listener is `request` or `required`), or, where `clientCertificateHeader` names one, of the header of a trusted peer. Its SHA-256 must be one of the application of an accepted subscription of the plan, in date, as the certificate itself must be. Handshakes trust what stands in subscriptions, as it is now, and `caFile` of the listener: any other certificate fails them. Without TLS and header the refusal is SSL_SESSION_REQUIRED, without a certificate CLIENT_CERTIFICATE_MISSING; with one that no subscription has, or that has ended, CLIENT_CERTIFICATE_INVALID, unless another plan lets the caller in.',
});
